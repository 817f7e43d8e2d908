"""Tax categories are those of EN 16931, each with the rates that go with it, wherever one is stated."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.money_examples import line_request, order_line, placed
from tests.unit.selling_examples import drafted
from tests.unit.specification import SUBJECT, at, given

from ltc_events.aggregates.tax_category import CATEGORIES, TaxRateUnfit, UnknownTaxCategory, require_tax
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command
from ltc_events.schemas.invoice import DocumentCharge, IssueInvoice
from ltc_events.schemas.order import AmendOrder, PlaceOrder
from ltc_events.schemas.policy import PriceBookItem, PublishPriceBook
from ltc_events.schemas.quote import PriceQuote, QuoteLineRequest

INVOICE = derive_id("test", "invoice")


def lines(**tax: Any) -> dict[str, Any]:
    return {"lines": (line_request(1), line_request(2, **tax))}


def charges(**tax: Any) -> tuple[DocumentCharge, ...]:
    return (DocumentCharge(amount=Decimal(5), reason="freight", **tax),)


def price_book(**tax: Any) -> Command:
    item = PriceBookItem(sku="mill", description="A mill", list_price=Decimal(10), **tax)
    return PublishPriceBook(title="Mills", currency="EUR", items=(item,))


def quote(**tax: Any) -> Command:
    line = QuoteLineRequest(line=1, sku="mill", quantity=Decimal(1), list_price=Decimal(10), **tax)
    return PriceQuote(lines=(line,), requested_by="Sam", role="sales")


STATED = {
    "price book": ((), price_book, "items.0"),
    "quote": ((drafted(),), quote, "lines.0"),
    "order": ((), lambda **tax: PlaceOrder(currency="EUR", reason="by telephone", **lines(**tax)), "lines.1"),
    "amendment": ((placed(),), lambda **tax: AmendOrder(reason="?", **lines(**tax)), "lines.1"),
    "allowance": (
        (placed(),),
        lambda **tax: IssueInvoice(order_id=SUBJECT, basis="ordered", allowances=charges(**tax)),
        "allowances.0",
    ),
    "charge": ((placed(),), lambda **tax: IssueInvoice(order_id=SUBJECT, basis="ordered", charges=charges(**tax)), "charges.0"),
}


@pytest.mark.parametrize("where", STATED)
@pytest.mark.parametrize(
    ("category", "rate", "refusal", "name"),
    [
        ("VAT reduced", "7", UnknownTaxCategory, "tax_category"),
        ("s", "19", UnknownTaxCategory, "tax_category"),
        ("E", "19", TaxRateUnfit, "tax_rate"),
        ("S", "0", TaxRateUnfit, "tax_rate"),
        ("AE", "0.01", TaxRateUnfit, "tax_rate"),
    ],
)
def test_what_is_no_category_or_rate_of_it_is_refused(
    where: str, category: str, rate: str, refusal: type[Refused], name: str
) -> None:
    history, command, field = STATED[where]
    subject = INVOICE if where in ("allowance", "charge") else SUBJECT
    given(*history).when(command(tax_category=category, tax_rate=Decimal(rate)), subject=subject).then(
        refusal, field=f"{field}.{name}", message=category
    )


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_has_a_rate_that_is_taken(category: str) -> None:
    taken = []
    for rate in ("0", "7", "19", "100"):
        try:
            require_tax(category, Decimal(rate), "lines.0")
        except TaxRateUnfit:
            continue
        taken.append(rate)
    expected = {"S": ["7", "19", "100"], "B": ["7", "19", "100"], "L": ["0", "7", "19", "100"], "M": ["0", "7", "19", "100"]}
    assert taken == expected.get(category, ["0"])


def test_what_was_ordered_before_categories_were_checked_comes_on_no_invoice() -> None:
    old = order_line(2, tax_category="VAT reduced", tax_rate=Decimal(7))
    story = given(at(SUBJECT, placed(order_line(), old)))
    story.when(IssueInvoice(order_id=SUBJECT, basis="ordered"), subject=INVOICE).then(
        UnknownTaxCategory, field="order_id", message="order line 2"
    )
