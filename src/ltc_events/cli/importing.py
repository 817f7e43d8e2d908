"""`ltc import`: CSV files of another system become commands, and what came of them is reconciled with the source."""

from pathlib import Path
from typing import Annotated

import typer

from ltc_events.application.clock import SystemClock
from ltc_events.cli.output import JsonOption, err, out, print_json, print_table, progress
from ltc_events.cli.session import session_of
from ltc_events.importing.reconciliation import Reconciliation
from ltc_events.importing.run import Progress, run_import
from ltc_events.store import Role

REFUSED_SHOWN_MAX = 20


def import_(
    context: typer.Context,
    mapping: Annotated[Path, typer.Argument(help="The mapping, a TOML file; see docs/import.md.", exists=True, dir_okay=False)],
    data: Annotated[Path, typer.Option("--data", help="Folder of the CSV files.", exists=True, file_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and decide everything, store nothing.")] = False,
    refused: Annotated[Path | None, typer.Option("--refused", help="Write all refused rows to this CSV file.")] = None,
    retry: Annotated[str, typer.Option(help="Send what earlier runs had refused once more; give the attempt a name.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Import CSV files; ends with a reconciliation. Importing twice changes nothing; interrupted, it goes on.

    Exit 1 when a control total does not come out; refused rows alone are the source's affair, and listed.
    """
    store = session_of(context).store(Role.WRITER)
    with progress("rows") as ticker:

        def report(reached: Progress) -> None:
            ticker.expect(reached.rows_total)
            ticker.advance(reached.rows - ticker.done)

        result = run_import(
            mapping, data, store, SystemClock(), dry_run=dry_run, refused_csv=refused, retry=retry, progress=report
        )
    if as_json:
        print_json(result.document())
    else:
        show(result, refused)
    if not result.balanced:
        raise typer.Exit(1)


def show(result: Reconciliation, refused: Path | None) -> None:
    """The reconciliation as tables."""
    rows = [
        (one.name, one.rows, one.used, one.refused, ", ".join(f"{count} {why}" for why, count in one.skipped.items()))
        for one in result.files
    ]
    print_table("files", ("file", "rows", "used", "refused", "left out"), rows)
    counts = [(one.type, one.sent, one.accepted, one.duplicate, one.refused) for one in result.commands.values()]
    print_table("commands", ("type", "sent", "accepted", "duplicate", "refused"), counts)
    if result.refusals:
        print_table("refused, by reason", ("reason", "rows and commands"), result.refusals.most_common())
        shown = [
            (f"{one.file}:{one.line}", one.command, one.field, one.value, one.reason, one.fix)
            for one in result.refused_rows[:REFUSED_SHOWN_MAX]
        ]
        print_table("refused rows", ("where", "command", "field", "value", "reason", "fix"), shown)
        if result.refused > len(shown):
            place = f"all are in {refused}" if refused else "`--refused FILE.csv` writes all of them"
            err.print(f"… and {result.refused - len(shown)} more; {place}", markup=False)
    totals = [(one.name, one.currency, one.source, one.ledger, one.difference, one.note or "") for one in result.controls]
    print_table("control totals", ("total", "currency", "source", "ledger", "difference", "note"), totals)
    kept = "Nothing was stored (dry run). " if result.dry_run else ""
    out.print(kept + ("Every control total comes out." if result.balanced else "A control total does NOT come out."))
