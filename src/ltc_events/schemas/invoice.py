"""Invoice: issued from an order by EN 16931 arithmetic, never changed afterwards (R-63 … R-70)."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    Amount,
    Code,
    Command,
    Currency,
    Event,
    Name,
    NotNegative,
    Percent,
    Positive,
    References,
    Schema,
)
from ltc_events.schemas.order import LineQuantity
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
    sku: Code
    description: Name
    quantity: Amount
    net: Amount
    tax_category: Code
    tax_rate: Percent


class TaxSubtotal(Schema):
    """Tax of one category and rate on its taxable amount (EN 16931 BG-23, BR-CO-17)."""

    category: Code
    rate: Percent
    taxable: Amount
    tax: Amount


class Instalment(Schema):
    """A share of what is payable and when it is due."""

    number: int
    due_on: date
    amount: Amount


class Part(Schema):
    """An amount against one instalment."""

    instalment: int
    amount: Amount


class InvoiceIssued(Event):
    """An invoice was issued. EN 16931: BR-CO-10 … BR-CO-17 hold.

    `line_total` = Σ line nets; `net` = line total − allowances + charges; `gross` = net + tax;
    `payable` = gross − prepaid + rounding; the instalments add up to `payable`.
    """

    type: ClassVar[str] = "invoice.issued.v1"
    number: Name
    order_id: UUID
    quote_id: UUID | None = None
    opportunity_id: UUID | None = None
    currency: Currency
    lines: tuple[InvoiceLine, ...]
    allowances: tuple[DocumentCharge, ...] = ()
    charges: tuple[DocumentCharge, ...] = ()
    taxes: tuple[TaxSubtotal, ...]
    line_total: Amount
    allowance_total: NotNegative
    charge_total: NotNegative
    net: Amount
    tax: Amount
    gross: Amount
    prepaid: NotNegative
    rounding: Amount
    payable: Amount
    instalments: tuple[Instalment, ...]
    rounding_method: RoundingMethod
    billing_version: int
    terms_version: int
    references: References = {}


class PaymentApplied(Event):
    """Money was put against instalments of the invoice."""

    type: ClassVar[str] = "invoice.payment_applied.v1"
    payment_id: UUID
    opportunity_id: UUID | None = None
    currency: Currency
    parts: tuple[Part, ...]
    amount: Positive
    balance: Amount


class PaymentRemoved(Event):
    """Money that had been put against the invoice was taken back; the instalments are open again."""

    type: ClassVar[str] = "invoice.payment_removed.v1"
    payment_id: UUID
    opportunity_id: UUID | None = None
    currency: Currency
    parts: tuple[Part, ...]
    amount: Positive
    balance: Amount
    reason: Name


class InvoiceCredited(Event):
    """A credit note was put against instalments of the invoice."""

    type: ClassVar[str] = "invoice.credited.v1"
    credit_note_id: UUID
    opportunity_id: UUID | None = None
    currency: Currency
    parts: tuple[Part, ...]
    amount: NotNegative
    credited_net: NotNegative
    balance: Amount


class InvoiceWrittenOff(Event):
    """Part of what is owed was given up."""

    type: ClassVar[str] = "invoice.written_off.v1"
    opportunity_id: UUID | None = None
    currency: Currency
    parts: tuple[Part, ...]
    amount: Positive
    balance: Amount
    reason: Name


class InvoiceSettled(Event):
    """Nothing is owed on the invoice any more."""

    type: ClassVar[str] = "invoice.settled.v1"


class InvoiceReopened(Event):
    """Something is owed on the invoice again."""

    type: ClassVar[str] = "invoice.reopened.v1"
    balance: Positive


class InvoiceDisputed(Event):
    """The customer contested the invoice."""

    type: ClassVar[str] = "invoice.disputed.v1"
    reason: Name


class DisputeResolved(Event):
    """The dispute was settled."""

    type: ClassVar[str] = "invoice.dispute_resolved.v1"
    resolution: Name


class PaymentPromised(Event):
    """The customer promised to pay."""

    type: ClassVar[str] = "invoice.payment_promised.v1"
    promised_on: date
    amount: Positive
    by: Name | None = None


class DunningNoticeSent(Event):
    """A reminder went out: `total` = outstanding + interest + fee; interest = outstanding × rate ÷ 100 ÷ 365 × days."""

    type: ClassVar[str] = "invoice.dunning_notice_sent.v1"
    instalment: int
    level: int
    days_overdue: int
    outstanding: Positive
    interest: NotNegative
    fee: NotNegative
    total: Positive
    currency: Currency
    policy_version: int
