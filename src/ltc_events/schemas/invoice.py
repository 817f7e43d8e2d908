"""Invoice: issued from an order by EN 16931 arithmetic, never changed afterwards (R-63 … R-65)."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    Amount,
    Code,
    Command,
    Day,
    DocumentNumber,
    Exact,
    Id,
    MoneyEvent,
    Name,
    NotNegative,
    Percent,
    Positive,
    References,
    Schema,
)
from ltc_events.schemas.limits import INSTALMENTS_MAX, LINES_MAX
from ltc_events.schemas.order import LineQuantity
from ltc_events.schemas.policy import Term
from ltc_events.schemas.summary_text import money

RoundingMethod = Literal["document", "line"]
"""Where tax is rounded: once per tax category and rate over the document (EN 16931 BR-CO-17), or per line and then added up,
which may differ from it by half a minor unit a line."""


class DocumentCharge(Schema):
    """An allowance or charge on the whole document with its tax (EN 16931 BG-20, BG-21); the amount is before tax."""

    amount: NotNegative
    reason: Name
    tax_category: Code = "S"
    tax_rate: Percent


class IssueInvoice(Command):
    """Bill an order (R-64). Without `lines`, all that is billable by policy `billing`. The invoice date is `effective_on`.

    `terms` are given, named by `terms_code` in policy `payment_terms`, or else the policy's `default`. With `due_on` (BT-9)
    the whole amount is due on that day instead, as documents of other systems state it. `cash_rounding` rounds the payable
    amount to a multiple, e.g. "0.05" (EN 16931 BT-114). `prepaid` (BT-113) was paid outside of this ledger, to another system
    or before it began: it is never owed, and never refunded from here. An advance received here is allocated to the invoice
    instead. `stated_payable` is the source's amount: if the computed one differs, the invoice is refused with both.

    `number` is the one that the document has from another system; it is kept, and refused where another document has it.
    Without it the document gets the next number of `series` in its fiscal year.
    """

    type: ClassVar[str] = "invoice.issue.v1"
    touches: ClassVar[tuple[str, ...]] = ("order_id",)
    begins_for_customer: ClassVar[bool] = True
    order_id: Id
    series: Code = "INV"
    number: DocumentNumber | None = None
    basis: Literal["ordered", "delivered"] | None = None
    lines: tuple[LineQuantity, ...] = Field(default=(), max_length=LINES_MAX)
    allowances: tuple[DocumentCharge, ...] = Field(default=(), max_length=50)
    charges: tuple[DocumentCharge, ...] = Field(default=(), max_length=50)
    rounding_method: RoundingMethod = "document"
    terms: tuple[Term, ...] = Field(default=(), max_length=INSTALMENTS_MAX)
    terms_code: Code | None = None
    due_on: Day | None = None
    prepaid: NotNegative | None = None
    cash_rounding: Positive | None = None
    stated_payable: Amount | None = None
    references: References = {}


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
    """Tax of one category and rate on its taxable amount (EN 16931 BG-23), rounded as the document says."""

    category: str
    rate: Exact
    taxable: Exact
    tax: Exact


class Instalment(Schema):
    """A share of what is payable and when it is due."""

    number: int
    due_on: date
    amount: Exact


class InvoiceIssued(MoneyEvent):
    """An invoice was issued. EN 16931: BR-CO-10 … BR-CO-16 hold, and BR-CO-17 where `rounding_method` is `document`.

    `line_total` = Σ line nets; `net` = line total − allowances + charges; `gross` = net + tax;
    `payable` = gross − prepaid + rounding; the instalments add up to `payable`.
    """

    type: ClassVar[str] = "invoice.issued.v1"
    limited_at: ClassVar[str] = "net"
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

    def in_words(self) -> str:
        return f"invoice {self.number}: {money(self.payable, self.currency)} payable"
