"""What happened to payments, event by event."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from ltc_events.projections.base import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.payment import PaymentAllocated, PaymentReceived, PaymentRefunded, PaymentReturned, PaymentUnallocated
from ltc_events.schemas.record import Record


class PaymentMovements(Projection):
    """What happened to payments: one row per event, never changed. Adding up the amounts of a payment gives its unapplied
    cash."""

    table, version, key = "payment_movements", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **WHEN,
        "payment_id": column("uuid", "the payment"),
        "kind": column("text", "received, allocated, unallocated, returned, refunded"),
        "amount": column("numeric", "change of the unapplied cash: positive when there is more of it"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "invoice_id": column("uuid", "the invoice it was put against or taken back from"),
        "reason": column("text", "why it was taken back, returned or refunded"),
    }
    indexes = (("payment_id",), ("invoice_id",))

    @on(PaymentReceived)
    def received(self, event: PaymentReceived, record: Record) -> Iterator[Operation]:
        yield _movement(record, "received", event.amount, event.currency)

    @on(PaymentAllocated)
    def allocated(self, event: PaymentAllocated, record: Record) -> Iterator[Operation]:
        yield _movement(record, "allocated", -event.amount, event.currency, event.invoice_id)

    @on(PaymentUnallocated)
    def unallocated(self, event: PaymentUnallocated, record: Record) -> Iterator[Operation]:
        yield _movement(record, "unallocated", event.amount, event.currency, event.invoice_id, event.reason)

    @on(PaymentReturned)
    def returned(self, event: PaymentReturned, record: Record) -> Iterator[Operation]:
        yield _movement(record, "returned", -event.amount, event.currency, reason=event.reason)

    @on(PaymentRefunded)
    def refunded(self, event: PaymentRefunded, record: Record) -> Iterator[Operation]:
        yield _movement(record, "refunded", -event.amount, event.currency, reason=event.reason)


def _movement(
    record: Record, kind: str, amount: Decimal, currency: str, invoice_id: UUID | None = None, reason: str | None = None
) -> Put:
    return Put(
        record.position,
        **when(record),
        payment_id=record.subject,
        kind=kind,
        amount=amount,
        currency=currency,
        invoice_id=invoice_id,
        reason=reason,
    )
