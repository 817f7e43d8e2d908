"""Order: deliver, ship, amend and cancel (R-55, R-57 … R-62)."""

from decimal import Decimal

import pytest
from tests.unit.money_examples import DELIVERY, INVOICE, amounts, delivered, line_request, order_line, placed, quantities
from tests.unit.specification import given

from ltc_events.aggregates.amendment import AmendedBelow, NothingChanges, PriceOfTheDone
from ltc_events.aggregates.base import DoesNotExist
from ltc_events.aggregates.document_math import LineNamedTwice, LineTooLarge, UnknownLine
from ltc_events.aggregates.order import AlreadyReported, NothingToDeliver, NothingToRelease, OrderIsCancelled, OverDelivery
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command
from ltc_events.schemas.order import (
    AmendOrder,
    CancelOrder,
    OrderAmended,
    OrderCancelled,
    OrderInvoiced,
    OrderShipped,
    ReportDelivery,
    ShipOrder,
)

NEXT = derive_id("test", "next delivery")
SHIPMENT = derive_id("test", "shipment")
CANCELLED = OrderCancelled(currency="EUR", reason="late", lines=amounts((1, "10", "100.00")), amount=Decimal(100))
ODD = placed(order_line(quantity="3", net="100.00"))


def invoiced(*parts: tuple[int, str, str]) -> OrderInvoiced:
    lines = amounts(*parts)
    return OrderInvoiced(invoice_id=INVOICE, lines=lines, amount=sum((line.amount for line in lines), Decimal(0)))


def test_a_delivery_without_lines_is_all_that_is_open() -> None:
    order = placed(order_line(), order_line(2, "5", "50.00"))
    given(order).when(ReportDelivery(delivery_id=DELIVERY)).then(delivered((1, "10", "100.00"), (2, "5", "50.00"), complete=True))
    given(order, delivered((1, "10", "100.00"))).when(ReportDelivery(delivery_id=NEXT)).then(
        delivered((2, "5", "50.00"), complete=True, delivery_id=NEXT)
    )


def test_the_parts_of_a_line_add_up_to_it_exactly() -> None:
    first, second = derive_id("test", "1"), derive_id("test", "2")
    one = quantities((1, "1"))
    given(ODD).when(ReportDelivery(delivery_id=DELIVERY, lines=one)).then(delivered((1, "1", "33.33"))).when(
        ReportDelivery(delivery_id=first, lines=one)
    ).then(delivered((1, "1", "33.34"), delivery_id=first)).when(ReportDelivery(delivery_id=second, lines=one)).then(
        delivered((1, "1", "33.33"), complete=True, delivery_id=second)
    )


def test_more_than_is_left_to_deliver_is_refused() -> None:
    given(placed(), delivered((1, "6", "60.00"))).when(ReportDelivery(delivery_id=NEXT, lines=quantities((1, "5")))).then(
        OverDelivery, field="lines.0.quantity", message="line 1 has 4 left", fix="at most 4"
    )


def test_a_delivery_counts_once() -> None:
    given(placed(), delivered((1, "6", "60.00"))).when(ReportDelivery(delivery_id=DELIVERY)).then(
        AlreadyReported, field="delivery_id", message=f"delivery {DELIVERY} is already reported"
    )


def test_nothing_is_delivered_twice() -> None:
    given(placed(), delivered((1, "10", "100.00"), complete=True)).when(ReportDelivery(delivery_id=NEXT)).then(NothingToDeliver)


def test_a_delivery_names_lines_of_the_order_each_once() -> None:
    given(placed()).when(ReportDelivery(delivery_id=DELIVERY, lines=quantities((2, "1")))).then(
        UnknownLine, field="lines.0.line", message="no line 2", fix="1"
    )
    given(placed()).when(ReportDelivery(delivery_id=DELIVERY, lines=quantities((1, "1"), (1, "2")))).then(
        LineNamedTwice, field="lines.1.line"
    )


def test_shipping_notices_are_recorded_once_each() -> None:
    ship = ShipOrder(shipment_id=SHIPMENT, carrier="rail", tracking="A-1")
    shipped = OrderShipped(shipment_id=SHIPMENT, carrier="rail", tracking="A-1")
    given(placed()).when(ship).then(shipped)
    given(placed(), shipped).when(ship).then(AlreadyReported, field="shipment_id")


def test_cancelling_releases_what_is_not_delivered() -> None:
    order = placed(ODD.lines[0], order_line(2, "5", "50.00"))
    given(order, delivered((1, "1", "33.33"), (2, "5", "50.00"))).when(CancelOrder(reason="late")).then(
        OrderCancelled(currency="EUR", reason="late", lines=amounts((1, "2", "66.67")), amount=Decimal("66.67"))
    )


def test_nothing_can_be_released_once_all_is_delivered() -> None:
    given(placed(), delivered((1, "10", "100.00"), complete=True)).when(CancelOrder(reason="late")).then(NothingToRelease)


@pytest.mark.parametrize(
    "command",
    [
        ReportDelivery(delivery_id=DELIVERY),
        ShipOrder(shipment_id=SHIPMENT),
        CancelOrder(reason="twice"),
        AmendOrder(reason="more", lines=(line_request(),)),
    ],
)
def test_nothing_happens_to_an_order_that_is_cancelled_or_missing(command: Command) -> None:
    given(placed(), CANCELLED).when(command).then(OrderIsCancelled)
    given().when(command).then(DoesNotExist, fix="order.place.v1")


def test_an_amendment_says_what_changed_per_line() -> None:
    before = placed(order_line(), order_line(2, "5", "50.00", quote_line=2), order_line(3, "1", "7.00"), order_line(4))
    asked = (line_request(1, "12"), line_request(2, "5", "8"), line_request(4), line_request(9, "1", "3.005"))
    lines = (
        order_line(1, "12", "120.00"),
        order_line(2, "5", "40.00", quote_line=2),
        order_line(4),
        order_line(9, "1", "3.01"),
    )
    given(before).when(AmendOrder(reason="another look", lines=asked)).then(
        OrderAmended(
            currency="EUR",
            reason="another look",
            lines=lines,
            changes=amounts((1, "2", "20.00"), (2, "0", "-10.00"), (3, "-1", "-7.00"), (9, "1", "3.01")),
            complete=False,
            net=Decimal("263.01"),
            net_change=Decimal("6.01"),
        )
    )


def test_another_thing_in_a_line_is_not_what_was_quoted() -> None:
    amended = given(placed(order_line(quote_line=1))).when(AmendOrder(reason="other model", lines=(line_request(sku="press"),)))
    [event] = amended.events
    assert event.lines[0].quote_line is None
    assert event.changes == ()


def test_an_amendment_that_changes_nothing_is_refused() -> None:
    given(placed()).when(AmendOrder(reason="?", lines=(line_request(),))).then(NothingChanges)


@pytest.mark.parametrize("done", [delivered((1, "6", "60.00")), invoiced((1, "6", "60.00"))])
def test_what_is_delivered_or_billed_stays_ordered_at_its_price(done: OrderInvoiced) -> None:
    def amend(*lines: object) -> AmendOrder:
        return AmendOrder(reason="less", lines=lines)

    given(placed(order_line(), order_line(2)), done).when(amend(line_request(1, "5"))).then(
        AmendedBelow, field="lines.0.quantity", message="6 of it is", fix="at least 6"
    )
    given(placed(order_line(), order_line(2)), done).when(amend(line_request(2))).then(AmendedBelow, field="lines")
    given(placed(order_line(), order_line(2)), done).when(amend(line_request(1, "10", "9"))).then(
        PriceOfTheDone, field="lines.0.unit_price", message="came to 60.00; amended, it would come to 54.00"
    )


def test_an_order_amended_to_what_is_delivered_is_complete_at_the_amount_delivered() -> None:
    # Two of three for 100.00 were delivered for 66.67; two at 33.33 would come to 66.66.
    amended = given(ODD, delivered((1, "2", "66.67"))).when(AmendOrder(reason="enough", lines=(line_request(1, "2", "33.33"),)))
    [event] = amended.events
    assert event.complete
    assert event.net == Decimal("66.67")
    assert event.changes == amounts((1, "-1", "-33.33"))


def test_what_was_billed_beyond_the_order_does_not_force_it_up() -> None:
    over = invoiced((1, "11", "110.00"))
    given(placed(), over).when(AmendOrder(reason="more", lines=(line_request(), line_request(2)))).events  # noqa: B018
    given(placed(), over).when(AmendOrder(reason="less", lines=(line_request(1, "9"),))).then(AmendedBelow, fix="at least 10")


def test_lines_of_an_amendment_are_checked() -> None:
    given(placed()).when(AmendOrder(reason="?", lines=(line_request(), line_request()))).then(LineNamedTwice)
    given(placed()).when(AmendOrder(reason="?", lines=(line_request(1, "1000000000", "10000000000"),))).then(
        LineTooLarge, field="lines.0.unit_price"
    )
