"""Shipments that left."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.order import OrderShipped
from ltc_events.schemas.record import Record


class Shipments(Projection):
    """Shipments that left, one row per shipping notice (R-57)."""

    table, version, key = "shipments", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **WHEN,
        "shipment_id": column("uuid", "the shipment"),
        "order_id": column("uuid", "the order"),
        "carrier": column("text", "who carries it"),
        "tracking": column("text", "the carrier's number for it"),
    }
    indexes = (("order_id",),)

    @on(OrderShipped)
    def shipped(self, event: OrderShipped, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            **when(record),
            shipment_id=event.shipment_id,
            order_id=record.subject,
            carrier=event.carrier,
            tracking=event.tracking,
        )
