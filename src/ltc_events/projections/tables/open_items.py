"""What customers owe and what they are owed, as it stands."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from ltc_events.kernel.money import ZERO
from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.claim import ClaimRaised, ClaimWaived
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
)
from ltc_events.schemas.invoice import InvoiceIssued
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
from ltc_events.schemas.receivable import InvoiceWrittenOff, WriteOffReversed
from ltc_events.schemas.record import Record


class OpenItems(Projection):
    """What customers owe and what they are owed: one row per instalment of an invoice, one per payment (its unapplied
    cash, negative) and one per credit note that exceeded what its invoice owed (negative) (R-63 … R-69). The database
    refuses a row that does not add up."""

    table, version, key = "open_items", 2, ("item_id", "instalment")
    columns = {
        "item_id": column("uuid", "the invoice, payment, credit note or claim"),
        "instalment": column("int4", "number of the instalment of an invoice, from 1; else 0"),
        "kind": column("text", "invoice, payment, credit_note, claim"),
        "number": column("text", "number of the invoice or credit note; reference of the payment or claim"),
        "customer_id": column("uuid", "the customer"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "document_on": column("date", "invoice date, value date of the payment, date of the credit note"),
        "due_on": column("date", "when the instalment is due; else the date of the document"),
        "invoiced": column("numeric", "amount of the instalment, or of the claim", default="0"),
        "paid": column("numeric", "paid on the instalment, by money or by credit; of a payment: its unapplied cash", default="0"),
        "credited": column("numeric", "credited on the instalment; of a credit note: what stands alone", default="0"),
        "written_off": column("numeric", "given up, less what was credited of that or is owed again", default="0"),
        "outstanding": column("numeric", "invoiced − paid − credited − written off", default="0"),
        "last_position": column("int8", "position of the last event that moved it"),
    }
    indexes = (("customer_id",), ("outstanding",), ("last_position",))
    checks = {"item_adds_up": "NEW.outstanding = NEW.invoiced - NEW.paid - NEW.credited - NEW.written_off"}

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        for part in event.instalments:
            yield Put(
                record.subject,
                part.number,
                kind="invoice",
                number=event.number,
                customer_id=record.customer_id,
                currency=event.currency,
                document_on=record.effective_on,
                due_on=part.due_on,
                invoiced=part.amount,
                outstanding=part.amount,
                last_position=record.position,
            )

    @on(PaymentReceived, PaymentMovedIn)
    def received(self, event: PaymentReceived | PaymentMovedIn, record: Record) -> Iterator[Operation]:
        received_on = event.received_on if isinstance(event, PaymentMovedIn) else record.effective_on
        yield Put(
            record.subject,
            0,
            kind="payment",
            number=event.reference,
            customer_id=record.customer_id,
            currency=event.currency,
            document_on=received_on,
            due_on=received_on,
            paid=event.amount,
            outstanding=-event.amount,
            last_position=record.position,
        )

    @on(PaymentAllocated)
    def allocated(self, event: PaymentAllocated, record: Record) -> Iterator[Operation]:
        position = record.position
        yield Put(record.subject, 0, last_position=position)
        yield Add(record.subject, 0, paid=-event.amount, outstanding=event.amount)
        for part in event.parts:
            yield Put(event.invoice_id, part.instalment, last_position=position)
            yield Add(event.invoice_id, part.instalment, paid=part.amount, outstanding=-part.amount)

    @on(PaymentUnallocated)
    def unallocated(self, event: PaymentUnallocated, record: Record) -> Iterator[Operation]:
        position = record.position
        yield Put(record.subject, 0, last_position=position)
        yield Add(record.subject, 0, paid=event.amount, outstanding=-event.amount)
        for part in event.parts:
            yield Put(event.invoice_id, part.instalment, last_position=position)
            yield Add(event.invoice_id, part.instalment, paid=-part.amount, outstanding=part.amount)

    @on(PaymentReturned, PaymentMovedBack, PaymentRefunded, PaymentMovedOut)
    def withdrawn(
        self, event: PaymentReturned | PaymentMovedBack | PaymentRefunded | PaymentMovedOut, record: Record
    ) -> Iterator[Operation]:
        amount = event.amount - event.claimed if isinstance(event, PaymentReturned | PaymentMovedBack) else event.amount
        yield Put(record.subject, 0, last_position=record.position)
        yield Add(record.subject, 0, paid=-amount, outstanding=amount)

    @on(ClaimRaised)
    def claimed(self, event: ClaimRaised, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            0,
            kind="claim",
            number=event.reference,
            customer_id=record.customer_id,
            currency=event.currency,
            document_on=record.effective_on,
            due_on=event.due_on,
            invoiced=event.amount,
            outstanding=event.amount,
            last_position=record.position,
        )

    @on(ClaimWaived)
    def waived(self, event: ClaimWaived, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, 0, last_position=record.position)
        yield Add(record.subject, 0, written_off=event.amount, outstanding=-event.amount)

    @on(PaymentAllocatedToClaim)
    def claim_paid(self, event: PaymentAllocatedToClaim, record: Record) -> Iterator[Operation]:
        return _claim_paid(record, event.claim_id, event.amount)

    @on(PaymentUnallocatedFromClaim)
    def claim_unpaid(self, event: PaymentUnallocatedFromClaim, record: Record) -> Iterator[Operation]:
        return _claim_paid(record, event.claim_id, -event.amount)

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        for part in event.parts:
            yield Put(event.invoice_id, part.instalment, last_position=record.position)
            yield Add(event.invoice_id, part.instalment, credited=part.amount, outstanding=-part.amount)
        for part in event.write_off_parts:
            yield Put(event.invoice_id, part.instalment, last_position=record.position)
            yield Add(event.invoice_id, part.instalment, credited=part.amount, written_off=-part.amount)
        if event.unapplied != ZERO:
            yield Put(
                record.subject,
                0,
                kind="credit_note",
                number=event.number,
                customer_id=record.customer_id,
                currency=event.currency,
                document_on=record.effective_on,
                due_on=record.effective_on,
                credited=event.unapplied,
                outstanding=-event.unapplied,
                last_position=record.position,
            )

    @on(CreditNoteApplied)
    def credit_applied(self, event: CreditNoteApplied, record: Record) -> Iterator[Operation]:
        position = record.position
        yield Put(record.subject, 0, last_position=position)
        yield Add(record.subject, 0, credited=-event.amount, outstanding=event.amount)
        for part in event.parts:
            yield Put(event.invoice_id, part.instalment, last_position=position)
            yield Add(event.invoice_id, part.instalment, paid=part.amount, outstanding=-part.amount)

    @on(CreditNoteRefunded)
    def credit_refunded(self, event: CreditNoteRefunded, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, 0, last_position=record.position)
        yield Add(record.subject, 0, credited=-event.amount, outstanding=event.amount)

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        for part in event.parts:
            yield Put(record.subject, part.instalment, last_position=record.position)
            yield Add(record.subject, part.instalment, written_off=part.amount, outstanding=-part.amount)

    @on(WriteOffReversed)
    def write_off_reversed(self, event: WriteOffReversed, record: Record) -> Iterator[Operation]:
        for part in event.parts:
            yield Put(record.subject, part.instalment, last_position=record.position)
            yield Add(record.subject, part.instalment, written_off=-part.amount, outstanding=part.amount)

    @on(PaymentRefundFailed, PaymentMoveCancelled, PaymentMoveRecalled)
    def back(
        self, event: PaymentRefundFailed | PaymentMoveCancelled | PaymentMoveRecalled, record: Record
    ) -> Iterator[Operation]:
        yield Put(record.subject, 0, last_position=record.position)
        yield Add(record.subject, 0, paid=event.amount, outstanding=-event.amount)

    @on(CreditNoteApplicationReversed)
    def credit_unapplied(self, event: CreditNoteApplicationReversed, record: Record) -> Iterator[Operation]:
        position = record.position
        yield Put(record.subject, 0, last_position=position)
        yield Add(record.subject, 0, credited=event.amount, outstanding=-event.amount)
        for part in event.parts:
            yield Put(event.invoice_id, part.instalment, last_position=position)
            yield Add(event.invoice_id, part.instalment, paid=-part.amount, outstanding=part.amount)

    @on(CreditNoteRefundFailed)
    def credit_refund_failed(self, event: CreditNoteRefundFailed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, 0, last_position=record.position)
        yield Add(record.subject, 0, credited=event.amount, outstanding=-event.amount)


def _claim_paid(record: Record, claim_id: UUID, amount: Decimal) -> Iterator[Operation]:
    for id, paid in ((record.subject, -amount), (claim_id, amount)):
        yield Put(id, 0, last_position=record.position)
        yield Add(id, 0, paid=paid, outstanding=-paid)
