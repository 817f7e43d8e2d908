"""What invoices bill."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.record import Record


class InvoiceLines(Projection):
    """What invoices bill, line by line, with the order line and the quote line each comes from (R-65)."""

    table, version, key = "invoice_lines", 1, ("position", "line")
    append_only = True
    columns = {
        **POSITION,
        "line": column("int4", "number of the line in the invoice"),
        **WHEN,
        "invoice_id": column("uuid", "the invoice"),
        "order_id": column("uuid", "the order it bills"),
        "order_line": column("int4", "number of the line in the order"),
        "quote_id": column("uuid", "the quote behind the order"),
        "quote_line": column("int4", "number of the line in the quote"),
        "sku": column("text", "article"),
        "description": column("text", "what it is"),
        "quantity": column("numeric", "quantity billed"),
        "net": column("numeric", "net amount before tax"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "tax_category": column("text", "tax category (EN 16931 BT-151)"),
        "tax_rate": column("numeric", "tax rate in percent (BT-152)"),
    }
    indexes = (("invoice_id",), ("order_id",))

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        for line in event.lines:
            yield Put(
                record.position,
                line.line,
                **when(record),
                invoice_id=record.subject,
                order_id=event.order_id,
                order_line=line.order_line,
                quote_id=event.quote_id,
                quote_line=line.quote_line,
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                net=line.net,
                currency=event.currency,
                tax_category=line.tax_category,
                tax_rate=line.tax_rate,
            )
