"""What things cost by the price books, version by version."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.policy import PriceBookPublished
from ltc_events.schemas.record import Record


class ListPrices(Projection):
    """What things cost by the price books: one row per thing and version of a price book, never changed (R-48)."""

    table, version, key = "list_prices", 1, ("position", "sku")
    append_only = True
    columns = {
        **POSITION,
        "sku": column("text", "the thing"),
        **TIMES,
        "price_book_id": column("uuid", "the price book"),
        "version": column("int4", "its version"),
        "title": column("text", "its name"),
        "valid_from": column("date", "first day on which it is used"),
        "description": column("text", "the thing in words"),
        "list_price": column("numeric", "price of one, before discounts and tax"),
        "currency": column("text", "its currency (ISO 4217)"),
        "tax_category": column("text", "tax category (EN 16931 BT-151)"),
        "tax_rate": column("numeric", "tax rate in percent (EN 16931 BT-152)"),
    }
    indexes = (("sku",),)

    @on(PriceBookPublished)
    def published(self, event: PriceBookPublished, record: Record) -> Iterator[Operation]:
        shared = {
            **times(record),
            "price_book_id": record.subject,
            "version": event.version,
            "title": event.title,
            "valid_from": event.valid_from,
            "currency": event.currency,
        }
        for item in event.items:
            yield Put(
                record.position,
                item.sku,
                **shared,
                description=item.description,
                list_price=item.list_price,
                tax_category=item.tax_category,
                tax_rate=item.tax_rate,
            )
