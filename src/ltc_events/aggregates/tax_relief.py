"""The tax of what was given up: when a debt is written off, its share of the invoice's tax is no longer owed. Pure.

Whoever gives up a debt has not been paid the tax in it either, and may take it back (Directive 2006/112/EC, article 90);
when the money comes after all, the tax is owed again. Policy `write_off` says whether it is so here.
"""

from decimal import Decimal
from typing import NamedTuple

from ltc_events.aggregates.credited import NO_SHARE, Shares, credited_upto, rounding_upto
from ltc_events.aggregates.receivable import Document, Invoice, Relief, Tax, written_off_total
from ltc_events.kernel.money import ZERO, add_up, apportion, round_half_up
from ltc_events.schemas.invoice import TaxSubtotal

_Weights = list[tuple[str, Decimal, Decimal, Decimal]]
"""Category, rate, net and tax."""


class Change(NamedTuple):
    """What of a write-off tax is relieved on, or no longer: `amount` with its tax, by category and rate."""

    amount: Decimal = ZERO
    subtotals: tuple[TaxSubtotal, ...] = ()

    @property
    def tax(self) -> Decimal:
        """The tax in it."""
        return add_up(one.tax for one in self.subtotals)


def relieve(invoice: Invoice, amount: Decimal) -> Change:
    """The relief for another `amount` given up: its share of what is left of the invoice beside credits and earlier relief.

    Net and tax of each category and rate take their shares to the minor unit by largest remainder, so that they add up.
    """
    document = invoice.document
    shares = credited_upto(document, invoice.credited)
    left = _less(_basis(document, shares), invoice.relief.taxes)
    rounding = document.rounding - rounding_upto(document, shares) - _rest(invoice.relief)
    return _change(left, rounding, amount, document.currency)


def restore(invoice: Invoice, amount: Decimal) -> Change:
    """What relief is taken back with `amount` of what was given up: in proportion, and all of it with the last."""
    relief = invoice.relief
    return _change(_weights(relief), _rest(relief), _relieved_of(invoice, amount), invoice.document.currency)


def after_credit(invoice: Invoice, credited: Shares, rounding: Decimal, reversed: Decimal) -> Change:
    """What relief is taken back by a credit note after which `credited` of the invoice, with `rounding`, is credited.

    The relief for what stays written off is in proportion to what the invoice is for now, whatever it was for before.
    """
    before = invoice.relief
    if not before.amount:
        return Change()
    document = invoice.document
    stays = before.amount - _relieved_of(invoice, reversed)
    after = _change(_basis(document, credited), document.rounding - rounding, stays, document.currency)
    left = {(one.category, one.rate): one for one in after.subtotals}
    subtotals = []
    for category, rate, _, _ in document.taxes:
        was = next((one for one in before.taxes if one[:2] == (category, rate)), None)
        now = left.get((category, rate))
        net = (was.taxable if was else ZERO) - (now.taxable if now else ZERO)
        tax = (was.tax if was else ZERO) - (now.tax if now else ZERO)
        if net or tax:
            subtotals.append(TaxSubtotal(category=category, rate=rate, taxable=net, tax=tax))
    return Change(before.amount - after.amount, tuple(subtotals))


def with_change(relief: Relief, amount: Decimal, taxes: tuple[TaxSubtotal, ...], sign: int = 1) -> Relief:
    """The relief after an event that brought, or with `sign` -1 took back, this much of it."""
    if not (amount or taxes):
        return relief
    sums = {(one.category, one.rate): (one.taxable, one.tax) for one in relief.taxes}
    for one in taxes:
        net, tax = sums.get((one.category, one.rate), (ZERO, ZERO))
        sums[one.category, one.rate] = net + sign * one.taxable, tax + sign * one.tax
    left = tuple(Tax(category, rate, net, tax) for (category, rate), (net, tax) in sums.items() if net or tax)
    return Relief(relief.amount + sign * amount, left)


def _basis(document: Document, credited: Shares) -> _Weights:
    """What is left of each category and rate beside what is credited."""
    found = []
    for category, rate, taxable, tax in document.taxes:
        gone = credited.get((category, rate), NO_SHARE)
        found.append((category, rate, taxable - gone.net, tax - gone.tax))
    return found


def _weights(relief: Relief) -> _Weights:
    return [(one.category, one.rate, one.taxable, one.tax) for one in relief.taxes]


def _less(weights: _Weights, taxes: tuple[Tax, ...]) -> _Weights:
    gone = {(one.category, one.rate): one for one in taxes}
    found = []
    for category, rate, net, tax in weights:
        one = gone.get((category, rate))
        found.append((category, rate, net - one.taxable, tax - one.tax) if one else (category, rate, net, tax))
    return found


def _rest(relief: Relief) -> Decimal:
    """What of the relieved amount is neither net nor tax: its share of the document's rounding."""
    return relief.amount - add_up(one.taxable + one.tax for one in relief.taxes)


def _relieved_of(invoice: Invoice, amount: Decimal) -> Decimal:
    """On how much of `amount`, of what was given up, tax was relieved: all or nothing, unless the policy changed meanwhile."""
    relieved, given_up = invoice.relief.amount, written_off_total(invoice)
    if not relieved or relieved == given_up:
        return min(amount, relieved)
    share = round_half_up(relieved * amount / given_up, invoice.document.currency)
    return max(amount - (given_up - relieved), min(share, amount, relieved))


def _change(weights: _Weights, rounding: Decimal, amount: Decimal, currency: str) -> Change:
    """`amount` apportioned to net and tax of these, and to the rounding; never more than all of them."""
    total = sum((net + tax for _, _, net, tax in weights), rounding)
    amount = min(amount, total)
    if amount <= 0:
        return Change()
    parts = apportion(amount, [*(one for _, _, net, tax in weights for one in (net, tax)), rounding], currency)
    subtotals = [
        TaxSubtotal(category=category, rate=rate, taxable=parts[2 * index], tax=parts[2 * index + 1])
        for index, (category, rate, _, _) in enumerate(weights)
        if parts[2 * index] or parts[2 * index + 1]
    ]
    return Change(amount, tuple(subtotals))
