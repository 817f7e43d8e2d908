"""Credit note: the only way to correct an issued invoice downwards."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    Code,
    Command,
    DocumentNumber,
    Exact,
    Flag,
    Id,
    InstalmentNumber,
    LineNumber,
    MoneyEvent,
    Name,
    Positive,
    Schema,
)
from ltc_events.schemas.invoice import InvoiceLine, TaxSubtotal
from ltc_events.schemas.limits import LINES_MAX
from ltc_events.schemas.payment import AllocationRequest
from ltc_events.schemas.receivable import Part
from ltc_events.schemas.summary_text import money, words


class CreditReason(StrEnum):
    """Why an invoice is credited."""

    DUPLICATE = "duplicate"
    UNSATISFACTORY = "unsatisfactory"
    ORDER_CHANGE = "order_change"
    CANCELLATION = "cancellation"
    FRAUD = "fraud"
    OTHER = "other"


class CreditLine(Schema):
    """The credited part of an invoice line: a net amount before tax, or a quantity's share of the line.

    `bill_again` overrides, for this line, that of the credit note.
    """

    line: LineNumber
    amount: Positive | None = None
    quantity: Positive | None = None
    bill_again: Flag | None = None


class IssueCreditNote(Command):
    """Credit an invoice, in whole (no `lines`) or in part. The subject is the credit note's own id.

    A credit reduces the price of what was sold (IFRS 15, ASC 606). With `bill_again` the sale stands and only the invoice was
    wrong: the quantities are billable on the order again, at the order's price. The credit first reduces what the invoice
    owes, then what was written off of it. Of the rest, what was paid in this ledger becomes credit of the customer. What the
    invoice states as prepaid (EN 16931 BT-113) was paid outside of this ledger: its credited part is refunded there, and
    never from here.

    `number` is the one that the document has from another system; it is kept, and refused where another document has it.
    Without it the document gets the next number of `series` in its fiscal year.
    """

    type: ClassVar[str] = "credit_note.issue.v1"
    touches: ClassVar[tuple[str, ...]] = ("invoice_id",)
    begins_for_customer: ClassVar[bool] = True
    invoice_id: Id
    series: Code = "CN"
    number: DocumentNumber | None = None
    reason: CreditReason
    note: Name | None = None
    bill_again: Flag = False
    lines: tuple[CreditLine, ...] = Field(default=(), max_length=LINES_MAX)
    approver: Name | None = Field(default=None, description="who else is for it, where policy access asks for four eyes")


class ApplyCreditNote(Command):
    """Apply the unapplied credit to open invoices of the customer: to the stated ones, else to those due first."""

    type: ClassVar[str] = "credit_note.apply.v1"
    touches: ClassVar[tuple[str, ...]] = ("allocations.invoice_id",)
    allocations: tuple[AllocationRequest, ...] = Field(default=(), max_length=200)

    def listed_noun(self) -> str | None:
        return None if self.allocations else "invoice"


class UnapplyCreditNote(Command):
    """Reverse the application of a credit note to an invoice: all of it, that to one `instalment`, or `amount` of either,
    from the last instalment on. The credit of the credit note's own invoice stays as issued.
    """

    type: ClassVar[str] = "credit_note.unapply.v1"
    touches: ClassVar[tuple[str, ...]] = ("invoice_id",)
    invoice_id: Id
    instalment: InstalmentNumber | None = None
    amount: Positive | None = None
    reason: Name


class RefundCreditNote(Command):
    """Refund the unapplied credit; without `amount`, all of it."""

    type: ClassVar[str] = "credit_note.refund.v1"
    amount: Positive | None = None
    reason: Name


class ReportFailedCreditRefund(Command):
    """Record that a refund failed, since the account is closed or unknown: the amount is unapplied credit again."""

    type: ClassVar[str] = "credit_note.report_failed_refund.v1"
    amount: Positive | None = None
    reason: Name


class CreditNoteIssued(MoneyEvent):
    """A credit note was issued.

    `applied` reduced what the invoice owed, `write_off_reversed` what had been written off of it, `prepaid_credited` what it
    states as prepaid; `unapplied`, which the customer has paid here, is credit of the customer. `net` = Σ line nets +
    `adjustment`, the lines' share of the invoice's allowances (negative) and charges; `payable` = net + tax + `rounding` =
    applied + write_off_reversed + prepaid_credited + unapplied. `write_off_taxes`, relieved in `write_off_relieved` of what
    was written off, are owed again.
    """

    type: ClassVar[str] = "credit_note.issued.v1"
    limited_at: ClassVar[str] = "payable"
    number: str
    invoice_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    reason: CreditReason
    note: str | None = None
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxSubtotal, ...]
    line_total: Exact
    adjustment: Exact
    net: Exact
    tax: Exact
    rounding: Exact
    payable: Exact
    applied: Exact
    unapplied: Exact
    parts: tuple[Part, ...]
    write_off_reversed: Exact = Decimal(0)
    write_off_parts: tuple[Part, ...] = ()
    write_off_relieved: Exact = Decimal(0)
    write_off_taxes: tuple[TaxSubtotal, ...] = ()
    prepaid_credited: Exact = Decimal(0)
    approver: str | None = None

    def in_words(self) -> str:
        return f"credit note {self.number}: {money(self.payable, self.currency)}, {words(self.reason)}"


class CreditNoteApplied(MoneyEvent):
    """Part or all of the unapplied credit was applied to one invoice.

    `opportunity_id` is that of the invoice that the credit note corrects.
    """

    type: ClassVar[str] = "credit_note.applied.v1"
    invoice_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} of it put against an invoice, {self.unapplied:,f} left"


class CreditNoteRefunded(MoneyEvent):
    """Part or all of the unapplied credit was refunded to the customer."""

    type: ClassVar[str] = "credit_note.refunded.v1"
    limited_at: ClassVar[str] = "amount"
    opportunity_id: UUID | None = None
    currency: str
    amount: Exact
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} of it refunded: {self.reason}"


class CreditNoteApplicationReversed(MoneyEvent):
    """An application to an invoice was reversed; the amount is unapplied again."""

    type: ClassVar[str] = "credit_note.application_reversed.v1"
    invoice_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} of it taken back from an invoice, {self.unapplied:,f} left: {self.reason}"


class CreditNoteRefundFailed(MoneyEvent):
    """A refund failed; the amount is unapplied again."""

    type: ClassVar[str] = "credit_note.refund_failed.v1"
    opportunity_id: UUID | None = None
    currency: str
    amount: Exact
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"refund of {money(self.amount, self.currency)} came back: {self.reason}"
