"""Resolves the business date and the log position of a report, once, in its transaction."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, TypeAlias

import psycopg

from ltc_events.kernel.time_zones import day_in, zone_named
from ltc_events.reports.errors import ReadTablesMissing
from ltc_events.store import StoreWentBack
from ltc_events.store.sql_files import Statements

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_SQL = Statements(__name__, "queries")
TIMELINE = "timeline"
"""The read table that knows when each position was recorded: it has a row for every event."""


class AsOf(NamedTuple):
    """The state that a report shows.

    `as_of` is the upper bound of business dates and `position` that of recorded events; `known_at` is when that event was
    recorded (None: there is none). `moment` is the end of the day `as_of` in the company's time zone, or the present during it.
    """

    as_of: date
    moment: datetime
    position: int
    known_at: datetime | None


def settle(
    connection: Connection, report: str, tables: Iterable[str], as_of: date | None, known_at: int | datetime | None
) -> AsOf:
    """Resolve the requested date and position, within the transaction of the report that reads `tables`.

    The position is the end of a command: a position among a command's events is rounded up. It is at most the lowest checkpoint
    of the tables read, so that all of them show the same state; where that is among a command's events, it is the end of the
    previous command. The default date is today in the company's time zone.
    Raises ReadTablesMissing, StoreWentBack, TimeZoneMissing.
    """
    now = _one(connection, _SQL["now"]).astimezone(UTC)
    zone = _zone(connection)
    as_of = as_of or day_in(zone, now)
    wanted = sorted(tables)
    position = lowest_checkpoint(connection, report, wanted)
    _refuse_ahead(connection, report, [*wanted, TIMELINE])
    lowest = position
    if isinstance(known_at, datetime):
        upto = lowest_checkpoint(connection, report, [TIMELINE])
        position = min(position, _one(connection, _SQL["position_at"], {"upto": upto, "moment": known_at}))
        position = _command_end(connection, position, lowest)
    else:
        if known_at is not None:
            position = min(position, known_at)
        position = _command_end(connection, position, lowest)
        known_at = _recorded_at(connection, position)
    return AsOf(as_of, _moment(as_of, now, zone), position, known_at)


def _command_end(connection: Connection, position: int, lowest: int) -> int:
    """The end of the command of the event at `position`, or where that is above `lowest`, of the previous command."""
    if not _one(connection, _SQL["knows_commands"]):
        return position
    row = connection.execute(_SQL["command_span"], (position,)).fetchone()
    if row is None:
        return position
    first, last = row
    return int(last) if last <= lowest else int(first) - 1


def lowest_checkpoint(connection: Connection, report: str, tables: Iterable[str]) -> int:
    """The position up to which all of these read tables are filled; raises ReadTablesMissing."""
    wanted = sorted(tables)
    found: dict[str, int] = {}
    if _laid_out(connection):
        found.update(connection.execute(_SQL["lowest_checkpoints"], (wanted,)).fetchall())
    missing = [table for table in wanted if table not in found]
    if missing:
        raise ReadTablesMissing(report=report, tables=", ".join(missing))
    return min(found.values())


def _refuse_ahead(connection: Connection, report: str, tables: list[str]) -> None:
    """Refuse tables that are ahead of the store. Raises StoreWentBack."""
    if not _one(connection, _SQL["knows_ahead"]):
        return
    row = connection.execute(_SQL["ahead"], (tables,)).fetchone()
    if row is not None:
        table, position, head = row
        what = f"{report} reads {table}, at position {position}, which the store, whose head is {head}, does not have as it was"
        raise StoreWentBack(what=what)


def log_head(connection: Connection) -> int:
    """The last position of the log, queried as a reader (0: there is no ledger or no event)."""
    return int(_one(connection, _SQL["head"])) if _laid_out(connection) else 0


def _laid_out(connection: Connection) -> bool:
    return _one(connection, _SQL["laid_out"]) is not None


def _recorded_at(connection: Connection, position: int) -> datetime | None:
    if position == 0:
        return None
    row = connection.execute(_SQL["recorded_at"], (position,)).fetchone()
    return row[0].astimezone(UTC) if row else None


def _zone(connection: Connection) -> tzinfo:
    """The time zone of policy `company`; UTC until that is published."""
    name = _one(connection, _SQL["time_zone"]) if _one(connection, _SQL["knows_policies"]) else None
    return zone_named(name or "UTC")


def _moment(as_of: date, now: datetime, zone: tzinfo) -> datetime:
    if as_of == day_in(zone, now):
        return now
    if as_of == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.combine(as_of + timedelta(days=1), datetime.min.time(), zone).astimezone(UTC)


def _one(connection: Connection, query: Any, params: Any = None) -> Any:
    row = connection.execute(query, params).fetchone()
    return row[0] if row else None
