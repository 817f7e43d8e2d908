"""Refused rows: what is said of a command that was refused or not sent, and the CSV file that lists them all."""

import csv
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ltc_events.application.pipeline import Answer
from ltc_events.importing.comparison import Odd
from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.nearest_words import nearest_word, words_of
from ltc_events.importing.origin import Origin
from ltc_events.importing.reconciliation import RefusedRow
from ltc_events.kernel.output_escaping import csv_cell
from ltc_events.schemas.outcome import Outcome


class RefusedFile:
    """The CSV file of refused rows; without a path it takes nothing. Raises DataUnusable."""

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


def refused_command(origin: Origin, answer: Answer) -> RefusedRow:
    """A command that the ledger refused."""
    if not isinstance(answer, Outcome):
        return RefusedRow(origin.file, origin.line, origin.type, answer.code, "", "", answer.message, answer.fix)
    first = answer.reasons[0]
    reason = "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in answer.reasons)
    fix = "; ".join(dict.fromkeys(one.fix for one in answer.reasons if one.fix))
    value = _value_at(origin.document["data"], first.field)
    near = nearest_word(value, words_of(origin.type, first.field)) if value and first.code == "unknown_value" else ""
    if near:
        fix = f"did you mean {near}? {fix}"
    return RefusedRow(origin.file, origin.line, origin.type, first.code, first.field, value, reason, fix, near)


def refused_row(origin: Origin, odd: Odd) -> RefusedRow:
    """A row that cannot be compared with the ledger."""
    return RefusedRow(origin.file, origin.line, origin.type, odd.code, "", "", odd.reason, odd.fix)


def not_sent(origin: Origin, cause: str) -> RefusedRow:
    """A command that is not sent, as `cause`, an earlier command of its row, was refused."""
    reason = f"not sent: {cause} of the same row was refused"
    fix = f"mend what {cause} was refused for, and import again"
    return RefusedRow(origin.file, origin.line, origin.type, "not_sent", "", "", reason, fix)


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
