"""Order lines as they stand."""

from collections.abc import Iterator
from decimal import Decimal

from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.order import (
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderLine,
    OrderPlaced,
)
from ltc_events.schemas.record import Record


class OrderLines(Projection):
    """Order lines as they stand, with the quote line each came from (R-65). A line that an amendment removed has nothing
    ordered."""

    table, version, key = "order_lines", 1, ("order_id", "line")
    columns = {
        "order_id": column("uuid", "the order"),
        "line": column("int4", "number of the line in the order"),
        "customer_id": column("uuid", "the customer"),
        "quote_line": column("int4", "number of the line in the order's quote that it came from"),
        "sku": column("text", "article"),
        "description": column("text", "what it is"),
        "tax_category": column("text", "tax category (EN 16931 BT-151)"),
        "tax_rate": column("numeric", "tax rate in percent"),
        "ordered_quantity": column("numeric", "quantity ordered, after amendments", default="0"),
        "ordered_net": column("numeric", "net price of that quantity, in the order's currency", default="0"),
        "delivered_quantity": column("numeric", "quantity delivered", default="0"),
        "delivered_net": column("numeric", "net price of what is delivered", default="0"),
        "cancelled_quantity": column("numeric", "quantity released by cancelling", default="0"),
        "cancelled_net": column("numeric", "net price of what was released", default="0"),
        "invoiced_quantity": column("numeric", "quantity billed, less what is to be billed again", default="0"),
        "invoiced_net": column("numeric", "net price of that quantity", default="0"),
        "external_references": column("jsonb", "its names in other systems"),
    }

    @on(OrderPlaced)
    def placed(self, event: OrderPlaced, record: Record) -> Iterator[Operation]:
        for line in event.lines:
            yield _ordered(record, line)

    @on(OrderAmended)
    def amended(self, event: OrderAmended, record: Record) -> Iterator[Operation]:
        for line in event.lines:
            yield _ordered(record, line)
        kept = {line.line for line in event.lines}
        for change in event.changes:
            if change.line not in kept:
                yield Put(record.subject, change.line, ordered_quantity=Decimal(0), ordered_net=Decimal(0))

    @on(OrderDelivered)
    def delivered(self, event: OrderDelivered, record: Record) -> Iterator[Operation]:
        for part in event.lines:
            yield Add(record.subject, part.line, delivered_quantity=part.quantity, delivered_net=part.amount)

    @on(OrderCancelled)
    def cancelled(self, event: OrderCancelled, record: Record) -> Iterator[Operation]:
        for part in event.lines:
            yield Add(record.subject, part.line, cancelled_quantity=part.quantity, cancelled_net=part.amount)

    @on(OrderInvoiced)
    def invoiced(self, event: OrderInvoiced, record: Record) -> Iterator[Operation]:
        for part in event.lines:
            yield Add(record.subject, part.line, invoiced_quantity=part.quantity, invoiced_net=part.amount)

    @on(OrderBillingReversed)
    def to_be_billed_again(self, event: OrderBillingReversed, record: Record) -> Iterator[Operation]:
        for part in event.lines:
            yield Add(record.subject, part.line, invoiced_quantity=-part.quantity, invoiced_net=-part.amount)


def _ordered(record: Record, line: OrderLine) -> Put:
    return Put(
        record.subject,
        line.line,
        customer_id=record.customer_id,
        quote_line=line.quote_line,
        sku=line.sku,
        description=line.description,
        tax_category=line.tax_category,
        tax_rate=line.tax_rate,
        ordered_quantity=line.quantity,
        ordered_net=line.net,
        external_references=line.references,
    )
