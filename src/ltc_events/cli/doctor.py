"""`ltc init` and `ltc doctor`: set the database up, and say what is wrong with it and how to mend it."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape

from ltc_events.bootstrap.services import Services
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, out, print_json
from ltc_events.diagnosis.check import Check
from ltc_events.diagnosis.database import examine_database
from ltc_events.diagnosis.notary import examine_notary
from ltc_events.diagnosis.reading import examine_reading
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.catalog.ddl import prepare
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Role
from ltc_events.store.confidential import all_without_secrets


def init(
    context: typer.Context,
    kafka: Annotated[bool, typer.Option("--kafka", help="Make the topics, too.")] = False,
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Partitions of topics that are made; they stay as many.")] = 8,
    replicas: Annotated[
        int | None,
        typer.Option(
            "--replication-factor",
            min=1,
            help="Brokers that keep a message; by default 3, if there are three.",
            show_default=False,
        ),
    ] = None,
    in_sync: Annotated[
        int | None,
        typer.Option(
            "--min-insync-replicas",
            min=1,
            help="Brokers that must have it before it counts; by default 2 of 3.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Lay out the ledger and the read tables, and with --kafka the topics. Safe to repeat: what is there stays."""
    services = services_of(context)
    topics = _make_topics(services, partitions, replicas, in_sync) if kafka else []
    services.database.initialise()
    with services.database.connect(Role.PROJECTOR, autocommit=True) as connection:
        prepare(connection, PROJECTIONS)
    signs = _prepare_notary(services)
    head = services.store(Role.PROJECTOR).head()[0]
    where = f"the embedded server in {services.settings.home}" if services.is_embedded else "LTC_DATABASE_URL"
    if as_json:
        print_json(
            {
                "initialised": True,
                "database": where,
                "events": head,
                "read_tables": len(PROJECTIONS),
                "topics_made": topics,
                "notary_key": signs,
            }
        )
    else:
        err.print(f"The ledger is ready in {where}: {head} events, {len(PROJECTIONS)} read tables.", markup=False)
        if signs:
            err.print(f"The notary signs with the key in {signs}; keep a copy of it elsewhere.", markup=False)
        if kafka:
            err.print(f"Topics made: {', '.join(topics) or 'none, they are all there'}.")


def _prepare_notary(services: Services) -> str | None:
    """The file with the notary's key, made where the embedded server has none, or where a place for it is given."""
    if not services.is_embedded and services.settings.notary_key_file is None:
        return None
    from ltc_events.audit.first_key import ensure_key

    file = services.settings.notary_key
    return str(file) if ensure_key(services.database, file) else None


def _make_topics(services: Services, partitions: int, replicas: int | None, in_sync: int | None) -> list[str]:
    from ltc_events.bus.topics import create_topics

    return create_topics(services.bus, partitions, replicas=replicas, in_sync=in_sync)


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Look at everything that must be right; each finding names its fix. Exit 1 if something is wrong."""
    checks = [Check(*map(all_without_secrets, check)) for check in examine(services_of(context))]
    if as_json:
        print_json({"healthy": all(check.healthy for check in checks), "checks": [check._asdict() for check in checks]})
    else:
        for check in checks:
            mark = "[green]ok  [/]" if check.healthy else "[bold red]BAD [/]"
            out.print(f"{mark} {check.name:<22} {escape(check.detail)}")
            if not check.healthy:
                out.print(f"     {'':<22} fix: {check.fix}", markup=False)
    if not all(check.healthy for check in checks):
        raise typer.Exit(1)


def examine(services: Services) -> Iterator[Check]:
    """All checks, in the order in which they depend on each other."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), version, "use Python 3.11 or newer")
    try:
        database = services.database
    except LtcError as error:
        yield Check("database", False, error.message, error.fix)
        return
    yield from examine_database(database, is_embedded=services.is_embedded)
    if services.settings.reader_url is not None:
        yield examine_reading(services.reading, database)
    yield from examine_notary(database, services.settings.notary_key)
    if not services.has_bus:
        yield Check("kafka", True, "not configured: commands come by `ltc submit` and `ltc import`")
        return
    from ltc_events.diagnosis.bus import examine_bus

    yield from examine_bus(services.bus, database)
