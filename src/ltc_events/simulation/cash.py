"""How an invoice becomes cash: paid in time, late, in parts or never; reminded of, promised, contested, written off."""

from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from ltc_events.kernel.money import HUNDRED, round_half_up
from ltc_events.schemas.receivable import PromisePayment, SendDunningNotice, WriteOffInvoice
from ltc_events.simulation import claims, complaints, goods, names, payments, recovery
from ltc_events.simulation.customer import Customer, Receivable
from ltc_events.simulation.run import Process
from ltc_events.simulation.working_time import DAY, HOUR, at_work, seconds

_FIRST_NOTICE: Final = (10, 14)
_NEXT_NOTICE: Final = (15, 19)
_NOTICES_MAX: Final = 3
_SMALL: Final = Decimal(30)
"""Nobody chases less."""


def begin(customer: Customer, invoice_id: UUID, instalments: int) -> None:
    """Put what becomes of a new invoice on the agenda."""
    receivable = customer.receivables[invoice_id]
    for index in range(instalments):
        customer.run.begin(_collect(customer, receivable, index), customer.run.now)
    if customer.chance.percent(9):
        # Some find fault only when they have paid.
        first, last = (2, 20) if customer.chance.percent(60) else (25, 70)
        customer.run.begin(complaints.complain(customer, receivable, begin), customer.after(first, last))


def _collect(customer: Customer, receivable: Receivable, index: int) -> Process:
    """One instalment, until it is settled one way or another."""
    chance, payer, run = customer.chance, customer.payer, customer.run
    due = seconds(receivable.due_on[index])
    run.begin(_remind(customer, receivable, index), due + chance.between(*_FIRST_NOTICE) * DAY + 6 * HOUR)
    if not chance.percent(payer.fails):
        late = chance.between(35, 75) if chance.percent(payer.slips) else chance.between(payer.low, payer.high)
        yield at_work(max(run.now + 6 * HOUR, due + late * DAY + chance.between(8 * HOUR, 16 * HOUR)))
        while receivable.disputed:
            yield customer.after(3, 8)
        yield from _settle(customer, receivable, index)
        if receivable.settled and customer.claims:
            yield from claims.settle(customer, receivable)


def _settle(customer: Customer, receivable: Receivable, index: int) -> Process:
    """The customer pays what is still open: at once, in two steps, or short of a fee."""
    chance = customer.chance
    owed = receivable.open[index]
    if owed > _SMALL and chance.percent(customer.payer.partly):
        yield from payments.pay(
            customer, receivable, index, round_half_up(owed * chance.between(30, 70) / HUNDRED, goods.CURRENCY)
        )
        yield customer.after(10, 35)
    elif owed > 2 * _SMALL and chance.percent(2):
        # The customer's bank keeps a fee.
        yield from payments.pay(customer, receivable, index, owed - chance.between(5, 25))
        yield customer.after(20, 60)
        left = receivable.open[index]
        if 0 < left <= _SMALL:
            write_off = WriteOffInvoice(amount=left, reason="small difference")
            customer.do(write_off, receivable.invoice_id, names.COLLECTOR)
    if receivable.open[index] > 0:
        yield from payments.pay(customer, receivable, index, receivable.open[index])


def _remind(customer: Customer, receivable: Receivable, index: int) -> Process:
    """The clock reminds of what is overdue; whoever never pays is written off in the end (R-66, R-67)."""
    chance = customer.chance
    notices = 0
    while receivable.open[index] > _SMALL:
        if receivable.disputed or (receivable.promised_on and receivable.promised_on >= customer.today):
            yield customer.moments(6 * DAY, 9 * DAY)
            continue
        if notices == _NOTICES_MAX:
            yield customer.after(15, 40)
            if receivable.open[index] and not receivable.disputed and customer.payer.fails and chance.percent(80):
                write_off = WriteOffInvoice(amount=receivable.open[index], reason="insolvent")
                customer.do(write_off, receivable.invoice_id, names.COLLECTOR)
                yield from recovery.after_write_off(customer, receivable, index)
            return
        notices += 1
        customer.do(SendDunningNotice(instalment=index + 1), receivable.invoice_id, names.CLOCK)
        wait = chance.between(*_NEXT_NOTICE) * DAY
        if chance.percent(28):
            yield customer.after(1, 4)
            if receivable.open[index]:
                _promise(customer, receivable)
        yield customer.run.now + wait


def _promise(customer: Customer, receivable: Receivable) -> None:
    """The customer says when it will pay; whether it does is another matter."""
    promised_on = customer.today + timedelta(days=customer.chance.between(7, 20))
    promise = PromisePayment(promised_on=promised_on, by=customer.contact)
    customer.do(promise, receivable.invoice_id, names.COLLECTOR)
    receivable.promised_on = promised_on
