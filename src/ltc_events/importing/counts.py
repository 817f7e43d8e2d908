"""Counts what becomes of files, rows and commands, each row once however many commands it has."""

from typing import Literal

from ltc_events.application.pipeline import Answer
from ltc_events.importing.answers import SETTLED, is_refused
from ltc_events.importing.comparison import Odd
from ltc_events.importing.origin import Origin
from ltc_events.importing.plan import Plan
from ltc_events.importing.reconciliation import CommandCount, ControlTotal, FileCount, Reconciliation, RefusedRow
from ltc_events.importing.refusals import RefusedFile, not_sent, refused_command, refused_row
from ltc_events.importing.rows import ImportRow
from ltc_events.importing.sources import SUPERSEDED, Unreadable

LEFT_OUT = "left out by the steps"


class RowSet:
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


class Counts:
    """The counts of one import, in its reconciliation."""

    def __init__(self, plan: Plan, result: Reconciliation, refused_file: RefusedFile) -> None:
        self._plan = plan
        self._result = result
        self._refused_file = refused_file
        self._files = {source.name: FileCount(source.name, source.shown) for source in plan.sources}
        self.controls = [ControlTotal(one.section.name, one.currency, one.section.note) for one in plan.controls]
        result.files, result.controls = list(self._files.values()), self.controls
        self._used = self._unread = self._skipped = self._repeated = self._refused = RowSet(0)

    def unreadable(self, row: Unreadable) -> None:
        """A line of a file that is no row."""
        for source in self._plan.sources:
            if row.file in (source.shown, *(path.name for path in source.paths)):
                count = self._files[source.name]
                count.rows += 1
                count.refused += 1
                for control, total in zip(self._plan.controls, self.controls, strict=True):
                    total.refused += control.source is source
                break
        self.list(RefusedRow(row.file, row.line, "", row.problem.code, "", "", row.problem.reason, row.problem.fix))

    def loaded(self, rows: int, unmatched: list[tuple[str, str, int]]) -> None:
        """All sources are read, `rows` in all; `unmatched`: a source, a cause, and how many rows a join left out."""
        self._used, self._unread, self._skipped, self._repeated, self._refused = (RowSet(rows) for _ in range(5))
        for name, cause, left_out in unmatched:
            self._files[name].unmatched[cause] = left_out
        for source in self._plan.sources:
            file = self._files[source.name]
            file.rows += source.rows
            if source.superseded:
                file.skipped[SUPERSEDED] = source.superseded

    def refused(self, row: ImportRow) -> None:
        """A row that cannot be read whole."""
        if row.number is not None and self._unread.add(row.number):
            self._file_of(row.number).refused += 1
        self._concern("refused", row.number)
        for one in row.refused:
            self.list(one)

    def skipped(self, row: ImportRow) -> None:
        """A row that steps leave out, for their reasons."""
        if row.number is not None:
            for reason in dict.fromkeys(row.skipped):
                self._file_of(row.number).skipped[reason] += 1
                self._skipped.add(row.number)

    def used(self, row: ImportRow) -> None:
        """A row that has commands."""
        if row.commands and row.number is not None and self._used.add(row.number):
            self._file_of(row.number).used += 1

    def is_refused(self, row: int | None) -> bool:
        """Whether something of a row was refused by now."""
        return row in self._refused

    def answered(self, origin: Origin, answer: Answer) -> None:
        """The ledger's answer to a command."""
        count = self._command(origin)
        if answer is SETTLED:
            count.unchanged += 1
            return
        count.sent += 1
        if is_refused(answer):
            count.refused += 1
            self._concern("refused", origin.row)
            self.list(refused_command(origin, answer))
        elif getattr(answer, "duplicate", False):
            count.duplicate += 1
            self._concern("duplicate", origin.row)
        else:
            count.accepted += 1

    def unchanged(self, origin: Origin) -> None:
        """A command that is not needed: the ledger holds what its row says."""
        self._command(origin).unchanged += 1

    def odd(self, origin: Origin, odd: Odd) -> None:
        """A row that cannot be compared with the ledger; nothing of it is sent."""
        self._command(origin).refused += 1
        self._concern("refused", origin.row)
        self.list(refused_row(origin, odd))

    def hold_back(self, origin: Origin, cause: str) -> None:
        """A row is whole: what would have followed a refused command of it is not sent."""
        self._command(origin).not_sent += 1
        self.list(not_sent(origin, cause))

    def list(self, row: RefusedRow) -> None:
        """List a refused row."""
        self._result.refuse(row)
        self._refused_file.add(row)

    def finish(self) -> None:
        """Count the rows of the files that steps go through, and that came up in none of them."""
        for name in {one.rows for one in self._plan.passes if one.rows}:
            source = self._plan.source_of[name]
            span = source.first_row, source.first_row + source.rows
            used, refused, skipped = (one.bits(*span) for one in (self._used, self._unread, self._skipped))
            left = source.rows - (used | refused | skipped).bit_count() - source.superseded
            if left > 0:
                self._files[source.name].skipped[LEFT_OUT] = left

    def _command(self, origin: Origin) -> CommandCount:
        return self._result.commands.setdefault(origin.type, CommandCount(origin.type))

    def _file_of(self, row: int) -> FileCount:
        return next(self._files[source.name] for source in self._plan.sources if source.owns(row))

    def _concern(self, what: Literal["refused", "duplicate"], row: int | None) -> None:
        """Count a row beside the totals of its file, once however many of its commands it is about."""
        rows = self._refused if what == "refused" else self._repeated
        if row is None or not rows.add(row):
            return
        for control, total in zip(self._plan.controls, self.controls, strict=True):
            if control.source.owns(row):
                setattr(total, what, getattr(total, what) + 1)
