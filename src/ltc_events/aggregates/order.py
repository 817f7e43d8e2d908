"""Order: lines that are delivered and billed in parts, whose amounts add up exactly to what was ordered (R-57 … R-62)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, assert_never
from uuid import UUID

from ltc_events.aggregates.amendment import amendment
from ltc_events.aggregates.base import Aggregate, BrokenStream, DoesNotExist
from ltc_events.aggregates.billing import UnknownLine, line_net, require_named_once, share
from ltc_events.aggregates.order_state import Line, Order, Sold
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import HUNDRED, ZERO
from ltc_events.schemas.base import Event
from ltc_events.schemas.order import (
    AmendOrder,
    CancelOrder,
    LineAmount,
    LineQuantity,
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderLine,
    OrderLineRequest,
    OrderPlaced,
    OrderShipped,
    ReportDelivery,
    ShipOrder,
)

Basis = Literal["ordered", "delivered"]
_TO_BILL_MORE = {
    "ordered": "amend the order before more of it is billed",
    "delivered": "report more deliveries first, or bill with basis ordered",
}
OrderCommand = AmendOrder | ReportDelivery | ShipOrder | CancelOrder
OrderEvent = OrderPlaced | OrderAmended | OrderDelivered | OrderShipped | OrderInvoiced | OrderBillingReversed | OrderCancelled


class OrderIsCancelled(Refused):
    """the order is cancelled"""

    field = "subject"
    remedy = "place a new order"


class AlreadyReported(Refused):
    """{what} {id} is already reported on this order"""

    remedy = "leave it out, or give another {what} an id of its own"


class OverDelivery(Refused):
    """line {line} has {open} left to deliver, not {asked}"""

    remedy = "report at most {open} of line {line}, or amend the order first"


class NothingToDeliver(Refused):
    """everything that was ordered is delivered"""

    field = "lines"
    remedy = "amend the order before more is delivered on it"


class NothingToRelease(Refused):
    """everything that was ordered is delivered, so that nothing is left to cancel"""

    field = "subject"
    remedy = "credit the invoice of what comes back"


class OverBilling(Refused):
    """line {line} has {billable} billable by {basis} quantity, not {asked}"""

    remedy = "bill at most {billable} of line {line}"


class NothingBillable(Refused):
    """nothing of the order is billable by {basis} quantity"""

    field = "order_id"
    remedy = "{next_step}"


def decide(state: Order | None, command: OrderCommand, _policies: Policies) -> list[Event]:
    """Amend, deliver, ship or cancel."""
    if state is None:
        raise DoesNotExist(noun="order", first="order.place.v1")
    if state.cancelled:
        raise OrderIsCancelled
    match command:
        case ReportDelivery():
            return [_deliver(state, command)]
        case AmendOrder():
            return [amendment(state, requested_lines(command.lines, state.currency), command.reason)]
        case ShipOrder(shipment_id=shipment_id):
            _require_new(state, shipment_id, "shipment")
            return [OrderShipped(shipment_id=shipment_id, carrier=command.carrier, tracking=command.tracking)]
        case CancelOrder(reason=reason):
            return [_cancel(state, reason)]
        case _:
            assert_never(command)


def evolve(state: Order | None, event: OrderEvent) -> Order:
    """The order after an event."""
    if isinstance(event, OrderPlaced):
        lines = {line.line: _line(line) for line in event.lines}
        return Order(event.currency, event.quote_id, event.opportunity_id, event.net, lines)
    if state is None:
        raise BrokenStream(noun="order", event=event.type)
    match event:
        case OrderDelivered(delivery_id=delivery_id):
            return _changed(state, _delivered(state.lines, event.lines), state.reported | {delivery_id})
        case OrderInvoiced():
            return _changed(state, _billed(state.lines, event.lines), state.reported)
        case OrderBillingReversed():
            less = [LineAmount(line=part.line, quantity=-part.quantity, amount=-part.amount) for part in event.lines]
            return _changed(state, _billed(state.lines, less), state.reported)
        case OrderShipped(shipment_id=shipment_id):
            return _changed(state, state.lines, state.reported | {shipment_id})
        case OrderAmended():
            lines = {line.line: _line(line, state.lines.get(line.line)) for line in event.lines}
            return replace(state, net=event.net, lines=lines)
        case OrderCancelled():
            return replace(state, cancelled=True)
        case _:
            assert_never(event)


def requested_lines(requests: Sequence[OrderLineRequest], currency: str) -> tuple[OrderLine, ...]:
    """Order lines with their net price. Raises LineNamedTwice and LineTooLarge."""
    require_named_once([request.line for request in requests])
    return tuple(
        OrderLine(
            line=request.line,
            sku=request.sku,
            description=request.description,
            quantity=request.quantity,
            net=line_net(request.line, request.quantity, request.unit_price, currency, f"lines.{index}.unit_price"),
            tax_category=request.tax_category,
            tax_rate=request.tax_rate,
            references=request.references,
        )
        for index, request in enumerate(requests)
    )


def bill(
    order: Order, basis: Basis, requests: Sequence[LineQuantity], over_billing_percent: Decimal
) -> list[tuple[Line, LineAmount]]:
    """What an invoice takes of each line (R-64, R-65): as asked, or all that is billable by `basis`.

    Once all of a line is billed, its amounts add up to its net. More than the ordered or delivered quantity may be asked
    for by `over_billing_percent` of it. Raises UnknownLine, LineNamedTwice, OverBilling and NothingBillable.
    """
    require_named_once([request.line for request in requests])
    billed = []
    if requests:
        for index, request in enumerate(requests):
            line = _known(order, request.line, index)
            billable = max(ZERO, _base(order, line, basis) * (1 + over_billing_percent / HUNDRED) - line.billed)
            if request.quantity > billable:
                at = f"lines.{index}.quantity"
                raise OverBilling(line=line.line, basis=basis, billable=billable, asked=request.quantity, at=at)
            billed.append((line, _billing(order, line, request.quantity)))
    else:
        for line in order.lines.values():
            quantity = _base(order, line, basis) - line.billed
            if quantity > 0:
                billed.append((line, _billing(order, line, quantity)))
        if not billed:
            raise NothingBillable(basis=basis, next_step=_TO_BILL_MORE[basis])
    return billed


def reverse_billing(order: Order, credit_note_id: UUID, invoice_id: UUID, parts: Iterable[LineQuantity]) -> OrderBillingReversed:
    """Make quantities that were billed billable again, at the order's price, whatever the invoice was credited with.

    What was taken off the price by another credit note does not lower it: a lower price is agreed by amending the order.
    """
    lines = []
    for part in parts:
        line = order.lines[part.line]
        upto = share(line.net, line.quantity, line.billed - part.quantity, order.currency)
        lines.append(LineAmount(line=part.line, quantity=part.quantity, amount=max(ZERO, line.billed_amount - upto)))
    return OrderBillingReversed(
        credit_note_id=credit_note_id,
        invoice_id=invoice_id,
        opportunity_id=order.opportunity_id,
        currency=order.currency,
        lines=tuple(lines),
        amount=sum((line.amount for line in lines), ZERO),
    )


def _base(order: Order, line: Line, basis: Basis) -> Decimal:
    """The quantity that billing goes by. What a cancellation released was not ordered any more."""
    return line.delivered if basis == "delivered" or order.cancelled else line.quantity


def _billing(order: Order, line: Line, quantity: Decimal) -> LineAmount:
    upto = share(line.net, line.quantity, line.billed + quantity, order.currency)
    # An amendment may have moved the worth of what was billed before by a minor unit; the next parts make up for it.
    return LineAmount(line=line.line, quantity=quantity, amount=max(ZERO, upto - line.billed_amount))


def _deliver(order: Order, command: ReportDelivery) -> OrderDelivered:
    _require_new(order, command.delivery_id, "delivery")
    require_named_once([request.line for request in command.lines])
    asked: dict[int, Decimal] = {}
    if command.lines:
        for index, request in enumerate(command.lines):
            line = _known(order, request.line, index)
            left = line.quantity - line.delivered
            if request.quantity > left:
                raise OverDelivery(line=line.line, open=left, asked=request.quantity, at=f"lines.{index}.quantity")
            asked[line.line] = request.quantity
    else:
        asked = {line.line: line.quantity - line.delivered for line in order.lines.values() if line.quantity > line.delivered}
        if not asked:
            raise NothingToDeliver
    parts = []
    for number, quantity in asked.items():
        line = order.lines[number]
        upto = share(line.net, line.quantity, line.delivered + quantity, order.currency)
        parts.append(LineAmount(line=number, quantity=quantity, amount=max(ZERO, upto - line.delivered_amount)))
    return OrderDelivered(
        delivery_id=command.delivery_id,
        opportunity_id=order.opportunity_id,
        currency=order.currency,
        lines=tuple(parts),
        amount=sum((part.amount for part in parts), ZERO),
        complete=all(line.delivered + asked.get(line.line, ZERO) == line.quantity for line in order.lines.values()),
    )


def _cancel(order: Order, reason: str) -> OrderCancelled:
    released = tuple(
        LineAmount(line=line.line, quantity=line.quantity - line.delivered, amount=line.net - line.delivered_amount)
        for line in order.lines.values()
        if line.quantity > line.delivered
    )
    if not released:
        raise NothingToRelease
    return OrderCancelled(
        opportunity_id=order.opportunity_id,
        currency=order.currency,
        reason=reason,
        lines=released,
        amount=sum((part.amount for part in released), ZERO),
    )


def _known(order: Order, number: int, index: int) -> Line:
    line = order.lines.get(number)
    if line is None:
        known = ", ".join(map(str, order.lines))
        raise UnknownLine(document="the order", line=number, known=known, at=f"lines.{index}.line")
    return line


def _require_new(order: Order, id: UUID, what: str) -> None:
    if id in order.reported:
        raise AlreadyReported(what=what, id=id, at=f"{what}_id")


def _line(line: OrderLine, before: Line | None = None) -> Line:
    sold = Sold(line.sku, line.description, line.tax_category, line.tax_rate, line.quote_line)
    if before is None:
        return Line(line.line, line.quantity, line.net, sold)
    return before._replace(quantity=line.quantity, net=line.net, sold=sold)


def _changed(order: Order, lines: Mapping[int, Line], reported: frozenset[UUID]) -> Order:
    """Spelled out, as is what follows: this runs with every delivery and invoice, and `replace` takes three times as long."""
    return Order(order.currency, order.quote_id, order.opportunity_id, order.net, lines, order.cancelled, reported)


def _delivered(lines: Mapping[int, Line], parts: Iterable[LineAmount]) -> dict[int, Line]:
    changed = dict(lines)
    for part in parts:
        line, ordered, net, sold, delivered, amount, billed, billed_amount = changed[part.line]
        changed[line] = Line(line, ordered, net, sold, delivered + part.quantity, amount + part.amount, billed, billed_amount)
    return changed


def _billed(lines: Mapping[int, Line], parts: Iterable[LineAmount]) -> dict[int, Line]:
    changed = dict(lines)
    for part in parts:
        line, ordered, net, sold, delivered, delivered_amount, billed, amount = changed[part.line]
        changed[line] = Line(line, ordered, net, sold, delivered, delivered_amount, billed + part.quantity, amount + part.amount)
    return changed


ORDER = Aggregate("order", decide, evolve)
