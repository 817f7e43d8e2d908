"""Order: what was sold, what of it was delivered, and what of it was billed (R-57 … R-62, R-65)."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    Code,
    Command,
    Currency,
    Day,
    Exact,
    Id,
    LineNumber,
    MoneyEvent,
    Name,
    NotNegative,
    Percent,
    Positive,
    References,
    Schema,
)
from ltc_events.schemas.limits import LINES_MAX
from ltc_events.schemas.summary_text import because, by, lines, money


class OrderLineRequest(Schema):
    """A line of an order that no quote stands behind, or as it is after an amendment. `unit_price` is after discounts."""

    line: LineNumber
    sku: Code
    description: Name
    quantity: Positive
    unit_price: NotNegative
    tax_category: Code = "S"
    tax_rate: Percent
    references: References = {}


class OrderLine(Schema):
    """What was ordered: `net` is the price of the whole line, rounded to the minor unit. `quote_line` names its source."""

    line: int
    sku: str
    description: str
    quantity: Exact
    net: Exact
    tax_category: str
    tax_rate: Exact
    quote_line: int | None = None
    references: dict[str, str] = {}


class LineQuantity(Schema):
    """A quantity of an order line."""

    line: LineNumber
    quantity: Positive


class LineAmount(Schema):
    """A quantity of an order or invoice line with its share of the line's net price."""

    line: int
    quantity: Exact
    amount: Exact


class PlaceOrder(Command):
    """Order what the accepted quote says (R-57, R-58); without a quote the lines are given, and the reason for it.

    An order on a deal that is lost on its date needs a reason in any case.
    """

    type: ClassVar[str] = "order.place.v1"
    touches: ClassVar[tuple[str, ...]] = ("quote_id", "opportunity_id")
    begins_for_customer: ClassVar[bool] = True
    quote_id: Id | None = None
    reason: Name | None = None
    currency: Currency | None = None
    opportunity_id: Id | None = None
    lines: tuple[OrderLineRequest, ...] = Field(default=(), max_length=LINES_MAX)
    requested_delivery_on: Day | None = None
    references: References = {}


class AmendOrder(Command):
    """Replace the lines, saying why (R-55, R-58); never below what is delivered or billed."""

    type: ClassVar[str] = "order.amend.v1"
    reason: Name
    lines: tuple[OrderLineRequest, ...] = Field(min_length=1, max_length=LINES_MAX)


class ReportDelivery(Command):
    """Report what was delivered, per line (R-61). Each `delivery_id` counts once; an empty list means all that is open."""

    type: ClassVar[str] = "order.report_delivery.v1"
    delivery_id: Id
    lines: tuple[LineQuantity, ...] = Field(default=(), max_length=LINES_MAX)


class ShipOrder(Command):
    """Send a shipping notice (R-57)."""

    type: ClassVar[str] = "order.ship.v1"
    shipment_id: Id
    carrier: Name | None = None
    tracking: Name | None = None


class CancelOrder(Command):
    """Release what is not delivered; what is delivered stays billable (R-62)."""

    type: ClassVar[str] = "order.cancel.v1"
    reason: Name


class OrderPlaced(MoneyEvent):
    """An order was placed. `opportunity_amount` is what the opportunity was believed to be worth at that moment."""

    type: ClassVar[str] = "order.placed.v1"
    limited_at: ClassVar[str] = "net"
    quote_id: UUID | None = None
    quote_revision: int | None = None
    opportunity_id: UUID | None = None
    opportunity_amount: Exact | None = None
    currency: str
    lines: tuple[OrderLine, ...]
    net: Exact
    discount_total: Exact
    reason: str | None = None
    requested_delivery_on: date | None = None
    references: dict[str, str] = {}

    def in_words(self) -> str:
        return f"order placed: {lines(self.lines)}, {money(self.net, self.currency)} net"


class OrderAmended(MoneyEvent):
    """The order's lines were replaced; `net_change` is the new net less the old.

    `changes` says the same per line that changed, new and removed ones included: new quantity and net less the old.
    `complete` is whether all that is ordered now is delivered.
    """

    type: ClassVar[str] = "order.amended.v1"
    limited_at: ClassVar[str] = "net"
    opportunity_id: UUID | None = None
    currency: str
    reason: str
    lines: tuple[OrderLine, ...]
    changes: tuple[LineAmount, ...]
    complete: bool
    net: Exact
    net_change: Exact

    def in_words(self) -> str:
        return f"order amended by {money(self.net_change, self.currency)}{because(self.reason)}"


class OrderDelivered(MoneyEvent):
    """Part or all of the order was delivered."""

    type: ClassVar[str] = "order.delivered.v1"
    delivery_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    lines: tuple[LineAmount, ...]
    amount: Exact
    complete: bool

    def in_words(self) -> str:
        return f"{'all' if self.complete else 'part'} delivered, {money(self.amount, self.currency)} net"


class OrderShipped(MoneyEvent):
    """A shipment left."""

    type: ClassVar[str] = "order.shipped.v1"
    shipment_id: UUID
    carrier: str | None = None
    tracking: str | None = None

    def in_words(self) -> str:
        return f"shipped{by(self.carrier)}{f', tracking {self.tracking}' if self.tracking else ''}"


class OrderInvoiced(MoneyEvent):
    """Part or all of the order was billed by an invoice."""

    type: ClassVar[str] = "order.invoiced.v1"
    invoice_id: UUID
    lines: tuple[LineAmount, ...]
    amount: Exact

    def in_words(self) -> str:
        return f"billed {self.amount:,f} net"


class OrderBillingReversed(MoneyEvent):
    """Billed quantities are billable again, by a credit note. `amount` is their amount as billed on the order."""

    type: ClassVar[str] = "order.billing_reversed.v1"
    credit_note_id: UUID
    invoice_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    lines: tuple[LineAmount, ...]
    amount: Exact

    def in_words(self) -> str:
        return f"to be billed again: {money(self.amount, self.currency)} net"


class OrderCancelled(MoneyEvent):
    """The undelivered rest was released: `lines` and `amount`."""

    type: ClassVar[str] = "order.cancelled.v1"
    opportunity_id: UUID | None = None
    currency: str
    reason: str
    lines: tuple[LineAmount, ...]
    amount: Exact

    def in_words(self) -> str:
        return f"order cancelled, {money(self.amount, self.currency)} net released{because(self.reason)}"
