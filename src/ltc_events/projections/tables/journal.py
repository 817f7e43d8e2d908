"""The double-entry journal."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from ltc_events.kernel.money import ZERO
from ltc_events.projections.accounts import Account
from ltc_events.projections.base import Balance, Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import LINE_NO, WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.credit_note import CreditNoteApplied, CreditNoteIssued, CreditNoteRefunded
from ltc_events.schemas.invoice import InvoiceIssued, InvoiceWrittenOff
from ltc_events.schemas.payment import PaymentAllocated, PaymentReceived, PaymentRefunded, PaymentReturned, PaymentUnallocated
from ltc_events.schemas.record import Record


class Journal(Projection):
    """The double-entry journal: every document posts an entry, one row per account; the entry of an event adds up to zero
    per currency and the database refuses any that does not. Nothing in it is ever changed."""

    table, version, key = "journal", 1, ("position", "line_no")
    append_only = True
    balanced = Balance(entry=("position", "currency"), amount="amount")
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **WHEN,
        "account": column("text", "account: " + ", ".join(Account)),
        "amount": column("numeric", "debit positive, credit negative"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "document": column("text", "what posted it: invoice, credit_note, payment"),
        "document_id": column("uuid", "that invoice, credit note or payment"),
        "invoice_id": column("uuid", "the invoice that it concerns, if any"),
        "event": column("text", "stable name of the event"),
    }
    indexes = (("effective_on",), ("document_id",), ("invoice_id",))

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        postings = {
            Account.RECEIVABLES: event.payable,
            Account.PREPAYMENTS: event.prepaid,
            Account.REVENUE: -event.net,
            Account.TAX_PAYABLE: -event.tax,
            Account.ROUNDING: -event.rounding,
        }
        return _entry(record, "invoice", event.currency, record.subject, postings)

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        postings = {
            Account.REVENUE: event.net,
            Account.TAX_PAYABLE: event.tax,
            Account.ROUNDING: event.rounding,
            Account.RECEIVABLES: -event.applied,
            Account.BAD_DEBT: -event.write_off_reversed,
            Account.CUSTOMER_CREDITS: -event.unapplied,
        }
        return _entry(record, "credit_note", event.currency, event.invoice_id, postings)

    @on(CreditNoteApplied)
    def credit_applied(self, event: CreditNoteApplied, record: Record) -> Iterator[Operation]:
        postings = {Account.CUSTOMER_CREDITS: event.amount, Account.RECEIVABLES: -event.amount}
        return _entry(record, "credit_note", event.currency, event.invoice_id, postings)

    @on(CreditNoteRefunded)
    def credit_refunded(self, event: CreditNoteRefunded, record: Record) -> Iterator[Operation]:
        postings = {Account.CUSTOMER_CREDITS: event.amount, Account.CASH: -event.amount}
        return _entry(record, "credit_note", event.currency, None, postings)

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        postings = {Account.BAD_DEBT: event.amount, Account.RECEIVABLES: -event.amount}
        return _entry(record, "invoice", event.currency, record.subject, postings)

    @on(PaymentReceived)
    def received(self, event: PaymentReceived, record: Record) -> Iterator[Operation]:
        postings = {Account.CASH: event.amount, Account.UNAPPLIED_CASH: -event.amount}
        return _entry(record, "payment", event.currency, None, postings)

    @on(PaymentAllocated)
    def allocated(self, event: PaymentAllocated, record: Record) -> Iterator[Operation]:
        postings = {Account.UNAPPLIED_CASH: event.amount, Account.RECEIVABLES: -event.amount}
        return _entry(record, "payment", event.currency, event.invoice_id, postings)

    @on(PaymentUnallocated)
    def unallocated(self, event: PaymentUnallocated, record: Record) -> Iterator[Operation]:
        postings = {Account.RECEIVABLES: event.amount, Account.UNAPPLIED_CASH: -event.amount}
        return _entry(record, "payment", event.currency, event.invoice_id, postings)

    @on(PaymentReturned, PaymentRefunded)
    def gone(self, event: PaymentReturned | PaymentRefunded, record: Record) -> Iterator[Operation]:
        postings = {Account.UNAPPLIED_CASH: event.amount, Account.CASH: -event.amount}
        return _entry(record, "payment", event.currency, None, postings)


def _entry(
    record: Record, document: str, currency: str, invoice_id: UUID | None, postings: dict[Account, Decimal]
) -> Iterator[Operation]:
    posted = [(account, amount) for account, amount in postings.items() if amount != ZERO]
    for line_no, (account, amount) in enumerate(posted, 1):
        yield Put(
            record.position,
            line_no,
            **when(record),
            account=account.value,
            amount=amount,
            currency=currency,
            document=document,
            document_id=record.subject,
            invoice_id=invoice_id,
            event=record.event.type,
        )
