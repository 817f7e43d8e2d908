"""`ltc projections letters|retry`: skipped events and parked customers."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import BuildOption, ByOption, JsonOption, NameArgument
from ltc_events.cli.output import err, print_json, print_table
from ltc_events.cli.projections.verify import chosen_build, projection_of
from ltc_events.projections.catalog.skipped_events import NOTHING, Skipped, SkippedEvent, all_skipped, letters, waiting
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.parked_retry import retry
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Role

_COLUMNS = ("name", "table", "position", "event", "subject", "customer", "parked", "why", "since", "settled by")


def letters_(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One read table; default: all.", show_default=False)] = None,
    settled: Annotated[bool, typer.Option("--settled", help="Also those that somebody saw to.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the events that read tables go on without: what was skipped, and why which customers are parked."""
    if name is not None:
        projection_of(name)
    with services_of(context).database.connect(Role.PROJECTOR) as connection:
        found = letters(connection, name, settled=settled)
    if as_json:
        print_json({"letters": [{**one._asdict(), "name": one.build.name, "build": str(one.build)} for one in found]})
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
    """Take in what waits for parked customers, each in order, once the projection is mended. Exit 1 if one is still stuck.

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


class Lacking:
    """What tables lack, and how many events wait; looked up once."""

    def __init__(self, connection: Connection, builds: Iterable[Build]) -> None:
        self._found: dict[Build, tuple[Skipped, dict[UUID, int]]] = {}
        lacking = all_skipped(connection)
        for build in set(builds):
            lacks, projection = lacking.get(build, NOTHING), _known(build)
            counts = waiting(connection, build, projection.types) if projection and lacks.parked else {}
            self._found[build] = lacks, counts

    def document(self, build: Build) -> dict[str, Any]:
        """For programs: the policy, how many events are skipped, and who is parked, since when, with how many events.

        Policy and number are null where the table is of another program's version.
        """
        lacks, counts = self._found[build]
        projection = _known(build)
        parked = [{"held": held, "since": position, "waiting": counts.get(held)} for held, position in lacks.parked.items()]
        return {"on_failure": projection and projection.on_failure, "skipped": len(lacks.skipped), "parked": parked}

    def told(self, build: Build) -> str:
        """For people: what becomes of an event that cannot be taken in, and what that came to."""
        lacks, counts = self._found[build]
        projection = _known(build)
        policy = projection.on_failure if projection else "?"
        return policy if lacks.is_nothing else f"{policy}: {lacks}, {sum(counts.values())} events wait"

    def advice(self) -> list[str]:
        """The next commands to type."""
        lines = []
        for build, (lacks, _) in sorted(self._found.items()):
            why = f"{build.name}: see `ltc projections letters {build.name}`; once it is mended,"
            if lacks.parked:
                lines.append(f"{why} `ltc projections retry {build.name} --build {build}`")
            if lacks.skipped:
                lines.append(f"{why} `ltc projections rebuild {build.name} --anew`")
        return lines


def _known(build: Build) -> type[Projection] | None:
    """The projection whose table this is; None: it is of another program."""
    return next((one for one in PROJECTIONS if (one.table, one.version) == (build.name, build.version)), None)


def _row(one: SkippedEvent) -> tuple[object, ...]:
    when = f"{one.written_at:%Y-%m-%d %H:%M:%S}"
    return (one.build.name, one.build, *one[1:5], one.held, one.cause, when, one.settled_by)
