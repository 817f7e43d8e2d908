"""Orders as they stand."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.order import (
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderPlaced,
    OrderShipped,
)
from ltc_events.schemas.record import Record


class Orders(Projection):
    """Orders as they stand: one row per order, with the net amounts ordered, delivered, cancelled and billed (R-57 … R-62)."""

    table, version, key = "orders", 1, ("order_id",)
    columns = {
        "order_id": column("uuid", "the order"),
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity it came from"),
        "quote_id": column("uuid", "the accepted quote it was placed from"),
        "quote_revision": column("int4", "revision of that quote"),
        "status": column("text", "open, delivered (all of it), or cancelled (what was not delivered)"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "net": column("numeric", "net amount ordered, after amendments and before tax", default="0"),
        "discount_total": column("numeric", "discounts of the quote, already taken off the net amount", default="0"),
        "delivered": column("numeric", "net amount delivered", default="0"),
        "cancelled": column("numeric", "net amount released by cancelling", default="0"),
        "invoiced": column("numeric", "net amount billed by invoices, less what is to be billed again", default="0"),
        "amendments": column("int4", "how often its lines were changed after the sale", default="0"),
        "placed_on": column("date", "when it was placed"),
        "requested_delivery_on": column("date", "when the customer wants it"),
        "last_delivery_on": column("date", "when part of it was delivered last"),
        "last_shipment_on": column("date", "when a shipment left last"),
        "cancelled_on": column("date", "when the rest was cancelled"),
        "reason": column("text", "why it has no quote, was amended or cancelled, whichever was said last"),
        "external_references": column("jsonb", "its names in other systems"),
    }
    indexes = (("customer_id",), ("opportunity_id",), ("quote_id",))

    @on(OrderPlaced)
    def placed(self, event: OrderPlaced, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            customer_id=record.customer_id,
            opportunity_id=event.opportunity_id,
            quote_id=event.quote_id,
            quote_revision=event.quote_revision,
            status="open",
            currency=event.currency,
            net=event.net,
            discount_total=event.discount_total,
            placed_on=record.effective_on,
            requested_delivery_on=event.requested_delivery_on,
            reason=event.reason,
            external_references=event.references,
        )

    @on(OrderAmended)
    def amended(self, event: OrderAmended, record: Record) -> Iterator[Operation]:
        status = "delivered" if event.complete else "open"
        yield Put(record.subject, status=status, net=event.net, reason=event.reason)
        yield Add(record.subject, amendments=1)

    @on(OrderDelivered)
    def delivered(self, event: OrderDelivered, record: Record) -> Iterator[Operation]:
        status = "delivered" if event.complete else "open"
        yield Put(record.subject, status=status, last_delivery_on=record.effective_on)
        yield Add(record.subject, delivered=event.amount)

    @on(OrderShipped)
    def shipped(self, _: OrderShipped, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, last_shipment_on=record.effective_on)

    @on(OrderCancelled)
    def cancelled(self, event: OrderCancelled, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="cancelled", cancelled_on=record.effective_on, reason=event.reason)
        yield Add(record.subject, cancelled=event.amount)

    @on(OrderInvoiced)
    def invoiced(self, event: OrderInvoiced, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, invoiced=event.amount)

    @on(OrderBillingReversed)
    def to_be_billed_again(self, event: OrderBillingReversed, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, invoiced=-event.amount)
