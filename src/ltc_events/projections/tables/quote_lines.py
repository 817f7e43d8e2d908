"""The priced lines of quotes, with what came off the list price."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.quote import QuotePriced
from ltc_events.schemas.record import Record


class QuoteLines(Projection):
    """The lines of quotes, one row per line each time a quote was priced, never changed (R-48, R-49, R-51)."""

    table, version, key = "quote_lines", 1, ("position", "line")
    append_only = True
    columns = {
        **POSITION,
        "line": column("int4", "number of the line in the quote"),
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "quote_id": column("uuid", "the quote"),
        "revision": column("int4", "number of the revision"),
        "opportunity_id": column("uuid", "the opportunity it is for"),
        "sku": column("text", "what is offered"),
        "description": column("text", "in words"),
        "quantity": column("numeric", "how much of it"),
        "list_price": column("numeric", "list price of one, before tax"),
        "list_amount": column("numeric", "quantity × list price"),
        "discount_amount": column("numeric", "what the discounts took off"),
        "discounts": column("jsonb", "each discount with its reason, percent and amount"),
        "net": column("numeric", "price of the line before tax"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "tax_category": column("text", "tax category (EN 16931 BT-151)"),
        "tax_rate": column("numeric", "tax rate in percent (EN 16931 BT-152)"),
        "price_book_id": column("uuid", "the price book"),
        "price_book_version": column("int4", "its version"),
        "requested_by": column("text", "who asked for the prices"),
        "role": column("text", "in which role"),
    }
    indexes = (("quote_id", "position"),)

    @on(QuotePriced)
    def priced(self, event: QuotePriced, record: Record) -> Iterator[Operation]:
        shared = {
            **times(record),
            "customer_id": record.customer_id,
            "quote_id": record.subject,
            "revision": event.revision,
            "opportunity_id": event.opportunity_id,
            "currency": event.currency,
            "price_book_id": event.price_book_id,
            "price_book_version": event.price_book_version,
            "requested_by": event.requested_by,
            "role": event.role,
        }
        for line in event.lines:
            yield Put(
                record.position,
                line.line,
                **shared,
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                list_price=line.list_price,
                list_amount=line.list_amount,
                discount_amount=line.list_amount - line.net,
                discounts=line.discounts,
                net=line.net,
                tax_category=line.tax_category,
                tax_rate=line.tax_rate,
            )
