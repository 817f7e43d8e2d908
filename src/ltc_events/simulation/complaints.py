"""How customers complain: disputes, goods sent back, invoices that should not have been; settled by credit notes."""

from decimal import Decimal

from ltc_events.kernel.money import HUNDRED, round_half_up
from ltc_events.schemas.credit_note import CreditLine, CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import DisputeInvoice, ResolveDispute
from ltc_events.simulation import goods, names
from ltc_events.simulation.customer import Customer, Receivable
from ltc_events.simulation.run import Process

_GRIEVANCES = ("two sensors dead on arrival", "the price was agreed otherwise", "delivered too late", "hours were not worked")


def complain(customer: Customer, receivable: Receivable) -> Process:
    """Most complaints begin as a dispute; others are settled at once."""
    chance = customer.chance
    kind = chance.below(100)
    if kind < 45:
        yield from _dispute(customer, receivable)
    elif kind < 88:
        _send_back(customer, receivable)
    else:
        _credit(customer, receivable, CreditReason.DUPLICATE if chance.percent(40) else CreditReason.CANCELLATION, ())


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


def _credit(customer: Customer, receivable: Receivable, reason: CreditReason, lines: tuple[CreditLine, ...]) -> None:
    if receivable.invoice_id not in customer.receivables:
        return  # settled long ago, and put into the archive
    note = IssueCreditNote(invoice_id=receivable.invoice_id, reason=reason, lines=lines)
    id = customer.new_id()
    customer.do(note, id, names.BILLER)
    customer.books.forget(id)
