"""`ltc projections`: the read tables, how far they have come, and bringing them up to the log."""

from itertools import groupby
from typing import Annotated

import typer

from ltc_events.cli import feeding, leaving_out, proofs, rebuilding
from ltc_events.cli.output import JsonOption, err, log, print_json, print_table, progress
from ltc_events.cli.proofs import projection_of
from ltc_events.cli.session import Session, session_of
from ltc_events.projections.catalogue import Build
from ltc_events.projections.handover import catch_up_partitions
from ltc_events.projections.lifecycle import Transition, transitions_of
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.projections.runner import open_runner
from ltc_events.projections.source import fed_by_topic
from ltc_events.projections.status import ProjectionStatus, projection_status
from ltc_events.store import Role

app = typer.Typer(help="The read tables and how far they have come.", no_args_is_help=True)
app.command("source")(feeding.source_)
app.command("verify")(proofs.verify_)
app.command("digest")(proofs.digest_)
app.command("letters")(leaving_out.letters_)
app.command("retry")(leaving_out.retry_)
app.command("rebuild")(rebuilding.rebuild_)
app.command("cancel")(rebuilding.cancel_)
app.command("diff")(rebuilding.diff_)
app.command("switch")(rebuilding.switch_)
app.command("drop")(rebuilding.drop_)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Name every read table with its version, its key and what a row stands for."""
    rows = [(one.table, one.version, ", ".join(one.key), " ".join((one.__doc__ or "").split())) for one in PROJECTIONS]
    if as_json:
        names = ("name", "version", "key", "meaning")
        print_json({"projections": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        print_table("read tables (schema ltc_read)", ("name", "version", "key", "meaning"), rows)


@app.command()
def status(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One read table, with the life of its versions.", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how far each read table has come, where and why one stopped, and what it leaves out. Exit 1 if one has stopped."""
    database = session_of(context).database
    found = [one for one in projection_status(database) if name in (None, one.name)]
    life: list[Transition] = []
    with database.connect(Role.PROJECTOR) as connection:
        if name is not None:
            projection_of(name)
            life = transitions_of(connection, name)
        lacking = leaving_out.Lacking(connection, map(_build, found))
    if as_json:
        told = {} if name is None else {"transitions": [{**one._asdict(), "build": str(one.build)} for one in life]}
        print_json({"projections": [{**one._asdict(), **lacking.document(_build(one))} for one in found], **told})
    else:
        measured = ("position", "behind (events)", "behind (s)")
        columns = ("name", "table", "life", "from", "state", *measured, "stopped at", "why", "at failure")
        tables = groupby(found, key=_build)
        print_table("read tables", columns, [(*_row(build, list(parts)), lacking.told(build)) for build, parts in tables])
        if life:
            told_columns = ("when", "table", "state", "position", "by", "why")
            rows = [(f"{one.made_at:%Y-%m-%d %H:%M:%S}", one.build, one.state.value, *one[2:3], *one[4:]) for one in life]
            print_table(f"the life of {name}", told_columns, rows)
        for one in found:
            if one.failed_position is not None:
                look = f"look at it with `ltc events show {one.failed_position}`, mend the cause, then `ltc projections catch-up`"
                err.print(
                    f"{one.name} stopped before {one.failed_event} at position {one.failed_position}: {look}", soft_wrap=True
                )
        for line in lacking.advice():
            err.print(line, soft_wrap=True)
    if any(one.failed_position is not None for one in found):
        raise typer.Exit(1)


@app.command("catch-up")
def catch_up_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Bring all read tables up to the log now, from the store, whoever else feeds them; also what had stopped."""
    position = catch_up(session_of(context))
    if as_json:
        print_json({"position": position})
    else:
        err.print(f"The read tables are at position {position}.")


def catch_up(session: Session) -> int:
    """Bring all read tables up to the present head of the log, and return it; with progress where it takes long."""
    if is_fed_by_topic(session):
        with progress("read tables") as ticker:

            def count(done: int, tables: int) -> None:
                ticker.expect(tables)
                ticker.advance(done - ticker.done)

            return catch_up_partitions(session.database, PROJECTIONS, count)
    with open_runner(session.database, PROJECTIONS) as runner, progress("read tables") as ticker:
        start: list[int] = []

        def report(position: int, head: int) -> None:
            if not start:
                start.append(position)
                ticker.expect(head - position)
            ticker.advance(position - start[0] - ticker.done)

        position = runner.catch_up(report)
    log.debug("caught_up", position=position)
    return position


def is_fed_by_topic(session: Session) -> bool:
    """Whether read tables take their events from Kafka. Needs no more than a reader's rights."""
    with session.database.connect(Role.READER, autocommit=True) as connection:
        return fed_by_topic(connection)


def _build(one: ProjectionStatus) -> Build:
    return Build(one.name, one.version, one.build)


def _row(build: Build, parts: list[ProjectionStatus]) -> tuple[object, ...]:
    """A table as its hindmost partition has it, and the first one that has stopped."""
    failed = next((one for one in parts if one.failed_position is not None), None)
    return (
        build.name,
        build,
        parts[0].life,
        parts[0].source if len(parts) == 1 else f"{parts[0].source} × {len(parts)}",
        failed.state if failed else parts[0].state,
        min(one.position for one in parts),
        max(one.lag_events for one in parts),
        f"{max(one.lag_seconds or 0.0 for one in parts):.1f}",
        failed and failed.failed_position,
        failed and failed.error,
    )
