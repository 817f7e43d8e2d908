"""Order: lines that are delivered and billed in parts, whose amounts add up exactly to what was ordered (R-57 … R-62)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal, assert_never
from uuid import UUID

from ltc_events.aggregates.amendment import amendment
from ltc_events.aggregates.base import Aggregate, BrokenStream, DatedTooEarly, DoesNotExist
from ltc_events.aggregates.dated_balance import NOTHING
from ltc_events.aggregates.document_math import UnknownLine, line_net, require_named_once, share
from ltc_events.aggregates.order_dates import (
    billable_by,
    billable_from,
    cancellable_from,
    require_after_order,
    require_amendable,
    require_billable,
    require_cancellable,
    require_deliverable,
)
from ltc_events.aggregates.order_state import Line, Order, Sold
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.tax_category import require_tax
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.kernel.money import EXACT, HUNDRED, ZERO, add_up
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
    on = command.effective_on
    require_after_order(state, on)
    match command:
        case ReportDelivery():
            return [_deliver(state, command)]
        case AmendOrder():
            require_amendable(state, on)
            return [amendment(state, requested_lines(command.lines, state.currency), command.reason)]
        case ShipOrder():
            return [_ship(state, command)]
        case CancelOrder(reason=reason):
            require_cancellable(state, on)
            return [_cancel(state, reason)]
        case _:
            assert_never(command)


def evolve(state: Order | None, event: OrderEvent, effective_on: date) -> Order:
    """The order after an event."""
    on = effective_on
    if isinstance(event, OrderPlaced):
        lines = {line.line: _line(line, on) for line in event.lines}
        return Order(event.currency, event.quote_id, event.opportunity_id, event.net, lines, on, on)
    if state is None:
        raise BrokenStream(noun="order", event=event.type)
    match event:
        case OrderDelivered(delivery_id=delivery_id):
            return _changed(state, _delivered(state.lines, event.lines, on), state.reported | {delivery_id})
        case OrderInvoiced():
            return _changed(state, _billed(state.lines, event.lines, on), state.reported)
        case OrderBillingReversed():
            less = [LineAmount(line=part.line, quantity=-part.quantity, amount=-part.amount) for part in event.lines]
            again = _changed(state, _billed(state.lines, less, on), state.reported)
            return replace(again, reversed_on=max(state.reversed_on, on))
        case OrderShipped(shipment_id=shipment_id):
            return _changed(state, state.lines, state.reported | {shipment_id})
        case OrderAmended():
            lines = {line.line: _line(line, on, state.lines.get(line.line)) for line in event.lines}
            return replace(state, net=event.net, lines=lines, changed_on=max(state.changed_on, on))
        case OrderCancelled():
            return replace(state, cancelled=True, cancelled_on=on)
        case _:
            assert_never(event)


def requested_lines(requests: Sequence[OrderLineRequest], currency: str) -> tuple[OrderLine, ...]:
    """Order lines with their net price. Raises LineNamedTwice, UnknownTaxCategory, TaxRateUnfit and LineTooLarge."""
    require_named_once([request.line for request in requests])
    for index, request in enumerate(requests):
        require_tax(request.tax_category, request.tax_rate, f"lines.{index}")
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
    order: Order, basis: Basis, requests: Sequence[LineQuantity], over_billing_percent: Decimal, on: date
) -> list[tuple[Line, LineAmount]]:
    """What an invoice of a day takes of each line (R-64, R-65): as asked, or all that is billable by `basis` on that day.

    Once all of a line is billed, its amounts add up to its net. More than the ordered or delivered quantity may be asked
    for by `over_billing_percent` of it. Raises UnknownLine, LineNamedTwice, OverBilling, NothingBillable and DatedTooEarly.
    """
    require_after_order(order, on)
    require_named_once([request.line for request in requests])
    delivered = basis == "delivered" or order.cancelled
    billed = []
    if requests:
        for index, request in enumerate(requests):
            line = _known(order, request.line, index)
            base = line.delivered if delivered else line.quantity
            allowance = EXACT.divide(EXACT.multiply(base, over_billing_percent), HUNDRED)
            billable = max(ZERO, EXACT.subtract(EXACT.add(base, allowance), line.billed))
            if request.quantity > billable:
                at = f"lines.{index}.quantity"
                raise OverBilling(line=line.line, basis=basis, billable=billable, asked=request.quantity, at=at)
            require_billable(line, request.quantity, allowance, on, delivered=delivered)
            billed.append((line, _billing(order, line, request.quantity)))
    else:
        later = []
        for line in order.lines.values():
            # What a cancellation released was not ordered any more.
            quantity = (line.delivered if delivered else line.quantity) - line.billed
            if quantity > 0:
                upto = billable_by(line, quantity, on, delivered=delivered)
                if upto > 0:
                    billed.append((line, _billing(order, line, upto)))
                else:
                    later.append(line)
        if not billed:
            if later:
                earliest = min(billable_from(line, on, delivered=delivered) for line in later)
                raise DatedTooEarly(effective_on=on, earliest=earliest, what="what it bills")
            raise NothingBillable(basis=basis, next_step=_TO_BILL_MORE[basis])
    return billed


def reverse_billing(
    order: Order, credit_note_id: UUID, invoice_id: UUID, invoiced_on: date, parts: Iterable[LineQuantity]
) -> OrderBillingReversed:
    """Make quantities that an invoice of `invoiced_on` billed billable again, at the order's price, whatever was credited.

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
        amount=add_up(line.amount for line in lines),
        not_before=invoiced_on,
    )


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
        require_deliverable(line, quantity, command.effective_on)
        upto = share(line.net, line.quantity, line.delivered + quantity, order.currency)
        parts.append(LineAmount(line=number, quantity=quantity, amount=max(ZERO, upto - line.delivered_amount)))
    return OrderDelivered(
        delivery_id=command.delivery_id,
        opportunity_id=order.opportunity_id,
        currency=order.currency,
        lines=tuple(parts),
        amount=add_up(part.amount for part in parts),
        not_before=max(order.placed_on, *(order.lines[number].priced_on for number in asked)),
        complete=all(line.delivered + asked.get(line.line, ZERO) == line.quantity for line in order.lines.values()),
    )


def _ship(order: Order, command: ShipOrder) -> OrderShipped:
    _require_new(order, command.shipment_id, "shipment")
    return OrderShipped(
        shipment_id=command.shipment_id, carrier=command.carrier, tracking=command.tracking, not_before=order.placed_on
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
        not_before=cancellable_from(order),
        lines=released,
        amount=add_up(part.amount for part in released),
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


def _line(line: OrderLine, on: date, before: Line | None = None) -> Line:
    sold = Sold(line.sku, line.description, line.tax_category, line.tax_rate, line.quote_line)
    quantity, net = line.quantity, line.net
    if before is None:
        return Line(line.line, quantity, net, sold, priced_on=on, to_deliver=NOTHING.moved(on, quantity))
    to_deliver = before.to_deliver
    if quantity != before.quantity:
        to_deliver = to_deliver.moved(on, EXACT.subtract(quantity, before.quantity))
    priced_on = before.priced_on if EXACT.multiply(net, before.quantity) == EXACT.multiply(before.net, quantity) else on
    return before._replace(quantity=quantity, net=net, sold=sold, priced_on=priced_on, to_deliver=to_deliver)


def _changed(order: Order, lines: Mapping[int, Line], reported: frozenset[UUID]) -> Order:
    """Spelled out, as is what follows: this runs with every delivery and invoice, and `replace` takes three times as long."""
    return Order(
        order.currency,
        order.quote_id,
        order.opportunity_id,
        order.net,
        lines,
        order.placed_on,
        order.changed_on,
        order.cancelled,
        reported,
        order.reversed_on,
        order.cancelled_on,
    )


def _delivered(lines: Mapping[int, Line], parts: Iterable[LineAmount], on: date) -> dict[int, Line]:
    changed = dict(lines)
    for part in parts:
        line, ordered, net, sold, delivered, amount, billed, billed_amount, priced_on, to_deliver, unbilled = changed[part.line]
        delivered, amount = delivered + part.quantity, amount + part.amount
        to_deliver, unbilled = to_deliver.moved(on, -part.quantity), unbilled.moved(on, part.quantity)
        moved = (delivered, amount, billed, billed_amount, priced_on, to_deliver, unbilled)
        changed[line] = Line(line, ordered, net, sold, *moved)
    return changed


def _billed(lines: Mapping[int, Line], parts: Iterable[LineAmount], on: date) -> dict[int, Line]:
    changed = dict(lines)
    for part in parts:
        line, ordered, net, sold, delivered, delivered_amount, billed, amount, priced_on, to_deliver, unbilled = changed[
            part.line
        ]
        billed, amount = billed + part.quantity, amount + part.amount
        moved = (delivered, delivered_amount, billed, amount, priced_on, to_deliver, unbilled.moved(on, -part.quantity))
        changed[line] = Line(line, ordered, net, sold, *moved)
    return changed


ORDER = Aggregate("order", decide, evolve)
