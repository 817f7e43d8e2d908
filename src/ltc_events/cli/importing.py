"""`ltc import`: what another system holds becomes commands, and what came of it is reconciled with the source."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.application.clock import SystemClock
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, out, print_json, print_table, progress
from ltc_events.importing.reconciliation import ControlTotal, FileCount, Reconciliation
from ltc_events.importing.run import Progress, run_import
from ltc_events.store import Role

REFUSED_SHOWN_MAX = 20


def import_(
    context: typer.Context,
    mapping: Annotated[Path, typer.Argument(help="The mapping, a folder with mapping.toml; see docs/import.md.", exists=True)],
    data: Annotated[Path, typer.Option("--data", help="Folder of the files.", exists=True, file_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and decide everything, store nothing.")] = False,
    refused: Annotated[Path | None, typer.Option("--refused", help="Write all refused rows to this CSV file.")] = None,
    retry: Annotated[str, typer.Option(help="Send what earlier runs had refused once more; give the attempt a name.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also for unreadable, refused or duplicate rows.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Import files of another system; ends with a reconciliation. Importing twice changes nothing; interrupted, it goes on.

    Exit 1 when a control total does not come out; refused rows alone are the source's affair, and listed. A dry run keeps
    all that it decides in memory.
    """
    store = services_of(context).store(Role.WRITER)
    with progress("rows") as ticker:

        def report(reached: Progress) -> None:
            ticker.reach(reached.rows, reached.rows_total)

        result = run_import(
            mapping, data, store, SystemClock(), dry_run=dry_run, refused_csv=refused, retry=retry, progress=report
        )
    if as_json:
        print_json(result.document())
    else:
        show(result, refused)
    if not (result.all_new if strict else result.balanced):
        raise typer.Exit(1)


def show(result: Reconciliation, refused: Path | None) -> None:
    """The reconciliation as tables."""
    rows = [(one.name, one.rows, one.used, one.refused, _left_out(one)) for one in result.files]
    print_table("files", ("file", "rows", "used", "refused", "left out"), rows)
    counts = [
        (one.type, one.sent, one.accepted, one.duplicate, one.unchanged, one.refused, one.not_sent)
        for one in result.commands.values()
    ]
    print_table("commands", ("type", "sent", "accepted", "duplicate", "unchanged", "refused", "not sent"), counts)
    if result.vanished:
        vanished = [(one.noun, one.name, one.id, one.position) for one in result.vanished[:REFUSED_SHOWN_MAX]]
        print_table("vanished: no row names them any more", ("what", "name", "id", "since position"), vanished)
        if result.vanished_counts.total() > len(vanished):
            err.print(f"… and {result.vanished_counts.total() - len(vanished)} more; `--json` has them", markup=False)
    if result.refusals:
        causes = [
            (one.count, one.code, one.command, one.field, one.value, one.first) for one in result.causes[:REFUSED_SHOWN_MAX]
        ]
        print_table("refused, by cause", ("refused", "reason", "command", "field", "value", "first"), causes)
        shown = [
            (f"{one.file}:{one.line}", one.command, one.field, one.value, one.reason, one.fix)
            for one in result.refused_rows[:REFUSED_SHOWN_MAX]
        ]
        print_table("refused rows", ("where", "command", "field", "value", "reason", "fix"), shown)
        if result.refused > len(shown):
            place = f"all are in {refused}" if refused else "`--refused FILE.csv` writes all of them"
            err.print(f"… and {result.refused - len(shown)} more; {place}", markup=False)
    totals = [
        (one.name, one.currency, one.source, one.ledger, one.difference, *_beside(one), one.note or "") for one in result.controls
    ]
    columns = (
        "total",
        "currency",
        "source",
        "ledger",
        "difference",
        "unreadable",
        "refused",
        "duplicate",
        "other currency",
        "note",
    )
    if result.controls:
        print_table("control totals", columns, totals)
    out.print(("Nothing was stored (dry run). " if result.dry_run else "") + _verdict(result))


def _left_out(file: FileCount) -> str:
    return ", ".join(f"{count} {why}" for why, count in (file.skipped | Counter(file.unmatched)).items())


def _beside(total: ControlTotal) -> tuple[int, int, int, int]:
    """What stands beside a total because it is in neither side of it, or because the ledger had it already."""
    return total.unreadable, total.refused, total.duplicate, total.other_currency


def _verdict(result: Reconciliation) -> str:
    if not result.balanced:
        return "A control total does NOT come out."
    if not result.controls:
        missing = f" {result.refused} rows and commands were refused." if result.refused else ""
        return f"The mapping states no control totals: no sum is held against the source.{missing}"
    if result.complete:
        return "Every control total comes out."
    unreadable = max((one.unreadable for one in result.controls), default=0)
    foreign = max((one.other_currency for one in result.controls), default=0)
    return (
        "No control total differs, but NOT everything is in them: "
        f"{result.refused} rows and commands refused, {unreadable} rows unreadable, {foreign} events in another currency."
    )
