"""The credited share of an invoice per tax category and rate, as a function of what is credited of its lines. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from ltc_events.aggregates.document_math import share
from ltc_events.aggregates.receivable import BilledLine, Credited, Document
from ltc_events.kernel.money import ZERO, add_up, round_half_up


class Share(NamedTuple):
    """The credited amounts of a tax category and rate."""

    net: Decimal = ZERO
    tax: Decimal = ZERO


Shares = Mapping[tuple[str, Decimal], Share]
"""By tax category and rate."""
NO_SHARE = Share()
NOT_CREDITED = Credited()


def is_credited(line: BilledLine, done: Credited) -> bool:
    """Whether a line is credited in full, by its net amount; a line with net zero, by its quantity."""
    return done.amount == line.net if line.net else done.quantity == line.quantity


def credited_upto(document: Document, credited: Mapping[int, Credited]) -> Shares:
    """The credited amounts per tax category and rate, net after allowances and tax, when this much of the lines is credited.

    It depends on the sums alone and grows with them, so that credit notes add up however the invoice is divided.
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
    """The part of the invoice's rounding that belongs to these shares."""
    if not (document.rounding and shares):
        return ZERO
    gross = add_up(one.net + one.tax for one in shares.values())
    if gross == document.gross:
        return document.rounding
    return round_half_up(document.rounding * gross / document.gross, document.currency)


def credited_total(document: Document, credited: Mapping[int, Credited]) -> Decimal:
    """The total credited, tax and rounding included, when this much of the lines is credited."""
    shares = credited_upto(document, credited)
    return sum((one.net + one.tax for one in shares.values()), rounding_upto(document, shares))
