"""The double-entry journal."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from ltc_events.kernel.money import ZERO
from ltc_events.projections.declaration.projection import Balance, Operation, Projection, Put, column, on
from ltc_events.projections.tables.chart_of_accounts import Account
from ltc_events.projections.tables.movement import DATED_IN_ORDER, LINE_NO, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.claim import ClaimKind, ClaimRaised, ClaimWaived
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

_INCOME = {ClaimKind.DUNNING_FEE: Account.DUNNING_FEES, ClaimKind.INTEREST: Account.INTEREST}


class _Amount(Protocol):
    @property
    def amount(self) -> Decimal: ...
    @property
    def currency(self) -> str: ...


class Journal(Projection):
    """The double-entry journal: every document posts an entry, one row per account; the entry of an event adds up to zero
    per currency and the database refuses any that does not. Nothing in it is ever changed."""

    table, version, key = "journal", 3, ("position", "line_no")
    append_only = True
    checks = DATED_IN_ORDER
    balanced = Balance(entry=("position", "currency"), amount="amount")
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **ORDERED,
        "account": column("text", "account: " + ", ".join(Account)),
        "amount": column("numeric", "debit positive, credit negative"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "document": column("text", "what posted it: invoice, credit_note, payment, claim"),
        "document_id": column("uuid", "that invoice, credit note, payment or claim"),
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
        restored = sum((part.tax for part in event.write_off_taxes), ZERO)
        postings = {
            Account.REVENUE: event.net,
            Account.TAX_PAYABLE: event.tax - restored,
            Account.ROUNDING: event.rounding,
            Account.RECEIVABLES: -event.applied,
            Account.BAD_DEBT: restored - event.write_off_reversed,
            Account.PREPAYMENTS: -event.prepaid_credited,
            Account.CUSTOMER_CREDITS: -event.unapplied,
        }
        return _entry(record, "credit_note", event.currency, event.invoice_id, postings)

    @on(CreditNoteApplied)
    def credit_applied(self, event: CreditNoteApplied, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "credit_note", Account.CUSTOMER_CREDITS, Account.RECEIVABLES, event.invoice_id)

    @on(CreditNoteApplicationReversed)
    def credit_unapplied(self, event: CreditNoteApplicationReversed, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "credit_note", Account.RECEIVABLES, Account.CUSTOMER_CREDITS, event.invoice_id)

    @on(CreditNoteRefundFailed)
    def credit_refund_failed(self, event: CreditNoteRefundFailed, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "credit_note", Account.CASH, Account.CUSTOMER_CREDITS)

    @on(CreditNoteRefunded)
    def credit_refunded(self, event: CreditNoteRefunded, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "credit_note", Account.CUSTOMER_CREDITS, Account.CASH)

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        postings = {
            Account.BAD_DEBT: event.amount - event.tax,
            Account.TAX_PAYABLE: event.tax,
            Account.RECEIVABLES: -event.amount,
        }
        return _entry(record, "invoice", event.currency, record.subject, postings)

    @on(WriteOffReversed)
    def write_off_reversed(self, event: WriteOffReversed, record: Record) -> Iterator[Operation]:
        postings = {
            Account.RECEIVABLES: event.amount,
            Account.BAD_DEBT: event.tax - event.amount,
            Account.TAX_PAYABLE: -event.tax,
        }
        return _entry(record, "invoice", event.currency, record.subject, postings)

    @on(PaymentReceived, PaymentRefundFailed)
    def received(self, event: PaymentReceived | PaymentRefundFailed, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.CASH, Account.UNAPPLIED_CASH)

    @on(PaymentAllocated)
    def allocated(self, event: PaymentAllocated, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.UNAPPLIED_CASH, Account.RECEIVABLES, event.invoice_id)

    @on(PaymentUnallocated)
    def unallocated(self, event: PaymentUnallocated, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.RECEIVABLES, Account.UNAPPLIED_CASH, event.invoice_id)

    @on(PaymentRefunded)
    def refunded(self, event: PaymentRefunded, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.UNAPPLIED_CASH, Account.CASH)

    @on(PaymentReturned)
    def returned(self, event: PaymentReturned, record: Record) -> Iterator[Operation]:
        postings = {
            Account.UNAPPLIED_CASH: event.amount - event.claimed,
            Account.CUSTOMER_CLAIMS: event.claimed,
            Account.CASH: -event.amount,
        }
        return _entry(record, "payment", event.currency, None, postings)

    @on(ClaimRaised)
    def claimed(self, event: ClaimRaised, record: Record) -> Iterator[Operation]:
        # A returned payment was claimed by the entry of its return.
        income = _INCOME.get(event.kind)
        postings = {Account.CUSTOMER_CLAIMS: event.amount, income: -event.amount} if income else {}
        return _entry(record, "claim", event.currency, event.invoice_id, postings)

    @on(ClaimWaived)
    def waived(self, event: ClaimWaived, record: Record) -> Iterator[Operation]:
        lost = _INCOME.get(event.kind, Account.BAD_DEBT)
        postings = {lost: event.amount, Account.CUSTOMER_CLAIMS: -event.amount}
        return _entry(record, "claim", event.currency, None, postings)

    @on(PaymentAllocatedToClaim)
    def claim_paid(self, event: PaymentAllocatedToClaim, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.UNAPPLIED_CASH, Account.CUSTOMER_CLAIMS)

    @on(PaymentUnallocatedFromClaim)
    def claim_unpaid(self, event: PaymentUnallocatedFromClaim, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.CUSTOMER_CLAIMS, Account.UNAPPLIED_CASH)

    @on(PaymentMovedOut)
    def moved_out(self, event: PaymentMovedOut, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.UNAPPLIED_CASH, Account.PAYMENTS_IN_TRANSIT)

    @on(PaymentMovedIn, PaymentMoveCancelled, PaymentMoveRecalled)
    def arrived(self, event: PaymentMovedIn | PaymentMoveCancelled | PaymentMoveRecalled, record: Record) -> Iterator[Operation]:
        return _transfer(record, event, "payment", Account.PAYMENTS_IN_TRANSIT, Account.UNAPPLIED_CASH)

    @on(PaymentMovedBack)
    def moved_back(self, event: PaymentMovedBack, record: Record) -> Iterator[Operation]:
        postings = {
            Account.UNAPPLIED_CASH: event.amount - event.claimed,
            Account.CUSTOMER_CLAIMS: event.claimed,
            Account.PAYMENTS_IN_TRANSIT: -event.amount,
        }
        return _entry(record, "payment", event.currency, None, postings)


def _transfer(
    record: Record, event: _Amount, document: str, debit: Account, credit: Account, invoice_id: UUID | None = None
) -> Iterator[Operation]:
    """The whole amount of the event from one account to another."""
    return _entry(record, document, event.currency, invoice_id, {debit: event.amount, credit: -event.amount})


def _entry(
    record: Record, document: str, currency: str, invoice_id: UUID | None, postings: dict[Account, Decimal]
) -> Iterator[Operation]:
    posted = [(account, amount) for account, amount in postings.items() if amount != ZERO]
    for line_no, (account, amount) in enumerate(posted, 1):
        yield Put(
            record.position,
            line_no,
            **ordered(record),
            account=account.value,
            amount=amount,
            currency=currency,
            document=document,
            document_id=record.subject,
            invoice_id=invoice_id,
            event=record.event.type,
        )
