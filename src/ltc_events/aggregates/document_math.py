"""The arithmetic of documents: totals by EN 16931, instalments, and shares of a line that add up to it. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple, Protocol

from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import EXACT, HUNDRED, ZERO, add_up, minor_unit, proportion, round_half_up, round_to
from ltc_events.schemas.invoice import DocumentCharge, Instalment, RoundingMethod, TaxSubtotal
from ltc_events.schemas.limits import NET_MAX
from ltc_events.schemas.policy import Term

_NOTHING = (ZERO, ZERO)


class UnknownLine(Refused):
    """{document} has no line {line}"""

    remedy = "name one of its lines: {known}"


class LineNamedTwice(Refused):
    """line {line} is named more than once"""

    remedy = "put everything about line {line} into one entry"


class LineTooLarge(Refused):
    """line {line} is worth {net}"""

    remedy = "split line {line}: a line may be worth up to {limit}"


class AllowancesExceedLines(Refused):
    """in tax category {category} at {rate} % the allowances leave {taxable}"""

    field = "allowances"
    remedy = "lower the allowances in category {category} at {rate} % by {excess}, or bill more lines of it"


class PrepaidExceedsGross(Refused):
    """{prepaid} was prepaid on an invoice of {gross}"""

    field = "prepaid"
    remedy = "state at most {gross} as prepaid, and leave the rest of the payment unapplied"


class RoundingTooFine(Refused):
    """payable amounts cannot be rounded to {increment}: the smallest amount of {currency} is {unit}"""

    field = "cash_rounding"
    remedy = "round to a multiple of {unit}"


class Taxed(Protocol):
    """The fields of a line that `totals` reads."""

    @property
    def net(self) -> Decimal: ...
    @property
    def tax_category(self) -> str: ...
    @property
    def tax_rate(self) -> Decimal: ...


class Totals(NamedTuple):
    """EN 16931 BG-22 and BG-23: `net` = line total − allowances + charges, `gross` = net + tax."""

    line_total: Decimal
    allowance_total: Decimal
    charge_total: Decimal
    net: Decimal
    taxes: tuple[TaxSubtotal, ...]
    tax: Decimal
    gross: Decimal


def totals(
    lines: Iterable[Taxed],
    allowances: Sequence[DocumentCharge],
    charges: Sequence[DocumentCharge],
    currency: str,
    method: RoundingMethod,
) -> Totals:
    """Totals and tax of a document (EN 16931 BR-CO-10 … BR-CO-15).

    Amounts in `currency`, each rounded already. Tax is rounded half-up once per category and rate (`document`, which is
    BR-CO-17), or per line, allowance and charge and then added up (`line`, which differs from BR-CO-17 by at most half a minor
    unit for each of them).
    """
    entries = [(line.tax_category, line.tax_rate, line.net) for line in lines]
    entries += [(one.tax_category, one.tax_rate, -one.amount) for one in allowances]
    entries += [(one.tax_category, one.tax_rate, one.amount) for one in charges]
    by_line = method == "line"
    groups: dict[tuple[str, Decimal], tuple[Decimal, Decimal]] = {}
    net = ZERO
    for category, rate, amount in entries:
        net = EXACT.add(net, amount)
        taxable, tax = groups.get((category, rate), _NOTHING)
        if by_line:
            tax = EXACT.add(tax, proportion(amount, rate, HUNDRED, currency))
        groups[category, rate] = EXACT.add(taxable, amount), tax
    tax_total = ZERO
    taxes = []
    for (category, rate), (taxable, tax) in groups.items():
        if not by_line:
            tax = proportion(taxable, rate, HUNDRED, currency)  # noqa: PLW2901 - rounded here, or line by line above
        tax_total = EXACT.add(tax_total, tax)
        taxes.append(TaxSubtotal(category=category, rate=rate, taxable=taxable, tax=tax))
    allowance_total = add_up(one.amount for one in allowances)
    charge_total = add_up(one.amount for one in charges)
    line_total = EXACT.subtract(EXACT.add(net, allowance_total), charge_total)
    return Totals(line_total, allowance_total, charge_total, net, tuple(taxes), tax_total, EXACT.add(net, tax_total))


def cash_rounding(due: Decimal, increment: Decimal | None, currency: str) -> Decimal:
    """The amount that rounding adds to `due` (EN 16931 BT-114): 0.02 for 2.03 to multiples of 0.05. Raises RoundingTooFine."""
    if increment is None:
        return ZERO
    unit = minor_unit(currency)
    if increment % unit:
        raise RoundingTooFine(increment=increment, currency=currency, unit=unit)
    return round_to(due, increment) - due


def require_enough_lines(taxes: Iterable[TaxSubtotal]) -> None:
    """Refuse allowances that exceed the lines of their tax category and rate. Raises AllowancesExceedLines."""
    for tax in taxes:
        if tax.taxable < 0:
            raise AllowancesExceedLines(category=tax.category, rate=tax.rate, taxable=tax.taxable, excess=-tax.taxable)


def require_prepaid_within(prepaid: Decimal, gross: Decimal) -> None:
    """Refuse a prepaid amount that exceeds the invoice. Raises PrepaidExceedsGross."""
    if prepaid > gross:
        raise PrepaidExceedsGross(prepaid=prepaid, gross=gross)


def instalments(payable: Decimal, terms: Sequence[Term], issued_on: date, currency: str) -> tuple[Instalment, ...]:
    """`payable` split by terms whose percents add up to 100; the last takes the remainder, and none is negative (R-63)."""
    left = payable
    parts = []
    for number, term in enumerate(terms, 1):
        share = left
        if number < len(terms):
            # Many small shares, each rounded up, may use up everything before the last one.
            share = min(left, proportion(payable, term.percent, HUNDRED, currency))
            left = EXACT.subtract(left, share)
        parts.append(Instalment(number=number, due_on=issued_on + timedelta(days=term.days), amount=share))
    return tuple(parts)


def share(net: Decimal, quantity: Decimal, upto: Decimal, currency: str) -> Decimal:
    """The net amount of the first `upto` of `quantity` units that together cost `net`, to the minor unit.

    A part costs the difference of two such amounts, so that however a line is divided its parts add up to `net`.
    """
    if upto == quantity:
        return net
    return proportion(net, upto, quantity, currency)


def line_net(line: int, quantity: Decimal, unit_price: Decimal, currency: str, at: str) -> Decimal:
    """The price of a whole line, rounded to the minor unit (EN 16931 BT-131). Raises LineTooLarge for field `at`."""
    net = EXACT.multiply(quantity, unit_price)
    if net > NET_MAX:
        raise LineTooLarge(line=line, net=net, limit=NET_MAX, at=at)
    return round_half_up(net, currency)


def require_named_once(lines: Sequence[int]) -> None:
    """Refuse a command that names one line in two entries of its `lines`. Raises LineNamedTwice."""
    if len(lines) > 1 and len(set(lines)) < len(lines):
        index = next(index for index, line in enumerate(lines) if line in lines[:index])
        raise LineNamedTwice(line=lines[index], at=f"lines.{index}.line")
