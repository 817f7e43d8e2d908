"""The order of an order's dates: on a day is delivered what is ordered by then, and billed what is delivered by then. Pure.

A step that is dated back is held against every later day too, so that no report as of any day shows more delivered than
ordered, or more billed than delivered. Dates mostly rise, and then no earlier day is looked at.
"""

from datetime import date
from decimal import Decimal

from ltc_events.aggregates.base import DatedTooEarly, require_not_before
from ltc_events.aggregates.dated_balance import DatedBalance
from ltc_events.aggregates.order_state import Line, Order
from ltc_events.kernel.money import EXACT, ZERO


def require_after_order(order: Order, on: date) -> None:
    """Whatever is done about an order is not dated before it. Raises DatedTooEarly."""
    require_not_before(on, order.placed_on, "the order")


def require_amendable(order: Order, on: date) -> None:
    """An amendment replaces the lines as they are, so it is not dated before what made them so. Raises DatedTooEarly."""
    require_not_before(on, order.changed_on, "the order's last amendment")
    require_not_before(on, order.reversed_on, "the credit note after which it is to be billed again")


def require_cancellable(order: Order, on: date) -> None:
    """A cancellation releases what is not delivered, so it is dated before no amendment and no delivery. Raises DatedTooEarly."""
    require_not_before(on, order.changed_on, "the order's last amendment")
    require_not_before(on, cancellable_from(order), "the order's last delivery")


def cancellable_from(order: Order) -> date:
    """The date of the last amendment or delivery of an order, or of the order."""
    return max(order.changed_on, *(line.to_deliver.steps[-1][0] for line in order.lines.values()))


def require_deliverable(line: Line, quantity: Decimal, on: date) -> None:
    """What is delivered of a line is ordered by then, at the price that it is delivered at. Raises DatedTooEarly."""
    require_not_before(on, line.priced_on, f"the amendment that gave line {line.line} its price")
    _require(line.to_deliver, quantity, on, f"the amendment by which as much of line {line.line} is ordered")


def require_billable(line: Line, quantity: Decimal, allowance: Decimal, on: date, *, delivered: bool) -> None:
    """What is billed of a line, but for what may be billed beyond, is delivered (or ordered) by then. Raises DatedTooEarly."""
    if delivered:
        _require(line.unbilled, EXACT.subtract(quantity, allowance), on, f"the delivery of what it bills of line {line.line}")
    else:
        require_not_before(on, line.priced_on, f"the amendment that gave line {line.line} its price")
        if on < _last_step(line):
            _require(
                _ordered(line),
                EXACT.subtract(quantity, allowance),
                on,
                f"the amendment by which as much of line {line.line} is ordered",
            )


def billable_by(line: Line, quantity: Decimal, on: date, *, delivered: bool) -> Decimal:
    """How much of `quantity`, which is billable by now, is so on a day and after."""
    if delivered:
        return min(quantity, line.unbilled.least(on))
    if on < line.priced_on:
        return ZERO
    return quantity if on >= _last_step(line) else min(quantity, _ordered(line).least(on))


def billable_from(line: Line, on: date, *, delivered: bool) -> date:
    """From which day after `on` something of a line can be billed, of which something can be by now."""
    balance, begins = (line.unbilled, on) if delivered else (_ordered(line), max(on, line.priced_on))
    days = [begins, *(day for day, _ in balance.steps if day > begins)]
    return next(day for day in days if balance.least(day) > 0)


def _ordered(line: Line) -> DatedBalance:
    """The ordered less the billed quantity, by date."""
    return line.to_deliver.together(line.unbilled)


def _last_step(line: Line) -> date:
    """The day of the last thing that was delivered, billed or amended of a line."""
    last = line.to_deliver.steps[-1][0]
    return max(last, line.unbilled.steps[-1][0]) if line.unbilled.steps else last


def _require(balance: DatedBalance, quantity: Decimal, on: date, what: str) -> None:
    """Refuse to take a quantity, which is there by now, on a day from which on it is not there yet."""
    if balance.least(on) < quantity:
        earliest = next(day for day, _ in balance.steps if day > on and balance.least(day) >= quantity)
        raise DatedTooEarly(effective_on=on, earliest=earliest, what=what)
