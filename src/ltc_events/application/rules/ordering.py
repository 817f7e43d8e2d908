"""Rules of ordering: an order is checked against its quote and opportunity, and the quote records its order."""

from ltc_events.aggregates import order
from ltc_events.aggregates.amendment import amendment
from ltc_events.aggregates.base import AlreadyExists
from ltc_events.aggregates.opportunity import OPPORTUNITY
from ltc_events.aggregates.order import ORDER
from ltc_events.aggregates.order_placement import opportunity_of, place, require_after, require_not_lost
from ltc_events.aggregates.quote import QUOTE
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.schemas.order import PlaceOrder
from ltc_events.schemas.quote import QuoteOrdered


def place_order(command: PlaceOrder, work: UnitOfWork) -> None:
    """Place the order of an accepted quote; with a reason, amend it at once to the lines given (R-58).

    The quote is marked as ordered in the same transaction, so that of two orders for it only one is placed.
    """
    if work.find(ORDER, work.subject) is not None:
        raise AlreadyExists(noun="order")
    quote = None if command.quote_id is None else work.get(QUOTE, command.quote_id, "quote_id")
    ordered_by = None if quote is None else quote.order_id
    earlier = None if ordered_by is None else work.get(ORDER, ordered_by, "quote_id")
    opportunity_id = opportunity_of(command, quote)
    opportunity = None if opportunity_id is None else work.get(OPPORTUNITY, opportunity_id, "opportunity_id")
    placed, other_lines = place(command, quote, earlier, opportunity_id, opportunity)
    require_after(command, quote, earlier, opportunity)
    require_not_lost(command, opportunity)
    work.emit(ORDER, work.subject, placed)
    if command.quote_id is not None and quote is not None:
        work.emit(QUOTE, command.quote_id, QuoteOrdered(revision=quote.revision, order_id=work.subject))
    if other_lines:
        work.emit(
            ORDER, work.subject, amendment(order.evolve(None, placed, work.effective_on), other_lines, command.reason or "")
        )
