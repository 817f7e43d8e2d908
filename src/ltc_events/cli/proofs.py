"""`ltc projections verify|digest`: is a read table what the store says?"""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.markup import escape

from ltc_events.cli.moments import KnownAt, known_position
from ltc_events.cli.output import JsonOption, err, out, print_json, print_table, progress
from ltc_events.cli.session import session_of
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.as_of import digests_as_of
from ltc_events.projections.base import Projection
from ltc_events.projections.catalogue import Build, parse_build
from ltc_events.projections.comparison import SHOWN_MAX
from ltc_events.projections.digest import digest
from ltc_events.projections.letters import LeftOut
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.projections.verification import Finding, verify
from ltc_events.store import Role

NameArgument = Annotated[str, typer.Argument(help="Name of the read table; `ltc projections list` names them.")]
BuildOption = Annotated[
    str | None, typer.Option("--build", help="Which table: v2, or v2b1 if built anew; default: the one that readers see.")
]
LimitOption = Annotated[
    int, typer.Option("--limit", min=0, max=100_000, help="How many differing rows to name; all are counted.")
]


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
    name: NameArgument,
    build: BuildOption = None,
    limit: LimitOption = SHOWN_MAX,
    as_json: JsonOption = False,
) -> None:
    """Fold the store afresh and compare it with the read table, row by row. Exit 1 if they differ, or leave out events."""
    projection = projection_of(name)
    with progress(f"{name} afresh") as ticker:

        def report(position: int, upto: int) -> None:
            ticker.expect(upto)
            ticker.advance(position - ticker.done)

        found = verify(session_of(context).database, projection, chosen_build(name, build), limit=limit, report=report)
    compared = found.comparison
    if as_json:
        print_json(
            {
                "name": name,
                "build": str(found.build),
                "position": found.position,
                "equal": found.equal,
                "rows": {"live": compared.rows[0], "afresh": compared.rows[1]},
                "digest": {"live": found.digests[0], "afresh": found.digests[1]},
                "only_live": compared.only_left,
                "only_afresh": compared.only_right,
                "changed": compared.changed,
                "left_out": {side: left_out_document(one) for side, one in zip(("live", "afresh"), found.left_out, strict=True)},
                "by_column": compared.by_column,
                "differences": [finding_document(one, ("live", "afresh")) for one in found.findings],
            }
        )
    else:
        print_findings(f"{name} {found.build}: differences", found.findings, ("live", "afresh"))
        verdict = "equal" if found.equal else f"{compared.only_left + compared.only_right + compared.changed} rows differ"
        if not found.is_whole:
            verdict += f" (the table goes without {found.left_out[0]}; folded afresh it goes without {found.left_out[1]})"
        err.print(f"{name} {found.build} at position {found.position}: {verdict}; {compared.rows[0]} rows")
        out.print(f"sha256 {found.digests[0]}", soft_wrap=True)
    if not (found.equal and found.is_whole):
        raise typer.Exit(1)


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
    session = session_of(context)
    database = session.database
    chosen = [projection_of(name) for name in names] if names else PROJECTIONS
    if known_at is None:
        found = [digest(database, one, chosen_build(one.table, build)) for one in chosen]
    elif build is None:
        found = digests_as_of(database, chosen, known_position(session.store(Role.PROJECTOR), known_at))
    else:
        raise typer.BadParameter("what was known then is folded afresh, whatever tables there are", param_hint="--build")
    if as_json:
        print_json({"digests": [{**one._asdict(), "build": str(one.build)} for one in found]})
    else:
        for one in found:
            out.print(f"{one.sha256}  {one.name} {one.build} @{one.position} ({one.rows} rows)", markup=False, soft_wrap=True)


def finding_document(one: Finding, sides: tuple[str, str]) -> dict[str, Any]:
    """A differing row for programs: key, columns with both values, and the event that touched it last."""
    only = {"left": sides[0], "right": sides[1]}.get(one.difference.only_in)
    return {
        "key": {name: _plain(value) for name, value in one.difference.key.items()},
        "only_in": only,
        "columns": {name: dict(zip(sides, map(_plain, values), strict=True)) for name, values in one.difference.columns.items()},
        "last_event": None if one.last is None else one.last._asdict(),
    }


def left_out_document(lacking: LeftOut) -> dict[str, Any]:
    """What a table lacks, for programs: positions of events, and since which position customers wait."""
    return {"skipped": lacking.skipped, "parked": {str(held): position for held, position in lacking.parked.items()}}


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


def _plain(value: Any) -> Any:
    """Values as JSON: amounts and times as strings, as on the wire."""
    return value if value is None or isinstance(value, bool | int | dict | list) else str(value)
