"""What order lines said, from each order and amendment on."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.order import OrderAmended, OrderPlaced
from ltc_events.schemas.record import Record


class OrderLineVersions(Projection):
    """What order lines said, from each order and amendment on: one row per line and such event, never changed. The last row
    up to a date and a position is how the line was worded then (R-58, R-65)."""

    table, version, key = "order_line_versions", 1, ("position", "line")
    append_only = True
    columns = {
        **POSITION,
        "line": column("int4", "number of the line in the order"),
        **WHEN,
        "order_id": column("uuid", "the order"),
        "quote_line": column("int4", "number of the line in the order's quote that it came from"),
        "sku": column("text", "article"),
        "description": column("text", "what it is"),
        "quantity": column("numeric", "quantity ordered"),
        "net": column("numeric", "net price of that quantity, in the order's currency"),
        "tax_category": column("text", "tax category (EN 16931 BT-151)"),
        "tax_rate": column("numeric", "tax rate in percent"),
    }
    indexes = (("order_id", "line"),)

    @on(OrderPlaced, OrderAmended)
    def worded(self, event: OrderPlaced | OrderAmended, record: Record) -> Iterator[Operation]:
        moment = when(record)
        for line in event.lines:
            yield Put(
                record.position,
                line.line,
                **moment,
                order_id=record.subject,
                quote_line=line.quote_line,
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                net=line.net,
                tax_category=line.tax_category,
                tax_rate=line.tax_rate,
            )
