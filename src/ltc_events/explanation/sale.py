"""The stories of an opportunity, a quote and an order: where each comes from, what it came to, and what was billed of it."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from uuid import UUID

from ltc_events.explanation import selling
from ltc_events.explanation.cash import balance_of
from ltc_events.explanation.chain import Chain, E, Lens, event_of, upstream
from ltc_events.explanation.story import Node, NotThere, Story
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.opportunity import (
    AmountChanged,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
    TitleChanged,
)
from ltc_events.schemas.order import OrderAmended, OrderCancelled, OrderInvoiced, OrderPlaced
from ltc_events.schemas.quote import QuoteDrafted, QuotePriced
from ltc_events.schemas.record import Record
from ltc_events.store import EventStore


def explain_opportunity(store: EventStore, id: UUID, as_of: date, position: int) -> Story:
    """The story of a deal with its quotes and orders; its figure is what it is believed to be worth, or was closed with.

    Reads the store alone. Raises NotThere. R-37 … R-43, R-70.
    """
    lens, records = _seen(store, "opportunity", id, as_of, position)
    opened = _first(records, OpportunityOpened, "opportunity")
    quotes = list(_of_deal(lens, records[0], QuoteDrafted, id))
    orders = list(_of_deal(lens, records[0], OrderPlaced, id))
    amount, title = opened.amount, opened.title
    for record in records:
        if isinstance(record.event, TitleChanged):
            title = record.event.title
        if isinstance(record.event, AmountChanged | OpportunityWon | OpportunityLost | OpportunityReopened):
            amount = record.event.amount
    root = Node(f"Opportunity {title}", amount=amount, currency=opened.currency)
    chain = upstream(lens, title, opportunity_id=id)
    _add_until(root, chain, selling.add_opportunity)
    for quote in quotes:
        selling.add_quote(root, upstream(lens, title, quote_id=quote[0].subject))
    for order in orders:
        _add_order(root, lens, order)
    return Story(title, as_of, lens.position, amount, opened.currency, root, "opportunity")


def explain_quote(store: EventStore, id: UUID, as_of: date, position: int) -> Story:
    """The story of a quote with the trace of its prices; its figure is the net amount of the last pricing. Raises NotThere."""
    lens, records = _seen(store, "quote", id, as_of, position)
    drafted = _first(records, QuoteDrafted, "quote")
    priced = [record.event for record in records if isinstance(record.event, QuotePriced)]
    net, currency = (priced[-1].net, priced[-1].currency) if priced else (ZERO, drafted.currency)
    called = drafted.title or str(id)
    root = Node(f"Quote {called}", amount=net, currency=currency)
    chain = upstream(lens, called, quote_id=id, opportunity_id=drafted.opportunity_id)
    _add_until(root, chain, selling.add_opportunity, selling.add_quote)
    return Story(called, as_of, lens.position, net, currency, root, "quote")


def explain_order(store: EventStore, id: UUID, as_of: date, position: int) -> Story:
    """The story of an order from its lead to its invoices; its figure is the net amount ordered, after amendments and
    cancelling. Raises NotThere. R-57 … R-65."""
    lens, records = _seen(store, "order", id, as_of, position)
    placed = _first(records, OrderPlaced, "order")
    called = ", ".join(placed.references.values()) or str(id)
    net = _net(records)
    root = Node(f"Order {called}", amount=net, currency=placed.currency)
    chain = upstream(lens, called, order_id=id, quote_id=placed.quote_id, opportunity_id=placed.opportunity_id)
    _add_until(root, chain, selling.add_opportunity, selling.add_quote)
    _add_order(root, lens, records)
    return Story(called, as_of, lens.position, net, placed.currency, root, "order")


def _seen(store: EventStore, kind: str, id: UUID, as_of: date, position: int) -> tuple[Lens, list[Record]]:
    lens = Lens(store, as_of, store.command_end(position))
    records = lens.stream(id)
    if not records or records[0].version != 1:
        raise NotThere(kind=kind, id=id, as_of=as_of, known_at=lens.position)
    return lens, records


def _first(records: list[Record], kind: type[E], noun: str) -> E:
    event = records[0].event
    if not isinstance(event, kind):
        raise NotThere(kind=noun, id=records[0].subject, as_of=records[0].effective_on, known_at=records[0].position)
    return event


def _add_until(root: Node, chain: Chain, *tellers: Callable[[Node, Chain], None]) -> None:
    for tell in (selling.add_campaign, selling.add_lead, *tellers):
        tell(root, chain)


def _of_deal(lens: Lens, first: Record, kind: type[QuoteDrafted] | type[OrderPlaced], id: UUID) -> Iterator[list[Record]]:
    """What the customer has of this kind for this deal."""
    if first.customer_id is None:
        return
    for stream in lens.store.streams_of([first.customer_id], kind.type).get(first.customer_id, []):
        records = lens.stream(stream)
        begun = event_of(records, kind)
        if begun is not None and begun.opportunity_id == id:
            yield records


def _add_order(root: Node, lens: Lens, records: list[Record]) -> None:
    """The order, and below it what was billed of it and what of that is still owed."""
    placed = event_of(records, OrderPlaced)
    chain = upstream(lens, "", order_id=records[0].subject, quote_id=placed.quote_id if placed else None)
    selling.add_order(root, chain)
    for invoice_id in dict.fromkeys(one.event.invoice_id for one in records if isinstance(one.event, OrderInvoiced)):
        billed = lens.stream(invoice_id)
        issued = event_of(billed, InvoiceIssued)
        if issued is not None:
            node = root.add(f"Invoice {issued.number}", billed[0], amount=issued.payable, currency=issued.currency)
            node.add("Still owed", amount=balance_of(billed), currency=issued.currency)


def _net(records: list[Record]) -> Decimal:
    net = ZERO
    for record in records:
        match record.event:
            case OrderPlaced(net=amount) | OrderAmended(net=amount):
                net = amount
            case _:
                pass
    return net - sum((one.event.amount for one in records if isinstance(one.event, OrderCancelled)), ZERO)
