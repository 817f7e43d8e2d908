"""Payments as they stand."""

from collections.abc import Iterator

from ltc_events.kernel.money import ZERO
from ltc_events.projections.base import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.payment import PaymentAllocated, PaymentReceived, PaymentRefunded, PaymentReturned, PaymentUnallocated
from ltc_events.schemas.record import Record


class Payments(Projection):
    """Payments as they stand: how much of each is put against invoices, went back, or is unapplied cash. The database
    refuses a row that does not add up."""

    table, version, key = "payments", 1, ("payment_id",)
    columns = {
        "payment_id": column("uuid", "the payment"),
        "customer_id": column("uuid", "the customer"),
        "status": column("text", "received, or returned by the bank"),
        "received_on": column("date", "value date"),
        "amount": column("numeric", "what came in"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "method": column("text", "how it was paid"),
        "reference": column("text", "what the payer wrote"),
        "payer": column("text", "who paid"),
        "allocated": column("numeric", "put against invoices", default="0"),
        "returned": column("numeric", "taken back by the bank", default="0"),
        "refunded": column("numeric", "sent back to the customer", default="0"),
        "unapplied": column("numeric", "unapplied cash: amount − allocated − returned − refunded", default="0"),
        "external_references": column("jsonb", "its names in other systems"),
    }
    indexes = (("customer_id",), ("reference",))
    checks = {"payment_adds_up": "NEW.unapplied = NEW.amount - NEW.allocated - NEW.returned - NEW.refunded"}

    @on(PaymentReceived)
    def received(self, event: PaymentReceived, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            customer_id=record.customer_id,
            status="received",
            received_on=record.effective_on,
            amount=event.amount,
            currency=event.currency,
            method=event.method,
            reference=event.reference,
            payer=event.payer,
            unapplied=event.amount,
            external_references=event.references,
        )

    @on(PaymentAllocated)
    def allocated(self, event: PaymentAllocated, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, allocated=event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(PaymentUnallocated)
    def unallocated(self, event: PaymentUnallocated, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, allocated=-event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(PaymentReturned)
    def returned(self, event: PaymentReturned, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, returned=event.amount)
        yield Put(record.subject, status="returned", unapplied=ZERO)

    @on(PaymentRefunded)
    def refunded(self, event: PaymentRefunded, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, refunded=event.amount)
        yield Put(record.subject, unapplied=event.unapplied)
