"""Take back what a run of an import did, by commands that reverse it: nothing that was recorded is removed."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from itertools import count, groupby
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.application.batch import fold
from ltc_events.application.pipeline import Answer, CommandPipeline
from ltc_events.importing.documents import Document
from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.runs import began_at
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.credit_note import CreditNoteApplied, IssueCreditNote, UnapplyCreditNote
from ltc_events.schemas.customer import ProfileUpdated, UpdateProfile
from ltc_events.schemas.decimal_json import values
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    AmountChanged,
    ChangeAmount,
    ChangeCloseDate,
    ChangeOwner,
    ChangeTitle,
    CloseDateChanged,
    MoveStageBack,
    OpportunityLost,
    OpportunityReopened,
    OpportunityWon,
    OwnerChanged,
    ReopenOpportunity,
    StageChanged,
    TitleChanged,
)
from ltc_events.schemas.order import CancelOrder, OrderPlaced
from ltc_events.schemas.outcome import Status
from ltc_events.schemas.payment import PaymentAllocated, UnallocatePayment
from ltc_events.schemas.receivable import InvoiceWrittenOff, ReverseWriteOff
from ltc_events.schemas.record import Record
from ltc_events.store.event_store import EventStore

_BATCH = 500
_WHY = "taken back: the import was a mistake"


class Undoing(NamedTuple):
    """What it would take to take back a run: commands, last first.

    `done`: how many were accepted before, by type of command. `stays`: how many commands of the run nothing takes back, and
    `changed_since`: how many events said something that others have said otherwise since; both by event.
    """

    run: UUID
    commands: list[Document]
    done: Counter[str]
    stays: Counter[str]
    changed_since: Counter[str]


class Undone(NamedTuple):
    """What came of it: how many commands were accepted or had been before, by type, and the refused with why."""

    accepted: Counter[str]
    refused: list[tuple[str, str, str]]


def undoing(store: EventStore, run: str) -> Undoing:
    """What it would take to take back the run of this id. Raises DataUnusable where no run has it."""
    try:
        id = UUID(run)
        began = began_at(id)
    except ValueError:
        raise DataUnusable(file=run, problem="is not the id of a run", fix="give the id that the import ended with") from None
    # The clock that named the run is not the database's.
    records = store.correlated(id, after=max(0, store.position_at(began - timedelta(hours=1))))
    if not records:
        raise DataUnusable(file=run, problem="no event is of this run", fix="give the id that the import ended with")
    plan = Undoing(id, [], Counter(), Counter(), Counter())
    attempts = _attempts(store, id, records)
    planned: Counter[UUID] = Counter()
    by_command = [list(found) for _, found in groupby(reversed(records), lambda record: record.command_id)]
    for start in range(0, len(by_command), _BATCH):
        part = by_command[start : start + _BATCH]
        streams = store.load(list({record.subject for found in part for record in found if _says(record.event)}))
        for found in part:
            taken = [_take_back(plan, record, streams.get(record.subject, []), attempts, planned) for record in found]
            if not any(taken):
                plan.stays[found[-1].event.type] += 1
    return plan


def undo(pipeline: CommandPipeline, plan: Undoing) -> Undone:
    """Do it. What was done before, by a call that was cut off, is not done again.

    Once others are found to have changed a thing after the plan was made, nothing more of the plan is done to it.
    """
    done = Undone(Counter(plan.done), [])
    left = deque(plan.commands)
    refusals: Counter[str] = Counter()
    moved: dict[str, str] = {}
    while left:
        part: list[Document] = []
        undecided = []
        while left and len(part) < _BATCH:
            document = left.popleft()
            if document["subject"] in moved:
                _tell(done, document, moved[document["subject"]])
            else:
                part.append(document)
        for document, answer in zip(part, _submit(pipeline, part, refusals), strict=True):
            codes = [one.code for one in getattr(answer, "reasons", ())]
            if "not_decided" in codes:
                undecided.append(document)
                continue
            reason = _refusal(answer)
            _tell(done, document, reason)
            if reason is not None:
                refusals[document["subject"]] += 1
            if "stale_version" in codes:
                moved[document["subject"]] = str(reason)
        left.extendleft(reversed(undecided))
    return done


def _tell(done: Undone, document: Document, refusal: str | None) -> None:
    type = document["type"].removeprefix(WIRE_PREFIX)
    if refusal is None:
        done.accepted[type] += 1
    else:
        done.refused.append((type, document["subject"], refusal))


def _submit(pipeline: CommandPipeline, part: Sequence[Document], refusals: Counter[str]) -> list[Answer]:
    """The answers; what is refused makes no event, so the commands behind it are decided anew, for a version that is lower."""
    documents, groups = [], []
    for one in part:
        expected = one.get("expectedversion")
        documents.append(one if expected is None else {**one, "expectedversion": expected - refusals[one["subject"]]})
        groups.append(None if expected is None else UUID(one["subject"]).int)
    return pipeline.submit(documents, groups=groups)


def _refusal(answer: Answer) -> str | None:
    reasons = getattr(answer, "reasons", None)
    if reasons is None:
        return str(answer)
    return "; ".join(one.message for one in reasons) or None


class _Attempts(NamedTuple):
    """The ids of the commands that take back a run's events, by position and part; accepted before, with types."""

    ids: dict[tuple[int, int], UUID]
    done: dict[UUID, str]


def _attempts(store: EventStore, run: UUID, records: Sequence[Record]) -> _Attempts:
    """What was refused is tried again under another id: the first would be answered with the refusal on record, for ever."""
    ids: dict[tuple[int, int], UUID] = {}
    done: dict[UUID, str] = {}
    left = [record for record in records if type(record.event) in _REVERSE]
    for attempt in count():
        if not left:
            break
        for one in left:
            ids[one.position, one.part] = derive_id("import", "undo", str(run), str(one.position), str(one.part), str(attempt))
        outcomes = store.outcomes([ids[one.position, one.part] for one in left])
        done |= {id: outcome.command_type for id, outcome in outcomes.items() if outcome.status is Status.ACCEPTED}
        refused = outcomes.keys() - done.keys()
        left = [one for one in left if ids[one.position, one.part] in refused]
    return _Attempts(ids, done)


def _take_back(plan: Undoing, record: Record, stream: Sequence[Record], attempts: _Attempts, planned: Counter[UUID]) -> bool:
    """Add to the plan what takes back one event; False: no command does. `planned`: how many are about each thing so far."""
    reverse = _REVERSE.get(type(record.event))
    if reverse is None:
        return False
    id = attempts.ids[record.position, record.part]
    if id in attempts.done:
        plan.done[attempts.done[id]] += 1
        return True
    says = _says(record.event)
    others: set[str] = set()
    settled: set[str] = set()  # is already what it was before an earlier event of the run, though this one's reversal was refused
    for one in stream:
        if one.version < record.version and attempts.ids.get((one.position, one.part)) in attempts.done:
            settled |= says & _says(one.event)
        elif one.version > record.version and one.correlation_id != plan.run and one.command_id not in attempts.done:
            others |= says & _says(one.event)
    if others:
        plan.changed_since[record.event.type] += 1
    left = others | settled
    found = None if left and left == says else reverse(stream, record, left)
    if found is None:
        return bool(left)
    model, subject, data = found
    document = {
        "specversion": "1.0",
        "id": str(id),
        "source": "import/undo",
        "type": WIRE_PREFIX + model.type,
        "subject": str(subject),
        "partitionkey": str(record.customer_id or subject),
        "causationid": str(record.command_id),
        "data": data,
    }
    if stream:  # each such command makes one event: what others say from now on is not overwritten either
        document["expectedversion"] = stream[-1].version + planned[subject]
        planned[subject] += 1
    plan.commands.append(document)
    return True


def _says(event: Any) -> frozenset[str]:
    """What an event replaces, where a later one may replace it in turn."""
    if isinstance(event, ProfileUpdated):
        return frozenset(values(event.profile, exclude_none=True))
    return _SAYS.get(type(event), frozenset())


_SAYS: dict[type, frozenset[str]] = {
    AmountChanged: frozenset({"amount"}),
    CloseDateChanged: frozenset({"expected_close_on"}),
    TitleChanged: frozenset({"title"}),
    OwnerChanged: frozenset({"owner"}),
    StageChanged: frozenset({"stage"}),
    OpportunityWon: frozenset({"status"}),
    OpportunityLost: frozenset({"status"}),
    OpportunityReopened: frozenset({"status"}),
}
_Reversal = tuple[Any, UUID, dict[str, Any]]
_Reverse = Callable[[Sequence[Record], Record, AbstractSet[str]], _Reversal | None]


def _stage(_: Sequence[Record], record: Record, __: AbstractSet[str]) -> _Reversal:
    event: Any = record.event
    if event.backward:
        return AdvanceStage, record.subject, {"stage": event.from_stage}
    return MoveStageBack, record.subject, {"stage": event.from_stage, "reason": _WHY}


def _profile(stream: Sequence[Record], record: Record, left: AbstractSet[str]) -> _Reversal | None:
    """The fields that had another value before; what was not known before cannot be made unknown. `left` stays."""
    event: Any = record.event
    earlier = fold(one for one in stream if one.version < record.version).state.profile
    was = values(earlier, exclude_none=True)
    said = values(event.profile, exclude_none=True)
    back = {name: was[name] for name in said if name in was and name not in left}
    return (UpdateProfile, record.subject, {"profile": back}) if back else None


def _close_date(_: Sequence[Record], record: Record, __: AbstractSet[str]) -> _Reversal | None:
    event: Any = record.event
    if event.was is None:
        return None
    return ChangeCloseDate, record.subject, {"expected_close_on": event.was.isoformat(), "reason": _WHY}


def _title(_: Sequence[Record], record: Record, __: AbstractSet[str]) -> _Reversal:
    event: Any = record.event
    return ChangeTitle, record.subject, {"title": event.was, "reason": _WHY}


def _owner(_: Sequence[Record], record: Record, __: AbstractSet[str]) -> _Reversal | None:
    event: Any = record.event
    return None if event.was is None else (ChangeOwner, record.subject, {"owner": event.was, "reason": _WHY})


def _credit(_: Sequence[Record], record: Record, __: AbstractSet[str]) -> _Reversal:
    """An invoice is for good; a credit note of the whole says that nothing of it is owed."""
    subject = derive_id("import", "undo", "credit_note", str(record.subject))
    return IssueCreditNote, subject, {"invoice_id": str(record.subject), "reason": "cancellation", "note": _WHY}


def _same(model: Any, *fields: str) -> _Reverse:
    """The command about the same thing, with these fields of the event, and with why."""

    def reverse(_: Sequence[Record], record: Record, __: AbstractSet[str]) -> _Reversal:
        event: Any = record.event
        given = values(event, include=set(fields)) if fields else {}
        return model, record.subject, {**given, "reason": _WHY}

    return reverse


def _amount(_: Sequence[Record], record: Record, __: AbstractSet[str]) -> _Reversal:
    event: Any = record.event
    return ChangeAmount, record.subject, {"amount": f"{event.was:f}", "reason": _WHY}


_REVERSE: dict[type, _Reverse] = {
    ProfileUpdated: _profile,
    AmountChanged: _amount,
    CloseDateChanged: _close_date,
    TitleChanged: _title,
    OwnerChanged: _owner,
    StageChanged: _stage,
    OpportunityWon: _same(ReopenOpportunity),
    OpportunityLost: _same(ReopenOpportunity),
    OrderPlaced: _same(CancelOrder),
    InvoiceIssued: _credit,
    PaymentAllocated: _same(UnallocatePayment, "invoice_id", "amount"),
    CreditNoteApplied: _same(UnapplyCreditNote, "invoice_id", "amount"),
    InvoiceWrittenOff: _same(ReverseWriteOff, "amount"),
}
