"""Credit note: its unapplied amount, until it is applied to another invoice or refunded (R-63 … R-69)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.allocation import Parts, taken_back, together, without
from ltc_events.aggregates.base import Aggregate, BrokenStream, DoesNotExist, require_minor_units, require_not_before
from ltc_events.aggregates.dated_balance import NOTHING, DatedBalance, require_available
from ltc_events.aggregates.payment import failed_refund
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.receivable import (
    require_unapplied,
)
from ltc_events.kernel.frozen import replace
from ltc_events.kernel.money import EXACT, add_up
from ltc_events.schemas.base import Event
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
    UnapplyCreditNote,
)
from ltc_events.schemas.receivable import Part

NOUN = "credit note"
CreditNoteEvent = (
    CreditNoteIssued | CreditNoteApplied | CreditNoteApplicationReversed | CreditNoteRefunded | CreditNoteRefundFailed
)


@dataclass(frozen=True, slots=True)
class CreditNote:
    """The state of an issued credit note. `unapplied` stands to the customer's credit, by date; `allocated` is applied to other
    invoices as money would be, last on `allocated_on`.

    `credited` is what it took off its own invoice: open, written-off and paid amounts; `prepaid_credited` is in addition what
    it took off the amount that the invoice states as prepaid.
    """

    number: str
    invoice_id: UUID
    opportunity_id: UUID | None
    currency: str
    issued_on: date
    credited: Decimal
    prepaid_credited: Decimal
    dated_unapplied: DatedBalance
    allocated: Mapping[UUID, Parts] = field(default_factory=dict)
    allocated_on: Mapping[UUID, date] = field(default_factory=dict)
    dated_refunded: DatedBalance = NOTHING

    @property
    def unapplied(self) -> Decimal:
        """The unapplied amount after all movements."""
        return self.dated_unapplied.amount

    @property
    def called(self) -> str:
        """The credit note's name in refusals."""
        return f"{NOUN} {self.number}"


def decide(state: CreditNote | None, command: ReportFailedCreditRefund, _policies: Policies) -> list[Event]:
    """Decide the report of a failed refund. All other commands are decided by rules, since they read the invoice."""
    note = existing(state, command.effective_on)
    amount = failed_refund(NOUN, note.dated_refunded, command.amount, note.currency, command.effective_on)
    return [
        CreditNoteRefundFailed(
            opportunity_id=note.opportunity_id,
            currency=note.currency,
            amount=amount,
            unapplied=note.unapplied + amount,
            reason=command.reason,
            not_before=note.issued_on,
        )
    ]


def refund(note: CreditNote, command: RefundCreditNote) -> CreditNoteRefunded:
    """Refund the unapplied amount, or the requested part of it. Raises FinerThanMinorUnit and MoreThanUnapplied."""
    amount = note.unapplied if command.amount is None else command.amount
    require_minor_units(amount, note.currency, "amount")
    require_unapplied(NOUN, note.unapplied, amount, "amount")
    require_available([note.dated_unapplied], command.effective_on, amount, note.called)
    left = note.unapplied - amount
    return CreditNoteRefunded(
        opportunity_id=note.opportunity_id,
        currency=note.currency,
        amount=amount,
        unapplied=left,
        reason=command.reason,
        not_before=note.issued_on,
    )


def existing(state: CreditNote | None, effective_on: date) -> CreditNote:
    """The credit note. Raises DoesNotExist, and DatedTooEarly for a day before it was issued."""
    if state is None:
        raise DoesNotExist(noun=NOUN, first=IssueCreditNote.type)
    require_not_before(effective_on, state.issued_on, state.called)
    return state


def apply(note: CreditNote, invoice_id: UUID, issued_on: date, parts: tuple[Part, ...]) -> CreditNoteApplied:
    """Apply `parts`, which are no more than is unapplied, to instalments of an invoice."""
    amount = add_up(part.amount for part in parts)
    return CreditNoteApplied(
        invoice_id=invoice_id,
        opportunity_id=note.opportunity_id,
        currency=note.currency,
        parts=parts,
        amount=amount,
        unapplied=note.unapplied - amount,
        not_before=max(note.issued_on, issued_on),
    )


def unapply(note: CreditNote, command: UnapplyCreditNote) -> CreditNoteApplicationReversed:
    """Reverse the application that the command names. Raises the errors of `taken_back`, and DatedTooEarly."""
    parts = taken_back(note.allocated, command.invoice_id, command.instalment, command.amount, NOUN, note.currency)
    allocated_on = note.allocated_on[command.invoice_id]
    require_not_before(command.effective_on, allocated_on, "the allocation")
    amount = add_up(part.amount for part in parts)
    return CreditNoteApplicationReversed(
        invoice_id=command.invoice_id,
        opportunity_id=note.opportunity_id,
        currency=note.currency,
        parts=parts,
        amount=amount,
        unapplied=note.unapplied + amount,
        reason=command.reason,
        not_before=allocated_on,
    )


def evolve(state: CreditNote | None, event: CreditNoteEvent, effective_on: date) -> CreditNote:
    """The credit note after an event."""
    if isinstance(event, CreditNoteIssued):
        unapplied = NOTHING.moved(effective_on, event.unapplied)
        credited, prepaid = EXACT.subtract(event.payable, event.prepaid_credited), event.prepaid_credited
        number, invoice_id, opportunity_id, currency = event.number, event.invoice_id, event.opportunity_id, event.currency
        return CreditNote(number, invoice_id, opportunity_id, currency, effective_on, credited, prepaid, unapplied)
    if state is None:
        raise BrokenStream(noun=NOUN, event=event.type)
    match event:
        case CreditNoteApplied(invoice_id=id):
            last_on = max(effective_on, state.allocated_on.get(id, effective_on))
            return replace(
                state,
                dated_unapplied=state.dated_unapplied.moved(effective_on, -event.amount),
                allocated={**state.allocated, id: together(state.allocated.get(id, ()), event.parts)},
                allocated_on={**state.allocated_on, id: last_on},
            )
        case CreditNoteApplicationReversed(invoice_id=id):
            return replace(
                state,
                dated_unapplied=state.dated_unapplied.moved(effective_on, event.amount),
                allocated=without(state.allocated, id, event.parts),
            )
        case CreditNoteRefunded() | CreditNoteRefundFailed():
            gone = event.amount if isinstance(event, CreditNoteRefunded) else -event.amount
            return replace(
                state,
                dated_unapplied=state.dated_unapplied.moved(effective_on, -gone),
                dated_refunded=state.dated_refunded.moved(effective_on, gone),
            )
        case _:
            assert_never(event)


CREDIT_NOTE = Aggregate("credit_note", decide, evolve)
