"""`ltc projections rebuild|cancel|diff|drop`: builds a new version of a read table beside the shown one."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import ByOption, JsonOption, LimitOption, NameArgument, ReasonOption
from ltc_events.cli.output import Ticker, err, log, print_json, print_table, progress
from ltc_events.cli.projections.verify import print_findings, projection_of
from ltc_events.projections.catalog.skipped_events import left_out
from ltc_events.projections.declaration.builds import parse_build
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.compare import SHOWN_MAX
from ltc_events.projections.proving.diff import diff
from ltc_events.projections.rebuilding.job import Progress
from ltc_events.projections.rebuilding.rebuild import cancel, rebuild_together
from ltc_events.projections.rebuilding.switch import drop
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role

LOG_EVERY_S = 5.0
PRIORITY_LOWER = 10


def rebuild_(
    context: typer.Context,
    by: ByOption,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="The read tables; they share one pass over the log.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All read tables.")] = False,
    processes: Annotated[int, typer.Option("--processes", min=1, max=64, help="Number of processes that share the tables.")] = 1,
    anew: Annotated[bool, typer.Option("--anew", help="Build another table of an existing version, beside it.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Then follow the log, until interrupted.")] = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Fill tables of this program's versions from the store, beside those that readers see.

    Interrupted or killed, the same command goes on where it was. Readers see a table after `ltc projections switch`. It works at
    a low priority, so that those who write and read go first.
    """
    if every == bool(names):
        raise typer.BadParameter("name the read tables, or say --all")
    database = services_of(context).database
    projections = PROJECTIONS if every else [projection_of(name) for name in dict.fromkeys(names or ())]
    what = projections[0].table if len(projections) == 1 else f"{len(projections)} read tables"
    step_back(PRIORITY_LOWER)
    with progress(f"rebuild {what}") as ticker:
        builds = rebuild_together(
            database, projections, by=by, reason=reason, anew=anew, processes=processes, report=_progress_reporter(what, ticker)
        )
    with database.connect(Role.PROJECTOR) as connection:
        lacking = {build: left_out(connection, build) for build in builds}
    documents = [
        {
            "name": build.name,
            "build": str(build),
            "state": "ready",
            "position": ticker.done,
            "left_out": lacks.document(),
        }
        for build, lacks in lacking.items()
    ]
    if as_json:
        print_json(documents[0] if len(documents) == 1 and not every else documents)
    for build in () if as_json else builds:
        again = f"`ltc projections switch {build.name}` shows it to readers"
        without = "" if lacking[build].is_nothing else f" without {lacking[build]}"
        err.print(f"{build.name} {build} is ready at position {ticker.done}{without}: {again}")
    if follow:
        _follow(database, projections)


def step_back(steps: int) -> None:
    """Let other processes go first, where the system knows priorities; what this one starts inherits it."""
    if hasattr(os, "nice"):
        os.nice(steps)


def _progress_reporter(what: str, ticker: Ticker) -> Callable[[Progress], None]:
    """Shows how far a rebuild is: a bar on a terminal, a log line now and then elsewhere."""
    last_told = time.monotonic()

    def report(now: Progress) -> None:
        nonlocal last_told
        ticker.reach(now.position, now.head)
        if not err.is_terminal and time.monotonic() - last_told > LOG_EVERY_S:
            last_told = time.monotonic()
            left = None if now.seconds_left is None else round(now.seconds_left)
            rate = round(now.events_per_s)
            log.info(
                "rebuild", name=what, build=str(now.build), state=now.state.value, position=now.position, head=now.head,
                events_per_s=rate, seconds_left=left,
            )  # fmt: skip

    return report


def cancel_(
    context: typer.Context, name: NameArgument, by: ByOption, reason: ReasonOption = "", as_json: JsonOption = False
) -> None:
    """Cancel an unfinished rebuild of any process, and remove its table."""
    build = cancel(services_of(context).database, projection_of(name), by=by, reason=reason)
    if as_json:
        print_json({"name": name, "build": str(build), "state": "cancelled"})
    else:
        err.print(f"The rebuild of {name} as {build} is cancelled.")


def diff_(
    context: typer.Context,
    name: NameArgument,
    left: Annotated[str, typer.Argument(help="A table: v1, or v1b2 if built anew.")],
    right: Annotated[str, typer.Argument(help="The other one.")],
    limit: LimitOption = SHOWN_MAX,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions of a read table row by row, both at one position. Exit 0 also where they differ."""
    builds = parse_build(name, left), parse_build(name, right)
    found = diff(services_of(context).database, projection_of(name), *builds, limit=limit)
    sides = (str(builds[0]), str(builds[1]))
    compared = found.comparison
    if as_json:
        print_json(found.document())
        return
    print_table(f"{name}: rows that differ, by column", ("column", "rows"), compared.by_column.items())
    print_table(f"{name}: rows that differ, by the last event that touched them", ("event", "rows"), found.by_event.items())
    print_findings(f"{name}: differences", found.findings, sides)
    for what, columns in (("only in " + sides[0], compared.dropped), ("only in " + sides[1], compared.added)):
        if columns:
            err.print(f"columns {what}: {', '.join(columns)}")
    err.print(
        f"at position {found.position}: {compared.changed} rows changed, {compared.only_left} only in {sides[0]},"
        f" {compared.only_right} only in {sides[1]}"
    )


def drop_(
    context: typer.Context,
    name: NameArgument,
    build: Annotated[str, typer.Argument(help="v1, or v1b2 if built anew.")],
    by: ByOption,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Remove a table that readers no longer see."""
    chosen = parse_build(name, build)
    drop(services_of(context).database, projection_of(name), chosen, by=by, reason=reason)
    if as_json:
        print_json({"name": name, "build": str(chosen), "state": "dropped"})
    else:
        err.print(f"{name} {chosen} is gone.")


def _follow(database: Database, projections: Sequence[type[Projection]]) -> None:
    """Until Ctrl-C."""
    with open_runner(database, projections) as runner:
        runner.follow(threading.Event())
