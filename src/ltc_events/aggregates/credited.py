"""What of an invoice its credit notes take back, per tax category and rate: a function of what is credited of its lines. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from ltc_events.aggregates.document_math import share
from ltc_events.aggregates.receivable import BilledLine, Credited, Document
from ltc_events.kernel.money import ZERO, add_up, round_half_up


class Share(NamedTuple):
    """How much of a tax category and rate is credited."""

    net: Decimal = ZERO
    tax: Decimal = ZERO


Shares = Mapping[tuple[str, Decimal], Share]
"""By tax category and rate."""
NO_SHARE = Share()
NOT_CREDITED = Credited()


def is_credited(line: BilledLine, done: Credited) -> bool:
    """Whether nothing is left of a line; of one that cost nothing, its quantity says so."""
    return done.amount == line.net if line.net else done.quantity == line.quantity


def credited_upto(document: Document, credited: Mapping[int, Credited]) -> Shares:
    """What is credited of each tax category and rate when this much of the lines is: net after allowances, and tax.

    A function of the sums alone, growing with them, so that credit notes add up however the invoice is divided.
    """
    if not credited:
        return {}
    whole: dict[tuple[str, Decimal], Decimal] = {}
    part: dict[tuple[str, Decimal], Decimal] = {}
    for line in document.lines:
        group = line.tax_category, line.tax_rate
        whole[group] = whole.get(group, ZERO) + line.net
        part[group] = part.get(group, ZERO) + credited.get(line.line, NOT_CREDITED).amount
    everything = all(is_credited(line, credited.get(line.line, NOT_CREDITED)) for line in document.lines)
    shares = {}
    for category, rate, taxable, tax in document.taxes:
        group = category, rate
        if everything or (part.get(group) and part[group] == whole[group]):
            shares[group] = Share(taxable, tax)
        elif part.get(group) and taxable:
            net = share(taxable, whole[group], part[group], document.currency)
            shares[group] = Share(net, share(tax, taxable, net, document.currency))
    return shares


def rounding_upto(document: Document, shares: Shares) -> Decimal:
    """What of the invoice's rounding goes with these shares of it."""
    if not (document.rounding and shares):
        return ZERO
    gross = add_up(one.net + one.tax for one in shares.values())
    if gross == document.gross:
        return document.rounding
    return round_half_up(document.rounding * gross / document.gross, document.currency)


def credited_total(document: Document, credited: Mapping[int, Credited]) -> Decimal:
    """All that is credited when this much of the lines is, tax and rounding included."""
    shares = credited_upto(document, credited)
    return sum((one.net + one.tax for one in shares.values()), rounding_upto(document, shares))
