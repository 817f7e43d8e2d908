"""`ltc init` and `ltc doctor`: set the database up, and say what is wrong with it and how to mend it."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from ltc_events.cli.output import JsonOption, err, out, print_json
from ltc_events.cli.session import Session, session_of
from ltc_events.diagnosis.check import Check
from ltc_events.diagnosis.database import examine_database
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.layout import prepare
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.store import Role


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
    with session.database.connect(Role.PROJECTOR, autocommit=True) as connection:
        prepare(connection, PROJECTIONS)
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
    """All checks, in the order in which they depend on each other."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), version, "use Python 3.11 or newer")
    try:
        database = session.database
    except LtcError as error:
        yield Check("database", False, error.message, error.fix)
        return
    yield from examine_database(database, is_embedded=not session.database_url)
    if not session.kafka_bootstrap:
        yield Check("kafka", True, "not configured: commands come by `ltc submit` and `ltc import`")
        return
    from ltc_events.diagnosis.bus import examine_bus

    yield from examine_bus(session.bus, database)
