"""Take back what a run of an import did, by commands that reverse it: nothing that was recorded is removed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
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
    CloseDateChanged,
    MoveStageBack,
    OpportunityLost,
    OpportunityWon,
    ReopenOpportunity,
    StageChanged,
)
from ltc_events.schemas.order import CancelOrder, OrderPlaced
from ltc_events.schemas.payment import PaymentAllocated, UnallocatePayment
from ltc_events.schemas.receivable import InvoiceWrittenOff, ReverseWriteOff
from ltc_events.schemas.record import Record
from ltc_events.store.event_store import EventStore

_BATCH = 500
_WHY = "taken back: the import was a mistake"


class Undoing(NamedTuple):
    """What it would take to take back a run: commands, last first, and how many of its commands nothing takes back, by event."""

    run: UUID
    commands: list[Document]
    stays: Counter[str]


class Undone(NamedTuple):
    """What came of it: how many commands were accepted or had been before, by type, and the refused with why."""

    accepted: Counter[str]
    refused: list[tuple[str, str, str]]


def undoing(store: EventStore, run: str) -> Undoing:
    """What it would take to take back the run of this id. Raises DataUnusable where no run has it."""
    try:
        id = UUID(run)
    except ValueError:
        raise DataUnusable(file=run, problem="is not the id of a run", fix="give the id that the import ended with") from None
    # The clock that named the run is not the database's.
    records = store.correlated(id, after=max(0, store.position_at(began_at(id) - timedelta(hours=1))))
    if not records:
        raise DataUnusable(file=run, problem="no event is of this run", fix="give the id that the import ended with")
    commands: list[Document] = []
    stays: Counter[str] = Counter()
    by_command = [list(found) for _, found in groupby(records, lambda record: record.command_id)]
    for found in reversed(by_command):
        reversal = next(_reversals(store, id, found), None)
        if reversal is None:
            stays[found[0].event.type] += 1
        else:
            commands.append(reversal)
    return Undoing(id, commands, stays)


def undo(pipeline: CommandPipeline, plan: Undoing) -> Undone:
    """Do it. What was done before, by a call that was cut off, is not done again."""
    accepted: Counter[str] = Counter()
    refused: list[tuple[str, str, str]] = []
    for start in range(0, len(plan.commands), _BATCH):
        part = plan.commands[start : start + _BATCH]
        for document, answer in zip(part, pipeline.submit(part), strict=True):
            type = document["type"].removeprefix(WIRE_PREFIX)
            reason = _refusal(answer)
            if reason is None:
                accepted[type] += 1
            else:
                refused.append((type, document["subject"], reason))
    return Undone(accepted, refused)


def _refusal(answer: Answer) -> str | None:
    reasons = getattr(answer, "reasons", None)
    if reasons is None:
        return str(answer)
    return "; ".join(one.message for one in reasons) or None


def _reversals(store: EventStore, run: UUID, records: Sequence[Record]) -> Iterator[Document]:
    """The command that takes back what one command did, by the first of its events that there is one for."""
    for record in records:
        reverse = _REVERSE.get(type(record.event))
        found = None if reverse is None else reverse(store, record)
        if found is None:
            continue
        model, subject, data = found
        yield {
            "specversion": "1.0",
            "id": str(derive_id("import", "undo", str(run), str(record.command_id))),
            "source": "import/undo",
            "type": WIRE_PREFIX + model.type,
            "subject": str(subject),
            "partitionkey": str(record.customer_id or subject),
            "causationid": str(record.command_id),
            "data": data,
        }


_Reversal = tuple[Any, UUID, dict[str, Any]]


def _stage(_: EventStore, record: Record) -> _Reversal:
    event: Any = record.event
    if event.backward:
        return AdvanceStage, record.subject, {"stage": event.from_stage}
    return MoveStageBack, record.subject, {"stage": event.from_stage, "reason": _WHY}


def _profile(store: EventStore, record: Record) -> _Reversal | None:
    """The fields that had another value before; what was not known before cannot be made unknown."""
    event: Any = record.event
    earlier = fold(one for one in store.stream(record.subject) if one.version < record.version).state.profile
    was = values(earlier, exclude_none=True)
    said = values(event.profile, exclude_none=True)
    back = {name: was[name] for name in said if name in was}
    return (UpdateProfile, record.subject, {"profile": back}) if back else None


def _close_date(_: EventStore, record: Record) -> _Reversal | None:
    event: Any = record.event
    if event.was is None:
        return None
    return ChangeCloseDate, record.subject, {"expected_close_on": event.was.isoformat(), "reason": _WHY}


def _credit(_: EventStore, record: Record) -> _Reversal:
    """An invoice is for good; a credit note of the whole says that nothing of it is owed."""
    subject = derive_id("import", "undo", "credit_note", str(record.subject))
    return IssueCreditNote, subject, {"invoice_id": str(record.subject), "reason": "cancellation", "note": _WHY}


def _same(model: Any, *fields: str) -> Callable[[EventStore, Record], _Reversal]:
    """The command about the same thing, with these fields of the event, and with why."""

    def reverse(_: EventStore, record: Record) -> _Reversal:
        event: Any = record.event
        given = values(event, include=set(fields)) if fields else {}
        return model, record.subject, {**given, "reason": _WHY}

    return reverse


def _amount(_: EventStore, record: Record) -> _Reversal:
    event: Any = record.event
    return ChangeAmount, record.subject, {"amount": f"{event.was:f}", "reason": _WHY}


_REVERSE: dict[type, Callable[[EventStore, Record], _Reversal | None]] = {
    ProfileUpdated: _profile,
    AmountChanged: _amount,
    CloseDateChanged: _close_date,
    StageChanged: _stage,
    OpportunityWon: _same(ReopenOpportunity),
    OpportunityLost: _same(ReopenOpportunity),
    OrderPlaced: _same(CancelOrder),
    InvoiceIssued: _credit,
    PaymentAllocated: _same(UnallocatePayment, "invoice_id", "amount"),
    CreditNoteApplied: _same(UnapplyCreditNote, "invoice_id", "amount"),
    InvoiceWrittenOff: _same(ReverseWriteOff, "amount"),
}
