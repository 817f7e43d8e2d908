"""How money comes in: received, put against invoices, sometimes too much, sometimes taken back by the bank."""

from collections.abc import Generator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from ltc_events.aggregates.receivable import MoreThanUnapplied
from ltc_events.kernel.money import HUNDRED, ZERO, round_half_up
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocationRequest,
    ReceivePayment,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
    UnallocatePayment,
)
from ltc_events.simulation import goods, names
from ltc_events.simulation.customer import Customer, Receivable
from ltc_events.simulation.run import Process
from ltc_events.simulation.working_time import weekday

_TOGETHER: Final = timedelta(days=12)
"""Some pay in one go what falls due within so many days."""
_RETURNS: Final = ("insufficient funds", "objection by the payer")


def pay(customer: Customer, receivable: Receivable, index: int, amount: Decimal) -> Process:
    """Money for an instalment, and what the cashier makes of it (R-63 … R-69)."""
    chance = customer.chance
    kind = chance.below(1000)
    several = _due_soon(customer) if kind < 90 else []
    if len(several) > 1:
        yield from _pay_several(customer, several)
        return
    extra = _extra(customer, amount) if 90 <= kind < 120 else ZERO
    id = yield from receive(customer, amount + extra, receivable.issued_on)
    if 120 <= kind < 126:
        too_much = AllocationRequest(invoice_id=receivable.invoice_id, amount=amount + 1)
        customer.attempt(AllocatePayment(allocations=(too_much,)), id, names.CASHIER, MoreThanUnapplied)
        yield customer.minutes(1, 10)
    if not extra and chance.percent(55):
        _allocate_first_due(customer, id)
    else:
        _allocate(customer, id, [(receivable, index, amount)])
    if 126 <= kind < 136:
        yield from _rebook(customer, id, receivable)
    if extra:
        yield from _give_back(customer, id)
    elif customer.debited and chance.percent(10):
        yield customer.after(2, 6)
        customer.do(ReturnPayment(reason=chance.pick(_RETURNS)), id, "bank")
        customer.books.forget(id)
        yield customer.after(5, 20)
        if receivable.open[index]:
            yield from pay(customer, receivable, index, receivable.open[index])
    customer.books.forget(id)


def receive(customer: Customer, amount: Decimal, not_before: date) -> Generator[int, None, UUID]:
    """A line of the bank statement. What came in over the weekend is booked on Monday, and dated back."""
    chance, id = customer.chance, customer.new_id()
    method = "cash" if customer.pays_cash else "direct_debit" if customer.debited else "transfer"
    received = ReceivePayment(
        amount=amount,
        currency=goods.CURRENCY,
        method=method,
        reference=f"C-{customer.number:06d}",
        payer=customer.company,
    )
    if weekday(customer.run.now) == 0 and chance.percent(40):
        value_date = max(not_before, customer.today - timedelta(days=chance.between(1, 3)))
        received = received.model_copy(update={"effective_on": value_date})
    customer.do(received, id, "bank")
    yield customer.minutes(10, 240)
    return id


def _allocate_first_due(customer: Customer, id: UUID) -> None:
    """Let the payment find what is due first; with nothing open it stays unapplied."""
    if not all(receivable.settled for receivable in customer.receivables.values()):
        customer.do(AllocatePayment(), id, "cash application")


def _allocate(customer: Customer, id: UUID, wanted: list[tuple[Receivable, int, Decimal]]) -> None:
    """Put the payment where the customer said, as far as it is still open."""
    requests = []
    for receivable, index, amount in wanted:
        told = min(amount, receivable.open[index])
        if told > 0:
            requests.append(AllocationRequest(invoice_id=receivable.invoice_id, instalment=index + 1, amount=told))
    if requests:
        customer.do(AllocatePayment(allocations=tuple(requests)), id, names.CASHIER)


def _due_soon(customer: Customer) -> list[tuple[Receivable, int, Decimal]]:
    """Everything that the customer owes and that is due before long."""
    limit = customer.today + _TOGETHER
    return [
        (receivable, index, amount)
        for receivable in customer.receivables.values()
        if not receivable.disputed
        for index, amount in enumerate(receivable.open)
        if amount > 0 and receivable.due_on[index] <= limit
    ]


def _pay_several(customer: Customer, wanted: list[tuple[Receivable, int, Decimal]]) -> Process:
    """One payment for several instalments, with a note that says which."""
    total = sum((amount for _, _, amount in wanted), ZERO)
    id = yield from receive(customer, total, max(receivable.issued_on for receivable, _, _ in wanted))
    _allocate(customer, id, wanted)
    customer.books.forget(id)


def _extra(customer: Customer, amount: Decimal) -> Decimal:
    """Too much: paid twice, or mistyped."""
    return amount if customer.chance.percent(30) else Decimal(customer.chance.between(1, 9) * 10)


def _rebook(customer: Customer, id: UUID, receivable: Receivable) -> Process:
    """The cashier finds that the money was meant for something else, and puts it right."""
    allocated = customer.books.states[id].allocated
    if receivable.invoice_id in allocated:
        yield customer.hours(2, 40)
        put = sum((part.amount for part in customer.books.states[id].allocated[receivable.invoice_id]), ZERO)
        part = round_half_up(put * customer.chance.between(10, 60) / HUNDRED, goods.CURRENCY)
        amount = part if part and customer.chance.percent(50) else None
        wrong = UnallocatePayment(invoice_id=receivable.invoice_id, amount=amount, reason="booked by mistake")
        customer.do(wrong, id, names.CASHIER)
        yield customer.minutes(2, 20)
        _allocate_first_due(customer, id)


def _give_back(customer: Customer, id: UUID) -> Process:
    """What was paid too much is sent back, or stays as unapplied cash until somebody asks for it."""
    if customer.chance.percent(55):
        yield customer.after(5, 25)
        if customer.books.states[id].unapplied:
            customer.do(RefundPayment(reason="paid too much"), id, names.CASHIER)
            if customer.chance.percent(20):
                yield customer.after(2, 6)
                customer.do(ReportFailedRefund(reason="account closed"), id, "bank")
                yield customer.after(3, 15)
                customer.do(RefundPayment(reason="paid too much, to the new account"), id, names.CASHIER)
