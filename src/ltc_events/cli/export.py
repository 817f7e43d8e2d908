"""`ltc export`: events, read tables and reports as files for other programs."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import AsOf, FreshOption, JsonOption, KnownAt, MinPosition, WaitOption
from ltc_events.cli.output import Ticker, out, print_json, progress
from ltc_events.cli.report import pairs
from ltc_events.cli.terminal import for_programs
from ltc_events.freshness import POSITION_WAIT_S, Freshness
from ltc_events.querying.exports import Export, open_export
from ltc_events.querying.forms import Form, Written, write_file, write_months, write_text
from ltc_events.querying.session import TABLES
from ltc_events.reports.parquet import load_pyarrow
from ltc_events.reports.registry import NAMES
from ltc_events.reports.registry import report as find_report

TEXTS = (Form.CSV, Form.JSONL)
TICK = 1_000


def export(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="`events`, a read table or a report.")],
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="[--PARAMETER VALUE]...", help="The report's own parameters.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file, or with --by-month the folder; without it, stdout.")
    ] = None,
    format: Annotated[
        Form | None, typer.Option(help="File format; default: by the file's extension, else csv.", show_default=False)
    ] = None,
    by_month: Annotated[bool, typer.Option("--by-month", help="A file for each month of recording, and a manifest.")] = False,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    fresh: FreshOption = True,
    min_position: MinPosition = None,
    wait: WaitOption = POSITION_WAIT_S,
    as_json: JsonOption = False,
) -> None:
    """Write events, a read table or a report to a file, which appears when it is complete; --json describes what was written."""
    form = format or _form_of(output)
    if output is None and (form not in TEXTS or by_month or as_json):
        raise typer.BadParameter("that goes to a file: name one", param_hint="--output")
    if output is not None and not by_month and output.is_dir():
        raise typer.BadParameter(f"{output} is a folder: name a file in it, or give --by-month", param_hint="--output")
    if by_month and output is not None and output.is_file():
        raise typer.BadParameter(f"{output} is a file: with --by-month name a folder", param_hint="--output")
    given = pairs(parameters or [])
    if given and name not in NAMES:
        raise typer.BadParameter(f"{name} is no report, and takes no {', '.join(f'--{one}' for one in given)}", param_hint="NAME")
    if form is Form.PARQUET:
        load_pyarrow()
    services = services_of(context)
    Freshness(fresh, min_position, wait).reach(services.reading, _tables(name))
    with open_export(services.reading, name, as_of=as_of, known_at=known_at, parameters=given) as found:
        if output is None:
            write_text(found, found.rows, form, for_programs())
            return
        with progress(name) as ticker:
            watched = replace(found, rows=_ticking(found.rows, ticker))
            written = write_months(watched, form, output) if by_month else [write_file(watched, watched.rows, form, output)]
    _print_written(found, written, output, as_json=as_json)


def _tables(name: str) -> Set[str]:
    """The read tables that an export of this name reads: none for the log."""
    if name in NAMES:
        return find_report(name).tables
    return {name} & TABLES.keys()


def _ticking(rows: Iterable[tuple[Any, ...]], ticker: Ticker) -> Iterator[tuple[Any, ...]]:
    """The rows, while somebody watches them go by."""
    for count, row in enumerate(rows, 1):
        yield row
        if count % TICK == 0:
            ticker.advance(TICK)


def _form_of(output: Path | None) -> Form:
    """What the end of a file's name says."""
    suffix = "" if output is None else output.suffix.removeprefix(".").lower()
    return Form(suffix) if suffix in set(Form) else Form.CSV


def _print_written(found: Export, written: list[Written], output: Path, *, as_json: bool) -> None:
    if as_json:
        about = {"as_of": found.as_of and found.as_of.isoformat(), "position": found.position}
        print_json({"export": found.name, **about, "output": str(output), "files": [one._asdict() for one in written]})
        return
    rows = sum(one.rows for one in written)
    what = f"{len(written):,} files" if len(written) != 1 else "1 file"
    out.print(f"{rows:,} rows of {found.name} in {what}, as known at position {found.position:,}: {output}", markup=False)
