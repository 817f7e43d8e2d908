"""Looking at the database: whether it keeps what it is given, whether the ledger is whole, and how far read tables are."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import scalar_row

from ltc_events.diagnosis.check import Check, skew
from ltc_events.kernel.errors import LtcError
from ltc_events.store import Database, Role

LAG_EVENTS_MAX = 100_000
Connection = psycopg.Connection[tuple[Any, ...]]

_SETTINGS_OFF = b"""
    SELECT name FROM pg_settings
    WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting = 'off' ORDER BY name
"""
_TIME = b"SELECT extract(epoch FROM clock_timestamp())::float8"
_IS_LAID_OUT = b"SELECT to_regclass('ltc.events') IS NOT NULL"
_HEAD_AND_LAST = b"SELECT h.position, coalesce((SELECT max(position) FROM ltc.events), 0) FROM ltc.head h"
_UNGUARDED = b"""
    SELECT wanted.name FROM unnest(%s::text[]) AS wanted (name)
    WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'A'
                      AND tgrelid = to_regclass('ltc.' || wanted.name))
    ORDER BY wanted.name
"""
_HAS_TABLES = b"SELECT to_regclass('ltc_read.projection_status') IS NOT NULL"
_FAILED = b"SELECT name, failed_position, error FROM ltc_read.projection_status WHERE state = 'failed' ORDER BY name"
_HINDMOST = b"""
    SELECT h.position - coalesce((SELECT min(position) FROM ltc_read.projection_status WHERE life = 'shown'), 0) FROM ltc.head h
"""
_APPEND_ONLY = ["events", "outcomes", "dead_letters", "dead_letter_steps", "traces"]


def examine_database(database: Database, *, is_embedded: bool) -> Iterator[Check]:
    """All checks of the database, in the order in which they depend on each other; a failed foundation ends them."""
    try:
        connection = database.connect(Role.OWNER, autocommit=True)
    except LtcError as error:
        yield Check("database", False, error.message, error.fix)
        return
    with connection:
        server = connection.info.server_version
        where = "embedded" if is_embedded else "given"
        yield Check("database", True, f"PostgreSQL {server // 10000}.{server % 10000}, {where}")
        off = [name for (name,) in connection.execute(_SETTINGS_OFF)]
        detail = f"off: {', '.join(off)}" if off else "commits reach the disk"
        yield Check("durability", not off, detail, "switch them on in postgresql.conf")
        yield skew("clock", _one(connection, _TIME) - time.time(), "the database's")
        laid_out = bool(_one(connection, _IS_LAID_OUT))
        yield Check("ledger", laid_out, "laid out" if laid_out else "there is none", "run `ltc init`")
        if not laid_out:
            return
        yield from _ledger(connection)
        yield from _read_tables(connection, is_embedded=is_embedded)
    yield from _roles(database)


def _ledger(connection: Connection) -> Iterator[Check]:
    head, last = connection.execute(_HEAD_AND_LAST).fetchone() or (0, 0)
    yield Check(
        "positions",
        head == last,
        f"{head} events, the head agrees" if head == last else f"head {head}, last event {last}",
        "stop all writers and restore the database from a backup: somebody changed it by hand",
    )
    unguarded = [name for (name,) in connection.execute(_UNGUARDED, (_APPEND_ONLY,))]
    yield Check(
        "append-only guards",
        not unguarded,
        f"missing or switched off: {', '.join(unguarded)}" if unguarded else "in place",
        "run `ltc init`, and find out who removed them",
    )


def _read_tables(connection: Connection, *, is_embedded: bool) -> Iterator[Check]:
    if not _one(connection, _HAS_TABLES):
        # Nobody follows the embedded log: whoever reads brings the tables up to it, and makes them the first time.
        detail = "none yet; the first report makes them" if is_embedded else "there are none"
        yield Check("read tables", is_embedded, detail, "run `ltc init`")
        return
    failed = connection.execute(_FAILED).fetchall()
    yield Check(
        "read tables",
        not failed,
        "; ".join(f"{name} stopped at {position}: {error}" for name, position, error in failed) or "none has failed",
        "mend the cause, then run `ltc projections status`",
    )
    lag = int(_one(connection, _HINDMOST) or 0)
    detail = f"{lag} events" + ("; the next report takes them in" if lag and is_embedded else "")
    fix = "see that `ltc worker projector` runs, or run `ltc projections catch-up`"
    yield Check("read tables' lag", is_embedded or lag <= LAG_EVENTS_MAX, detail, fix)


def _roles(database: Database) -> Iterator[Check]:
    for role in (Role.WRITER, Role.PROJECTOR, Role.READER):
        try:
            database.connect(role).close()
        except (LtcError, psycopg.Error) as error:
            fix = "run `ltc init` as the database's owner, or grant the role to this login"
            yield Check(f"role {role}", False, str(error).strip(), fix)
        else:
            yield Check(f"role {role}", True, "usable")


def _one(connection: Connection, statement: bytes) -> Any:
    return connection.cursor(row_factory=scalar_row).execute(statement).fetchone()
