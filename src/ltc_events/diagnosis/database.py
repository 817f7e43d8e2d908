"""Checks of the database: durability, the guards of the ledger, and the lag of read tables."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import psycopg
from psycopg.rows import scalar_row

from ltc_events.diagnosis.check import WAITING_MAX_S, Check, skew
from ltc_events.diagnosis.dates import dates
from ltc_events.diagnosis.inherited import inherited
from ltc_events.diagnosis.statements import statement
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.catalog.lifecycle import State
from ltc_events.projections.catalog.status import ProjectionStatus, are_laid_out, projection_status
from ltc_events.projections.catalog.tables_ahead import describe_ahead, tables_ahead
from ltc_events.store import Database, Role, RoleDenied, StoreWentBack, diagnose
from ltc_events.store.error_text import error_text
from ltc_events.store.sql_files import Statements

LAG_EVENTS_MAX = 100_000
_LEDGER_CHECKS = ("positions", "epoch", "append-only guards", "customers", "sizes of events")
_TABLE_CHECKS = ("read tables", "read tables' lag")
Connection = psycopg.Connection[tuple[Any, ...]]

_SQL = Statements(__name__)
_APPEND_ONLY = [
    "events", "outcomes", "dead_letters", "dead_letter_steps", "traces", "epochs", "expired_messages", "tlog_hashes",
    "tlog_checkpoints", "tlog_signatures", "tlog_refusals", "tlog_rolls",
]  # fmt: skip


def examine_database(database: Database, *, is_embedded: bool) -> Iterator[Check]:
    """All checks of the database, in the order of their dependencies; a failed prerequisite ends them."""
    try:
        connection = database.connect(Role.OWNER, autocommit=True)
    except LtcError as error:
        yield Check("database", False, error.message, error.fix)
        return
    with ExitStack() as stack:
        stack.enter_context(connection)
        server = connection.info.server_version
        where = "embedded" if is_embedded else "given"
        yield Check("database", True, f"PostgreSQL {server // 10000}.{server % 10000}, {where}")
        off = [name for (name,) in connection.execute(statement("settings-off"))]
        detail = f"off: {', '.join(off)}" if off else "commits reach the disk"
        yield Check("durability", not off, detail, "switch them on in postgresql.conf")
        yield skew("clock", _one(connection, _SQL["time"]) - time.time(), "the database's")
        laid_out = bool(_one(connection, statement("ledger-laid-out")))
        yield Check("ledger", laid_out, "laid out" if laid_out else "there is none", "run `ltc init`")
        if not laid_out:
            return
        usable = usable_roles(database)
        if not _one(connection, _SQL["may_look"]) and usable:
            # A login that is a member of groups and inherits nothing sees what its groups see.
            connection = stack.enter_context(database.connect(usable[0], autocommit=True))
        if usable[:1] == [Role.READER]:
            yield Check("positions", True, "not looked at: this login may only read the read tables")
        else:
            yield from _as_far_as_permitted(_LEDGER_CHECKS, _ledger(connection))
        if usable and Role.PROJECTOR not in usable:
            yield Check("read tables", True, f"not looked at: that needs a login of {Role.PROJECTOR}")
        else:
            tables = _read_tables(database, connection, is_embedded=is_embedded)
            yield from _as_far_as_permitted(_TABLE_CHECKS, tables)
        yield _roles(connection, usable)


def _as_far_as_permitted(names: Sequence[str], checks: Iterator[Check]) -> Iterator[Check]:
    """The checks; where the login may not see more, each of those left by its name, with what it may not see."""
    done = set()
    try:
        for check in checks:
            done.add(check.name)
            yield check
    except (psycopg.errors.InsufficientPrivilege, RoleDenied) as error:
        for name in names:
            if name not in done:
                yield Check(name, True, f"not looked at: {error_text(error)}")


def _ledger(connection: Connection) -> Iterator[Check]:
    head, last = connection.execute(_SQL["head_and_last"]).fetchone() or (0, 0)
    yield Check(
        "positions",
        head == last,
        f"{head} events, the head agrees" if head == last else f"head {head}, last event {last}",
        "stop all writers and restore the database from a backup: somebody changed it by hand",
    )
    if _one(connection, _SQL["has_epochs"]):
        name, begun_at, by, reason = connection.execute(_SQL["epoch"]).fetchone() or ("none", None, "", "")
        since = f" since {begun_at:%Y-%m-%d %H:%M} by {by}: {reason}" if begun_at else ""
        yield Check("epoch", begun_at is not None, f"{name}{since}", "run `ltc init`")
    else:
        yield Check("epoch", False, "the ledger was laid out by an older release and has none", "run `ltc init`")
    unguarded = [name for (name,) in connection.execute(statement("unguarded-tables"), (_APPEND_ONLY,))]
    yield Check(
        "append-only guards",
        not unguarded,
        f"missing or switched off: {', '.join(unguarded)}" if unguarded else "in place",
        "run `ltc init`, and find out who removed them",
    )
    yield from inherited(connection)


def _read_tables(database: Database, connection: Connection, *, is_embedded: bool) -> Iterator[Check]:
    if not are_laid_out(connection):
        # Nobody follows the embedded log: whoever reads brings the tables up to it, and makes them the first time.
        detail = "none yet; the first report makes them" if is_embedded else "there are none"
        yield Check("read tables", is_embedded, detail, "run `ltc init`")
        return
    if ahead := tables_ahead(connection):
        yield Check("read tables", False, describe_ahead(ahead), StoreWentBack.remedy)
        return
    try:
        tables = projection_status(database)
    except psycopg.Error as error:
        yield Check("read tables", False, error_text(error), diagnose(error).fix)
        return
    held_up = [one for one in tables if not one.gets_on]
    yield Check(
        "read tables",
        not held_up,
        "; ".join(dict.fromkeys(_trouble(one) for one in held_up)) or "all get on",
        "; ".join(dict.fromkeys(one.fix for one in held_up if one.fix)),
    )
    shown = [one for one in tables if one.life == State.SHOWN]
    lag = max((one.lag_events for one in shown), default=0)
    # Nobody follows the embedded log. Elsewhere what stands for so long, with events behind it, is taken along by nobody.
    standing = [one for one in shown if one.lag_seconds > WAITING_MAX_S and _age(one) > WAITING_MAX_S and one not in held_up]
    detail = f"{lag} events" + ("; the next report takes them in" if lag and is_embedded else "")
    if standing and not is_embedded:
        detail += f"; {len({one.name for one in standing})} tables have not moved for {min(map(_age, standing)):.0f} s or more"
    fix = "see that `ltc worker projector` runs, or run `ltc projections catch-up`"
    yield Check("read tables' lag", is_embedded or not (standing or lag > LAG_EVENTS_MAX), detail, fix)
    yield from dates(connection)


def _trouble(one: ProjectionStatus) -> str:
    verb = "stopped before" if one.has_stopped else "does not get past"
    return f"{one.name} {verb} {one.obstacle}: {one.error}" if one.obstacle else f"{one.name}: {one.error}"


def _age(one: ProjectionStatus) -> float:
    """The time since it last advanced."""
    return time.time() - one.moved_at.timestamp()


def usable_roles(database: Database) -> list[Role]:
    """The groups that this login is a member of; the one that sees most comes first."""
    usable = []
    for role in (Role.PROJECTOR, Role.WRITER, Role.RELAY, Role.NOTARY, Role.READER):
        try:
            database.connect(role).close()
        except LtcError:
            continue
        usable.append(role)
    return usable


def _roles(connection: Connection, usable: list[Role]) -> Check:
    """Check that the login is a member of at least one group, or limited to some customers."""
    name, granted = "groups of this login", ", ".join(usable)
    if not usable and _one(connection, _SQL["is_limited"]):
        return Check(name, True, "ltc_limited_reader: it reads the views of the schema ltc_limited")
    fix = "run `ltc init` as the database's owner, and grant this login the group of what it does"
    return Check(name, bool(usable), granted or "none of the ledger's groups", fix)


def _one(connection: Connection, statement: bytes) -> Any:
    return connection.cursor(row_factory=scalar_row).execute(statement).fetchone()
