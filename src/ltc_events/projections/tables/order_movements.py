"""What happened to the quantities and amounts of order lines, event by event."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import DATED_IN_ORDER, LINE_NO, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.order import (
    LineAmount,
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderLine,
    OrderPlaced,
)
from ltc_events.schemas.record import Record


class OrderMovements(Projection):
    """What happened to order lines: one row per line and event, never changed. Adding up the rows of a kind up to a date
    and position gives what was ordered, delivered, cancelled or billed by then, as it was known then (R-57 … R-65)."""

    table, version, key = "order_movements", 2, ("position", "line_no")
    append_only = True
    checks = DATED_IN_ORDER
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **ORDERED,
        "order_id": column("uuid", "the order"),
        "order_line": column("int4", "number of the line in the order"),
        "kind": column("text", "ordered, amended (the change, either way), delivered, cancelled, invoiced"),
        "quantity": column("numeric", "the quantity that was; negative where amended away, or invoiced but to be billed again"),
        "amount": column("numeric", "its net price, in the order's currency"),
        "document_id": column("uuid", "the delivery or invoice; the credit note that says what is to be billed again"),
    }
    indexes = (("order_id", "order_line"),)

    @on(OrderPlaced)
    def placed(self, event: OrderPlaced, record: Record) -> Iterator[Operation]:
        return _movements(record, "ordered", event.lines)

    @on(OrderAmended)
    def amended(self, event: OrderAmended, record: Record) -> Iterator[Operation]:
        return _movements(record, "amended", event.changes)

    @on(OrderDelivered)
    def delivered(self, event: OrderDelivered, record: Record) -> Iterator[Operation]:
        return _movements(record, "delivered", event.lines, event.delivery_id)

    @on(OrderCancelled)
    def cancelled(self, event: OrderCancelled, record: Record) -> Iterator[Operation]:
        return _movements(record, "cancelled", event.lines)

    @on(OrderInvoiced)
    def invoiced(self, event: OrderInvoiced, record: Record) -> Iterator[Operation]:
        return _movements(record, "invoiced", event.lines, event.invoice_id)

    @on(OrderBillingReversed)
    def to_be_billed_again(self, event: OrderBillingReversed, record: Record) -> Iterator[Operation]:
        less = [LineAmount(line=part.line, quantity=-part.quantity, amount=-part.amount) for part in event.lines]
        return _movements(record, "invoiced", less, event.credit_note_id)


def _movements(
    record: Record, kind: str, parts: Iterable[LineAmount | OrderLine], document_id: UUID | None = None
) -> Iterator[Operation]:
    for line_no, part in enumerate(parts, 1):
        yield Put(
            record.position,
            line_no,
            **ordered(record),
            order_id=record.subject,
            order_line=part.line,
            kind=kind,
            quantity=part.quantity,
            amount=part.net if isinstance(part, OrderLine) else part.amount,
            document_id=document_id,
        )
