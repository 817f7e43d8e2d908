"""`ltc init` and `ltc doctor`: set the database up, and say what is wrong with it and how to mend it."""

from typing import Annotated

import typer
from rich.markup import escape

from ltc_events.bus.topics import PARTITIONS
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, out, print_json
from ltc_events.diagnosis.examination import examine
from ltc_events.installation import TopicLayout, install


def init(
    context: typer.Context,
    kafka: Annotated[bool, typer.Option("--kafka", help="Also create the topics.")] = False,
    partitions: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="Partitions of created topics; the number cannot change later.", show_default=str(PARTITIONS)
        ),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(
            "--replication-factor",
            min=1,
            help="Replicas of each message; default: 3, with at least three brokers.",
            show_default=False,
        ),
    ] = None,
    in_sync: Annotated[
        int | None,
        typer.Option(
            "--min-insync-replicas",
            min=1,
            help="Replicas that must acknowledge a message; default: 2 of 3.",
            show_default=False,
        ),
    ] = None,
    administrator: Annotated[
        str | None,
        typer.Option(help="Who may do everything and lets others in; without one, whoever can send may do everything."),
    ] = None,
    hand_over: Annotated[
        bool, typer.Option("--hand-over", help="The administrator is somebody else than who runs this, who may then do nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Create the ledger and the read tables, and with --kafka the topics. Safe to repeat: what is there stays."""
    of_topics = {"--partitions": partitions, "--replication-factor": replicas, "--min-insync-replicas": in_sync}
    given = [option for option, value in of_topics.items() if value is not None]
    if given and not kafka:
        raise typer.BadParameter("it is about topics, which are made with --kafka", param_hint=given[0])
    if hand_over and administrator is None:
        raise typer.BadParameter("it is about --administrator", param_hint="--hand-over")
    layout = TopicLayout(PARTITIONS if partitions is None else partitions, replicas, in_sync) if kafka else None
    done = install(services_of(context), layout, administrator, hand_over=hand_over)
    if as_json:
        print_json(done.document())
    else:
        err.print(f"The ledger is ready in {done.database}: {done.events} events, {done.read_tables} read tables.", markup=False)
        if done.notary_key:
            err.print(f"The notary signs with the key in {done.notary_key}; keep a copy of it elsewhere.", markup=False)
        if kafka:
            err.print(f"Topics made: {', '.join(done.topics_made) or 'none, they are all there'}.")


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Check databases, notary and Kafka; each finding names its fix. Exit 1 if something is wrong."""
    examination = examine(services_of(context))
    if as_json:
        print_json(examination.document())
    else:
        for check in examination.checks:
            mark = "[green]ok  [/]" if check.healthy else "[bold red]BAD [/]"
            out.print(f"{mark} {check.name:<22} {escape(check.detail)}")
            if not check.healthy:
                out.print(f"     {'':<22} fix: {check.fix}", markup=False)
    if not examination.healthy:
        raise typer.Exit(1)
