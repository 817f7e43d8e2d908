"""`ltc import`: what another system holds becomes commands, and what came of it is reconciled with the source."""

import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from ltc_events.application.clock import SystemClock
from ltc_events.cli.context import services_of
from ltc_events.cli.import_watch import watch_
from ltc_events.cli.lazy import PlainGroup
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, out, print_json, print_table, progress
from ltc_events.importing.exclusive import only_import
from ltc_events.importing.reconciliation import ControlTotal, FileCount, Reconciliation
from ltc_events.importing.run import Progress, run_import
from ltc_events.store import EventStore, Role

REFUSED_SHOWN_MAX = 20


class _WithFiles(PlainGroup):
    """`ltc import MAPPING --data DIR` is `ltc import files MAPPING --data DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words of the line, with the one that may be left out."""
        first = args[0] if args else ""
        return super().parse_args(ctx, args if first in self.commands or first in ("--help", "-h") else ["files", *args])


app = typer.Typer(
    cls=_WithFiles,
    add_completion=False,
    help="Import files of another system: scaffold a mapping, preview it, import, watch a folder, undo.\n\n"
    "`ltc import mappings` lists those that are ready for other products.\n\n"
    "`ltc import MAPPING --data DIR` is short for `ltc import files MAPPING --data DIR`.",
)

_Mapping = Annotated[Path, typer.Argument(help="The mapping, a folder with mapping.toml; see docs/import.md.", exists=True)]
_Data = Annotated[Path, typer.Option("--data", help="Folder of the files.", exists=True, file_okay=False)]


@app.command("files")
def import_(
    context: typer.Context,
    mapping: _Mapping,
    data: _Data,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and decide everything, store nothing.")] = False,
    refused: Annotated[Path | None, typer.Option("--refused", help="Write all refused rows to this CSV file.")] = None,
    retry: Annotated[str, typer.Option(help="Send what earlier runs had refused once more; give the attempt a name.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also for unreadable, refused or duplicate rows.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Import files of another system and print a reconciliation. Importing twice changes nothing; interrupted, it continues.

    Exit 1 when a control total differs; refused rows alone are listed and give exit 0. A dry run keeps
    its decisions in a temporary file. SIGTERM ends it as Ctrl-C does.
    """
    services = services_of(context)
    store = services.store(Role.WRITER)
    with _term_interrupts(), _alone(store, mapping, dry_run=dry_run) as require_alone, progress("rows") as ticker:

        def report(reached: Progress) -> None:
            require_alone()
            ticker.reach(reached.rows, reached.rows_total or None)

        result = run_import(
            mapping,
            data,
            store,
            SystemClock(),
            dry_run=dry_run,
            refused_csv=refused,
            retry=retry,
            progress=report,
            principal=services.principal,
        )
    if as_json:
        print_json(result.document())
    else:
        show(result, refused)
    if not (result.all_new if strict else result.balanced):
        raise typer.Exit(1)


@contextmanager
def _term_interrupts() -> Iterator[None]:
    """SIGTERM ends the work as Ctrl-C does: the folder that it works in is removed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _alone(store: EventStore, mapping: Path, *, dry_run: bool) -> AbstractContextManager[Callable[[], None]]:
    """Keeps other imports of the mapping out; a dry run changes nothing, and needs not to."""
    if dry_run:
        return nullcontext(lambda: None)
    return only_import(store, mapping, lambda: err.print("waiting for another import of this mapping", markup=False))


@app.command("preview")
def preview_(
    mapping: _Mapping,
    data: _Data,
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, max=1000, help="How many rows of each pass.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Show the first rows as commands, side by side with their cells. Nothing is sent, and no database is needed."""
    from ltc_events.importing.preview import preview

    found = preview(mapping, data, rows)
    if as_json:
        print_json([{**one._asdict(), "refused": [row._asdict() for row in one.refused]} for one in found])
        return
    for one in found:
        cells = [(name, cell) for name, cell in one.cells.items() if cell]
        becomes = [("", *fields) for fields in [("refused", f"{row.field} {row.reason}: {row.fix}") for row in one.refused]]
        becomes += [("", "left out", reason) for reason in one.skipped]
        for type, data_ in one.commands:
            becomes += [(type if not place else "", name, value) for place, (name, value) in enumerate(data_.items())]
        height = max(len(cells), len(becomes))
        left = [*cells, *[("", "")] * (height - len(cells))]
        right = [*becomes, *[("", "", "")] * (height - len(becomes))]
        table = [(*here, *there) for here, there in zip(left, right, strict=True)]
        print_table(f"{one.file}:{one.line}", ("column", "cell", "command", "field", "value"), table)


@app.command("mappings")
def mappings_(as_json: JsonOption = False) -> None:
    """List the mappings that are ready for what other products export; `ltc import scaffold --ready-made NAME` copies one."""
    from ltc_events.importing.ready_made import ready_made

    found = ready_made()
    if as_json:
        print_json([one._asdict() for one in found])
        return
    rows = [(one.name, one.meaning, ", ".join(one.files.values())) for one in found]
    print_table("ready-made mappings", ("name", "for", "files"), rows)


app.command("watch")(watch_)


@app.command("scaffold")
def scaffold_(
    data: Annotated[Path, typer.Argument(help="A file or a folder of files without a mapping.", exists=True)],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the mapping; else NAME-mapping.")] = None,
    currency: Annotated[str | None, typer.Option(help="Which currency amounts are in, where no column says so.")] = None,
    ready: Annotated[
        str | None, typer.Option("--ready-made", help="Copy this ready-made mapping; `ltc import mappings`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Look at files, say what their columns hold and what they are, and write a mapping that runs.

    Exit 1 where no file was recognised: the mapping then has nothing to do. With --ready-made the files are not looked into: the
    mapping is copied, and which of its files are missing in the folder is said.
    """
    from ltc_events.importing.scaffold import scaffold

    if ready is not None:
        _copy_ready_made(ready, data, output, as_json=as_json)
        return

    name = re.sub(r"[^a-z0-9_-]+", "_", (data.stem if data.is_file() else data.resolve().name).lower()).strip("_-")
    name = (name if name[:1].isalpha() else f"files_{name}")[:50]
    folder = output or Path(f"{name}-mapping")
    made = scaffold(data, name, currency)
    recognised = [one for one in made.recognised if one.kind is not None]
    if recognised:
        made.write(folder)
    if as_json:
        print_json(made.document(folder if recognised else None))
    else:
        for one in made.recognised:
            roles = {column.name: role for role, column in one.roles.items()}
            rows = [
                (c.name, c.type, c.form, c.filled, len(c.distinct), roles.get(c.name, ""), ", ".join(c.words))
                for c in one.file.columns
            ]
            title = f"{one.file.path.name}: {one.file.rows} rows, {one.kind or 'not recognised'}"
            print_table(title, ("column", "type", "written like", "filled", "different", "taken as", "words"), rows)
        if made.doubts:
            print_table("not certain: look at it first", ("what",), [(doubt,) for doubt in made.doubts])
        if recognised:
            where = data.parent if data.is_file() else data
            out.print(f"Written to {folder}. Rehearse it: ltc import {folder} --data {where} --dry-run", markup=False)
    if not recognised:
        raise typer.Exit(1)


def _copy_ready_made(name: str, data: Path, output: Path | None, *, as_json: bool) -> None:
    from ltc_events.importing.ready_made import find_ready_made

    found = find_ready_made(name)
    folder = output or Path(f"{found.name}-mapping")
    where = data.parent if data.is_file() else data
    missing = found.missing(where)
    found.write(folder)
    if as_json:
        print_json({"mapping": str(folder), "ready_made": found.name, "files": found.files, "missing": missing})
        return
    if missing:
        told = [(one, "export it, or put a file there with its headings alone") for one in missing]
        print_table(f"missing in {where}", ("file", "what to do"), told)
    out.print(f"Written to {folder}. Rehearse it: ltc import {folder} --data {where} --dry-run", markup=False)


@app.command("undo")
def undo_(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="The id that the import ended with.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what it would take to take back a run of an import, and with --yes do it, by commands that reverse what they can.

    What others have changed since stays as they left it. Exit 1 when something stays or is refused; called again, it tries again
    what was refused.
    """
    from ltc_events.importing.undo import Undone, undo, undoing

    services = services_of(context)
    store = services.store(Role.WRITER)
    plan = undoing(store, run)
    types = Counter(one["type"].removeprefix("ltc.") for one in plan.commands)
    done = undo(services.pipeline(), plan) if yes else Undone(Counter(), [])
    if as_json:
        refused = [dict(zip(("command", "subject", "reason"), one, strict=True)) for one in done.refused]
        document = {"run": run, "done": yes, "commands": dict(types), "stays": dict(plan.stays), "refused": refused}
        more = {"done_before": dict(plan.done), "changed_since": dict(plan.changed_since), "accepted": dict(done.accepted)}
        print_json({**document, **more})
    else:
        print_table("reversed by" if yes else "would be reversed by", ("command", "how often"), types.items())
        if plan.done:
            print_table("was reversed before by", ("command", "how often"), plan.done.items())
        if plan.changed_since:
            print_table("stays: others have changed it since", ("event", "how often"), plan.changed_since.items())
        if plan.stays:
            print_table("stays: no command takes it back", ("event", "how often"), plan.stays.items())
        if done.refused:
            print_table("refused", ("command", "about", "reason"), done.refused[:REFUSED_SHOWN_MAX])
        if not yes:
            out.print("Nothing was done; --yes does it.")
    if yes and (plan.stays or plan.changed_since or done.refused):
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
            (one.count, one.code, one.command, one.field, one.value, one.nearest, one.first)
            for one in result.causes[:REFUSED_SHOWN_MAX]
        ]
        print_table("refused, by cause", ("refused", "reason", "command", "field", "value", "nearest", "first"), causes)
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
    if result.run:
        out.print(f"This was run {result.run}: `ltc import undo {result.run}` shows what it would take to take it back.")


def _left_out(file: FileCount) -> str:
    return ", ".join(f"{count} {why}" for why, count in (file.skipped | Counter(file.unmatched)).items())


def _beside(total: ControlTotal) -> tuple[int, int, int, int]:
    """The counts shown beside a total: rows in neither side of it, and rows that the ledger had already."""
    return total.unreadable, total.refused, total.duplicate, total.other_currency


def _verdict(result: Reconciliation) -> str:
    if not result.balanced:
        return "A control total DIFFERS."
    if not result.controls:
        missing = f" {result.refused} rows and commands were refused." if result.refused else ""
        return f"The mapping states no control totals: no sum is compared with the source.{missing}"
    if result.complete:
        return "Every control total agrees."
    unreadable = max((one.unreadable for one in result.controls), default=0)
    foreign = max((one.other_currency for one in result.controls), default=0)
    return (
        "No control total differs, but NOT everything is in them: "
        f"{result.refused} rows and commands refused, {unreadable} rows unreadable, {foreign} events in another currency."
    )
