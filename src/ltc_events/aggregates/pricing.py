"""The arithmetic of a quote: list amounts, discounts, tax, all to the cent, with the trace of how (R-49, R-51).

Every amount on the page is a multiple of the currency's minor unit, rounded half-up where it arises, so that lines and
totals add up exactly: net = list amount − discounts, per line and in total.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from ltc_events.aggregates.base import require_minor_units
from ltc_events.aggregates.document_math import LineTooLarge, require_named_once, totals
from ltc_events.aggregates.tax_category import require_tax
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import EXACT, HUNDRED, ONE, ZERO, round_half_up
from ltc_events.schemas.limits import NET_MAX
from ltc_events.schemas.policy import PriceBookItem
from ltc_events.schemas.quote import AppliedDiscount, Discount, QuoteLine, QuoteLineRequest

_WIDE = Context(prec=80)  # for quotients, which no context has whole
_PERCENT_PLACES = Decimal("0.0001")


class Priced(NamedTuple):
    """Lines with their totals. `discount_percent` is the highest discount of a line, in percent of its list amount."""

    lines: tuple[QuoteLine, ...]
    list_total: Decimal
    discount_total: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    discount_percent: Decimal


class Item(NamedTuple):
    """What a thing is called, costs and how it is taxed: from the price book, or as the quote itself states it."""

    description: str
    list_price: Decimal
    tax_category: str
    tax_rate: Decimal


class NotInPriceBook(Refused):
    """{sku} is not in the price book, version {version}"""

    remedy = "correct the sku, or send price_book.publish.v1 with {sku} in it"


class DiffersFromPriceBook(Refused):
    """{what} {stated} of {sku} is not that of the price book, {listed}"""

    remedy = "leave {what} out or give {listed}; a lower price is a discount with a reason"


class PriceMissing(Refused):
    """{what} of {sku} is missing, and the quote has no price book to take it from"""

    remedy = "give {what}, or draft the quote with a price_book_id"


class DiscountUnclear(Refused):
    """a discount is either a percent or an amount; this one states {stated}"""

    remedy = "give either percent or amount"


class DiscountExceedsLine(Refused):
    """a discount of {amount} exceeds what is left of the line, {left}"""

    remedy = "give an amount of at most {left}"


def price(
    requests: Sequence[QuoteLineRequest], currency: str, catalogue: Mapping[str, PriceBookItem] | None, version: int
) -> Priced:
    """Price the lines from a price book's `version`, or from what they state themselves where `catalogue` is None."""
    require_named_once([request.line for request in requests])
    lines: list[QuoteLine] = []
    highest = list_total = ZERO
    for index, request in enumerate(requests):
        at = f"lines.{index}"
        item = _stated_item(request, at) if catalogue is None else _listed_item(request, catalogue, version, at)
        line, percent = _price_line(request, item, currency, at)
        lines.append(line)
        highest = max(highest, percent)
        list_total += line.list_amount
    sums = totals(lines, (), (), currency, "document")
    discount_total = list_total - sums.net
    return Priced(tuple(lines), list_total, discount_total, sums.net, sums.tax, sums.gross, highest)


def _listed_item(request: QuoteLineRequest, catalogue: Mapping[str, PriceBookItem], version: int, at: str) -> Item:
    item = catalogue.get(request.sku)
    if item is None:
        raise NotInPriceBook(sku=request.sku, version=version, at=f"{at}.sku")
    for what in ("list_price", "tax_category", "tax_rate"):
        stated, listed = getattr(request, what), getattr(item, what)
        if stated is not None and stated != listed:
            raise DiffersFromPriceBook(what=what, stated=stated, listed=listed, sku=request.sku, at=f"{at}.{what}")
    return Item(item.description, item.list_price, item.tax_category, item.tax_rate)


def _stated_item(request: QuoteLineRequest, at: str) -> Item:
    if request.list_price is None:
        raise PriceMissing(what="list_price", sku=request.sku, at=f"{at}.list_price")
    if request.tax_rate is None:
        raise PriceMissing(what="tax_rate", sku=request.sku, at=f"{at}.tax_rate")
    category = request.tax_category or "S"
    require_tax(category, request.tax_rate, at)
    return Item(request.sku, request.list_price, category, request.tax_rate)


def _price_line(request: QuoteLineRequest, item: Item, currency: str, at: str) -> tuple[QuoteLine, Decimal]:
    """The line, and its discount in percent of its list amount."""
    exact = EXACT.multiply(request.quantity, item.list_price)
    if exact > NET_MAX:
        raise LineTooLarge(line=request.line, net=exact, limit=NET_MAX, at=f"{at}.quantity")
    list_amount = round_half_up(exact, currency)
    net, percent, applied = _discount(list_amount, request.discounts, currency, f"{at}.discounts")
    line = QuoteLine(
        line=request.line,
        sku=request.sku,
        description=request.description or item.description,
        quantity=request.quantity,
        list_price=item.list_price,
        list_amount=list_amount,
        discounts=applied,
        net=net,
        tax_category=item.tax_category,
        tax_rate=item.tax_rate,
        references=request.references,
    )
    return line, percent


def _discount(
    list_amount: Decimal, discounts: Sequence[Discount], currency: str, at: str
) -> tuple[Decimal, Decimal, tuple[AppliedDiscount, ...]]:
    """What is left of the line, its discount in percent, and each discount with what it took off.

    The percent is worked out without the rounding of the amounts: 10 % off 0.99 takes off 0.10, and is still 10 %.
    """
    if not discounts:
        return list_amount, ZERO, ()
    applied: list[AppliedDiscount] = []
    left = unrounded = list_amount
    for index, discount in enumerate(discounts):
        if discount.percent is not None and discount.amount is None:
            amount = _percent_of(left, discount.percent, currency)
            unrounded = EXACT.multiply(unrounded, ONE - discount.percent / HUNDRED)
        elif discount.amount is not None and discount.percent is None:
            amount = discount.amount
            require_minor_units(amount, currency, f"{at}.{index}.amount")
            unrounded = max(unrounded - amount, ZERO)
        else:
            stated = "neither" if discount.percent is None else "both"
            raise DiscountUnclear(stated=stated, at=f"{at}.{index}")
        if amount > left:
            raise DiscountExceedsLine(amount=amount, left=left, at=f"{at}.{index}.amount")
        left -= amount
        applied.append(AppliedDiscount(reason=discount.reason, percent=discount.percent, amount=amount))
    return left, _percent_off(list_amount, unrounded), tuple(applied)


def _percent_of(amount: Decimal, percent: Decimal, currency: str) -> Decimal:
    return round_half_up(EXACT.multiply(amount, percent).scaleb(-2, EXACT), currency)


def _percent_off(list_amount: Decimal, left: Decimal) -> Decimal:
    """In percent, to four decimals, without trailing zeros."""
    if not list_amount:
        return ZERO
    percent = _WIDE.divide(EXACT.multiply(EXACT.subtract(list_amount, left), HUNDRED), list_amount)
    rounded = percent.quantize(_PERCENT_PLACES, ROUND_HALF_UP)
    return rounded.quantize(ONE) if rounded == rounded.to_integral_value() else rounded.normalize()
