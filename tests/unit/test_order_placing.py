"""Placing orders: what the quote says, or the reason why not (R-57, R-58)."""

from decimal import Decimal

import pytest
from tests.unit.money_examples import INVOICE, ORDER, amounts, delivered, line_request, order_line, placed
from tests.unit.selling_examples import OPPORTUNITY, QUOTE, drafted, opened, priced
from tests.unit.specification import STRANGER, SUBJECT, Placed, at, given, of

from ltc_events.aggregates.base import AlreadyExists
from ltc_events.aggregates.document_math import LineNamedTwice
from ltc_events.aggregates.order_placement import (
    DiffersFromQuote,
    OrderInAnotherCurrency,
    OrderIncomplete,
    OtherOpportunity,
    QuoteAlreadyOrdered,
    QuoteNotAccepted,
)
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.unit_of_work import NotFound
from ltc_events.schemas.base import Event
from ltc_events.schemas.order import OrderAmended, OrderCancelled, OrderInvoiced, OrderLine, OrderPlaced, PlaceOrder
from ltc_events.schemas.quote import QuoteAccepted, QuoteOrdered, QuoteSent

ACCEPTED = (
    QuoteSent(revision=1),
    QuoteAccepted(revision=1, opportunity_id=OPPORTUNITY, net=Decimal(900), currency="EUR"),
)
DEAL = at(OPPORTUNITY, opened())
ORDERED = at(QUOTE, QuoteOrdered(revision=1, order_id=SUBJECT))
QUOTED_LINE = order_line(net="900", description="mill", quote_line=1)


def accepted(**changes: object) -> Placed:
    """Ten mills for 900 EUR, accepted."""
    return at(QUOTE, drafted(**{"opportunity_id": OPPORTUNITY, **changes}), priced(10), *ACCEPTED)


def from_quote(line: OrderLine = QUOTED_LINE, **changes: object) -> OrderPlaced:
    fields = {
        "quote_id": QUOTE,
        "quote_revision": 1,
        "opportunity_id": OPPORTUNITY,
        "opportunity_amount": Decimal(1000),
        "discount_total": Decimal(100),
        "reason": None,
    }
    return placed(line, **{**fields, **changes})


def test_an_order_is_what_the_accepted_quote_says() -> None:
    given(DEAL, accepted()).when(PlaceOrder(quote_id=QUOTE)).then(from_quote(), ORDERED)


def test_lines_that_equal_the_quote_may_be_stated() -> None:
    same = line_request(unit_price="90", description="milling machine", references={"shop": "4711"})
    line = QUOTED_LINE.model_copy(update={"references": {"shop": "4711"}})
    given(DEAL, accepted()).when(PlaceOrder(quote_id=QUOTE, lines=(same,), currency="EUR")).then(from_quote(line), ORDERED)


@pytest.mark.parametrize(
    ("lines", "field", "message"),
    [
        ((line_request(1, "9", "90"),), "lines.0.quantity", "quantity 10; the order has 9"),
        ((line_request(1, "10", "89"),), "lines.0.unit_price", "net 900; the order has 890.00"),
        ((line_request(1, "10", "90", sku="press"),), "lines.0.sku", "sku mill; the order has press"),
        ((line_request(1, "10", "90", tax_rate=Decimal(7)),), "lines.0.tax_rate", "tax_rate 19; the order has 7"),
        ((line_request(1, "10", "90"), line_request(2)), "lines.1.line", "line 2 of the quote has quantity 0"),
        ((line_request(2, "10", "90"),), "lines.0.line", "line 2 of the quote has quantity 0"),
    ],
)
def test_lines_that_differ_from_the_quote_need_a_reason(lines: tuple[object, ...], field: str, message: str) -> None:
    given(DEAL, accepted()).when(PlaceOrder(quote_id=QUOTE, lines=lines)).then(
        DiffersFromQuote, field=field, message=message, fix="state the reason"
    )


def test_an_order_that_differs_for_a_reason_is_placed_as_quoted_and_amended() -> None:
    command = PlaceOrder(quote_id=QUOTE, reason="one was sold already", lines=(line_request(1, "9", "90"),))
    given(DEAL, accepted()).when(command).then(
        from_quote(),
        ORDERED,
        OrderAmended(
            opportunity_id=OPPORTUNITY,
            currency="EUR",
            reason="one was sold already",
            lines=(order_line(1, "9", "810.00", quote_line=1),),
            changes=amounts((1, "-1", "-90")),
            complete=False,
            net=Decimal(810),
            net_change=Decimal(-90),
        ),
    )


def test_without_a_quote_an_order_states_its_reason_currency_and_lines() -> None:
    command = PlaceOrder(reason="by telephone", currency="EUR", lines=(line_request(), line_request(2, "3", "0.335")))
    given().when(command).then(placed(order_line(), order_line(2, "3", "1.01")))
    given().when(PlaceOrder(currency="EUR")).then(
        OrderIncomplete, field="reason", message="needs reason, lines", fix="or the quote_id"
    )
    given().when(PlaceOrder(reason="by telephone", currency="EUR", lines=(line_request(), line_request()))).then(LineNamedTwice)


def test_an_order_without_a_quote_may_be_for_an_opportunity() -> None:
    command = PlaceOrder(reason="by telephone", currency="EUR", lines=(line_request(),), opportunity_id=OPPORTUNITY)
    given(DEAL).when(command).then(placed(opportunity_id=OPPORTUNITY, opportunity_amount=Decimal(1000)))
    given().when(command).then(NotFound, field="opportunity_id")
    given(at(OPPORTUNITY, opened(currency="USD"))).when(command).then(
        OrderInAnotherCurrency, field="currency", message="in EUR, but its opportunity is in USD"
    )


def test_only_an_accepted_quote_of_the_customer_is_ordered() -> None:
    given().when(PlaceOrder(quote_id=QUOTE)).then(NotFound, field="quote_id")
    given(at(QUOTE, drafted(), priced(), QuoteSent(revision=1))).when(PlaceOrder(quote_id=QUOTE)).then(
        QuoteNotAccepted, field="quote_id", message="sent", fix="quote.accept.v1"
    )
    given(of(STRANGER, accepted())).when(PlaceOrder(quote_id=QUOTE)).then(OtherCustomers)


ALL = amounts((1, "10", "900"))
CANCELLED = OrderCancelled(opportunity_id=OPPORTUNITY, currency="EUR", reason="by mistake", lines=ALL, amount=Decimal(900))


def ordered_before(*events: Event) -> tuple[Placed, ...]:
    """The quote was ordered by another order, to which this happened then."""
    return DEAL, accepted(), at(QUOTE, QuoteOrdered(revision=1, order_id=ORDER)), at(ORDER, from_quote(), *events)


class TestAQuoteIsOrderedOnce:
    def test_a_second_order_for_it_is_refused_naming_the_first(self) -> None:
        given(*ordered_before()).when(PlaceOrder(quote_id=QUOTE)).then(
            QuoteAlreadyOrdered, field="quote_id", message=f"order {ORDER} was placed from it", fix="order.amend.v1"
        )

    def test_so_is_one_that_differs_for_a_reason(self) -> None:
        more = PlaceOrder(quote_id=QUOTE, reason="the rest", lines=(line_request(1, "9", "90"),))
        given(*ordered_before()).when(more).then(QuoteAlreadyOrdered)

    def test_the_same_again_is_ordered_without_it_for_a_reason(self) -> None:
        again = PlaceOrder(reason="as much again", currency="EUR", lines=(line_request(),))
        given(*ordered_before()).when(again).then(placed(reason="as much again"))

    def test_an_order_that_was_cancelled_whole_leaves_the_quote_to_be_ordered_again(self) -> None:
        again = given(*ordered_before(CANCELLED)).when(PlaceOrder(quote_id=QUOTE))
        again.then(from_quote(), ORDERED)
        again.when(PlaceOrder(quote_id=QUOTE), subject=INVOICE).then(QuoteAlreadyOrdered, message=f"order {SUBJECT}")

    @pytest.mark.parametrize(
        "happened",
        [
            delivered((1, "1", "90")),
            OrderInvoiced(invoice_id=INVOICE, lines=amounts((1, "10", "900")), amount=Decimal(900)),
        ],
        ids=["delivered", "billed"],
    )
    def test_what_came_of_a_cancelled_order_is_not_ordered_again(self, happened: Event) -> None:
        given(*ordered_before(happened, CANCELLED)).when(PlaceOrder(quote_id=QUOTE)).then(
            QuoteAlreadyOrdered, message=f"order {ORDER}", fix="stands, though it is cancelled"
        )


def test_quote_and_order_agree_on_currency_and_opportunity() -> None:
    given(DEAL, accepted()).when(PlaceOrder(quote_id=QUOTE, currency="USD")).then(
        OrderInAnotherCurrency, field="currency", message="quote is in EUR"
    )
    given(DEAL, accepted()).when(PlaceOrder(quote_id=QUOTE, opportunity_id=ORDER)).then(
        OtherOpportunity, field="opportunity_id", fix=str(OPPORTUNITY)
    )
    given(DEAL, accepted(opportunity_id=None)).when(PlaceOrder(quote_id=QUOTE, opportunity_id=OPPORTUNITY)).then(
        from_quote(), ORDERED
    )


def test_an_order_is_placed_once() -> None:
    given(placed()).when(PlaceOrder(quote_id=QUOTE)).then(AlreadyExists, field="subject")
