"""Rules of cash: allocate payments, apply credit notes to invoices, and reverse both (R-63 … R-69)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from ltc_events.aggregates import credit_note, payment
from ltc_events.aggregates.allocation import together
from ltc_events.aggregates.available_credit import require_paid, require_unused
from ltc_events.aggregates.base import require_minor_units, require_not_before
from ltc_events.aggregates.credit_note import CREDIT_NOTE, NOUN, CreditNote
from ltc_events.aggregates.dated_balance import DatedBalance, require_any, require_available
from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.payment import PAYMENT
from ltc_events.aggregates.receivable import (
    Invoice,
    Item,
    MoreThanUnapplied,
    NothingUnapplied,
    item_of,
    less,
    parts_of,
)
from ltc_events.aggregates.settlement import apply_credit, apply_payment, remove_credit, remove_payment
from ltc_events.application.rules import claims, payment_moves
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import add_up
from ltc_events.schemas.credit_note import ApplyCreditNote, RefundCreditNote, UnapplyCreditNote
from ltc_events.schemas.payment import AllocatePayment, AllocationRequest, PaymentUnallocated, ReturnPayment, UnallocatePayment
from ltc_events.schemas.receivable import Part


class OverAllocation(Refused):
    """{asked} is more than the {open} open on {what}"""

    remedy = "allocate at most {open} to {what}; the rest stays unapplied"


class InvoiceInAnotherCurrency(Refused):
    """the {noun} is in {currency}, but invoice {number} is in {other}"""

    remedy = "put a {noun} in {other} against invoice {number}"


class NothingOpen(Refused):
    """the customer has no open invoice in {currency}"""

    field = "allocations"
    remedy = "leave the {noun} unapplied until an invoice in {currency} is issued, or refund it"


class _Funds(NamedTuple):
    """The unapplied amount of a payment or a credit note, to be allocated to invoices."""

    noun: str
    called: str
    currency: str
    unapplied: DatedBalance


def allocate_payment(command: AllocatePayment, work: UnitOfWork) -> None:
    """Allocate the payment to the invoices named, or to those due first (FIFO); the rest stays unapplied cash."""
    current = payment.usable(work.find(PAYMENT, work.subject), work.effective_on)
    if not command.allocations and work.policies.dunning.content.automatic_allocation == "claims_first":
        is_done = claims.allocate_to_claims(work)
        current = work.get(PAYMENT, work.subject, "subject")
        if is_done and not (current.unapplied and _owes(current.currency, work)):
            return
    funds = _Funds("payment", payment.CALLED, current.currency, current.dated_unapplied)
    for invoice_id, parts in _plan(command.allocations, funds, work).items():
        current = work.get(PAYMENT, work.subject, "subject")
        invoice = work.get(INVOICE, invoice_id, "allocations")
        allocated = payment.allocate(current, invoice_id, invoice.document.issued_on, parts)
        work.emit(PAYMENT, work.subject, allocated)
        work.emit(INVOICE, invoice_id, *apply_payment(invoice, work.subject, parts, allocated.not_before))


def apply_credit_note(command: ApplyCreditNote, work: UnitOfWork) -> None:
    """Apply the unapplied amount of the credit note to the invoices named, or to those due first; the rest stays unapplied."""
    note = credit_note.existing(work.find(CREDIT_NOTE, work.subject), work.effective_on)
    plan = _plan(command.allocations, _Funds(NOUN, note.called, note.currency, note.dated_unapplied), work)
    own = work.get(INVOICE, note.invoice_id, "subject")
    amounts = {id: add_up(part.amount for part in parts) for id, parts in plan.items()}
    amounts.pop(note.invoice_id, None)
    require_paid(note, own, _notes_of(own, work), add_up(amounts.values()), work.effective_on, "allocations")
    for invoice_id, parts in plan.items():
        note = work.get(CREDIT_NOTE, work.subject, "subject")
        invoice = work.get(INVOICE, invoice_id, "allocations")
        applied = credit_note.apply(note, invoice_id, invoice.document.issued_on, parts)
        work.emit(CREDIT_NOTE, work.subject, applied)
        work.emit(INVOICE, invoice_id, *apply_credit(invoice, work.subject, parts, applied.not_before))


def refund_credit_note(command: RefundCreditNote, work: UnitOfWork) -> None:
    """Refund the unapplied amount of the credit note, up to what was paid on its invoice."""
    note = credit_note.existing(work.find(CREDIT_NOTE, work.subject), work.effective_on)
    refunded = credit_note.refund(note, command)
    own = work.get(INVOICE, note.invoice_id, "subject")
    require_paid(note, own, _notes_of(own, work), refunded.amount, work.effective_on, "amount")
    work.emit(CREDIT_NOTE, work.subject, refunded)


def unallocate_payment(command: UnallocatePayment, work: UnitOfWork) -> None:
    """Reverse an allocation: the money is unapplied cash again, and the invoice open.

    Refused where a used credit note has already given the amount back to the customer.
    """
    current = payment.usable(work.find(PAYMENT, work.subject), work.effective_on)
    taken = payment.unallocate(current, command, is_correction=True)
    invoice = work.get(INVOICE, command.invoice_id, "invoice_id")
    require_unused(invoice, _notes_of(invoice, work), taken.amount, work.effective_on)
    _take_back(taken, work)


def unapply_credit_note(command: UnapplyCreditNote, work: UnitOfWork) -> None:
    """Reverse the application of a credit note to an invoice; refused where the amount was already given back to the customer."""
    note = credit_note.existing(work.find(CREDIT_NOTE, work.subject), work.effective_on)
    taken = credit_note.unapply(note, command)
    invoice = work.get(INVOICE, command.invoice_id, "invoice_id")
    require_unused(invoice, _notes_of(invoice, work), taken.amount, work.effective_on)
    work.emit(CREDIT_NOTE, work.subject, taken)
    work.emit(INVOICE, command.invoice_id, *remove_credit(invoice, work.subject, taken.parts, command.reason, taken.not_before))


def _notes_of(invoice: Invoice, work: UnitOfWork) -> list[CreditNote]:
    """The credit notes that correct an invoice."""
    return [work.get(CREDIT_NOTE, id, "invoice_id") for id in invoice.credit_notes]


def return_payment(command: ReturnPayment, work: UnitOfWork) -> None:
    """Return a payment to the bank: reverse all allocations, then record the return; refunded amounts become a claim.

    A payment that was moved in gives back the recalled amount to the payment it came from.
    """
    current = payment.usable(work.find(PAYMENT, work.subject), work.effective_on)
    payment_moves.require_recalled(current, work)
    for invoice_id in current.allocated:
        left = work.get(PAYMENT, work.subject, "subject")
        whole = UnallocatePayment(invoice_id=invoice_id, reason=command.reason, effective_on=command.effective_on)
        _take_back(payment.unallocate(left, whole, is_correction=False), work)
    for claim_id in current.claims:
        claims.take_back(work.get(PAYMENT, work.subject, "subject"), claim_id, command.reason, work)
    payment_moves.recall_moves(command, work)
    left = work.get(PAYMENT, work.subject, "subject")
    returned = payment.give_back(left, command.reason, work.effective_on, claims.free_id(work, work.subject))
    work.emit(PAYMENT, work.subject, returned)
    claims.claim_returned(returned, work)


def _take_back(taken: PaymentUnallocated, work: UnitOfWork) -> None:
    invoice = work.get(INVOICE, taken.invoice_id, "invoice_id")
    work.emit(PAYMENT, work.subject, taken)
    reopened = remove_payment(
        invoice, work.subject, taken.parts, taken.reason, taken.not_before, is_correction=taken.is_correction
    )
    work.emit(INVOICE, taken.invoice_id, *reopened)


def _plan(allocations: Sequence[AllocationRequest], funds: _Funds, work: UnitOfWork) -> dict[UUID, tuple[Part, ...]]:
    """The allocation: which parts of which invoices are paid."""
    if not funds.unapplied.amount:
        raise NothingUnapplied(noun=funds.noun)
    return _as_told(allocations, funds, work) if allocations else _first_due_first(funds, work)


def _as_told(allocations: Sequence[AllocationRequest], funds: _Funds, work: UnitOfWork) -> dict[UUID, tuple[Part, ...]]:
    """The parts of each named invoice, one per instalment, with several requests for one instalment added up."""
    noun, called, currency, unapplied = funds
    left, on = unapplied.amount, work.effective_on
    open_items: dict[UUID, tuple[Item, ...]] = {}
    plan: dict[UUID, tuple[Part, ...]] = {}
    for index, request in enumerate(allocations):
        at = f"allocations.{index}"
        id = request.invoice_id
        invoice = work.get(INVOICE, id, f"{at}.invoice_id")
        if invoice.document.currency != currency:
            number, other = invoice.document.number, invoice.document.currency
            raise InvoiceInAnotherCurrency(noun=noun, currency=currency, number=number, other=other, at=f"{at}.invoice_id")
        require_not_before(on, invoice.document.issued_on, invoice.called)
        require_minor_units(request.amount, currency, f"{at}.amount")
        if request.amount > left:
            raise MoreThanUnapplied(noun=noun, asked=request.amount, unapplied=left, at=f"{at}.amount")
        left -= request.amount
        items = open_items.get(id, invoice.items)
        parts = _requested(invoice, items, request, at, on)
        open_items[id] = less(items, parts, on)
        plan[id] = together(plan.get(id, ()), parts)
    require_available([unapplied], on, unapplied.amount - left, called)
    return plan


def _requested(invoice: Invoice, items: tuple[Item, ...], request: AllocationRequest, at: str, on: date) -> tuple[Part, ...]:
    """The parts that one request asks for of the items that are still open. Raises OverAllocation and AvailableLater."""
    asked = request.amount
    if request.instalment is None:
        open_amount = add_up(item.open for item in items)
        what = invoice.called
    else:
        item = item_of(invoice, items, request.instalment, f"{at}.instalment")
        items = (item,)
        open_amount = item.open
        what = f"instalment {request.instalment} of {invoice.called}"
    if asked > open_amount:
        raise OverAllocation(asked=asked, open=open_amount, what=what, at=f"{at}.amount")
    return parts_of(items, asked, on, what)


def _owes(currency: str, work: UnitOfWork) -> bool:
    """Whether the customer has open invoices on the date of the command."""
    invoices = (work.get(INVOICE, id, "allocations") for id in work.streams_of_customer(INVOICE))
    items = (item for invoice in invoices if invoice.document.currency == currency for item in invoice.items)
    return any(item.dated_open.available(work.effective_on) for item in items)


def _first_due_first(funds: _Funds, work: UnitOfWork) -> dict[UUID, tuple[Part, ...]]:
    """The instalments of the customer's open invoices by due date, then by number, until the funds are used.

    Each takes at most what is open on the date of the command and on every later day.
    """
    due: list[tuple[date, str, int, UUID, DatedBalance]] = []
    for id in work.streams_of_customer(INVOICE):
        invoice = work.get(INVOICE, id, "allocations")
        if invoice.balance and invoice.document.currency == funds.currency:
            number = invoice.document.number
            due.extend((item.due_on, number, item.number, id, item.dated_open) for item in invoice.items if item.open)
    if not due:
        raise NothingOpen(noun=funds.noun, currency=funds.currency)
    on = work.effective_on
    require_any([funds.unapplied], on, funds.called)
    require_any([balance for *_, balance in due], on, "what the customer owes")
    left = funds.unapplied.available(on)
    plan: dict[UUID, tuple[Part, ...]] = {}
    for _, _, instalment, id, balance in sorted(due):
        taken = min(left, balance.available(on))
        if taken:
            plan[id] = (*plan.get(id, ()), Part(instalment=instalment, amount=taken))
            left -= taken
        if not left:
            break
    return plan
