"""Laws of quote pricing (R-49, R-51): whatever is quoted adds up to the minor unit, and nothing is ever negative."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.specification import TODAY

from ltc_events.aggregates.policies import Versioned
from ltc_events.aggregates.pricing import DiscountExceedsLine, Priced, price
from ltc_events.aggregates.quote import Status, evolve, price_quote, require_unsent
from ltc_events.kernel.money import minor_unit
from ltc_events.schemas.policy import DiscountMatrix
from ltc_events.schemas.quote import Discount, PriceQuote, QuoteDrafted, QuoteLineRequest

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
HALF = Fraction(1, 2)
DAY = date(2026, 3, 31)


def decimals(upper: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=0, max_value=Decimal(upper), places=places, allow_nan=False, allow_infinity=False)


percents = decimals("100", 0) | decimals("100", 3)
percent_discounts = st.builds(Discount, percent=percents, reason=st.just("volume"))


@st.composite
def quoted(draw: st.DrawFn) -> tuple[str, tuple[QuoteLineRequest, ...]]:
    """A currency and lines in it: small and huge, with discounts in percent and, as far as the line bears it, in amounts."""
    currency = draw(CURRENCIES)
    unit = minor_unit(currency)
    lines = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        quantity = draw(decimals("1000", 3) | decimals("1000000", 9)) + Decimal("0.001")
        list_price = draw(decimals("10", 2) | decimals("100000", 9))
        discounts = draw(st.lists(percent_discounts, max_size=3))
        if draw(st.booleans()):
            off = draw(st.integers(0, 500)) * unit
            discounts.insert(draw(st.integers(0, len(discounts))), Discount(amount=off, reason="goodwill"))
        rate = draw(st.sampled_from([Decimal(0), Decimal(7), Decimal(19), Decimal("5.5")]))
        lines.append(
            QuoteLineRequest(
                line=number,
                sku="mill",
                quantity=quantity,
                list_price=list_price,
                tax_rate=rate,
                tax_category="S" if rate else "Z",
                discounts=tuple(discounts),
            )
        )
    return currency, tuple(lines)


def priced(currency: str, lines: tuple[QuoteLineRequest, ...]) -> Priced:
    """The prices; lines that cannot bear their discounts are none of our concern here."""
    try:
        return price(lines, currency, None, 0)
    except DiscountExceedsLine:
        assume(False)
        raise


def nearest(amount: Fraction, unit: Decimal) -> Decimal:
    """`amount`, which is not negative, to the nearest multiple of `unit`, halves up; in integers, another way than ours."""
    steps = amount / Fraction(unit)
    return int(steps + HALF) * unit


@given(quoted())
def test_lines_and_totals_add_up_exactly(quote: tuple[str, tuple[QuoteLineRequest, ...]]) -> None:
    result = priced(*quote)
    for line in result.lines:
        assert line.net == line.list_amount - sum(discount.amount for discount in line.discounts)
    assert result.list_total == sum(line.list_amount for line in result.lines)
    assert result.net == sum(line.net for line in result.lines)
    assert result.discount_total == sum(discount.amount for line in result.lines for discount in line.discounts)
    assert result.net == result.list_total - result.discount_total
    assert result.gross == result.net + result.tax


@given(quoted())
def test_every_amount_is_payable_and_none_is_negative(quote: tuple[str, tuple[QuoteLineRequest, ...]]) -> None:
    unit = minor_unit(quote[0])
    result = priced(*quote)
    of_lines = [amount for line in result.lines for amount in (line.list_amount, line.net)]
    of_discounts = [discount.amount for line in result.lines for discount in line.discounts]
    totals = [result.list_total, result.discount_total, result.net, result.tax, result.gross]
    for amount in of_lines + of_discounts + totals:
        assert amount >= 0
        assert amount % unit == 0


@given(quoted())
def test_amounts_are_the_nearest_to_the_exact_ones(quote: tuple[str, tuple[QuoteLineRequest, ...]]) -> None:
    currency, requests = quote
    unit = minor_unit(currency)
    result = priced(currency, requests)
    bases: dict[Decimal, Fraction] = {}
    for request, line in zip(requests, result.lines, strict=True):
        assert request.list_price is not None
        assert line.list_amount == nearest(Fraction(request.quantity) * Fraction(request.list_price), unit)
        left = Fraction(line.list_amount)
        for discount in line.discounts:
            if discount.percent is not None:
                assert discount.amount == nearest(left * Fraction(discount.percent) / 100, unit)
            left -= Fraction(discount.amount)
        bases[line.tax_rate] = bases.get(line.tax_rate, Fraction(0)) + Fraction(line.net)
    assert result.tax == sum(nearest(base * Fraction(rate) / 100, unit) for rate, base in bases.items())


@given(quoted())
def test_the_discount_is_the_highest_of_a_line_and_never_more_than_everything(
    quote: tuple[str, tuple[QuoteLineRequest, ...]],
) -> None:
    currency, requests = quote
    result = priced(currency, requests)
    assert 0 <= result.discount_percent <= 100
    assert result.discount_percent == max(priced(currency, (request,)).discount_percent for request in requests)


@given(percents, decimals("1000", 2), CURRENCIES)
def test_one_percent_discount_is_that_percent_whatever_rounding_does(
    percent: Decimal, list_price: Decimal, currency: str
) -> None:
    assume(list_price >= 1)
    discount = Discount(percent=percent, reason="volume")
    line = QuoteLineRequest(
        line=1,
        sku="mill",
        quantity=Decimal(1),
        list_price=list_price,
        tax_category="Z",
        tax_rate=Decimal(0),
        discounts=(discount,),
    )
    assert price((line,), currency, None, 0).discount_percent == percent


@given(quoted())
def test_the_order_of_the_lines_changes_no_total(quote: tuple[str, tuple[QuoteLineRequest, ...]]) -> None:
    currency, requests = quote
    expected = priced(currency, requests)[1:]
    for order in list(permutations(requests))[:6]:
        assert priced(currency, order)[1:] == expected


@given(quoted(), percents)
def test_a_quote_waits_for_approval_exactly_when_a_line_is_beyond_the_limit(
    quote: tuple[str, tuple[QuoteLineRequest, ...]], limit: Decimal
) -> None:
    currency, requests = quote
    priced(currency, requests)
    drafted = QuoteDrafted(currency=currency, valid_until=DAY, requested_on=DAY)
    matrix = Versioned(1, DiscountMatrix(kind="discount_matrix", limits={"sales": limit}))
    command = PriceQuote(lines=requests, requested_by="Sam", role="sales")
    state = require_unsent(evolve(None, drafted, TODAY))
    event = price_quote(state, command, None, matrix)
    assert event.approval_needed == (event.discount_percent > limit)
    assert evolve(state, event, TODAY).status is (Status.WAITING if event.approval_needed else Status.PRICED)
