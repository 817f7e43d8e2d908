"""What happened to payments, event by event."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import DATED_IN_ORDER, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.payment import (
    PaymentAllocated,
    PaymentAllocatedToClaim,
    PaymentMoveCancelled,
    PaymentMovedBack,
    PaymentMovedIn,
    PaymentMovedOut,
    PaymentMoveRecalled,
    PaymentReceived,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentReturned,
    PaymentUnallocated,
    PaymentUnallocatedFromClaim,
)
from ltc_events.schemas.record import Record

Move: TypeAlias = PaymentMovedOut | PaymentMovedIn | PaymentMoveCancelled | PaymentMoveRecalled | PaymentMovedBack


class PaymentMovements(Projection):
    """What happened to payments: one row per event, never changed. Adding up the amounts of a payment gives its unapplied
    cash."""

    table, version, key = "payment_movements", 3, ("position",)
    append_only = True
    checks = DATED_IN_ORDER
    columns = {
        **POSITION,
        **ORDERED,
        "payment_id": column("uuid", "the payment"),
        "kind": column(
            "text",
            "received, allocated, unallocated, returned, refunded, refund_failed, allocated_to_claim, unallocated_from_claim;"
            " moved_out, moved_in, move_cancelled, move_recalled (by a return), moved_back (after one)",
        ),
        "amount": column("numeric", "change of the unapplied cash: positive when there is more of it"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "invoice_id": column("uuid", "the invoice it was put against or taken back from"),
        "reason": column("text", "why it was taken back, returned, refunded or moved"),
        "other_payment_id": column("uuid", "the payment that it was moved to or from"),
        "other_customer_id": column("uuid", "the customer that it was moved to or from, where the event says so"),
        "in_transit": column("numeric", "change of what is in transit between the two payments: positive when more of it is"),
    }
    indexes = (("payment_id",), ("invoice_id",), ("other_payment_id",))

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
        yield _movement(record, "returned", event.claimed - event.amount, event.currency, reason=event.reason)

    @on(PaymentRefunded)
    def refunded(self, event: PaymentRefunded, record: Record) -> Iterator[Operation]:
        yield _movement(record, "refunded", -event.amount, event.currency, reason=event.reason)

    @on(PaymentRefundFailed)
    def refund_failed(self, event: PaymentRefundFailed, record: Record) -> Iterator[Operation]:
        yield _movement(record, "refund_failed", event.amount, event.currency, reason=event.reason)

    @on(PaymentAllocatedToClaim)
    def allocated_to_claim(self, event: PaymentAllocatedToClaim, record: Record) -> Iterator[Operation]:
        yield _movement(record, "allocated_to_claim", -event.amount, event.currency)

    @on(PaymentUnallocatedFromClaim)
    def unallocated_from_claim(self, event: PaymentUnallocatedFromClaim, record: Record) -> Iterator[Operation]:
        yield _movement(record, "unallocated_from_claim", event.amount, event.currency, reason=event.reason)

    @on(PaymentMovedOut)
    def moved_out(self, event: PaymentMovedOut, record: Record) -> Iterator[Operation]:
        yield _moved(record, "moved_out", event, -event.amount, event.to_payment_id, event.to_customer_id, event.reason)

    @on(PaymentMovedIn)
    def moved_in(self, event: PaymentMovedIn, record: Record) -> Iterator[Operation]:
        yield _moved(record, "moved_in", event, event.amount, event.from_payment_id, event.from_customer_id)

    @on(PaymentMoveCancelled)
    def move_cancelled(self, event: PaymentMoveCancelled, record: Record) -> Iterator[Operation]:
        yield _moved(record, "move_cancelled", event, event.amount, event.to_payment_id, None, event.reason)

    @on(PaymentMoveRecalled)
    def move_recalled(self, event: PaymentMoveRecalled, record: Record) -> Iterator[Operation]:
        yield _moved(record, "move_recalled", event, event.amount, event.to_payment_id, None, event.reason)

    @on(PaymentMovedBack)
    def moved_back(self, event: PaymentMovedBack, record: Record) -> Iterator[Operation]:
        amount = event.claimed - event.amount
        yield _moved(record, "moved_back", event, amount, event.from_payment_id, None, event.reason, in_transit=event.amount)


def _moved(
    record: Record,
    kind: str,
    event: Move,
    amount: Decimal,
    payment_id: UUID,
    customer_id: UUID | None,
    reason: str | None = None,
    *,
    in_transit: Decimal | None = None,
) -> Put:
    """What is less here is in transit; of what is given back, all, though part of it may be claimed."""
    return _movement(
        record,
        kind,
        amount,
        event.currency,
        reason=reason,
        other_payment_id=payment_id,
        other_customer_id=customer_id,
        in_transit=-amount if in_transit is None else in_transit,
    )


def _movement(
    record: Record,
    kind: str,
    amount: Decimal,
    currency: str,
    invoice_id: UUID | None = None,
    reason: str | None = None,
    **move: Decimal | UUID | None,
) -> Put:
    return Put(
        record.position,
        **ordered(record),
        payment_id=record.subject,
        kind=kind,
        amount=amount,
        currency=currency,
        invoice_id=invoice_id,
        reason=reason,
        **move,
    )
