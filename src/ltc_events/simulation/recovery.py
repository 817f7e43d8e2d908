"""What becomes of debts that were given up: some of the money comes after all, and some were given up by mistake."""

from decimal import Decimal

from ltc_events.aggregates.receivable import written_off_total
from ltc_events.kernel.money import HUNDRED, ZERO, minor_unit, round_half_up
from ltc_events.schemas.payment import RecoverWriteOff
from ltc_events.schemas.receivable import ReverseWriteOff
from ltc_events.simulation import goods, names, payments
from ltc_events.simulation.customer import Customer, Receivable
from ltc_events.simulation.run import Process


def after_write_off(customer: Customer, receivable: Receivable, index: int) -> Process:
    """The administrator pays a dividend, or the clerk had looked at another customer of that name."""
    chance = customer.chance
    if chance.percent(45):
        yield customer.after(5, 20)
        amount = round_half_up(_given_up(customer, receivable) * chance.between(5, 40) / HUNDRED, goods.CURRENCY)
        if amount >= minor_unit(goods.CURRENCY):
            id = yield from payments.receive(customer, amount, receivable.issued_on)
            amount = min(amount, _given_up(customer, receivable))
            if amount:
                customer.do(RecoverWriteOff(invoice_id=receivable.invoice_id, amount=amount), id, names.CASHIER)
            customer.books.forget(id)
    elif chance.percent(35):
        yield customer.after(1, 5)
        if _given_up(customer, receivable):
            customer.do(ReverseWriteOff(reason="another customer was meant"), receivable.invoice_id, names.COLLECTOR)
            yield customer.after(4, 12)
            if receivable.open[index] > 0:
                yield from payments.pay(customer, receivable, index, receivable.open[index])


def _given_up(customer: Customer, receivable: Receivable) -> Decimal:
    """What of the invoice is still written off, as far as anybody still looks at it."""
    invoice = customer.books.states.get(receivable.invoice_id)
    if invoice is None or receivable.invoice_id not in customer.receivables:
        return ZERO
    return written_off_total(invoice)
