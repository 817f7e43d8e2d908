"""PriceBook: versions of prices (R-48)."""

from datetime import date
from decimal import Decimal

from tests.unit.selling_examples import price_book
from tests.unit.specification import TODAY, given

from ltc_events.aggregates.price_book import CurrencyChanged, PriceBook, RepeatedItem, evolve
from ltc_events.schemas.policy import PriceBookItem, PriceBookPublished, PublishPriceBook

ITEMS = price_book().items


def test_prices_are_published_with_the_next_version() -> None:
    publish = PublishPriceBook(title="Machines", currency="EUR", valid_from=date(2026, 1, 1), items=ITEMS)
    given().when(publish).then(price_book(1))
    given(price_book(1)).when(publish).then(price_book(2))


def test_prices_are_valid_from_the_business_date_unless_they_say_otherwise() -> None:
    publish = PublishPriceBook(title="Machines", currency="EUR", items=ITEMS)
    given().when(publish).then(PriceBookPublished(version=1, title="Machines", currency="EUR", valid_from=TODAY, items=ITEMS))


def test_a_price_book_keeps_its_currency() -> None:
    given(price_book()).when(PublishPriceBook(title="Machines", currency="USD", items=ITEMS)).then(
        CurrencyChanged, field="currency", message="EUR", fix="another price book"
    )


def test_an_item_stands_in_the_book_once() -> None:
    again = PriceBookItem(sku="mill", description="Again", list_price=Decimal(1), tax_rate=Decimal(19))
    given().when(PublishPriceBook(title="Machines", currency="EUR", items=(*ITEMS, again))).then(
        RepeatedItem, field="items.2.sku", message="mill"
    )


def test_a_day_is_priced_by_what_began_last_and_was_published_last() -> None:
    book: PriceBook | None = None
    for version, valid_from in enumerate((date(2026, 1, 1), date(2026, 7, 1), date(2026, 4, 1), date(2026, 4, 1)), 1):
        book = evolve(book, price_book(version, valid_from=valid_from), valid_from)
    assert book is not None

    def version_on(day: date) -> int | None:
        prices = book.on(day)
        return None if prices is None else prices.version

    assert version_on(date(2025, 12, 31)) is None
    assert version_on(date(2026, 1, 1)) == 1
    assert version_on(date(2026, 4, 1)) == 4
    assert version_on(date(2026, 7, 1)) == 2
