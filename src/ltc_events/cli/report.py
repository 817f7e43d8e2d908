"""`ltc report`: the reports, as tables, JSON, CSV or Parquet."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import AsOf, ChangedSince, FreshOption, JsonOption, KnownAt, MinPosition, WaitOption
from ltc_events.cli.output import out, print_json, print_table, progress
from ltc_events.cli.terminal import for_programs
from ltc_events.freshness import POSITION_WAIT_S, Freshness
from ltc_events.querying.whole_file import whole_file
from ltc_events.reports.changes import Changes, open_changes
from ltc_events.reports.changes_render import write_changes_csv, write_changes_json, write_changes_text
from ltc_events.reports.parquet import load_pyarrow
from ltc_events.reports.registry import all_reports
from ltc_events.reports.registry import report as find_report
from ltc_events.reports.render import write_csv, write_json, write_parquet, write_table
from ltc_events.reports.runner import Answer, open_report


class ReportFormat(StrEnum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


def report(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The report; `ltc report list` names them all.")],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(metavar="[--PARAMETER VALUE]...", help="The report's own parameters: --basis period."),
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    changed_since: ChangedSince = None,
    format: Annotated[ReportFormat, typer.Option(help="Output format.")] = ReportFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.")] = None,
    fresh: FreshOption = True,
    min_position: MinPosition = None,
    wait: WaitOption = POSITION_WAIT_S,
    as_json: JsonOption = False,
) -> None:
    """Run a report as of a business date and as known at a position or time, or show what changed in it since then."""
    if name == "list":
        list_reports(as_json=as_json or format is ReportFormat.JSON)
        return
    services = services_of(context)
    with progress("read tables") as ticker:
        Freshness(fresh, min_position, wait).reach(services.reading, find_report(name).tables, ticker.reach)
    chosen = ReportFormat.JSON if as_json else format
    if chosen is ReportFormat.PARQUET:
        if output is None:
            raise typer.BadParameter("Parquet is a binary format: name a file", param_hint="--output")
        load_pyarrow()
    given = pairs(parameters or [])
    if changed_since is not None:
        if chosen is ReportFormat.PARQUET:
            raise typer.BadParameter("changes are written as table, json or csv", param_hint="--format")
        with open_changes(services.reading, name, changed_since, as_of=as_of, known_at=known_at, parameters=given) as changes:
            write_changes(changes, chosen, output)
        return
    with open_report(services.reading, name, as_of=as_of, known_at=known_at, parameters=given) as answer:
        write(answer, chosen, output)


def list_reports(*, as_json: bool) -> None:
    """Every report with its title and its own parameters."""
    if as_json:
        reports = [{"name": one.name, "title": one.title, "parameters": list(one.parameters)} for one in all_reports()]
        print_json({"reports": reports})
        return
    rows = [(one.name, one.title, " ".join(f"--{p.replace('_', '-')}" for p in one.parameters)) for one in all_reports()]
    print_table("reports", ("name", "title", "parameters"), rows)


def write(answer: Answer, format: ReportFormat, output: Path | None) -> None:
    """A report to stdout, or to a file, which is there when it is whole."""
    if output is None:
        match format:
            case ReportFormat.JSON:
                write_json(answer, for_programs())
            case ReportFormat.CSV:
                write_csv(answer, for_programs())
            case _:
                write_table(answer, out)
        return
    with whole_file(output) as path:
        if format is ReportFormat.PARQUET:
            write_parquet(answer, path)
            return
        with path.open("w", encoding="utf-8", newline="") as stream:
            if format is ReportFormat.CSV:
                write_csv(answer, stream)
            else:
                write_json(answer, stream)


def write_changes(changes: Changes, format: ReportFormat, output: Path | None) -> None:
    """What changed in a report, to stdout or to a file, which is there when it is whole."""
    if output is None and format is ReportFormat.TABLE:
        write_changes_text(changes, out)
        return
    form = write_changes_csv if format is ReportFormat.CSV else write_changes_json
    if output is None:
        form(changes, for_programs())
        return
    with whole_file(output) as path, path.open("w", encoding="utf-8", newline="") as stream:
        form(changes, stream)


def pairs(words: list[str]) -> dict[str, str]:
    """`--basis period --from=2026-01-01` as a mapping; the report itself says which parameters it has."""
    pairs: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise typer.BadParameter(f"{word} is no option; write --PARAMETER VALUE", param_hint="PARAMETER")
        key, equals, value = word.removeprefix("--").partition("=")
        if not equals:
            value = next(rest, "")
            if not value:
                raise typer.BadParameter(f"--{key} needs a value", param_hint=f"--{key}")
        pairs[key.replace("-", "_")] = value
    return pairs
