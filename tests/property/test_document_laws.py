"""Laws of documents: whatever the amounts, parts add up to the whole, and nothing falls below zero."""

from decimal import Decimal, Inexact
from fractions import Fraction
from math import floor
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.specification import TODAY

from ltc_events.aggregates.document_math import cash_rounding, instalments, line_net, share, totals
from ltc_events.kernel.money import EXACT, add_up, minor_unit, proportion, round_half_up
from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.totals import Sums
from ltc_events.schemas.invoice import DocumentCharge, RoundingMethod
from ltc_events.schemas.policy import Term

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
METHODS: st.SearchStrategy[RoundingMethod] = st.sampled_from(["document", "line"])
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "5.5", "7", "19", "25")])
CENTS = st.integers(0, 10**9)


class Line(NamedTuple):
    """What `totals` reads of a line."""

    net: Decimal
    tax_category: str
    tax_rate: Decimal


@st.composite
def terms(draw: st.DrawFn) -> tuple[Term, ...]:
    """Percents, with two decimals, that add up to 100."""
    cuts = sorted(draw(st.lists(st.integers(0, 10_000), max_size=14)))
    percents = [Decimal(after - before) / 100 for before, after in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    days = draw(st.lists(st.integers(0, 400), min_size=len(percents), max_size=len(percents)))
    return tuple(Term(percent=percent, days=day) for percent, day in zip(percents, days, strict=True))


@given(CENTS, terms(), CURRENCIES)
def test_instalments_add_up_and_none_is_negative(cents: int, split: tuple[Term, ...], currency: str) -> None:
    payable = cents * minor_unit(currency)
    parts = instalments(payable, split, TODAY, currency)
    assert sum(part.amount for part in parts) == payable
    assert all(part.amount >= 0 and part.amount % minor_unit(currency) == 0 for part in parts)
    assert [part.number for part in parts] == list(range(1, len(split) + 1))


@given(
    st.lists(st.tuples(CENTS, RATES), min_size=1, max_size=8),
    st.lists(st.tuples(CENTS, RATES), max_size=3),
    st.lists(st.tuples(CENTS, RATES), max_size=3),
    CURRENCIES,
    METHODS,
)
def test_tax_subtotals_add_up_to_the_document(
    lines: list[tuple[int, Decimal]],
    less: list[tuple[int, Decimal]],
    more: list[tuple[int, Decimal]],
    currency: str,
    method: RoundingMethod,
) -> None:
    unit = minor_unit(currency)

    def charges(given: list[tuple[int, Decimal]]) -> list[DocumentCharge]:
        return [DocumentCharge(amount=cents * unit, reason="?", tax_rate=rate) for cents, rate in given]

    total = totals([Line(cents * unit, "S", rate) for cents, rate in lines], charges(less), charges(more), currency, method)
    assert total.net == total.line_total - total.allowance_total + total.charge_total
    assert sum(tax.taxable for tax in total.taxes) == total.net
    assert sum(tax.tax for tax in total.taxes) == total.tax
    assert total.gross == total.net + total.tax
    assert len({tax.rate for tax in total.taxes}) == len(total.taxes)
    for tax in total.taxes:
        exact = tax.taxable * tax.rate / 100
        entries = sum(rate == tax.rate for _, rate in [*lines, *less, *more])
        assert abs(tax.tax - exact) <= unit / 2 * (1 if method == "document" else entries)
        assert method == "line" or tax.tax == round_half_up(exact, currency)


@given(CENTS, st.sampled_from([Decimal("0.05"), Decimal("0.10"), Decimal(1), Decimal(5)]))
def test_cash_rounding_gives_the_nearest_multiple(cents: int, increment: Decimal) -> None:
    due = cents * Decimal("0.01")
    rounding = cash_rounding(due, increment, "EUR")
    assert (due + rounding) % increment == 0
    assert abs(rounding) <= increment / 2


@given(CENTS, st.lists(st.integers(1, 10**6), min_size=1, max_size=10), CURRENCIES)
def test_shares_of_a_line_add_up_and_grow(cents: int, pieces: list[int], currency: str) -> None:
    net = cents * minor_unit(currency)
    whole = Decimal(sum(pieces))
    upto = [share(net, whole, Decimal(sum(pieces[:count])), currency) for count in range(len(pieces) + 1)]
    assert upto[0] == 0
    assert upto[-1] == net
    assert upto == sorted(upto)


@given(st.integers(10**23, 10**24 - 1), st.sampled_from(["document", "line"]), st.sampled_from(["19", "7.123456789"]))
@settings(max_examples=4, deadline=None)
def test_no_digit_of_ten_thousand_lines_of_24_digits_is_lost(number: int, method: RoundingMethod, rate: str) -> None:
    net, percent = Decimal(number).scaleb(-2), Fraction(rate)
    found = totals([Line(net, "S", Decimal(rate))] * 10_000, [], [], "EUR", method)

    def half_up(cents: Fraction) -> int:
        return floor(cents + Fraction(1, 2))

    tax = half_up(number * 10_000 * percent / 100) if method == "document" else half_up(number * percent / 100) * 10_000
    assert (int(found.net.scaleb(2)), int(found.tax.scaleb(2, EXACT))) == (number * 10_000, tax)
    assert found.gross.scaleb(2, EXACT) == number * 10_000 + tax


def test_products_of_24_digits_are_rounded_once() -> None:
    """A price that is half a cent but for its last digit: 28 digits would round it up twice."""
    quantity, price = Decimal("999999999999999.999999999"), Decimal("0.000000001")
    assert line_net(1, quantity, price, "EUR", "lines") == Decimal("1000000.00")
    assert line_net(1, Decimal("3.000000001"), Decimal("0.001666666"), "EUR", "lines") == Decimal("0.00")
    below_half = proportion(Decimal("0.01"), Decimal("0.4999999999999999999999999999999999"), Decimal(1), "EUR")
    assert (below_half, proportion(Decimal("0.01"), Decimal("0.5"), Decimal(1), "EUR")) == (Decimal("0.00"), Decimal("0.01"))


def test_what_would_lose_a_digit_raises() -> None:
    with pytest.raises(Inexact):
        add_up([Decimal(10) ** 201, Decimal(1)])


def test_quantities_of_a_report_are_added_with_every_digit() -> None:
    sums = Sums((Column("quantity", ColumnType.DECIMAL, "how many", total=True),))
    quantity = Decimal("999999999999999.123456789")
    for _ in range(10_000):
        sums.add((quantity,))
    assert sums.totals() == {"quantity": Decimal("9999999999999991234.56789")}
    sums.add((Decimal("1E-20"),))
    assert sums.totals() == {"quantity": Decimal("9999999999999991234.56789000000000000001")}
