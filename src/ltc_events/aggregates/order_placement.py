"""Placing an order: what the accepted quote says, or lines of its own for a stated reason (R-57, R-58). Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from ltc_events.aggregates.base import require_not_before
from ltc_events.aggregates.opportunity_state import Opportunity, opening
from ltc_events.aggregates.order import requested_lines
from ltc_events.aggregates.order_state import Order
from ltc_events.aggregates.quote import Quote, Status
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO, add_up
from ltc_events.schemas.order import OrderLine, OrderLineRequest, OrderPlaced, PlaceOrder
from ltc_events.schemas.quote import QuotePriced


class QuoteNotAccepted(Refused):
    """the quote is {status}, not accepted"""

    field = "quote_id"
    remedy = "have the quote accepted with quote.accept.v1, or order without it and state the reason"


class QuoteAlreadyOrdered(Refused):
    """the quote is ordered already: order {order_id} was placed from it"""

    field = "quote_id"
    remedy = "{next_step}; order as much again without quote_id, for a stated reason, or have another quote accepted"


class OrderIncomplete(Refused):
    """an order without a quote needs {missing}"""

    remedy = "give {missing}, or the quote_id of an accepted quote"


class DiffersFromQuote(Refused):
    """line {line} of the quote has {what} {quoted}; the order has {asked}"""

    remedy = "order what the quote says, or state the reason why not"


class OtherOpportunity(Refused):
    """the quote is for opportunity {quoted}, not for {asked}"""

    field = "opportunity_id"
    remedy = "leave opportunity_id out, or state {quoted}"


class OrderInAnotherCurrency(Refused):
    """the order is in {currency}, but its {noun} is in {other}"""

    field = "currency"
    remedy = "place the order in {other}, or for another {noun}"


class OrderOnLostDeal(Refused):
    """the opportunity was lost on {since}"""

    field = "reason"
    remedy = "state the reason why it is ordered all the same, or open the deal again first, with opportunity.reopen.v1"


def require_after(command: PlaceOrder, quote: Quote | None, earlier: Order | None, opportunity: Opportunity | None) -> None:
    """An order is not dated before what it comes from: its deal, and the acceptance of its quote. Raises DatedTooEarly."""
    for earliest, what in _comes_from(quote, earlier, opportunity):
        require_not_before(command.effective_on, earliest, what)


def _comes_from(quote: Quote | None, earlier: Order | None, opportunity: Opportunity | None) -> list[tuple[date, str]]:
    """The dates of what an order comes from, each with its name."""
    dated = [] if opportunity is None else [opening(opportunity)]
    if quote is not None:
        dated.append((quote.step_on, "the acceptance of the quote"))
    if earlier is not None:
        dated.append((earlier.cancelled_on, "the cancellation of the order that was placed from the quote before"))
    return dated


def require_not_lost(command: PlaceOrder, opportunity: Opportunity | None) -> None:
    """Who orders on a deal while it is lost says why, or opens it again first. Raises OrderOnLostDeal."""
    if opportunity is None or (command.reason is not None and command.reason.strip()):
        return
    since = opportunity.lost_since(command.effective_on)
    if since is not None:
        raise OrderOnLostDeal(since=since)


def opportunity_of(command: PlaceOrder, quote: Quote | None) -> UUID | None:
    """The opportunity that the order is for: the quote's, or the one that is named. Raises OtherOpportunity."""
    if quote is None or quote.opportunity_id is None:
        return command.opportunity_id
    if command.opportunity_id not in (None, quote.opportunity_id):
        raise OtherOpportunity(quoted=quote.opportunity_id, asked=command.opportunity_id)
    return quote.opportunity_id


def place(
    command: PlaceOrder,
    quote: Quote | None,
    earlier: Order | None,
    opportunity_id: UUID | None,
    opportunity: Opportunity | None,
) -> tuple[OrderPlaced, tuple[OrderLine, ...]]:
    """The order, equal to its quote where it has one, and the lines to amend it to at once (none: it stays as it is).

    Lines that differ from the quote need a reason. `earlier` is the order that was placed from the quote before. Raises
    QuoteNotAccepted, QuoteAlreadyOrdered, OrderIncomplete, DiffersFromQuote, OrderInAnotherCurrency, LineNamedTwice and
    LineTooLarge.
    """
    if quote is None:
        _require_complete(command)
        priced = None
        currency = command.currency or ""
        lines = requested_lines(command.lines, currency)
        other_lines: tuple[OrderLine, ...] = ()
    else:
        priced = _accepted(quote)
        _require_free(quote, earlier)
        currency = priced.currency
        _require_currency(command.currency, "quote", currency)
        lines = _quoted_lines(priced, command.lines)
        other_lines = requested_lines(command.lines, currency)
        difference = _difference(lines, other_lines) if other_lines else None
        if difference is None:
            other_lines = ()
        elif command.reason is None:
            raise DiffersFromQuote(**difference)
    if opportunity is not None:
        _require_currency(currency, "opportunity", opportunity.currency)
    placed = OrderPlaced(
        quote_id=command.quote_id,
        quote_revision=None if priced is None else priced.revision,
        opportunity_id=opportunity_id,
        opportunity_amount=None if opportunity is None else opportunity.amount,
        currency=currency,
        lines=lines,
        net=add_up(line.net for line in lines),
        discount_total=ZERO if priced is None else priced.discount_total,
        reason=None if other_lines else command.reason,
        requested_delivery_on=command.requested_delivery_on,
        references=command.references,
        not_before=max((earliest for earliest, _ in _comes_from(quote, earlier, opportunity)), default=None),
    )
    return placed, other_lines


def _require_complete(command: PlaceOrder) -> None:
    missing = [name for name in ("reason", "currency", "lines") if not getattr(command, name)]
    if missing:
        raise OrderIncomplete(missing=", ".join(missing), at=missing[0])


def _accepted(quote: Quote) -> QuotePriced:
    if quote.status is not Status.ACCEPTED or quote.priced is None:
        raise QuoteNotAccepted(status=quote.status)
    return quote.priced


def _require_free(quote: Quote, earlier: Order | None) -> None:
    """A quote is ordered once. An order that was cancelled before anything came of it leaves the quote as it was: accepted."""
    if earlier is None or earlier.came_to_nothing:
        return
    is_over = "what that order delivered or billed stands, though it is cancelled"
    next_step = is_over if earlier.cancelled else "change that order with order.amend.v1"
    raise QuoteAlreadyOrdered(order_id=quote.order_id, next_step=next_step)


def _require_currency(currency: str | None, noun: str, other: str) -> None:
    if currency is not None and currency != other:
        raise OrderInAnotherCurrency(currency=currency, noun=noun, other=other)


def _quoted_lines(priced: QuotePriced, requests: Sequence[OrderLineRequest]) -> tuple[OrderLine, ...]:
    """The quote's lines; what other systems call them may be added by the order."""
    references = {request.line: request.references for request in requests}
    return tuple(
        OrderLine(
            line=line.line,
            sku=line.sku,
            description=line.description,
            quantity=line.quantity,
            net=line.net,
            tax_category=line.tax_category,
            tax_rate=line.tax_rate,
            quote_line=line.line,
            references={**line.references, **references.get(line.line, {})},
        )
        for line in priced.lines
    )


def _difference(quoted: Sequence[OrderLine], asked: Sequence[OrderLine]) -> dict[str, Any] | None:
    """The first thing in which the lines asked for differ from the quoted ones. Descriptions may be worded otherwise."""
    expected = {line.line: line for line in quoted}
    for index, line in enumerate(asked):
        original = expected.pop(line.line, None)
        if original is None:
            return {"line": line.line, "what": "quantity", "quoted": ZERO, "asked": line.quantity, "at": f"lines.{index}.line"}
        for name in ("sku", "quantity", "net", "tax_category", "tax_rate"):
            was, now = getattr(original, name), getattr(line, name)
            if was != now:
                field = "unit_price" if name == "net" else name
                return {"line": line.line, "what": name, "quoted": was, "asked": now, "at": f"lines.{index}.{field}"}
    for line in expected.values():
        return {"line": line.line, "what": "quantity", "quoted": line.quantity, "asked": ZERO, "at": "lines"}
    return None
