"""Rules of cash: payments and credit notes are put against invoices, payments are taken back (R-63 … R-69)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ltc_events.aggregates import credit_note, payment
from ltc_events.aggregates.base import require_minor_units
from ltc_events.aggregates.credit_note import CREDIT_NOTE, NOUN, CreditIsUsed
from ltc_events.aggregates.invoice import INVOICE, apply_credit, apply_payment, remove_payment
from ltc_events.aggregates.payment import PAYMENT, Payment
from ltc_events.aggregates.receivable import (
    Invoice,
    Item,
    MoreThanUnapplied,
    NothingUnapplied,
    item_of,
    less,
    parts_of,
)
from ltc_events.application.work import Work
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.credit_note import ApplyCreditNote, RefundCreditNote
from ltc_events.schemas.invoice import Part
from ltc_events.schemas.payment import AllocatePayment, AllocationRequest, ReturnPayment, UnallocatePayment


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
    """What can be put against invoices, of a payment or a credit note."""

    noun: str
    currency: str
    unapplied: Decimal


def allocate_payment(command: AllocatePayment, work: Work) -> None:
    """Put the payment against invoices as told, or against what is due first; what is left stays unapplied."""
    current = payment.usable(work.find(PAYMENT, work.subject))
    for invoice_id, parts in _plan(command.allocations, _Funds("payment", current.currency, current.unapplied), work).items():
        current = work.get(PAYMENT, work.subject, "subject")
        invoice = work.get(INVOICE, invoice_id, "allocations")
        work.emit(PAYMENT, work.subject, payment.allocate(current, invoice_id, parts))
        work.emit(INVOICE, invoice_id, *apply_payment(invoice, work.subject, parts))


def apply_credit_note(command: ApplyCreditNote, work: Work) -> None:
    """Put what is unapplied of the credit note against invoices as told, or against what is due first; the rest stays."""
    note = credit_note.existing(work.find(CREDIT_NOTE, work.subject))
    plan = _plan(command.allocations, _Funds(NOUN, note.currency, note.unapplied), work)
    own = work.get(INVOICE, note.invoice_id, "subject")
    amounts = {id: sum((part.amount for part in parts), ZERO) for id, parts in plan.items()}
    to_own = amounts.pop(note.invoice_id, ZERO)
    credit_note.require_paid(note, own, sum(amounts.values(), ZERO), to_own, "allocations")
    for invoice_id, parts in plan.items():
        note = work.get(CREDIT_NOTE, work.subject, "subject")
        invoice = work.get(INVOICE, invoice_id, "allocations")
        work.emit(CREDIT_NOTE, work.subject, credit_note.apply(note, invoice_id, parts))
        work.emit(INVOICE, invoice_id, *apply_credit(invoice, work.subject, parts))


def refund_credit_note(command: RefundCreditNote, work: Work) -> None:
    """Pay out what is unapplied of the credit note, as far as it was paid."""
    note = credit_note.existing(work.find(CREDIT_NOTE, work.subject))
    refunded = credit_note.refund(note, command)
    credit_note.require_paid(note, work.get(INVOICE, note.invoice_id, "subject"), refunded.amount, ZERO, "amount")
    work.emit(CREDIT_NOTE, work.subject, refunded)


def unallocate_payment(command: UnallocatePayment, work: Work) -> None:
    """Take back what was put against an invoice; it is unapplied then, and the invoice open again.

    Refused where the customer has had it back already, by a credit note that has been used.
    """
    current = payment.usable(work.find(PAYMENT, work.subject))
    taken = payment.unallocate(current, command.invoice_id, command.reason)
    invoice = work.get(INVOICE, command.invoice_id, "invoice_id")
    unused = (work.get(CREDIT_NOTE, id, "invoice_id").unapplied for id in invoice.credit_notes)
    used = credit_note.unpaid_credit(invoice, taken.amount) - sum(unused, ZERO)
    if used > 0:
        raise CreditIsUsed(used=used, number=invoice.document.number)
    _take_back(current, command.invoice_id, command.reason, work)


def return_payment(command: ReturnPayment, work: Work) -> None:
    """The bank took the money back: everything is un-allocated first, then nothing of it is left."""
    current = payment.usable(work.find(PAYMENT, work.subject))
    for invoice_id in current.allocated:
        _take_back(work.get(PAYMENT, work.subject, "subject"), invoice_id, command.reason, work)
    left = work.get(PAYMENT, work.subject, "subject")
    work.emit(PAYMENT, work.subject, payment.give_back(left, command.reason))


def _take_back(current: Payment, invoice_id: UUID, reason: str, work: Work) -> None:
    taken = payment.unallocate(current, invoice_id, reason)
    invoice = work.get(INVOICE, invoice_id, "invoice_id")
    work.emit(PAYMENT, work.subject, taken)
    work.emit(INVOICE, invoice_id, *remove_payment(invoice, work.subject, taken.parts, reason))


def _plan(allocations: Sequence[AllocationRequest], funds: _Funds, work: Work) -> dict[UUID, tuple[Part, ...]]:
    """What is put against which invoice."""
    if not funds.unapplied:
        raise NothingUnapplied(noun=funds.noun)
    return _as_told(allocations, funds, work) if allocations else _first_due_first(funds, work)


def _as_told(allocations: Sequence[AllocationRequest], funds: _Funds, work: Work) -> dict[UUID, tuple[Part, ...]]:
    """The parts of each invoice that is named, one for each instalment, however many requests name it."""
    noun, currency, left = funds
    open_items: dict[UUID, tuple[Item, ...]] = {}
    plan: dict[UUID, tuple[Part, ...]] = {}
    for index, request in enumerate(allocations):
        at = f"allocations.{index}"
        id = request.invoice_id
        invoice = work.get(INVOICE, id, f"{at}.invoice_id")
        if invoice.document.currency != currency:
            number, other = invoice.document.number, invoice.document.currency
            raise InvoiceInAnotherCurrency(noun=noun, currency=currency, number=number, other=other, at=f"{at}.invoice_id")
        require_minor_units(request.amount, currency, f"{at}.amount")
        if request.amount > left:
            raise MoreThanUnapplied(noun=noun, asked=request.amount, unapplied=left, at=f"{at}.amount")
        left -= request.amount
        items = open_items.get(id, invoice.items)
        parts = _requested(invoice, items, request, at)
        open_items[id] = less(items, parts)
        plan[id] = payment.together(plan.get(id, ()), parts)
    return plan


def _requested(invoice: Invoice, items: tuple[Item, ...], request: AllocationRequest, at: str) -> tuple[Part, ...]:
    """The parts that one request asks for of the items that are still open. Raises OverAllocation."""
    number, asked = invoice.document.number, request.amount
    if request.instalment is None:
        open_amount = sum((item.open for item in items), ZERO)
        what = f"invoice {number}"
    else:
        item = item_of(invoice, items, request.instalment, f"{at}.instalment")
        items = (item,)
        open_amount = item.open
        what = f"instalment {request.instalment} of invoice {number}"
    if asked > open_amount:
        raise OverAllocation(asked=asked, open=open_amount, what=what, at=f"{at}.amount")
    return parts_of(items, asked)


def _first_due_first(funds: _Funds, work: Work) -> dict[UUID, tuple[Part, ...]]:
    """The instalments of all open invoices of the customer in the order they are due, then by number, until all is used."""
    due: list[tuple[date, str, int, UUID, Decimal]] = []
    for id in work.invoices_of_customer():
        invoice = work.get(INVOICE, id, "allocations")
        if invoice.balance and invoice.document.currency == funds.currency:
            number = invoice.document.number
            due.extend((item.due_on, number, item.number, id, item.open) for item in invoice.items if item.open)
    if not due:
        raise NothingOpen(noun=funds.noun, currency=funds.currency)
    left = funds.unapplied
    plan: dict[UUID, tuple[Part, ...]] = {}
    for _, _, instalment, id, open_amount in sorted(due):
        taken = min(left, open_amount)
        plan[id] = (*plan.get(id, ()), Part(instalment=instalment, amount=taken))
        left -= taken
        if not left:
            break
    return plan
