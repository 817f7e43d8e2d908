"""Rules of ordering: an order looks at its quote and its opportunity."""

from ltc_events.aggregates import order
from ltc_events.aggregates.amendment import amendment
from ltc_events.aggregates.base import AlreadyExists
from ltc_events.aggregates.opportunity import OPPORTUNITY
from ltc_events.aggregates.order import ORDER
from ltc_events.aggregates.placing import opportunity_of, place
from ltc_events.aggregates.quote import QUOTE
from ltc_events.application.work import Work
from ltc_events.schemas.order import PlaceOrder


def place_order(command: PlaceOrder, work: Work) -> None:
    """Place the order that the accepted quote says; with a reason, amend it at once to the lines that are given (R-58)."""
    if work.find(ORDER, work.subject) is not None:
        raise AlreadyExists(noun="order")
    quote = None if command.quote_id is None else work.get(QUOTE, command.quote_id, "quote_id")
    opportunity_id = opportunity_of(command, quote)
    opportunity = None if opportunity_id is None else work.get(OPPORTUNITY, opportunity_id, "opportunity_id")
    placed, other_lines = place(command, quote, opportunity_id, opportunity)
    work.emit(ORDER, work.subject, placed)
    if other_lines:
        work.emit(ORDER, work.subject, amendment(order.evolve(None, placed), other_lines, command.reason or ""))
