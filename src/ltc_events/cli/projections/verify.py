"""`ltc projections verify|digest`: proves that a read table is what the store says."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.markup import escape

from ltc_events.cli.context import services_of
from ltc_events.cli.options import BuildOption, JsonOption, KnownAt, LimitOption
from ltc_events.cli.output import err, out, print_json, print_table, progress
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.declaration.builds import Build, parse_build
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.proving.as_of import digests_as_of
from ltc_events.projections.proving.compare import SHOWN_MAX
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.proving.verify import Finding, Verification, verify
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.parameters import known_position
from ltc_events.store import Database, Role


class UnknownProjection(LtcError):
    """there is no read table {name}"""

    remedy = "`ltc projections list` names them"


def projection_of(name: str) -> type[Projection]:
    """The projection of this name in this program; raises UnknownProjection."""
    for projection in PROJECTIONS:
        if projection.table == name:
            return projection
    raise UnknownProjection(name=name)


def chosen_build(name: str, text: str | None) -> Build | None:
    """The build that was asked for, if one was."""
    return None if text is None else parse_build(name, text)


def verify_(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Name of the read table.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All read tables, one after the other.")] = False,
    build: BuildOption = None,
    limit: LimitOption = SHOWN_MAX,
    as_json: JsonOption = False,
) -> None:
    """Fold the store again and compare the result with the read table, row by row. Exit 1 if they differ, or leave out events."""
    if every == bool(name):
        raise typer.BadParameter("name the read table, or say --all")
    database = services_of(context).database
    if name is not None:
        found = _verified(database, projection_of(name), chosen_build(name, build), limit)
        if as_json:
            print_json(found.document())
        else:
            _print_verification(found)
        if not (found.equal and found.is_whole):
            raise typer.Exit(1)
        return
    if build is not None:
        raise typer.BadParameter("--all proves the tables that readers see", param_hint="--build")
    _verify_all(database, limit, as_json=as_json)


def _verify_all(database: Database, limit: int, *, as_json: bool) -> None:
    documents: list[dict[str, Any]] = []
    bad: list[str] = []
    for projection in PROJECTIONS:
        try:
            found = _verified(database, projection, None, limit)
        except LtcError as error:
            bad.append(projection.table)
            documents.append({"name": projection.table, "error": error.document()})
            if not as_json:
                err.print(f"{projection.table}: {error.message}. {error.fix}", soft_wrap=True, markup=False)
            continue
        if not (found.equal and found.is_whole):
            bad.append(projection.table)
        documents.append(found.document())
        if not as_json:
            _print_verification(found)
    if as_json:
        print_json({"equal": not bad, "tables": documents})
    else:
        count = f"{len(PROJECTIONS) - len(bad)} of {len(PROJECTIONS)} read tables are what the store says"
        err.print(count + (f"; not {', '.join(bad)}" if bad else ""), soft_wrap=True)
    if bad:
        raise typer.Exit(1)


def _verified(database: Database, projection: type[Projection], build: Build | None, limit: int) -> Verification:
    with progress(f"{projection.table} afresh") as ticker:
        return verify(database, projection, build, limit=limit, report=ticker.reach)


def _print_verification(found: Verification) -> None:
    name, compared = found.build.name, found.comparison
    print_findings(f"{name} {found.build}: differences", found.findings, ("live", "afresh"))
    verdict = "equal" if found.equal else f"{compared.only_left + compared.only_right + compared.changed} rows differ"
    if not found.is_whole:
        verdict += f" (the table goes without {found.left_out[0]}; folded afresh it goes without {found.left_out[1]})"
    err.print(f"{name} {found.build} at position {found.position}: {verdict}; {compared.rows[0]} rows")
    out.print(f"sha256 {found.digests[0]}", soft_wrap=True)


def digest_(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Names of read tables; default: all.", show_default=False)] = None,
    build: BuildOption = None,
    known_at: KnownAt = None,
    as_json: JsonOption = False,
) -> None:
    """Print one hash per read table: the same store gives the same digests, on any machine.

    With --known-at: of what the tables of this program held then, folded afresh from the log.
    """
    services = services_of(context)
    database = services.database
    chosen = [projection_of(name) for name in names] if names else PROJECTIONS
    if known_at is None:
        found = [digest(database, one, chosen_build(one.table, build)) for one in chosen]
    elif build is None:
        found = digests_as_of(database, chosen, known_position(services.store(Role.PROJECTOR), known_at))
    else:
        raise typer.BadParameter("what was known then is folded afresh, whatever tables there are", param_hint="--build")
    if as_json:
        print_json({"digests": [{**one._asdict(), "build": str(one.build)} for one in found]})
    else:
        for one in found:
            out.print(f"{one.sha256}  {one.name} {one.build} @{one.position} ({one.rows} rows)", markup=False, soft_wrap=True)


def print_findings(title: str, findings: Iterable[Finding], sides: tuple[str, str]) -> None:
    """Differing rows for people: one line per column that differs."""
    lines = [
        (
            ", ".join(f"{name}={value}" for name, value in one.difference.key.items()),
            column,
            *("" if value is None else escape(str(value)) for value in values),
            one.last and f"{one.last.type} at {one.last.position}",
        )
        for one in findings
        for column, values in (one.difference.columns or {"(row)": ("", "")}).items()
    ]
    if lines:
        print_table(title, ("key", "column", *sides, "last event"), lines)
