"""Sends commands to the pipeline in batches, row by row, and counts the answers."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.application.errors import NotDecided
from ltc_events.application.pipeline import Answer, CommandPipeline
from ltc_events.importing.comparison import NOT_HELD, Alternatives, Compared, Follower, Held, Odd
from ltc_events.importing.documents import Document
from ltc_events.importing.ledger import LedgerTotals, Rehearsal
from ltc_events.importing.reconciliation import CommandCount, Reconciliation, RefusedRow
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.outcome import Outcome, Status

BATCH = 500


class Origin(NamedTuple):
    """Where a command comes from. Commands with the same `group` go together; `row` is their row's place in the import.

    One that is `compared` is held against the ledger before it is sent; what then changes something is a `change`.
    """

    file: str
    line: int
    document: Document
    row: int | None = None
    group: int | None = None
    compared: Compared | None = None
    change: Alternatives | None = None


SETTLED = Outcome(UUID(int=0), "", b"", Status.ACCEPTED)
"""What stands for the answer to a change that the ledger holds by now: somebody else was quicker."""
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
        follower: Follower,
        run: UUID,
    ) -> None:
        self._pipeline = pipeline
        self._ledger = ledger
        self._result = result
        self._retry = retry
        self._list = list_refused
        self._concern = concern
        self._follower = follower
        self._run = str(run)
        self._pending: list[Origin] = []
        self._stopped: Origin | None = None
        """The last command of a row that was refused: the row ends with it."""
        self._stopped_by: Origin | None = None
        self.sent = 0

    def send(self, origin: Origin) -> bool:
        """Queue one command; returns whether a batch was sent."""
        self._pending.append(origin)
        if len(self._pending) < BATCH:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Submit the queued commands as one batch."""
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
        if any(origin.compared for origin in pending):
            pending = self._compare(pending)
        if pending:
            self._send(pending)
        if self._stopped_by is not None:
            self._stopped, self._stopped_by = self._stopped_by, None

    def _compare(self, pending: list[Origin]) -> list[Origin]:
        """What the rows that follow the ledger come to, in place of their commands."""
        held = self._follower.held((UUID(one.document["subject"]), one.compared.following) for one in pending if one.compared)
        ahead = self._ahead(pending, held)
        ready: list[Origin] = []
        stopped: Origin | None = None
        for origin in pending:
            if stopped is not None and origin.group is not None and origin.group == stopped.group:
                self.hold_back(origin, _type(stopped))
                continue
            if origin.compared is None:
                ready.append(origin)
                continue
            id, following = UUID(origin.document["subject"]), origin.compared.following
            found = held.get(id, NOT_HELD)
            if following.is_done(found.entry.state):
                self._count_of(_type(origin)).unchanged += 1
                continue
            if not following.compares and found.gone is None:
                ready.append(origin)
                continue
            odd = self._follower.contradiction(origin.document, origin.compared.said)
            is_new = following.is_new(found.entry.state)
            if is_new and odd is None:
                ready.append(origin)
                if not following.further:
                    continue
                if isinstance(self._pipeline, Rehearsal):  # which keeps what it decides, and cannot be cut off
                    self._send(ready)
                    ready.clear()
                    ahead = self._follower.held([(id, following)])
                if id not in ahead:
                    continue
                found = ahead[id]
            steps = odd or self._follower.steps(origin.document, origin.compared, found, is_new=is_new)
            if isinstance(steps, Odd):
                self._refuse(origin, steps)
                stopped = origin
                continue
            if not steps and not is_new:
                self._count_of(_type(origin)).unchanged += 1
            ready.extend(origin._replace(document=one.document, compared=None, change=one.change) for one in steps)
        self._stopped_by = stopped
        return ready

    def _ahead(self, pending: Sequence[Origin], held: dict[UUID, Held]) -> dict[UUID, Held]:
        """What the ledger will hold of new things that may need more than their first command, which goes with it."""
        if isinstance(self._pipeline, Rehearsal):
            return {}
        wanted: list[UUID] = []
        cut: set[int] = set()
        tried: list[Origin] = []
        for origin in pending:
            if origin.group in cut:
                continue
            tried.append(origin)
            if origin.compared is not None and origin.compared.following.further:
                id = UUID(origin.document["subject"])
                if origin.compared.following.is_new(held.get(id, NOT_HELD).entry.state):
                    wanted.append(id)
                    cut |= {origin.group} if origin.group is not None else set()
        if not wanted:
            return {}
        return self._follower.foreseen([one.document for one in tried], [one.group for one in tried], wanted)

    def _refuse(self, origin: Origin, odd: Odd) -> None:
        """A row that cannot be held against the ledger; nothing of it is sent."""
        self._count_of(_type(origin)).refused += 1
        self._concern("refused", origin.row)
        self._list(RefusedRow(origin.file, origin.line, _type(origin), odd.code, "", "", odd.reason, odd.fix))

    def _send(self, pending: list[Origin]) -> None:
        answers = self._submit(pending)
        self._reconsider(pending, answers)
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

    def _reconsider(self, pending: list[Origin], answers: list[Answer]) -> None:
        """A change that was refused may be so already (somebody else was quicker), or be brought about otherwise."""
        while True:
            refused = {
                place: one.change
                for place, (one, answer) in enumerate(zip(pending, answers, strict=True))
                if one.change is not None and _is_refused(answer) and not _held(answer)
            }
            if not refused:
                return
            held = self._follower.held((UUID(pending[p].document["subject"]), one.following) for p, one in refused.items())
            redone: set[int | None] = set()
            again: list[int] = []
            for place, change in refused.items():
                origin = pending[place]
                now = held.get(UUID(origin.document["subject"]), NOT_HELD)
                if self._follower.is_settled(change, now):
                    answers[place] = SETTLED
                elif change.others:
                    rest = change._replace(others=change.others[1:])
                    pending[place] = origin._replace(document=change.others[0], change=rest)
                    again.append(place)
                else:
                    continue
                redone.add(origin.group)
            again += [p for p, answer in enumerate(answers) if _held(answer) and pending[p].group in redone - {None}]
            if not again:
                return
            again.sort()
            for place, answer in zip(again, self._submit([pending[place] for place in again]), strict=True):
                answers[place] = answer

    def hold_back(self, origin: Origin, cause: str) -> None:
        """A row is whole: what would have followed a refused command of it is not sent."""
        type = _type(origin)
        self._count_of(type).not_sent += 1
        reason = f"not sent: {cause} of the same row was refused"
        fix = f"mend what {cause} was refused for, and import again"
        self._list(RefusedRow(origin.file, origin.line, type, "not_sent", "", "", reason, fix))

    def _submit(self, origins: Sequence[Origin]) -> list[Answer]:
        for origin in origins:
            origin.document["correlationid"] = self._run
        answers = self._pipeline.submit([origin.document for origin in origins], groups=[origin.group for origin in origins])
        if isinstance(self._pipeline, Rehearsal):
            self._ledger.add_rehearsed(self._pipeline)
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
        if answer is SETTLED:
            count.unchanged += 1
            return
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
