"""How customers complain: disputes, goods sent back, invoices that should not have been; settled by credit notes."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from ltc_events.kernel.money import HUNDRED, round_half_up
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditLine,
    CreditNoteIssued,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
    UnapplyCreditNote,
)
from ltc_events.schemas.invoice import InvoiceIssued, IssueInvoice
from ltc_events.schemas.order import LineQuantity, OrderBillingReversed
from ltc_events.schemas.receivable import DisputeInvoice, ResolveDispute
from ltc_events.simulation import goods, names
from ltc_events.simulation.customer import Customer, Receivable
from ltc_events.simulation.run import Process

Collect = Callable[[Customer, UUID, int], None]
"""Puts on the agenda what becomes of a new invoice with so many instalments."""
_GRIEVANCES = ("two sensors dead on arrival", "the price was agreed otherwise", "delivered too late", "hours were not worked")


def complain(customer: Customer, receivable: Receivable, collect: Collect) -> Process:
    """Most complaints begin as a dispute; others are settled at once."""
    chance = customer.chance
    kind = chance.below(100)
    if kind < 45:
        yield from _dispute(customer, receivable)
    elif kind < 80:
        _send_back(customer, receivable)
    elif chance.percent(60):
        _bill_anew(customer, receivable, collect)
    else:
        _credit(customer, receivable, CreditReason.DUPLICATE if chance.percent(60) else CreditReason.CANCELLATION, ())


def _dispute(customer: Customer, receivable: Receivable) -> Process:
    """Contested, and later resolved; mostly with something off the price."""
    chance = customer.chance
    if receivable.settled:
        return
    customer.do(DisputeInvoice(reason=chance.pick(_GRIEVANCES)), receivable.invoice_id, names.SERVICE)
    receivable.disputed = True
    yield customer.after(4, 25)
    justified = chance.percent(70)
    if justified:
        percent = chance.between(4, 20)
        number, _, net = receivable.first_line
        amount = round_half_up(net * percent / HUNDRED, goods.CURRENCY)
        line = CreditLine(line=number, amount=max(amount, Decimal("0.01")))
        _credit(customer, receivable, CreditReason.UNSATISFACTORY, (line,))
        yield customer.minutes(5, 60)
    resolution = "price reduced" if justified else "explained with the delivery note"
    customer.do(ResolveDispute(resolution=resolution), receivable.invoice_id, names.SERVICE)
    receivable.disputed = False


def _send_back(customer: Customer, receivable: Receivable) -> None:
    """Part of the first line comes back."""
    number, billed, _ = receivable.first_line
    quantity = billed if billed <= 1 else (billed / 3).to_integral_value().max(Decimal(1))
    _credit(customer, receivable, CreditReason.ORDER_CHANGE, (CreditLine(line=number, quantity=quantity),))


def _bill_anew(customer: Customer, receivable: Receivable, collect: Collect) -> None:
    """The invoice named somebody who had left: it is credited in full, and the same is billed again (R-64)."""
    order_id = receivable.order_id
    order = customer.books.states.get(order_id)
    if order is None or order.cancelled or not receivable.is_untouched:
        return
    note = IssueCreditNote(
        invoice_id=receivable.invoice_id, reason=CreditReason.OTHER, note="wrong contact named", bill_again=True
    )
    id = customer.new_id()
    (again,) = (one for one in customer.do(note, id, names.BILLER) if isinstance(one, OrderBillingReversed))
    lines = tuple(LineQuantity(line=part.line, quantity=part.quantity) for part in again.lines)
    issue = IssueInvoice(order_id=order_id, basis="ordered", lines=lines, terms_code=customer.terms_code)
    id = customer.new_id()
    (issued,) = (one for one in customer.do(issue, id, names.BILLER) if isinstance(one, InvoiceIssued))
    collect(customer, id, len(issued.instalments))


def _credit(customer: Customer, receivable: Receivable, reason: CreditReason, lines: tuple[CreditLine, ...]) -> None:
    if receivable.invoice_id not in customer.receivables:
        return  # settled long ago, and put into the archive
    note = IssueCreditNote(invoice_id=receivable.invoice_id, reason=reason, lines=lines)
    id = customer.new_id()
    (issued,) = (one for one in customer.do(note, id, names.BILLER) if isinstance(one, CreditNoteIssued))
    if issued.unapplied:
        customer.run.begin(_use(customer, id), customer.after(2, 15))


def _use(customer: Customer, id: UUID) -> Process:
    """What was paid already is put against what is owed next, and the rest paid out (R-63 … R-69)."""
    if customer.chance.percent(60) and any(not receivable.settled for receivable in customer.receivables.values()):
        customer.do(ApplyCreditNote(), id, names.CASHIER)
        yield customer.after(3, 10)
        yield from _unapply(customer, id)
    if customer.books.states[id].unapplied:
        customer.do(RefundCreditNote(reason="credited after it was paid"), id, names.CASHIER)
        if customer.chance.percent(40):
            yield customer.after(2, 6)
            customer.do(ReportFailedCreditRefund(reason="account closed"), id, "bank")
            yield customer.after(3, 15)
            customer.do(RefundCreditNote(reason="to the new account"), id, names.CASHIER)


def _unapply(customer: Customer, id: UUID) -> Process:
    """Some would rather have had the money, and say so when they read what was done with their credit."""
    allocated = customer.books.states[id].allocated
    if customer.chance.percent(25) and len(allocated) == 1:
        (invoice_id,) = allocated
        if invoice_id in customer.receivables:
            back = UnapplyCreditNote(invoice_id=invoice_id, reason="the customer wants it paid out")
            customer.do(back, id, names.CASHIER)
            yield customer.after(1, 4)
