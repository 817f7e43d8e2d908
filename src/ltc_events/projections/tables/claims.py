"""What customers owe beside invoices."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.claim import ClaimPaid, ClaimRaised, ClaimUnpaid, ClaimWaived
from ltc_events.schemas.record import Record


class Claims(Projection):
    """Claims as they stand: fees and interest of reminders, and what was refunded of payments that the bank took back. The
    database refuses a row that does not add up."""

    table, version, key = "claims", 1, ("claim_id",)
    columns = {
        "claim_id": column("uuid", "the claim"),
        "customer_id": column("uuid", "the customer"),
        "kind": column("text", "dunning_fee, interest, returned_payment"),
        "reference": column("text", "what it is for, in words"),
        "invoice_id": column("uuid", "the invoice whose reminder it comes from"),
        "instalment": column("int4", "the instalment that was reminded of"),
        "payment_id": column("uuid", "the payment that the bank took back"),
        "raised_on": column("date", "since when it is owed"),
        "due_on": column("date", "when it is due"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "amount": column("numeric", "what was claimed"),
        "paid": column("numeric", "payments put against it, less those taken back", default="0"),
        "waived": column("numeric", "given up", default="0"),
        "balance": column("numeric", "still owed: amount − paid − waived"),
    }
    indexes = (("customer_id",), ("invoice_id", "instalment"))
    checks = {"claim_adds_up": "NEW.balance = NEW.amount - NEW.paid - NEW.waived"}

    @on(ClaimRaised)
    def raised(self, event: ClaimRaised, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            customer_id=record.customer_id,
            kind=event.kind.value,
            reference=event.reference,
            invoice_id=event.invoice_id,
            instalment=event.instalment,
            payment_id=event.payment_id,
            raised_on=record.effective_on,
            due_on=event.due_on,
            currency=event.currency,
            amount=event.amount,
            balance=event.amount,
        )

    @on(ClaimPaid)
    def paid(self, event: ClaimPaid, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, paid=event.amount)
        yield Put(record.subject, balance=event.balance)

    @on(ClaimUnpaid)
    def unpaid(self, event: ClaimUnpaid, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, paid=-event.amount)
        yield Put(record.subject, balance=event.balance)

    @on(ClaimWaived)
    def waived(self, event: ClaimWaived, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, waived=event.amount)
        yield Put(record.subject, balance=event.balance)
