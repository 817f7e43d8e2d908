"""Quote: priced with a trace, discounts under control, revised without losing what was (R-48 … R-51)."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    Code,
    Command,
    Currency,
    Day,
    Event,
    Exact,
    Id,
    LineNumber,
    Name,
    NotNegative,
    OrderedEvent,
    Percent,
    Positive,
    References,
    Schema,
)
from ltc_events.schemas.limits import LINES_MAX
from ltc_events.schemas.summary_text import because, by, lines, money, number


class Discount(Schema):
    """A reduction with its reason: `percent` of what is left after the discounts before it, or an `amount` a line."""

    percent: Percent | None = None
    amount: NotNegative | None = None
    reason: Name


class QuoteLineRequest(Schema):
    """A line to be priced. Prices and tax come from the price book, or are stated here when the quote has none."""

    line: LineNumber
    sku: Code
    description: Name | None = None
    quantity: Positive
    list_price: NotNegative | None = None
    tax_category: Code | None = None
    tax_rate: Percent | None = None
    discounts: tuple[Discount, ...] = Field(default=(), max_length=10)
    references: References = {}


class AppliedDiscount(Schema):
    """An applied discount, with the amount by which it reduces the line."""

    reason: str
    percent: Exact | None = None
    amount: Exact


class QuoteLine(Schema):
    """A priced line: `list_amount` = quantity × list price; `net` = list amount − discounts, rounded to the minor unit."""

    line: int
    sku: str
    description: str
    quantity: Exact
    list_price: Exact
    list_amount: Exact
    discounts: tuple[AppliedDiscount, ...] = ()
    net: Exact
    tax_category: str
    tax_rate: Exact
    references: dict[str, str] = {}


class DraftQuote(Command):
    """Create a quote, for an opportunity or on its own."""

    type: ClassVar[str] = "quote.draft.v1"
    touches: ClassVar[tuple[str, ...]] = ("opportunity_id", "price_book_id")
    begins_for_customer: ClassVar[bool] = True
    opportunity_id: Id | None = None
    price_book_id: Id | None = None
    currency: Currency
    valid_until: Day
    title: Name | None = None
    requested_on: Day | None = None
    references: References = {}


class PriceQuote(Command):
    """Compute the prices. A discount beyond the requester's limit in policy `discount_matrix` waits for approval (R-51)."""

    type: ClassVar[str] = "quote.price.v1"
    lines: tuple[QuoteLineRequest, ...] = Field(min_length=1, max_length=LINES_MAX)
    requested_by: Name
    role: Code


class ApproveDiscount(Command):
    """Approve a discount beyond the requester's limit; the approver is another person with a sufficient limit (R-51)."""

    type: ClassVar[str] = "quote.approve_discount.v1"
    approver: Name
    role: Code


class RejectDiscount(Command):
    """Reject a discount; the quote is a draft again."""

    type: ClassVar[str] = "quote.reject_discount.v1"
    approver: Name
    reason: Name


class SendQuote(Command):
    """Send the priced quote to the customer."""

    type: ClassVar[str] = "quote.send.v1"
    to: Name | None = None


class AcceptQuote(Command):
    """The customer accepts; not after `valid_until`."""

    type: ClassVar[str] = "quote.accept.v1"
    accepted_by: Name | None = None


class RejectQuote(Command):
    """The customer declines."""

    type: ClassVar[str] = "quote.reject.v1"
    reason: Name


class ExpireQuote(Command):
    """The quote's validity has ended; refused while `effective_on` is not after `valid_until`."""

    type: ClassVar[str] = "quote.expire.v1"


class ReviseQuote(Command):
    """Begin the next revision; the previous one stays in the stream."""

    type: ClassVar[str] = "quote.revise.v1"
    reason: Name
    valid_until: Day | None = None


class QuoteDrafted(OrderedEvent):
    """A quote was created, as revision 1."""

    type: ClassVar[str] = "quote.drafted.v1"
    opportunity_id: UUID | None = None
    price_book_id: UUID | None = None
    currency: str
    valid_until: date
    title: str | None = None
    requested_on: date
    references: dict[str, str] = {}

    def in_words(self) -> str:
        return f"quote drafted{because(self.title)}"


class QuotePriced(OrderedEvent):
    """Prices with their trace. `discount_percent` is the highest discount of a line, in percent of its list amount."""

    type: ClassVar[str] = "quote.priced.v1"
    limited_at: ClassVar[str] = "net"
    revision: int
    opportunity_id: UUID | None = None
    currency: str
    lines: tuple[QuoteLine, ...]
    list_total: Exact
    discount_total: Exact
    net: Exact
    tax: Exact
    gross: Exact
    discount_percent: Exact
    approval_needed: bool
    requested_by: str
    role: str
    price_book_id: UUID | None = None
    price_book_version: int
    matrix_version: int

    def in_words(self) -> str:
        return (
            f"quote priced: {lines(self.lines)}, {money(self.net, self.currency)} net"
            f"{', waits for approval of its discount' if self.approval_needed else ''}"
        )


class DiscountApproved(OrderedEvent):
    """A discount beyond the requester's limit was approved."""

    type: ClassVar[str] = "quote.discount_approved.v1"
    approver: str
    role: str
    discount_percent: Exact
    matrix_version: int

    def in_words(self) -> str:
        return f"discount of {number(self.discount_percent)} % approved{by(self.approver)}"


class DiscountRejected(OrderedEvent):
    """A discount beyond the requester's limit was rejected."""

    type: ClassVar[str] = "quote.discount_rejected.v1"
    approver: str
    reason: str

    def in_words(self) -> str:
        return f"discount turned down{by(self.approver)}{because(self.reason)}"


class QuoteSent(OrderedEvent):
    """The quote was sent to the customer."""

    type: ClassVar[str] = "quote.sent.v1"
    revision: int
    to: str | None = None

    def in_words(self) -> str:
        return f"quote sent, revision {self.revision}"


class QuoteAccepted(OrderedEvent):
    """The customer accepted the quote."""

    type: ClassVar[str] = "quote.accepted.v1"
    revision: int
    opportunity_id: UUID | None = None
    net: Exact
    currency: str
    accepted_by: str | None = None

    def in_words(self) -> str:
        return f"quote accepted{by(self.accepted_by)}: {money(self.net, self.currency)} net"


class QuoteOrdered(Event):
    """An order was placed from the quote as accepted.

    A second one follows only if the first order was cancelled before anything was delivered or billed.
    """

    type: ClassVar[str] = "quote.ordered.v1"
    revision: int
    order_id: UUID

    def in_words(self) -> str:
        return f"quote ordered, revision {self.revision}"


class QuoteRejected(OrderedEvent):
    """The customer declined."""

    type: ClassVar[str] = "quote.rejected.v1"
    revision: int
    reason: str

    def in_words(self) -> str:
        return f"quote rejected{because(self.reason)}"


class QuoteExpired(OrderedEvent):
    """The quote's validity ended without an answer."""

    type: ClassVar[str] = "quote.expired.v1"
    revision: int

    def in_words(self) -> str:
        return "quote expired"


class QuoteRevised(OrderedEvent):
    """The next revision began."""

    type: ClassVar[str] = "quote.revised.v1"
    revision: int
    reason: str
    valid_until: date

    def in_words(self) -> str:
        return f"quote revised, revision {self.revision}{because(self.reason)}"
