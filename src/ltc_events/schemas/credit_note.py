"""Credit note: the only way to correct an issued invoice downwards."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import Code, Command, Event, Exact, Name, Positive, Schema
from ltc_events.schemas.invoice import InvoiceLine, Part, TaxSubtotal
from ltc_events.schemas.payment import AllocationRequest


class CreditReason(StrEnum):
    """Why an invoice is credited."""

    DUPLICATE = "duplicate"
    UNSATISFACTORY = "unsatisfactory"
    ORDER_CHANGE = "order_change"
    CANCELLATION = "cancellation"
    FRAUD = "fraud"
    OTHER = "other"


class CreditLine(Schema):
    """What of an invoice line is credited: a net amount before tax, or a quantity's share of the line.

    `bill_again` says of this line otherwise than the credit note does of all.
    """

    line: int = Field(ge=1)
    amount: Positive | None = None
    quantity: Positive | None = None
    bill_again: bool | None = None


class IssueCreditNote(Command):
    """Credit an invoice, in whole (no `lines`) or in part. Its subject is the credit note's own id.

    A credit is for good: less is charged for what was sold (IFRS 15, ASC 606). With `bill_again` the sale stands and only its
    invoice was wrong: the quantities are billable on the order again, at the order's price.

    It meets what the invoice owes first, then what was written off of it, which nobody paid. Only the rest, which was paid,
    stands to the customer's credit. What the invoice states as prepaid (EN 16931 BT-113) counts as paid: that money came in
    outside of this ledger, the invoice says so, and the customer may have it back.
    """

    type: ClassVar[str] = "credit_note.issue.v1"
    invoice_id: UUID
    series: Code = "CN"
    reason: CreditReason
    note: Name | None = None
    bill_again: bool = False
    lines: tuple[CreditLine, ...] = Field(default=(), max_length=500)


class ApplyCreditNote(Command):
    """Put what is unapplied of a credit note against open invoices of the customer, as told; else against what is due first."""

    type: ClassVar[str] = "credit_note.apply.v1"
    allocations: tuple[AllocationRequest, ...] = Field(default=(), max_length=200)


class RefundCreditNote(Command):
    """Pay out what is unapplied of a credit note; without `amount`, all of it."""

    type: ClassVar[str] = "credit_note.refund.v1"
    amount: Positive | None = None
    reason: Name


class CreditNoteIssued(Event):
    """A credit note was issued. `applied` went against what the invoice owed, `write_off_reversed` against what had been
    written off of it; `unapplied`, which the customer has paid, stands to his credit.

    `net` = Σ line nets + `adjustment`, the lines' share of the invoice's allowances (negative) and charges;
    `payable` = net + tax + `rounding` = applied + write_off_reversed + unapplied.
    """

    type: ClassVar[str] = "credit_note.issued.v1"
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


class CreditNoteApplied(Event):
    """Part or all of what was unapplied was put against one invoice. `opportunity_id` is that of the invoice it corrected."""

    type: ClassVar[str] = "credit_note.applied.v1"
    invoice_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact


class CreditNoteRefunded(Event):
    """Part or all of what was unapplied was paid out to the customer."""

    type: ClassVar[str] = "credit_note.refunded.v1"
    opportunity_id: UUID | None = None
    currency: str
    amount: Exact
    unapplied: Exact
    reason: str
