"""The arithmetic of a quote: worked examples (R-49, R-51)."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.selling_examples import amount, percent, price_book, request

from ltc_events.aggregates.base import FinerThanMinorUnit
from ltc_events.aggregates.document_math import LineNamedTwice, LineTooLarge
from ltc_events.aggregates.pricing import (
    DiffersFromPriceBook,
    DiscountExceedsLine,
    DiscountUnclear,
    NotInPriceBook,
    Priced,
    PriceMissing,
    price,
)
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.policy import PriceBookItem
from ltc_events.schemas.quote import Discount, QuoteLineRequest

BOOK = {item.sku: item for item in price_book().items}


def priced(*lines: QuoteLineRequest, currency: str = "EUR", catalogue: dict[str, PriceBookItem] | None = None) -> Priced:
    return price(lines, currency, catalogue, 3)


def refused(kind: type[Refused], field: str, fix: str, *lines: QuoteLineRequest, **options: Any) -> None:
    with pytest.raises(kind) as caught:
        priced(*lines, **options)
    assert caught.value.refused_field == field
    assert fix in caught.value.fix


def test_lines_totals_and_tax_per_rate() -> None:
    result = priced(
        request(quantity=Decimal(3), discounts=(percent("10"),)),
        request(line=2, sku="gear", quantity=Decimal(10), list_price=Decimal("0.333"), tax_rate=Decimal(7)),
        request(line=3, sku="belt", quantity=Decimal(1), list_price=Decimal("0.10"), tax_rate=Decimal(7)),
    )
    assert [line.net for line in result.lines] == [Decimal(270), Decimal("3.33"), Decimal("0.10")]
    assert result.list_total == Decimal("303.43")
    assert result.discount_total == Decimal(30)
    assert result.net == Decimal("273.43")
    assert result.tax == Decimal("51.54")  # 19 % of 270.00 is 51.30, 7 % of 3.43 is 0.24
    assert result.gross == Decimal("324.97")
    assert result.discount_percent == Decimal(10)


def test_each_percent_is_of_what_the_discounts_before_it_left() -> None:
    line = priced(request(discounts=(percent("10"), amount("100"), percent("50", "last year's model")))).lines[0]
    assert [(item.amount, item.percent, item.reason) for item in line.discounts] == [
        (Decimal(100), Decimal(10), "volume"),
        (Decimal(100), None, "goodwill"),
        (Decimal(400), Decimal(50), "last year's model"),
    ]
    assert line.net == Decimal(400)


def test_the_highest_discount_of_a_line_counts() -> None:
    result = priced(request(discounts=(percent("5"),)), request(line=2, discounts=(percent("8"), percent("50"))))
    assert result.discount_percent == Decimal(54)


def test_rounding_to_the_cent_does_not_make_a_discount_higher_than_it_is() -> None:
    result = priced(request(quantity=Decimal(1), list_price=Decimal("0.99"), discounts=(percent("10"),)))
    assert result.lines[0].discounts[0].amount == Decimal("0.10")
    assert result.discount_percent == Decimal(10)


def test_an_amount_is_measured_in_percent_of_the_list_amount() -> None:
    assert priced(request(discounts=(amount("125"),))).discount_percent == Decimal("12.5")
    assert str(priced(request(quantity=Decimal(3), discounts=(amount("100"),))).discount_percent) == "33.3333"
    assert str(priced(request(discounts=(amount("100"),))).discount_percent) == "10"


def test_amounts_are_rounded_half_up_to_the_minor_unit_of_the_currency() -> None:
    half = request(quantity=Decimal(1), list_price=Decimal("2.5"))
    assert priced(half, currency="JPY").net == Decimal(3)
    assert str(priced(half, currency="KWD").net) == "2.500"


def test_something_free_can_be_quoted() -> None:
    result = priced(request(list_price=Decimal(0), discounts=(percent("50"),)))
    assert result.net == result.gross == result.discount_percent == 0


def test_the_price_book_gives_price_tax_and_description() -> None:
    line = priced(QuoteLineRequest(line=1, sku="gear", quantity=Decimal(10)), catalogue=BOOK).lines[0]
    assert (line.description, line.list_price, line.tax_rate, line.net) == (
        "A gear",
        Decimal("0.333"),
        Decimal(7),
        Decimal("3.33"),
    )
    named = priced(QuoteLineRequest(line=1, sku="gear", quantity=Decimal(1), description="Spare"), catalogue=BOOK)
    assert named.lines[0].description == "Spare"


def test_what_is_stated_beside_a_price_book_must_agree_with_it() -> None:
    assert priced(request(), catalogue=BOOK).net == Decimal(1000)
    refused(DiffersFromPriceBook, "lines.0.list_price", "100", request(list_price=Decimal(90)), catalogue=BOOK)
    refused(DiffersFromPriceBook, "lines.0.tax_rate", "19", request(tax_rate=Decimal(7)), catalogue=BOOK)
    refused(DiffersFromPriceBook, "lines.0.tax_category", "S", request(tax_category="Z"), catalogue=BOOK)


def test_what_is_not_in_the_price_book_is_not_quoted_from_it() -> None:
    refused(NotInPriceBook, "lines.0.sku", "belt", request(sku="belt"), catalogue=BOOK)


def test_without_a_price_book_price_and_tax_are_stated() -> None:
    refused(PriceMissing, "lines.0.list_price", "list_price", request(list_price=None))
    refused(PriceMissing, "lines.1.tax_rate", "price_book_id", request(), request(line=2, tax_rate=None))
    line = priced(request(description="The big one", tax_category="AE", tax_rate=Decimal(0))).lines[0]
    assert (line.description, line.tax_category) == ("The big one", "AE")


def test_a_line_number_stands_once() -> None:
    refused(LineNamedTwice, "lines.1.line", "line 1", request(), request())


def test_a_discount_is_a_percent_or_an_amount() -> None:
    both = Discount(percent=Decimal(5), amount=Decimal(5), reason="r")
    for discount, stated in ((both, "both"), (Discount(reason="r"), "neither")):
        with pytest.raises(DiscountUnclear, match=stated) as caught:
            priced(request(discounts=(discount,)))
        assert caught.value.refused_field == "lines.0.discounts.0"


def test_a_discount_leaves_nothing_negative() -> None:
    field = "lines.0.discounts.1.amount"
    refused(DiscountExceedsLine, field, "500.00", request(discounts=(percent("50"), amount("500.01"))))


def test_a_discount_is_payable_money() -> None:
    field = "lines.0.discounts.0.amount"
    refused(FinerThanMinorUnit, field, "0.01", request(discounts=(amount("0.001"),)))


def test_a_line_beyond_reckoning_is_refused() -> None:
    huge = request(quantity=Decimal(10) ** 10, list_price=Decimal(10) ** 9)
    refused(LineTooLarge, "lines.0.quantity", "line 1", huge)
