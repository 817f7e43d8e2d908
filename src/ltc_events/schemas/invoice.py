"""Invoice: issued from an order by EN 16931 arithmetic, never changed afterwards (R-63 … R-70)."""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    Amount,
    Code,
    Command,
    Event,
    Exact,
    Name,
    NotNegative,
    Percent,
    Positive,
    References,
    Schema,
)
from ltc_events.schemas.order import LineAmount, LineQuantity
from ltc_events.schemas.policy import Term

RoundingMethod = Literal["document", "line"]
"""Where tax is rounded: once per tax category over the document, or per line and then added up."""


class DocumentCharge(Schema):
    """An allowance or charge on the whole document with its tax (EN 16931 BG-20, BG-21); the amount is before tax."""

    amount: NotNegative
    reason: Name
    tax_category: Code = "S"
    tax_rate: Percent


class IssueInvoice(Command):
    """Bill an order (R-64). No `lines`: all that is billable by policy `billing`. The invoice date is `effective_on`.

    `terms` are given, named by `terms_code` in policy `payment_terms`, or else the policy's `default`.
    `cash_rounding` rounds what is payable to a multiple, e.g. "0.05" (EN 16931 BT-114).
    `stated_payable` is what the source says: the invoice is refused with both figures unless it comes out.
    """

    type: ClassVar[str] = "invoice.issue.v1"
    order_id: UUID
    series: Code = "INV"
    basis: Literal["ordered", "delivered"] | None = None
    lines: tuple[LineQuantity, ...] = Field(default=(), max_length=500)
    allowances: tuple[DocumentCharge, ...] = Field(default=(), max_length=50)
    charges: tuple[DocumentCharge, ...] = Field(default=(), max_length=50)
    rounding_method: RoundingMethod = "document"
    terms: tuple[Term, ...] = Field(default=(), max_length=120)
    terms_code: Code | None = None
    prepaid: NotNegative | None = None
    cash_rounding: Positive | None = None
    stated_payable: Amount | None = None
    references: References = {}


class WriteOffInvoice(Command):
    """Give up on part of what is owed; without `amount`, on all of it."""

    type: ClassVar[str] = "invoice.write_off.v1"
    amount: Positive | None = None
    reason: Name


class DisputeInvoice(Command):
    """The customer contests the invoice; reminders stop."""

    type: ClassVar[str] = "invoice.dispute.v1"
    reason: Name


class ResolveDispute(Command):
    """The dispute is settled."""

    type: ClassVar[str] = "invoice.resolve_dispute.v1"
    resolution: Name


class PromisePayment(Command):
    """The customer promises to pay by a day (R-67); reminders wait for it."""

    type: ClassVar[str] = "invoice.promise_payment.v1"
    promised_on: date
    amount: Positive | None = None
    by: Name | None = None


class SendDunningNotice(Command):
    """Remind of an overdue instalment (R-66); the level, interest and fee follow from policy `dunning`."""

    type: ClassVar[str] = "invoice.send_dunning_notice.v1"
    instalment: int = Field(ge=1)


class InvoiceLine(Schema):
    """A billed line: its net amount before tax, and the order and quote line it comes from (R-65)."""

    line: int
    order_line: int
    quote_line: int | None = None
    sku: str
    description: str
    quantity: Exact
    net: Exact
    tax_category: str
    tax_rate: Exact


class TaxSubtotal(Schema):
    """Tax of one category and rate on its taxable amount (EN 16931 BG-23, BR-CO-17)."""

    category: str
    rate: Exact
    taxable: Exact
    tax: Exact


class Instalment(Schema):
    """A share of what is payable and when it is due."""

    number: int
    due_on: date
    amount: Exact


class Part(Schema):
    """An amount against one instalment."""

    instalment: int
    amount: Exact


class InvoiceIssued(Event):
    """An invoice was issued. EN 16931: BR-CO-10 … BR-CO-17 hold.

    `line_total` = Σ line nets; `net` = line total − allowances + charges; `gross` = net + tax;
    `payable` = gross − prepaid + rounding; the instalments add up to `payable`.
    """

    type: ClassVar[str] = "invoice.issued.v1"
    number: str
    order_id: UUID
    quote_id: UUID | None = None
    opportunity_id: UUID | None = None
    currency: str
    lines: tuple[InvoiceLine, ...]
    allowances: tuple[DocumentCharge, ...] = ()
    charges: tuple[DocumentCharge, ...] = ()
    taxes: tuple[TaxSubtotal, ...]
    line_total: Exact
    allowance_total: Exact
    charge_total: Exact
    net: Exact
    tax: Exact
    gross: Exact
    prepaid: Exact
    rounding: Exact
    payable: Exact
    instalments: tuple[Instalment, ...]
    rounding_method: RoundingMethod
    billing_version: int
    terms_version: int
    references: dict[str, str] = {}


class PaymentApplied(Event):
    """Money was put against instalments of the invoice."""

    type: ClassVar[str] = "invoice.payment_applied.v1"
    payment_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact


class PaymentRemoved(Event):
    """Money that had been put against the invoice was taken back; the instalments are open again."""

    type: ClassVar[str] = "invoice.payment_removed.v1"
    payment_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact
    reason: str


class InvoiceCredited(Event):
    """A credit note was put against instalments of the invoice; `lines` says what of the invoice's lines it credits.

    `write_off_reversed` of it, per instalment in `write_off_parts`, went against what had been written off, and is
    no longer; that is beside `amount` and leaves the balance as it is.
    """

    type: ClassVar[str] = "invoice.credited.v1"
    credit_note_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    lines: tuple[LineAmount, ...]
    parts: tuple[Part, ...]
    amount: Exact
    credited_net: Exact
    balance: Exact
    write_off_reversed: Exact = Decimal(0)
    write_off_parts: tuple[Part, ...] = ()


class CreditApplied(Event):
    """What was unapplied of a credit note for another invoice was put against instalments of this one, as money would be."""

    type: ClassVar[str] = "invoice.credit_applied.v1"
    credit_note_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact


class InvoiceWrittenOff(Event):
    """Part of what is owed was given up."""

    type: ClassVar[str] = "invoice.written_off.v1"
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact
    reason: str


class InvoiceSettled(Event):
    """Nothing is owed on the invoice any more."""

    type: ClassVar[str] = "invoice.settled.v1"


class InvoiceReopened(Event):
    """Something is owed on the invoice again."""

    type: ClassVar[str] = "invoice.reopened.v1"
    balance: Exact


class InvoiceDisputed(Event):
    """The customer contested the invoice."""

    type: ClassVar[str] = "invoice.disputed.v1"
    reason: str


class DisputeResolved(Event):
    """The dispute was settled."""

    type: ClassVar[str] = "invoice.dispute_resolved.v1"
    resolution: str


class PaymentPromised(Event):
    """The customer promised to pay."""

    type: ClassVar[str] = "invoice.payment_promised.v1"
    promised_on: date
    amount: Exact
    by: str | None = None


class DunningNoticeSent(Event):
    """A reminder went out: `total` = outstanding + interest + fee; interest = outstanding × rate ÷ 100 ÷ 365 × days."""

    type: ClassVar[str] = "invoice.dunning_notice_sent.v1"
    instalment: int
    level: int
    days_overdue: int
    outstanding: Exact
    interest: Exact
    fee: Exact
    total: Exact
    currency: str
    policy_version: int
