"""Credit notes."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
)
from ltc_events.schemas.record import Record


class CreditNotes(Projection):
    """Credit notes, one row each; amounts are positive. `applied` went against what the invoice owed, `write_off_reversed`
    against what had been given up of it, `prepaid_credited` against what it states as prepaid; `unapplied` stands to the
    customer's credit: until it is put against another invoice, or refunded."""

    table, version, key = "credit_notes", 4, ("credit_note_id",)
    columns = {
        "credit_note_id": column("uuid", "the credit note"),
        "number": column("text", "its number: gapless per series and year, or that of another system"),
        "customer_id": column("uuid", "the customer"),
        "invoice_id": column("uuid", "the invoice it corrects"),
        "opportunity_id": column("uuid", "the opportunity behind the invoice"),
        "issued_on": column("date", "its date"),
        "reason": column("text", "duplicate, unsatisfactory, order_change, cancellation, fraud, other"),
        "note": column("text", "the reason in words"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "net": column("numeric", "net amount credited"),
        "tax": column("numeric", "tax on it"),
        "rounding": column("numeric", "rounding of what is payable"),
        "payable": column("numeric", "net + tax + rounding"),
        "applied": column("numeric", "went against what the invoice owed"),
        "write_off_reversed": column("numeric", "went against what had been written off of the invoice"),
        "prepaid_credited": column("numeric", "went against what the invoice states as prepaid, outside of this ledger"),
        "applied_elsewhere": column("numeric", "went against other invoices since", default="0"),
        "refunded": column("numeric", "was paid out since", default="0"),
        "unapplied": column(
            "numeric", "stands alone: payable less applied, write_off_reversed, prepaid_credited, applied_elsewhere, refunded"
        ),
        "position": column("int8", "position of the event in the log"),
    }
    indexes = (("customer_id",), ("invoice_id",), ("number",))
    checks = {
        "credit_adds_up": "NEW.payable = NEW.applied + NEW.write_off_reversed + NEW.prepaid_credited + NEW.applied_elsewhere"
        " + NEW.refunded + NEW.unapplied"
    }

    @on(CreditNoteIssued)
    def issued(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            number=event.number,
            customer_id=record.customer_id,
            invoice_id=event.invoice_id,
            opportunity_id=event.opportunity_id,
            issued_on=record.effective_on,
            reason=event.reason.value,
            note=event.note,
            currency=event.currency,
            net=event.net,
            tax=event.tax,
            rounding=event.rounding,
            payable=event.payable,
            applied=event.applied,
            write_off_reversed=event.write_off_reversed,
            prepaid_credited=event.prepaid_credited,
            unapplied=event.unapplied,
            position=record.position,
        )

    @on(CreditNoteApplied)
    def applied(self, event: CreditNoteApplied, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, applied_elsewhere=event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(CreditNoteRefunded)
    def refunded(self, event: CreditNoteRefunded, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, refunded=event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(CreditNoteApplicationReversed)
    def unapplied(self, event: CreditNoteApplicationReversed, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, applied_elsewhere=-event.amount)
        yield Put(record.subject, unapplied=event.unapplied)

    @on(CreditNoteRefundFailed)
    def refund_failed(self, event: CreditNoteRefundFailed, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, refunded=-event.amount)
        yield Put(record.subject, unapplied=event.unapplied)
