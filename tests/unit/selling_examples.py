"""Events of a small sale, for the tests to start from and to change in one place."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.lead import Channel, LeadCaptured, Priority
from ltc_events.schemas.opportunity import OpportunityOpened
from ltc_events.schemas.policy import PriceBookItem, PriceBookPublished
from ltc_events.schemas.quote import AppliedDiscount, Discount, QuoteDrafted, QuoteLine, QuoteLineRequest, QuotePriced

LEAD = derive_id("test", "lead")
OPPORTUNITY = derive_id("test", "opportunity")
QUOTE = derive_id("test", "quote")
BOOK = derive_id("test", "price book")
CAMPAIGN = derive_id("test", "campaign")
RESPONSE_DUE = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)


def captured(**changes: Any) -> LeadCaptured:
    """A lead from an exhibition."""
    fields: dict[str, Any] = {
        "contact_name": "Ada King",
        "company": "Analytical Ltd",
        "email": "ada@analytical.example",
        "industry": "machinery",
        "need": "a bigger mill",
        "channel": Channel.EXHIBITION,
        "origin": "Hall 4",
        "campaign_id": CAMPAIGN,
        "region": "North",
        "priority": Priority.NORMAL,
        "response_due_at": RESPONSE_DUE,
        "policy_version": 0,
        "response_policy_version": 0,
    }
    return LeadCaptured(**{**fields, **changes})


def opened(**changes: Any) -> OpportunityOpened:
    """A deal of 1000 EUR in the first stage."""
    fields: dict[str, Any] = {
        "title": "The mill",
        "amount": Decimal(1000),
        "currency": "EUR",
        "stage": "prospecting",
        "probability": Decimal(10),
        "channel": Channel.UNKNOWN,
        "policy_version": 0,
    }
    return OpportunityOpened(**{**fields, **changes})


def price_book(version: int = 1, price: str = "100", valid_from: date = date(2026, 1, 1)) -> PriceBookPublished:
    """Mills and gears in EUR."""
    return PriceBookPublished(
        version=version,
        title="Machines",
        currency="EUR",
        valid_from=valid_from,
        items=(
            PriceBookItem(sku="mill", description="A mill", list_price=Decimal(price), tax_rate=Decimal(19)),
            PriceBookItem(sku="gear", description="A gear", list_price=Decimal("0.333"), tax_rate=Decimal(7)),
        ),
    )


def drafted(**changes: Any) -> QuoteDrafted:
    """A quote without a price book, valid until the end of March."""
    fields: dict[str, Any] = {"currency": "EUR", "valid_until": date(2026, 3, 31), "requested_on": date(2026, 3, 2)}
    return QuoteDrafted(**{**fields, **changes})


def request(**changes: Any) -> QuoteLineRequest:
    """Ten mills at 100 EUR."""
    fields: dict[str, Any] = {
        "line": 1,
        "sku": "mill",
        "quantity": Decimal(10),
        "list_price": Decimal(100),
        "tax_rate": Decimal(19),
    }
    return QuoteLineRequest(**{**fields, **changes})


def percent(value: str, reason: str = "volume") -> Discount:
    """A discount in percent."""
    return Discount(percent=Decimal(value), reason=reason)


def amount(value: str, reason: str = "goodwill") -> Discount:
    """A discount of an amount."""
    return Discount(amount=Decimal(value), reason=reason)


def priced(discount: int = 0, **changes: Any) -> QuotePriced:
    """Ten mills at 100 EUR with a discount in percent that `sales` (10 %) asked for."""
    off = Decimal(discount) * 10
    net = 1000 - off
    tax = net * 19 / 100
    applied = (AppliedDiscount(reason="volume", percent=Decimal(discount), amount=off),) if discount else ()
    line = QuoteLine(
        line=1,
        sku="mill",
        description="mill",
        quantity=Decimal(10),
        list_price=Decimal(100),
        list_amount=Decimal(1000),
        discounts=applied,
        net=net,
        tax_category="S",
        tax_rate=Decimal(19),
    )
    fields: dict[str, Any] = {
        "revision": 1,
        "currency": "EUR",
        "lines": (line,),
        "list_total": Decimal(1000),
        "discount_total": off,
        "net": net,
        "tax": tax,
        "gross": net + tax,
        "discount_percent": Decimal(discount),
        "approval_needed": discount > 10,
        "requested_by": "Sam",
        "role": "sales",
        "price_book_version": 0,
        "matrix_version": 0,
    }
    return QuotePriced(**{**fields, **changes})
