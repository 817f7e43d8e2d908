"""Payments as they stand."""

from collections.abc import Iterator

from ltc_events.kernel.money import ZERO
from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
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


class Payments(Projection):
    """Payments as they stand: how much of each is put against invoices, went back, or is unapplied cash. The database
    refuses a row that does not add up."""

    table, version, key = "payments", 3, ("payment_id",)
    columns = {
        "payment_id": column("uuid", "the payment"),
        "customer_id": column("uuid", "the customer"),
        "status": column("text", "received, or returned by the bank"),
        "received_on": column("date", "value date at the bank"),
        "amount": column("numeric", "what came in, or was moved here from another customer's payment"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "method": column("text", "how it was paid"),
        "reference": column("text", "what the payer wrote"),
        "payer": column("text", "who paid"),
        "allocated": column("numeric", "put against invoices and claims", default="0"),
        "moved": column("numeric", "moved to payments of other customers, less what came back from there", default="0"),
        "returned": column(
            "numeric", "taken back by the bank; of what was moved here: given back as the bank took it", default="0"
        ),
        "refunded": column("numeric", "sent back to the customer, less what came back from there", default="0"),
        "claimed": column("numeric", "refunded, and taken back by the bank all the same: the customer owes it", default="0"),
        "unapplied": column("numeric", "unapplied cash: amount − allocated − moved − returned − refunded + claimed", default="0"),
        "moved_from": column("uuid", "the payment of another customer that it was moved from"),
        "external_references": column("jsonb", "its names in other systems"),
    }
    indexes = (("customer_id",), ("reference",))
    checks = {
        "payment_adds_up": "NEW.unapplied = NEW.amount - NEW.allocated - NEW.moved - NEW.returned - NEW.refunded + NEW.claimed"
    }

    @on(PaymentReceived, PaymentMovedIn)
    def received(self, event: PaymentReceived | PaymentMovedIn, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            customer_id=record.customer_id,
            status="received",
            received_on=event.received_on if isinstance(event, PaymentMovedIn) else record.effective_on,
            moved_from=event.from_payment_id if isinstance(event, PaymentMovedIn) else None,
            amount=event.amount,
            currency=event.currency,
            method=event.method,
            reference=event.reference,
            payer=event.payer,
            unapplied=event.amount,
            external_references=event.references,
        )

    @on(PaymentAllocated, PaymentAllocatedToClaim)
    def allocated(self, event: PaymentAllocated | PaymentAllocatedToClaim, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, allocated=event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(PaymentUnallocated, PaymentUnallocatedFromClaim)
    def unallocated(self, event: PaymentUnallocated | PaymentUnallocatedFromClaim, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, allocated=-event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(PaymentMovedOut)
    def moved_out(self, event: PaymentMovedOut, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, moved=event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(PaymentMoveCancelled, PaymentMoveRecalled)
    def move_ended(self, event: PaymentMoveCancelled | PaymentMoveRecalled, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, moved=-event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(PaymentReturned, PaymentMovedBack)
    def returned(self, event: PaymentReturned | PaymentMovedBack, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, returned=event.amount, claimed=event.claimed)
        yield Put(record.subject, status="returned", unapplied=ZERO)

    @on(PaymentRefunded)
    def refunded(self, event: PaymentRefunded, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, refunded=event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(PaymentRefundFailed)
    def refund_failed(self, event: PaymentRefundFailed, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, refunded=-event.amount)
        yield Put(record.subject, unapplied=event.unapplied)
