"""Run an import: read the rows, send their commands in batches, and reconcile what came of them with the source."""

import csv
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ltc_events.application.errors import NotDecided
from ltc_events.application.pipeline import Answer, CommandPipeline
from ltc_events.importing.commands import Document
from ltc_events.importing.errors import BadValue, DataUnusable, RowRefused
from ltc_events.importing.ledger import LedgerTotals, Rehearsal
from ltc_events.importing.numbers import EXACT
from ltc_events.importing.plan import CompiledControl, CompiledStep, Plan, prepare, rows_in_order
from ltc_events.importing.reconciliation import CommandCount, ControlTotal, FileCount, Reconciliation, RefusedRow
from ltc_events.importing.source import Row, Source
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.foreign_text import csv_cell
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.store.event_store import EventStore

BATCH = 500


class Progress(NamedTuple):
    """How far an import is: rows of all steps, done and in all, and commands sent."""

    file: str
    rows: int
    rows_total: int
    commands: int


class Origin(NamedTuple):
    """Where a command comes from. `row` is the number of its row in the run: commands with the same go together."""

    file: str
    line: int
    document: Document
    row: int | None = None


_NOT_DECIDED = NotDecided().code

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
) -> Reconciliation:
    """Import the CSV files of `folder` as the TOML file `mapping` says.

    Importing twice changes nothing, and an import that was interrupted goes on where it was: commands have ids that follow
    from what they say. With `dry_run` all is read and decided, and nothing is stored. Refused rows are listed in the result,
    and all of them in the file `refused_csv`. A command that was refused stays refused; with `retry` (a name for the attempt)
    those refused earlier are sent once more. Raises MappingInvalid or DataUnusable before anything is done.
    """
    with ExitStack() as stack:
        plan = prepare(mapping, folder, stack)
        refused = _RefusedFile(refused_csv, stack)
        pipeline = Rehearsal(store, clock) if dry_run else CommandPipeline(store, clock)
        return _Run(plan, pipeline, store, refused, retry, progress).run()


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


class _Run:
    def __init__(
        self, plan: Plan, pipeline: CommandPipeline, store: EventStore, refused: _RefusedFile, retry: str, progress: Report | None
    ) -> None:
        self._plan = plan
        self._pipeline = pipeline
        self._refused = refused
        self._retry = retry
        self._progress = progress
        self._result = Reconciliation(plan.mapping.name, isinstance(pipeline, Rehearsal))
        self._files = {name: FileCount(name, source.file.name) for name, source in plan.sources.items()}
        self._totals = [(one, ControlTotal(one.control.name, one.currency, one.control.note)) for one in plan.controls]
        self._ledger = LedgerTotals(store, [(one.event_total, total) for one, total in self._totals])
        self._once: dict[str, set[str]] = {}
        self._pending: list[Origin] = []
        self._rows = self._rows_total = self._commands = 0
        self._stopped: Origin | None = None
        """The last command of a row that was refused: the row ends with it."""
        self._counted: dict[str, tuple[str, int]] = {}
        """The row last counted as refused, and as duplicate."""

    def run(self) -> Reconciliation:
        """The whole import."""
        result = self._result
        result.files = list(self._files.values())
        result.controls = [total for _, total in self._totals]
        for name, source in self._plan.sources.items():
            self._survey(source, self._files[name])
        self._rows_total = sum(self._files[step.source.name].rows for step in self._plan.steps)
        for document in self._plan.prelude:
            self._send(Origin("prelude", 0, document))
        for step in self._plan.steps:
            self._step(step)
        self._flush()
        for name, source in self._plan.sources.items():
            self._files[name].used = source.used_count
        return result

    def _survey(self, source: Source, count: FileCount) -> None:
        """Count a file's rows and add up its control totals, independently of what the steps make of them."""
        totals = [(one, total) for one, total in self._totals if one.source is source]
        for row in source.rows():
            count.rows += 1
            for control, total in totals:
                try:
                    _add(control, total, row)
                except (RowRefused, BadValue, ArithmeticError):
                    total.unreadable += 1

    def _step(self, step: CompiledStep) -> None:
        count = self._files[step.source.name]
        for row in rows_in_order(step):
            self._rows += 1
            try:
                if isinstance(row, RowRefused):
                    raise row
                self._row(step, row, count)
            except RowRefused as refusal:
                count.refused += 1
                self._refuse_row(step.source, row, refusal)

    def _row(self, step: CompiledStep, row: Row, count: FileCount) -> None:
        """Everything that a row becomes, or nothing of it: a row is read as a whole."""
        try:
            for guard in step.skip:
                if guard.applies(row):
                    count.skipped[str(guard.reason(row))] += 1
                    return
            step.check(row)
            commands = [(emitter, document) for emitter in step.emitters for document in emitter.commands(row)]
        except BadValue as error:
            raise step.source.refuse(row, error) from error
        except ArithmeticError as error:
            inexact = BadValue("not_exact", "a result has more than 60 digits", "correct the amounts in the file")
            raise step.source.refuse(row, inexact) from error
        step.source.use(row.ordinal)
        for emitter, document in commands:
            if emitter.once:
                known = self._once.setdefault(emitter.type, set())
                if document["subject"] in known:
                    continue
                known.add(document["subject"])
            self._send(Origin(step.source.file.name, row.line, document, self._rows))

    def _send(self, origin: Origin) -> None:
        self._pending.append(origin)
        if len(self._pending) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        """Submit what is pending as one batch."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        stopped = self._stopped
        if stopped is not None and pending[0].row == stopped.row:  # the batch before ended amid this row
            for origin in pending:
                if origin.row == stopped.row:
                    self._hold_back(origin, stopped)
            pending = [origin for origin in pending if origin.row != stopped.row]
            if not pending:
                return
        answers = self._submit(pending)
        again = [place for place, answer in enumerate(answers) if self._retry and (_refused_before(answer) or _held(answer))]
        if again:
            retried = [
                pending[place]._replace(document=_renamed(pending[place].document, self._retry))
                if _refused_before(answers[place])
                else pending[place]
                for place in again
            ]
            for place, answer in zip(again, self._submit(retried), strict=True):
                answers[place] = answer
        for origin, answer in zip(pending, answers, strict=True):
            if _held(answer) and self._stopped is not None:
                self._hold_back(origin, self._stopped)
                continue
            self._count(origin, answer)
            if origin.row is not None and _is_refused(answer):
                self._stopped = origin
        self._commands += len(pending)
        if self._progress is not None:
            self._progress(Progress(pending[-1].file, self._rows, self._rows_total, self._commands))

    def _submit(self, origins: Sequence[Origin]) -> list[Answer]:
        answers = self._pipeline.submit([origin.document for origin in origins], groups=[origin.row for origin in origins])
        if isinstance(self._pipeline, Rehearsal):
            events, self._pipeline.events = self._pipeline.events, []
            for event in events:
                self._ledger.add_event(event)
            # What is a repetition within the rehearsal has no stored events: reading finds none.
            self._ledger.add_answers(answer for answer in answers if isinstance(answer, Outcome) and answer.duplicate)
        else:
            self._ledger.add_answers(answers)
        return answers

    def _hold_back(self, origin: Origin, cause: Origin) -> None:
        """A row is whole: what would have followed a refused command of it is not sent."""
        type, refused = _type(origin), _type(cause)
        self._count_of(type).not_sent += 1
        reason = f"not sent: {refused} of the same row was refused"
        fix = f"mend what {refused} was refused for, and import again"
        self._list(RefusedRow(origin.file, origin.line, type, "not_sent", "", "", reason, fix))

    def _count_of(self, type: str) -> CommandCount:
        return self._result.commands.setdefault(type, CommandCount(type))

    def _count(self, origin: Origin, answer: Answer) -> None:
        type = _type(origin)
        count = self._count_of(type)
        count.sent += 1
        if isinstance(answer, Outcome) and answer.status is Status.ACCEPTED:
            if answer.duplicate:
                count.duplicate += 1
                self._count_row("duplicate", origin.file, origin.line)
            else:
                count.accepted += 1
            return
        count.refused += 1
        self._count_row("refused", origin.file, origin.line)
        self._list(_refused_command(origin, type, answer))

    def _count_row(self, what: str, file: str, line: int) -> None:
        """Count a row beside the totals of its file, once however many of its commands it is about."""
        if self._counted.get(what) == (file, line):
            return
        self._counted[what] = (file, line)
        for one, total in self._totals:
            if one.source.file.name == file:
                setattr(total, what, getattr(total, what) + 1)

    def _refuse_row(self, source: Source, row: Row | RowRefused, refusal: RowRefused) -> None:
        reason = refusal.reason
        if refusal.file != source.file.name or refusal.line != row.line:
            reason = f"{reason} (in {refusal.file}, line {refusal.line})"
        refused = RefusedRow(source.file.name, row.line, "", refusal.code, refusal.column, refusal.value, reason, refusal.fix)
        self._count_row("refused", refused.file, refused.line)
        self._list(refused)

    def _list(self, row: RefusedRow) -> None:
        self._result.refuse(row)
        self._refused.add(row)


def _add(control: CompiledControl, total: ControlTotal, row: Row | RowRefused) -> None:
    if isinstance(row, RowRefused):
        raise row
    if control.applies is not None and not control.applies(row):
        return
    if control.amount is None:
        total.source = EXACT.add(total.source, 1)
    else:
        amount = control.amount(row)
        if amount is None:
            return
        total.source = EXACT.add(total.source, amount)
    total.source_rows += 1


def _type(origin: Origin) -> str:
    type: str = origin.document["type"].removeprefix(WIRE_PREFIX)
    return type


def _is_refused(answer: Answer) -> bool:
    return not isinstance(answer, Outcome) or answer.status is Status.REFUSED


def _held(answer: Answer) -> bool:
    return isinstance(answer, Outcome) and any(one.code == _NOT_DECIDED for one in answer.reasons)


def _refused_before(answer: Answer) -> bool:
    return isinstance(answer, Outcome) and answer.duplicate and answer.status is Status.REFUSED


def _renamed(document: Document, attempt: str) -> Document:
    return {**document, "id": str(derive_id("import", "retry", attempt, document["id"]))}


def _refused_command(origin: Origin, type: str, answer: Answer) -> RefusedRow:
    if not isinstance(answer, Outcome):
        return RefusedRow(origin.file, origin.line, type, answer.code, "", "", answer.message, answer.fix)
    first = answer.reasons[0]
    reason = "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in answer.reasons)
    fix = "; ".join(dict.fromkeys(one.fix for one in answer.reasons if one.fix))
    value = _value_at(origin.document["data"], first.field)
    return RefusedRow(origin.file, origin.line, type, first.code, first.field, value, reason, fix)


def _value_at(data: Any, path: str) -> str:
    """What a command's data holds at the path of a refusal, as text; empty where that is no single value."""
    for part in path.split(".") if path else ():
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return ""
    return "" if data is None or isinstance(data, dict | list) else str(data)
