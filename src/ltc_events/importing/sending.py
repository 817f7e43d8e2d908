"""Commands go to the pipeline in batches, row by row, and every answer is counted."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ltc_events.application.errors import NotDecided
from ltc_events.application.pipeline import Answer, CommandPipeline
from ltc_events.importing.documents import Document
from ltc_events.importing.ledger import LedgerTotals, Rehearsal
from ltc_events.importing.reconciliation import CommandCount, Reconciliation, RefusedRow
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.outcome import Outcome, Status

BATCH = 500


class Origin(NamedTuple):
    """Where a command comes from. Commands with the same `group` go together; `row` is their row's place in the import."""

    file: str
    line: int
    document: Document
    row: int | None = None
    group: int | None = None


_NOT_DECIDED = NotDecided().code


class Sender:
    """Sends commands in batches. `concern` is told of each row that has something refused, or that had been there before."""

    def __init__(
        self,
        pipeline: CommandPipeline,
        ledger: LedgerTotals,
        result: Reconciliation,
        retry: str,
        list_refused: Callable[[RefusedRow], None],
        concern: Callable[[str, int | None], None],
    ) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._result = result
        self._retry = retry
        self._list = list_refused
        self._concern = concern
        self._pending: list[Origin] = []
        self._stopped: Origin | None = None
        """The last command of a row that was refused: the row ends with it."""
        self.sent = 0

    def send(self, origin: Origin) -> bool:
        """Take in one command; whether a batch went out."""
        self._pending.append(origin)
        if len(self._pending) < BATCH:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Submit what is pending as one batch."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        stopped = self._stopped
        if stopped is not None and stopped.group is not None and pending[0].group == stopped.group:
            for origin in pending:  # the batch before ended amid this row
                if origin.group == stopped.group:
                    self.hold_back(origin, _type(stopped))
            pending = [origin for origin in pending if origin.group != stopped.group]
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
                self.hold_back(origin, _type(self._stopped))
                continue
            self._count(origin, answer)
            if origin.group is not None and _is_refused(answer):
                self._stopped = origin
        self.sent += len(pending)

    def hold_back(self, origin: Origin, cause: str) -> None:
        """A row is whole: what would have followed a refused command of it is not sent."""
        type = _type(origin)
        self._count_of(type).not_sent += 1
        reason = f"not sent: {cause} of the same row was refused"
        fix = f"mend what {cause} was refused for, and import again"
        self._list(RefusedRow(origin.file, origin.line, type, "not_sent", "", "", reason, fix))

    def _submit(self, origins: Sequence[Origin]) -> list[Answer]:
        answers = self._pipeline.submit([origin.document for origin in origins], groups=[origin.group for origin in origins])
        if isinstance(self._pipeline, Rehearsal):
            events, self._pipeline.events = self._pipeline.events, []
            for event in events:
                self._ledger.add_event(event)
            # What is a repetition within the rehearsal has no stored events: reading finds none.
            self._ledger.add_answers(answer for answer in answers if isinstance(answer, Outcome) and answer.duplicate)
        else:
            self._ledger.add_answers(answers)
        return answers

    def _count_of(self, type: str) -> CommandCount:
        return self._result.commands.setdefault(type, CommandCount(type))

    def _count(self, origin: Origin, answer: Answer) -> None:
        type = _type(origin)
        count = self._count_of(type)
        count.sent += 1
        if isinstance(answer, Outcome) and answer.status is Status.ACCEPTED:
            if answer.duplicate:
                count.duplicate += 1
                self._concern("duplicate", origin.row)
            else:
                count.accepted += 1
            return
        count.refused += 1
        self._concern("refused", origin.row)
        self._list(_refused_command(origin, type, answer))


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
