"""Runs an import: loads the sources, computes commands, sends them, and reconciles the result with the source."""

import csv
import secrets
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.importing.comparison import Compared, Follower
from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.ledger import EventTotal, LedgerTotals, Rehearsal
from ltc_events.importing.mapping import MAPPING_FILE
from ltc_events.importing.plan import Plan, prepare
from ltc_events.importing.reconciliation import ControlTotal, FileCount, Reconciliation, RefusedRow
from ltc_events.importing.rows import ImportRow, load_all, plain, rows_of, subjects_of, survey, unmatched_rows
from ltc_events.importing.runs import owner_of, run_id
from ltc_events.importing.sending import Origin, Sender
from ltc_events.importing.sources import SUPERSEDED, Source, Unreadable
from ltc_events.importing.state_totals import LedgerStates
from ltc_events.importing.vanished import Named, sweep
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.collector import collections_rare
from ltc_events.kernel.output_escaping import csv_cell
from ltc_events.kernel.principals import Principal
from ltc_events.store.event_store import EventStore

LEFT_OUT = "left out by the steps"


class Progress(NamedTuple):
    """The progress of an import: rows done and in total, over all passes, and commands sent."""

    file: str
    rows: int
    rows_total: int
    commands: int


Report = Callable[[Progress], None]


def run_import(
    mapping: Path,
    folder: Path,
    store: EventStore,
    clock: Clock,
    *,
    dry_run: bool = False,
    refused_csv: Path | None = None,
    retry: str = "",
    progress: Report | None = None,
    principal: Principal | None = None,
) -> Reconciliation:
    """Import the files of `folder` as the mapping in the folder `mapping` says; `principal` sends the commands.

    Importing twice changes nothing, and an import that was interrupted goes on where it was: commands have ids that follow
    from what they say. With `dry_run` all is read and decided, and nothing is stored. Refused rows are listed in the result,
    and all of them in the file `refused_csv`. A command that was refused stays refused; with `retry` (a name for the attempt)
    those refused earlier are sent once more. Raises MappingInvalid or DataUnusable before anything is done.
    """
    with ExitStack() as stack:
        stack.enter_context(collections_rare())
        plan = prepare(mapping.parent if mapping.name == MAPPING_FILE else mapping, folder, stack)
        refused = _RefusedFile(refused_csv, stack)
        pipeline = Rehearsal(store, clock, principal) if dry_run else CommandPipeline(store, clock, principal=principal)
        run = run_id(owner_of(plan.folder.mapping), clock.now(), secrets.randbits(12))
        return _Run(plan, pipeline, store, clock, run, refused, retry, progress).run()


class _RefusedFile:
    """The CSV file of refused rows; without a path it takes nothing."""

    def __init__(self, path: Path | None, stack: ExitStack) -> None:
        self._write: Callable[[Iterable[Any]], Any] | None = None
        if path is not None:
            try:
                file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                problem = f"refused rows cannot be written there: {error.strerror}"
                raise DataUnusable(
                    file=path, problem=problem, fix="give a file in a folder that is there and writable"
                ) from error
            self._write = csv.writer(file).writerow
            self._write(RefusedRow._fields)

    def add(self, row: RefusedRow) -> None:
        """Write one row."""
        if self._write is not None:
            self._write(map(csv_cell, row))


class _Rows:
    """A set of rows of the import, a bit for each."""

    def __init__(self, count: int) -> None:
        self._bits = bytearray(count // 8 + 1)

    def add(self, row: int) -> bool:
        """Take in a row; whether it was not in yet."""
        byte, mask = row // 8, 1 << row % 8
        new = not self._bits[byte] & mask
        self._bits[byte] |= mask
        return new

    def bits(self, start: int, stop: int) -> int:
        """A bit for each of these rows."""
        return int.from_bytes(self._bits, "little") >> start & (1 << stop - start) - 1

    def __contains__(self, row: int | None) -> bool:
        return row is not None and bool(self._bits[row // 8] & 1 << row % 8)


class _Run:
    def __init__(
        self,
        plan: Plan,
        pipeline: CommandPipeline,
        store: EventStore,
        clock: Clock,
        run: UUID,
        refused: _RefusedFile,
        retry: str,
        progress: Report | None,
    ) -> None:
        self._plan = plan
        self._refused_file = refused
        self._progress = progress
        self._result = Reconciliation(plan.folder.mapping.name, isinstance(pipeline, Rehearsal))
        self._result.run = "" if self._result.dry_run else str(run)
        self._files = {source.name: FileCount(source.name, source.shown) for source in plan.sources}
        self._totals = [ControlTotal(one.section.name, one.currency, one.section.note) for one in plan.controls]
        totals: dict[str, list[tuple[EventTotal, ControlTotal]]] = {"import": [], "ledger": []}
        for one, total in zip(plan.controls, self._totals, strict=True):
            if isinstance(one.ledger, EventTotal):
                totals[one.section.against].append((one.ledger, total))
        self._ledger_states = LedgerStates(store, pipeline if isinstance(pipeline, Rehearsal) else None)
        self._store = store
        self._named = Named()
        steps = (step for one in plan.passes for step in one.steps)
        self._is_swept = any(step.following is not None and step.following.vanished is not None for step in steps)
        self._follower = follower = Follower(store, pipeline, clock, plan.envelope, owner_of(plan.folder.mapping))
        ledger = LedgerTotals(store, totals["import"], totals["ledger"])
        self._sender = Sender(pipeline, ledger, self._result, retry, self._list, self._concern, follower, run)
        self._once: dict[str, set[str]] = {}
        self._rows = self._rows_total = self._group = 0
        self._file = ""
        self._sets: dict[str, _Rows] = {}
        self._unmatched: dict[str, int] = {}

    def run(self) -> Reconciliation:
        """Run the whole import."""
        result = self._result
        result.files = list(self._files.values())
        result.controls = self._totals
        count = load_all(self._plan, self._unreadable)
        self._sets = {name: _Rows(count) for name in ("used", "refused", "skipped", "duplicate", "stopped", "concerned")}
        survey(self._plan, self._totals)
        for name, cause, rows in unmatched_rows(self._plan):
            self._files[name].unmatched[cause] = rows
            self._unmatched[cause] = rows
        for source in self._plan.sources:
            file = self._files[source.name]
            file.rows += source.rows
            if source.superseded:
                file.skipped[SUPERSEDED] = source.superseded
        self._rows_total = sum(self._plan.source_of[one.rows].rows for one in self._plan.passes if one.rows)
        for document in self._plan.policies:
            self._sender.send(Origin("policies", 0, document))
        for number in range(len(self._plan.passes)):
            for row in rows_of(self._plan, number):
                self._row(row)
            self._sender.flush()  # what a pass compares with the ledger has what the passes before it brought
        self._sweep()
        self._report(self._file)
        self._count_left_out()
        for control, total in zip(self._plan.controls, self._totals, strict=True):
            if control.section.against == "ledger":
                self._ledger_states.add(control.ledger, total, subjects_of(self._plan, control))
            total.ledger = plain(total.ledger, 2 if control.section.sum else 0)
        return result

    def _row(self, row: ImportRow) -> None:
        self._rows += row.number is not None
        if self._is_swept:
            self._name(row)
        self._group += 1
        if row.refused:
            if self._mark("refused", row.number):
                self._count_file(row.number).refused += 1
            self._concern("refused", row.number)
            for one in row.refused:
                self._list(one)
            if row.number is not None:
                self._sets["stopped"].add(row.number)
            return
        for reason in dict.fromkeys(row.skipped):
            if row.number is not None:
                self._count_file(row.number).skipped[reason] += 1
                self._sets["skipped"].add(row.number)
        for step, document, said in row.commands:
            if step.file.head.once:
                known = self._once.setdefault(step.type, set())
                if document["subject"] in known:
                    continue
                known.add(document["subject"])
            group = self._group if row.number is not None and step.file.head.on_refusal == "stop row" else None
            following = step.following
            compared = None if said is None or following is None or not following.asks else Compared(following, said)
            origin = Origin(row.file, row.line, document, row.number, group, compared)
            if row.number in self._sets["stopped"]:
                self._sender.hold_back(origin, "a command")
                continue
            self._file = row.file
            if self._sender.send(origin):
                self._report(row.file)
        if row.commands and row.number is not None and self._mark("used", row.number):
            self._count_file(row.number).used += 1

    def _name(self, row: ImportRow) -> None:
        """Keep in mind what a row names, whatever becomes of it."""
        for id in row.unsent:
            self._named.add(id)
        for command in row.commands:
            self._named.add(command.document["subject"])
            self._named.add(command.document["partitionkey"])

    def _sweep(self) -> None:
        """What no row names any more, where steps look for it; nothing is taken as gone that may only not have been read."""
        swept: set[str] = set()
        for step in (step for one in self._plan.passes for step in one.steps):
            following = step.following
            if following is None or following.vanished is None or following.noun in swept:
                continue
            swept.add(following.noun)
            found = sweep(self._store, self._follower, owner_of(self._plan.folder.mapping), following, self._named)
            self._result.vanish(following.noun, found.vanished)
            file = step.file.file.path
            unmatched = self._unmatched_of(following.noun)
            if found.documents and self._named.unknown:
                reason = f"{len(found.documents)} vanished, and {self._named.unknown} rows cannot be read: they may be among them"
                self._list(RefusedRow(file, 0, "", "not_taken_as_gone", "", "", reason, "mend the rows, and import again"))
            elif found.documents and unmatched:
                reason = f"{len(found.documents)} vanished, and joins left out {unmatched} rows: they may be among them"
                fix = "complete the file that they have no match in, or write LEFT JOIN, and import again"
                self._list(RefusedRow(file, 0, "", "not_taken_as_gone", "", "", reason, fix))
            elif len(found.documents) * 2 > found.there:
                reason = f"{len(found.documents)} of {found.there} vanished, which is more than are left"
                fix = "look whether the export is whole; if it is, take them as gone in another way"
                self._list(RefusedRow(file, 0, "", "not_taken_as_gone", "", "", reason, fix))
            else:
                for document in found.documents:
                    self._sender.send(Origin(file, 0, document))
        self._sender.flush()

    def _unmatched_of(self, noun: str) -> int:
        """How many rows joins left out of the tables, or of the steps that name things of this noun first."""
        steps = (step for one in self._plan.passes for step in one.steps if step.following is not None)
        paths = [step.file.file.path for step in steps if step.following is not None and step.following.noun == noun]
        starts = ("by tables/", *(f"by {path}," for path in paths))
        return sum(rows for cause, rows in self._unmatched.items() if cause.startswith(starts))

    def _count_file(self, row: int | None) -> FileCount:
        for source in self._plan.sources:
            if row is not None and source.owns(row):
                return self._files[source.name]
        return FileCount("", "")

    def _mark(self, what: str, row: int | None) -> bool:
        return row is not None and self._sets[what].add(row)

    def _concern(self, what: str, row: int | None) -> None:
        """Count a row beside the totals of its file, once however many of its commands it is about."""
        if row is None:
            return
        if not self._sets["concerned" if what == "refused" else what].add(row):
            return
        if what == "refused":
            self._sets["stopped"].add(row)
        for control, total in zip(self._plan.controls, self._totals, strict=True):
            if control.source.owns(row):
                setattr(total, what, getattr(total, what) + 1)

    def _unreadable(self, row: Unreadable) -> None:
        self._named.add(None)
        for source in self._plan.sources:
            if row.file in (source.shown, *(path.name for path in source.paths)):
                count = self._files[source.name]
                count.rows += 1
                count.refused += 1
                for control, total in zip(self._plan.controls, self._totals, strict=True):
                    total.refused += control.source is source
                break
        self._list(RefusedRow(row.file, row.line, "", row.problem.code, "", "", row.problem.reason, row.problem.fix))

    def _count_left_out(self) -> None:
        """Rows of the files that steps go through, and that came up in none of them."""
        for name in {one.rows for one in self._plan.passes if one.rows}:
            source: Source = self._plan.source_of[name]
            span = source.first_row, source.first_row + source.rows
            used, refused, skipped = (self._sets[one].bits(*span) for one in ("used", "refused", "skipped"))
            left = source.rows - (used | refused | skipped).bit_count() - source.superseded
            if left > 0:
                self._files[source.name].skipped[LEFT_OUT] = left

    def _list(self, row: RefusedRow) -> None:
        self._result.refuse(row)
        self._refused_file.add(row)

    def _report(self, file: str) -> None:
        if self._progress is not None:
            self._progress(Progress(file, self._rows, self._rows_total, self._sender.sent))
