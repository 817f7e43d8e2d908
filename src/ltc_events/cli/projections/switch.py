"""`ltc projections switch`: switches readers to another build."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from ltc_events.bootstrap.services import Services
from ltc_events.cli.context import services_of
from ltc_events.cli.options import ByOption, JsonOption, ReasonOption, require_reason
from ltc_events.cli.output import err, print_json, progress
from ltc_events.cli.projections.verify import projection_of
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.declaration.builds import Build, parse_build
from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.catch_up import catch_up
from ltc_events.projections.rebuilding.switch import Switched, switch, switchable
from ltc_events.projections.tables.registry import PROJECTIONS


def switch_(
    context: typer.Context,
    by: ByOption,
    name: Annotated[str | None, typer.Argument(help="Name of the read table.", show_default=False)] = None,
    build: Annotated[
        str | None, typer.Argument(help="v2, or v2b1 if built anew; default: the newest that is ready.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Each read table that has a newer one ready.")] = False,
    back: Annotated[bool, typer.Option("--back", help="Switch to the table that readers saw before.")] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Switch at once, without catching up and comparing, even from a stopped table; needs --reason."
        ),
    ] = False,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Switch readers to another table, in one transaction, when both have caught up and all differences are explained.

    Refused while the new one is behind, has stopped, or has unexplained differences. If the present one has stopped, both are
    compared at its position. With --all, exit 1 if one is refused; the others are switched.
    """
    if every == bool(name):
        raise typer.BadParameter("name the read table, or say --all")
    if force:
        require_reason("--force", reason)
    services = services_of(context)
    if name is not None:
        projection = projection_of(name)
        to = None if build is None else parse_build(name, build)
        if not force:
            _catch_up(services, [projection])
        done = switch(services.database, projection, to, by=by, reason=reason, force=force, back=back)
        if as_json:
            print_json(done.document())
        else:
            _print_switched(done)
        return
    _switch_all(services, by=by, reason=reason, force=force, back=back, as_json=as_json)


def _switch_all(services: Services, *, by: str, reason: str, force: bool, back: bool, as_json: bool) -> None:
    chosen = [one for one in PROJECTIONS if switchable(services.database, one, back=back)]
    if chosen and not force:
        _catch_up(services, chosen)
    switched: list[Switched] = []
    refused: list[tuple[str, LtcError]] = []
    for projection in chosen:
        try:
            switched.append(switch(services.database, projection, by=by, reason=reason, force=force, back=back))
        except LtcError as error:
            refused.append((projection.table, error))
    if as_json:
        told = [{"name": name, **one.document()} for name, one in refused]
        print_json({"switched": [one.document() for one in switched], "refused": told})
    else:
        for done in switched:
            _print_switched(done)
        for name, one in refused:
            err.print(f"{name} is not switched: {one.message}. {one.fix}", soft_wrap=True, markup=False)
        if not chosen:
            err.print("No read table has another one that is ready.")
    if refused:
        raise typer.Exit(1)


def _catch_up(services: Services, projections: Sequence[type[Projection]]) -> None:
    """Take the tables that may be switched up to the log, with one read: then the switch itself is a matter of moments."""
    with suppress(FoldStopped), progress("read tables") as ticker:  # the switch says what that means for it
        catch_up(services.database, projections, ticker.reach, shows=False)


def _print_switched(done: Switched) -> None:
    name: Build = done.now
    err.print(f"Readers of {name.name} see {done.now}; `ltc projections switch {name.name} --back` shows {done.was} again.")
