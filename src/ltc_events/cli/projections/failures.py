"""`ltc projections letters|retry`: skipped events and parked customers."""

from typing import Annotated
from uuid import UUID

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import BuildOption, ByOption, JsonOption, NameArgument
from ltc_events.cli.output import err, print_json, print_table
from ltc_events.cli.projections.verify import chosen_build, projection_of
from ltc_events.projections.catalog.skipped_events import SkippedEvent, skipped_events
from ltc_events.projections.following.parked_retry import retry
from ltc_events.store import Role

_COLUMNS = ("name", "table", "position", "event", "subject", "customer", "parked", "why", "since", "settled by")


def skipped_events_(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One read table; default: all.", show_default=False)] = None,
    settled: Annotated[bool, typer.Option("--settled", help="Also settled ones.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the events that read tables left out: skipped events, and parked customers with the reason."""
    if name is not None:
        projection_of(name)
    with services_of(context).database.connect(Role.PROJECTOR) as connection:
        found = skipped_events(connection, name, settled=settled)
    if as_json:
        print_json({"letters": [one.document() for one in found]})
    else:
        print_table("events left out", _COLUMNS, map(_row, found))


def retry_(
    context: typer.Context,
    name: NameArgument,
    by: ByOption,
    customer: Annotated[
        UUID | None, typer.Option("--customer", help="Only this one (or stream of the company).", show_default=False)
    ] = None,
    build: BuildOption = None,
    as_json: JsonOption = False,
) -> None:
    """Apply the waiting events of parked customers in order, after the projection is corrected. Exit 1 if one is still stuck.

    Events that were skipped come back by `ltc projections rebuild NAME --anew`: out of their order they would not be right.
    """
    database = services_of(context).database
    done = retry(database, projection_of(name), chosen_build(name, build), by=by, only=customer)
    if as_json:
        print_json({"name": name, "retried": [one.document() for one in done]})
    else:
        for one in done:
            still = one.obstacle and f"stuck at {one.obstacle.position} ({one.obstacle.event}): {one.obstacle.cause}"
            err.print(f"{one.held}: {one.taken} events taken in; {still or 'nothing waits'}", markup=False)
    if any(one.obstacle for one in done):
        raise typer.Exit(1)


def _row(one: SkippedEvent) -> tuple[object, ...]:
    when = f"{one.written_at:%Y-%m-%d %H:%M:%S}"
    return (one.build.name, one.build, *one[1:5], one.held, one.cause, when, one.settled_by)
