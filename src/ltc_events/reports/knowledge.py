"""As of when, and known by when: what a report may look at, settled once within its transaction."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

import psycopg

from ltc_events.reports.errors import ReadTablesMissing

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

TIMELINE = "timeline"
"""The read table that knows when each position was recorded: it has a row for every event."""

# The version of a table that its view shows is the one that counts: during a rebuild there are two.
_LOWEST_CHECKPOINTS = """
SELECT shown.relname, min(c.position)
FROM pg_class shown
JOIN pg_rewrite rule ON rule.ev_class = shown.oid
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = rule.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class physical ON physical.oid = d.refobjid AND physical.relkind = 'r'
JOIN ltc_read.checkpoints c ON c.projection || '__v' || c.version = physical.relname
WHERE shown.relnamespace = to_regnamespace('ltc_read') AND shown.relkind = 'v' AND shown.relname = ANY(%s)
GROUP BY shown.relname
"""
# Positions have no gap and recorded_at never falls as they rise, so halving finds the last one in some twenty steps.
# UNION, not ALL: one event may be told as several, which have their position in common.
_POSITION_AT = """
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, %(upto)s::bigint
    UNION
    SELECT CASE WHEN t.recorded_at <= %(moment)s THEN t.position ELSE s.low END,
           CASE WHEN t.recorded_at <= %(moment)s THEN s.high ELSE t.position - 1 END
    FROM search s
    JOIN ltc_read.timeline t ON t.position = (s.low + s.high + 1) / 2
    WHERE s.low < s.high
)
SELECT max(low) FROM search
"""
_RECORDED_AT = "SELECT recorded_at FROM ltc_read.timeline WHERE position = %s"


class Knowledge(NamedTuple):
    """What a report may look at.

    `as_of` bounds business dates and `position` what had been recorded; `known_at` is when that was (None: nothing yet).
    `moment` is the end of the day `as_of`, or the present while that day lasts.
    """

    as_of: date
    moment: datetime
    position: int
    known_at: datetime | None


def settle(
    connection: Connection, report: str, tables: Iterable[str], as_of: date | None, known_at: int | datetime | None
) -> Knowledge:
    """Work out what was asked for, within the transaction of the report that reads `tables`.

    The position is never above the lowest checkpoint of the tables read, so that they all know the same.
    Raises ReadTablesMissing.
    """
    now = _one(connection, "SELECT transaction_timestamp()").astimezone(UTC)
    as_of = as_of or now.date()
    position = lowest_checkpoint(connection, report, tables)
    if isinstance(known_at, datetime):
        upto = lowest_checkpoint(connection, report, [TIMELINE])
        position = min(position, _one(connection, _POSITION_AT, {"upto": upto, "moment": known_at}))
    else:
        if known_at is not None:
            position = min(position, known_at)
        known_at = _recorded_at(connection, position)
    return Knowledge(as_of, _moment(as_of, now), position, known_at)


def lowest_checkpoint(connection: Connection, report: str, tables: Iterable[str]) -> int:
    """The position up to which all of these read tables are filled; raises ReadTablesMissing."""
    wanted = sorted(tables)
    found: dict[str, int] = {}
    if _laid_out(connection):
        found.update(connection.execute(_LOWEST_CHECKPOINTS, (wanted,)).fetchall())
    missing = [table for table in wanted if table not in found]
    if missing:
        raise ReadTablesMissing(report=report, tables=", ".join(missing))
    return min(found.values())


def _laid_out(connection: Connection) -> bool:
    return _one(connection, "SELECT to_regclass('ltc_read.checkpoints')") is not None


def _recorded_at(connection: Connection, position: int) -> datetime | None:
    if position == 0:
        return None
    row = connection.execute(_RECORDED_AT, (position,)).fetchone()
    return row[0].astimezone(UTC) if row else None


def _moment(as_of: date, now: datetime) -> datetime:
    if as_of == now.date():
        return now
    if as_of == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(as_of + timedelta(days=1), datetime.min.time(), UTC)


def _one(connection: Connection, query: Any, params: Any = None) -> Any:
    row = connection.execute(query, params).fetchone()
    return row[0] if row else None
