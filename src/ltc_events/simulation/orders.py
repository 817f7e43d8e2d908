"""How an order goes: placed, perhaps amended or cancelled, delivered in one or several parts, and billed."""

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from ltc_events.aggregates.order import NothingBillable, OrderIsCancelled, OverBilling, OverDelivery
from ltc_events.schemas.invoice import DocumentCharge, InvoiceIssued, IssueInvoice
from ltc_events.schemas.order import (
    AmendOrder,
    CancelOrder,
    LineQuantity,
    OrderAmended,
    OrderLine,
    OrderLineRequest,
    OrderPlaced,
    PlaceOrder,
    ReportDelivery,
    ShipOrder,
)
from ltc_events.simulation import cash, goods, names
from ltc_events.simulation.chance import Weighted
from ltc_events.simulation.customer import Customer
from ltc_events.simulation.goods import Wanted
from ltc_events.simulation.quoting import Quote
from ltc_events.simulation.run import Process
from ltc_events.simulation.working_time import DAY, HOUR, workday

_DELIVERIES: Final = Weighted((1, 62), (2, 26), (3, 12))
_CANCELLATIONS: Final = ("customer closed the site", "ordered twice by mistake", "financing fell through")
_AMENDMENTS: Final = ("customer counted again", "other layout of the hall", "added after the site visit")
_KEPT_FOR: Final = 14 * DAY
"""A contract that names the order may be signed after everything is delivered."""
_FREIGHT: Final = Decimal("49.00")
_GOODWILL: Final = Decimal("10.00")
_STANDARD_RATE: Final = Decimal(19)
_UNIT_PRICE_PLACES: Final = Decimal("0.000000001")


class Order:
    """An order at work: its lines as they now are, and how much of each has been delivered."""

    __slots__ = ("delivered", "id", "lines")

    def __init__(self, id: UUID, lines: tuple[OrderLine, ...]) -> None:
        self.id = id
        self.lines = lines
        self.delivered = {line.line: Decimal(0) for line in lines}

    @property
    def open(self) -> bool:
        """Whether something is still to be delivered."""
        return any(self.delivered[line.line] < line.quantity for line in self.lines)


def place_quoted(customer: Customer, quote: Quote) -> Generator[int, None, UUID]:
    """Order what the accepted quote says (R-57)."""
    chance = customer.chance
    yield customer.minutes(20, 900)
    id = customer.new_id()
    place = PlaceOrder(
        quote_id=quote.id,
        requested_delivery_on=customer.today + timedelta(days=chance.between(5, 60)),
        references={"erp": f"SO-{customer.number:06d}-{chance.between(1000, 9999)}"},
    )
    _begin(customer, id, customer.do(place, id, names.BILLER))
    return id


def place_directly(customer: Customer, deal_id: UUID | None, wanted: tuple[Wanted, ...], reason: str) -> Process:
    """Order without a quote, saying why (R-58)."""
    yield customer.minutes(20, 600)
    id = customer.new_id()
    lines = tuple(
        OrderLineRequest(
            line=number,
            sku=article.sku,
            description=article.description,
            quantity=quantity,
            unit_price=article.price,
            tax_category=article.tax_category,
            tax_rate=article.tax_rate,
        )
        for number, (article, quantity) in enumerate(wanted, 1)
    )
    place = PlaceOrder(reason=reason, currency=goods.CURRENCY, opportunity_id=deal_id, lines=lines)
    _begin(customer, id, customer.do(place, id, names.BILLER))


def _begin(customer: Customer, id: UUID, events: list[object]) -> None:
    placed = next(event for event in events if isinstance(event, OrderPlaced))
    customer.run.begin(_fulfil(customer, Order(id, placed.lines)), customer.after(1, 8))


def _fulfil(customer: Customer, order: Order) -> Process:
    """From the order to its last invoice."""
    chance = customer.chance
    if chance.percent(8):
        _amend(customer, order)
        yield customer.after(1, 5)
    if chance.percent(4):
        yield from _cancel(customer, order)
        return
    in_advance = chance.percent(8)
    if in_advance:
        yield from _bill(customer, order, "ordered", whole=True)
    deliveries = chance.choose(_DELIVERIES)
    for number in range(1, deliveries + 1):
        yield customer.after(2, 18 if number == 1 else 12)
        if not (yield from _deliver(customer, order, number, deliveries)):
            continue
        if not in_advance:
            yield from _bill(customer, order, None, whole=deliveries == 1)
        if order.open and chance.percent(4):
            yield from _cancel(customer, order)
            return
    if chance.permille(12):
        # The billing run is started twice.
        yield customer.minutes(1, 60)
        customer.attempt(IssueInvoice(order_id=order.id), customer.new_id(), names.BILLER, NothingBillable)
    yield customer.run.now + _KEPT_FOR
    customer.books.forget(order.id)


def _amend(customer: Customer, order: Order) -> None:
    """The customer changes the quantity of something small (R-55)."""
    chance = customer.chance
    changed = min(order.lines, key=lambda line: line.net / line.quantity)
    lines = []
    for line in order.lines:
        quantity = line.quantity
        if line is changed:
            quantity += -1 if quantity > 1 and chance.percent(40) else chance.between(1, 2)
        lines.append(
            OrderLineRequest(
                line=line.line,
                sku=line.sku,
                description=line.description,
                quantity=quantity,
                # Precise enough for the line's price to come out again.
                unit_price=(line.net / line.quantity).quantize(_UNIT_PRICE_PLACES),
                tax_category=line.tax_category,
                tax_rate=line.tax_rate,
            )
        )
    amend = AmendOrder(reason=chance.pick(_AMENDMENTS), lines=tuple(lines))
    amended = next(event for event in customer.do(amend, order.id, names.BILLER) if isinstance(event, OrderAmended))
    order.lines = amended.lines


def _cancel(customer: Customer, order: Order) -> Process:
    """What is not delivered is released; the warehouse does not always know at once (R-62)."""
    chance = customer.chance
    yield customer.after(1, 4)
    customer.do(CancelOrder(reason=chance.pick(_CANCELLATIONS)), order.id, names.BILLER)
    if chance.percent(15):
        yield customer.after(1, 2)
        late = ReportDelivery(delivery_id=customer.new_id())
        customer.attempt(late, order.id, names.DISPATCHER, OrderIsCancelled)
    yield customer.run.now + _KEPT_FOR
    customer.books.forget(order.id)


def _deliver(customer: Customer, order: Order, number: int, deliveries: int) -> Generator[int, None, bool]:
    """One of several deliveries, of whole pieces as far as possible (R-57, R-61); false when it would be empty."""
    chance = customer.chance
    parts = []
    for line in order.lines:
        upto = line.quantity
        if number < deliveries:
            # Odd lines come early, even ones late.
            upto = min(upto, (line.quantity * number + line.line % 2 * (deliveries - 1)) // deliveries)
        quantity = upto - order.delivered[line.line]
        if quantity > 0:
            parts.append(LineQuantity(line=line.line, quantity=quantity))
            order.delivered[line.line] = upto
    if not parts:
        return False
    ship = ShipOrder(
        shipment_id=customer.new_id(),
        carrier=chance.pick(names.CARRIERS),
        tracking=f"{chance.between(10**9, 10**10 - 1)}",
    )
    customer.do(ship, order.id, names.DISPATCHER)
    if chance.permille(6):
        yield customer.hours(1, 20)
        first = order.lines[0]
        too_much = (LineQuantity(line=first.line, quantity=first.quantity + 1),)
        slip = ReportDelivery(delivery_id=customer.new_id(), lines=too_much)
        customer.attempt(slip, order.id, names.DISPATCHER, OverDelivery)
    yield customer.hours(6, 60)
    # A report without lines says that all of the rest was delivered.
    lines = () if number == deliveries and chance.percent(50) else tuple(parts)
    customer.do(ReportDelivery(delivery_id=customer.new_id(), lines=lines), order.id, names.DISPATCHER)
    return True


def _bill(customer: Customer, order: Order, basis: Literal["ordered"] | None, *, whole: bool) -> Process:
    """The billing run of one of the next mornings (R-63, R-64). `whole`: the invoice is for all of the order."""
    chance = customer.chance
    if chance.permille(8):
        yield customer.hours(1, 8)
        line = order.lines[0]
        too_much = IssueInvoice(order_id=order.id, lines=(LineQuantity(line=line.line, quantity=line.quantity * 2),))
        customer.attempt(too_much, customer.new_id(), names.BILLER, OverBilling)
    yield workday(customer.run.now + chance.between(1, 3) * DAY) + chance.between(5 * HOUR, 7 * HOUR)
    freight = DocumentCharge(amount=_FREIGHT, reason="freight", tax_rate=_STANDARD_RATE)
    goodwill = DocumentCharge(amount=_GOODWILL, reason="goodwill for a late delivery", tax_rate=_STANDARD_RATE)
    issue = IssueInvoice(
        order_id=order.id,
        basis=basis,
        charges=(freight,) if chance.percent(22) else (),
        allowances=(goodwill,) if whole and chance.percent(4) else (),
        rounding_method="line" if customer.industry == "public" else "document",
        terms_code=customer.terms_code,
        cash_rounding=Decimal("0.05") if customer.pays_cash else None,
    )
    id = customer.new_id()
    events = customer.do(issue, id, names.BILLER)
    issued = next(event for event in events if isinstance(event, InvoiceIssued))
    cash.begin(customer, id, len(issued.instalments))
