"""`ltc projections`: list, status, catch-up, and the commands of its other modules."""

from itertools import groupby
from operator import attrgetter
from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, log, print_json, print_table, progress
from ltc_events.cli.projections import failures, rebuild, source, switch, verify
from ltc_events.cli.projections.verify import projection_of
from ltc_events.projections.catalog.lifecycle import Transition, transitions_of
from ltc_events.projections.catalog.omissions import Omissions
from ltc_events.projections.catalog.status import ProjectionStatus, projection_status
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.following.catch_up import catch_up
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Role, StoreWentBack

app = typer.Typer(help="The read tables: status, rebuild, verification and switch.", no_args_is_help=True)
app.command("source")(source.source_)
app.command("verify")(verify.verify_)
app.command("digest")(verify.digest_)
app.command("letters")(failures.skipped_events_)
app.command("retry")(failures.retry_)
app.command("rebuild")(rebuild.rebuild_)
app.command("cancel")(rebuild.cancel_)
app.command("diff")(rebuild.diff_)
app.command("switch")(switch.switch_)
app.command("drop")(rebuild.drop_)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List every read table with its version, its key and the meaning of a row."""
    rows = [(one.table, one.version, ", ".join(one.key), " ".join((one.__doc__ or "").split())) for one in PROJECTIONS]
    if as_json:
        names = ("name", "version", "key", "meaning")
        print_json({"projections": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        print_table("read tables (schema ltc_read)", ("name", "version", "key", "meaning"), rows)


@app.command()
def status(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="One read table, with the history of its versions.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the position of each read table, whether it is held up, where and why, and what it leaves out.

    Exit 1 if one does not get on: it has stopped at an event, is tried again and again, its writer waits, or it is ahead of a
    store that has gone back.
    """
    database = services_of(context).database
    if name is not None:
        projection_of(name)
    everything = projection_status(database)
    found = [one for one in everything if name in (None, one.name)]
    life: list[Transition] = []
    with database.connect(Role.PROJECTOR) as connection:
        if name is not None and everything:
            life = transitions_of(connection, name)
        lacking = Omissions(connection, [one.table for one in found], PROJECTIONS)
    if as_json:
        told = {} if name is None else {"transitions": [one.document() for one in life]}
        print_json({"projections": [{**one._asdict(), **lacking.document(one.table)} for one in found], **told})
    else:
        measured = ("position", "behind (events)", "behind (s)")
        columns = ("name", "table", "life", "from", "state", *measured, "stands before", "why", "at failure")
        tables = groupby(found, key=attrgetter("table"))
        print_table("read tables", columns, [(*_row(build, list(parts)), lacking.description(build)) for build, parts in tables])
        if life:
            told_columns = ("when", "table", "state", "position", "by", "why")
            rows = [(f"{one.made_at:%Y-%m-%d %H:%M:%S}", one.build, one.state.value, *one[2:3], *one[4:]) for one in life]
            print_table(f"the life of {name}", told_columns, rows)
        troubles = dict.fromkeys(_trouble(one) for one in found if not (one.gets_on or one.ahead))
        for line in (*troubles, *lacking.advice()):
            err.print(line, soft_wrap=True, markup=False)
        if any(one.ahead for one in found):
            err.print(f"Tables are ahead of the store, which has gone back: {StoreWentBack.remedy}", soft_wrap=True)
        if not everything:
            err.print("There are no read tables yet: the first report, projector or `ltc projections catch-up` makes them.")
    if not all(one.gets_on for one in found):
        raise typer.Exit(1)


@app.command("catch-up")
def catch_up_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Update all read tables to the head of the log, from the store, including those that had stopped.

    Exit 1 if one does not get there; it is named, with the event in its way.
    """
    services = services_of(context)
    try:
        with progress("read tables") as ticker:
            position = catch_up(services.database, PROJECTIONS, ticker.reach)
    except FoldStopped as stopped:  # the others are there
        log.debug("stopped", detail=stopped.message)
        position = services.store(Role.PROJECTOR).head()[0]
    behind = [one for one in projection_status(services.database) if not one.gets_on]
    if as_json:
        print_json({"position": position, "not_caught_up": [one.obstacle_document() for one in behind]})
    else:
        err.print(f"The read tables are at position {position}" + (", but for these:" if behind else "."))
        for one in behind:
            err.print(_trouble(one), soft_wrap=True, markup=False)
    if behind:
        raise typer.Exit(1)


def _trouble(one: ProjectionStatus) -> str:
    """What is the matter with a table, and the next command to type."""
    match one.state:
        case "failed":
            return f"{one.name} stopped before {one.obstacle}: {one.fix}"
        case "retrying":
            often = f"tried {one.attempts} times since {one.first_failed_at:%Y-%m-%d %H:%M:%S} UTC"
            return f"{one.name} does not get past {one.obstacle} ({often}): {one.error}. {one.fix}"
        case _:
            return f"{one.name}: {one.error}. {one.fix}"


def _row(build: Build, parts: list[ProjectionStatus]) -> tuple[object, ...]:
    """A table as its hindmost partition has it, and the first one that does not get on."""
    failed = next((one for one in parts if not one.gets_on), None)
    return (
        build.name,
        build,
        parts[0].life,
        parts[0].source if len(parts) == 1 else f"{parts[0].source} × {len(parts)}",
        failed.state if failed else "ahead" if any(one.ahead for one in parts) else parts[0].state,
        min(one.position for one in parts),
        max(one.lag_events for one in parts),
        f"{max(one.lag_seconds or 0.0 for one in parts):.1f}",
        failed and failed.failed_position,
        failed and failed.error,
    )
