"""`ltc report`: the reports, as tables, JSON, CSV or Parquet."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.cli.moments import AsOf, KnownAt
from ltc_events.cli.output import JsonOption, log, out, print_json, print_table
from ltc_events.cli.projections import catch_up
from ltc_events.cli.session import session_of
from ltc_events.projections.errors import CheckpointMoved
from ltc_events.reports.catalogue import catalogue
from ltc_events.reports.render import to_document, to_json, to_table, write_csv, write_parquet
from ltc_events.reports.runner import Result, run
from ltc_events.store import NotInitialised


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
        list[str] | None, typer.Argument(metavar="[--PARAMETER VALUE]…", help="The report's own parameters, e.g. --basis period.")
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    format: Annotated[ReportFormat, typer.Option(help="How to write it.")] = ReportFormat.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh/--as-is", help="First bring the read tables up to the log, or not.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Run a report: as of a business date, as known at a position or time of the log."""
    if name == "list":
        rows = [(one.name, one.title, " ".join(f"--{p.replace('_', '-')}" for p in one.parameters)) for one in catalogue()]
        print_table("reports", ("name", "title", "parameters"), rows)
        return
    session = session_of(context)
    if fresh:
        try:
            catch_up(session)
        except (NotInitialised, CheckpointMoved) as error:
            # Without a projector's rights, or beside a running worker, the tables are as they are.
            log.info("not_caught_up", reason=error.message)
    result = run(session.database, name, as_of=as_of, known_at=known_at, parameters=_pairs(parameters or []))
    write(result, ReportFormat.JSON if as_json else format, output)


def write(result: Result, format: ReportFormat, output: Path | None) -> None:
    """A report to a file or to stdout."""
    if format is ReportFormat.PARQUET:
        if output is None:
            raise typer.BadParameter("Parquet is a binary format: name a file", param_hint="--output")
        write_parquet(result, output)
    elif output is not None:
        with output.open("w", encoding="utf-8", newline="") as stream:
            if format is ReportFormat.CSV:
                write_csv(result, stream)
            else:
                stream.write(to_json(result) + "\n")
    elif format is ReportFormat.JSON:
        print_json(to_document(result))
    elif format is ReportFormat.CSV:
        write_csv(result, sys.stdout)
    else:
        out.print(to_table(result))


def _pairs(words: list[str]) -> dict[str, str]:
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
