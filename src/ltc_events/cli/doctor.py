"""`ltc init` and `ltc doctor`: set the database up, and say what is wrong with it and how to mend it."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import psycopg
import typer

from ltc_events.cli.output import JsonOption, err, out, print_json
from ltc_events.cli.session import Session, session_of
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.projections.runner import open_runner
from ltc_events.store import Role

CLOCK_SKEW_MAX_S = 5.0
LAG_EVENTS_MAX = 100_000


class Check(NamedTuple):
    """One thing looked at. `fix` says what to do when it is not as it should be."""

    name: str
    healthy: bool
    detail: str
    fix: str = ""


def init(
    context: typer.Context,
    kafka: Annotated[bool, typer.Option("--kafka", help="Make the topics, too.")] = False,
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Partitions of topics that are made; they stay as many.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """Lay out the ledger and the read tables, and with --kafka the topics. Safe to repeat: what is there stays."""
    session = session_of(context)
    topics = _make_topics(session, partitions) if kafka else []
    session.database.initialise()
    with open_runner(session.database, PROJECTIONS):
        pass  # opening it makes the read tables
    head = session.store(Role.PROJECTOR).head()[0]
    where = (session.database_url and "LTC_DATABASE_URL") or f"the embedded server in {session.home}"
    if as_json:
        print_json(
            {"initialised": True, "database": where, "events": head, "read_tables": len(PROJECTIONS), "topics_made": topics}
        )
    else:
        err.print(f"The ledger is ready in {where}: {head} events, {len(PROJECTIONS)} read tables.")
        if kafka:
            err.print(f"Topics made: {', '.join(topics) or 'none, they are all there'}.")


def _make_topics(session: Session, partitions: int) -> list[str]:
    from ltc_events.bus.topics import create_topics

    return create_topics(session.bus, partitions)


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Look at everything that must be right; each finding names its fix. Exit 1 if something is wrong."""
    checks = list(examine(session_of(context)))
    if as_json:
        print_json({"healthy": all(check.healthy for check in checks), "checks": [check._asdict() for check in checks]})
    else:
        for check in checks:
            mark = "[green]ok  [/]" if check.healthy else "[bold red]BAD [/]"
            out.print(f"{mark} {check.name:<22} {check.detail}")
            if not check.healthy:
                out.print(f"     {'':<22} fix: {check.fix}", markup=False)
    if not all(check.healthy for check in checks):
        raise typer.Exit(1)


def examine(session: Session) -> Iterator[Check]:
    """All checks, in the order in which they depend on each other; a failed foundation ends them."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), version, "use Python 3.11 or newer")
    try:
        connection = session.database.connect(Role.OWNER, autocommit=True)
    except LtcError as error:
        yield Check("database", False, error.message, error.fix)
        return
    with connection:
        server = connection.info.server_version
        yield Check(
            "database", True, f"PostgreSQL {server // 10000}.{server % 10000}, {(session.database_url and 'given') or 'embedded'}"
        )
        yield _durability(connection)
        yield _clock(connection)
        laid_out = connection.execute("SELECT to_regclass('ltc.events') IS NOT NULL").fetchone() == (True,)
        yield Check("ledger", laid_out, "laid out" if laid_out else "there is none", "run `ltc init`")
        if not laid_out:
            return
        yield from _ledger(connection)
        yield from _projections(connection)
    yield from _roles(session)


def _durability(connection: psycopg.Connection[tuple[Any, ...]]) -> Check:
    settings = dict(
        connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
        ).fetchall()
    )
    off = sorted(str(name) for name, value in settings.items() if value == "off")
    return Check(
        "durability", not off, f"off: {', '.join(off)}" if off else "commits reach the disk", "switch them on in postgresql.conf"
    )


def _clock(connection: psycopg.Connection[tuple[Any, ...]]) -> Check:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    theirs = row[0] if row else None
    skew = abs((datetime.now(UTC) - theirs).total_seconds()) if isinstance(theirs, datetime) else 0.0
    return Check("clock", skew <= CLOCK_SKEW_MAX_S, f"{skew:.3f} s from the database's", "synchronise both clocks (NTP)")


def _ledger(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Check]:
    row = connection.execute(
        "SELECT h.position, coalesce((SELECT max(position) FROM ltc.events), 0) FROM ltc.head h"
    ).fetchone() or (0, 0)
    yield Check(
        "positions",
        row[0] == row[1],
        f"{row[0]} events, the head agrees" if row[0] == row[1] else f"head {row[0]}, last event {row[1]}",
        "stop all writers and restore the database from a backup: somebody changed it by hand",
    )
    guards = connection.execute(
        "SELECT count(*) FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'A'"
        " AND tgrelid IN ('ltc.events'::regclass, 'ltc.outcomes'::regclass)"
    ).fetchone()
    yield Check(
        "append-only guards",
        guards == (2,),
        "in place" if guards == (2,) else "missing or switched off",
        "run `ltc init`, and find out who removed them",
    )


def _projections(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[Check]:
    if connection.execute("SELECT to_regclass('ltc_read.projection_status') IS NULL").fetchone() == (True,):
        yield Check("read tables", False, "there are none", "run `ltc init`")
        return
    failed = connection.execute(
        "SELECT name, failed_position, error FROM ltc_read.projection_status WHERE state = 'failed'"
    ).fetchall()
    yield Check(
        "read tables",
        not failed,
        "; ".join(f"{name} stopped at {position}: {error}" for name, position, error in failed) or "none has failed",
        "mend the cause, then run `ltc projections status`",
    )
    row = connection.execute(
        "SELECT h.position - coalesce((SELECT min(position) FROM ltc_read.projection_status"
        " WHERE life = 'shown'), 0) FROM ltc.head h"
    ).fetchone()
    lag = int(str(row[0])) if row else 0
    yield Check("read tables' lag", lag <= LAG_EVENTS_MAX, f"{lag} events", "run `ltc projections catch-up`")


def _roles(session: Session) -> Iterator[Check]:
    for role in (Role.WRITER, Role.PROJECTOR, Role.READER):
        try:
            session.database.connect(role).close()
        except (LtcError, psycopg.Error) as error:
            yield Check(
                f"role {role}",
                False,
                str(error).strip(),
                "run `ltc init` as the database's owner, or grant the role to this login",
            )
        else:
            yield Check(f"role {role}", True, "usable")
