"""Order amendments: new lines that keep what is already delivered or billed (R-55, R-58). Pure."""

from collections.abc import Iterable, Mapping

from ltc_events.aggregates.document_math import share
from ltc_events.aggregates.order_state import Line, Order, Sold
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO, add_up, minor_unit
from ltc_events.schemas.order import LineAmount, OrderAmended, OrderLine


class AmendedBelow(Refused):
    """line {line} cannot be amended to {asked}: {done} of it is {what}"""

    remedy = "keep line {line} with a quantity of at least {done}"


class PriceOfTheDone(Refused):
    """the {done} of line {line} that is {what} came to {amount}; amended, it would come to {asked}"""

    remedy = "keep the price of line {line}, and add a line for what is to have another price"


class NothingChanges(Refused):
    """the lines are the order's lines already"""

    field = "lines"
    remedy = "change a line, or leave the order as it is"


def amendment(order: Order, asked: Iterable[OrderLine], reason: str) -> OrderAmended:
    """The event that replaces the order's lines (R-55, R-58).

    Delivered and billed quantities and amounts stay, to within one minor unit of rounding.
    Raises AmendedBelow, PriceOfTheDone and NothingChanges.
    """
    lines = []
    for index, line in enumerate(asked):
        before = order.lines.get(line.line)
        lines.append(line if before is None else _kept(line, before, order.currency, f"lines.{index}"))
    after = {line.line: line for line in lines}
    for before in order.lines.values():
        done = max(before.delivered, before.billed)
        if done and before.line not in after:
            raise AmendedBelow(line=before.line, asked=ZERO, done=done, what="delivered or billed", at="lines")
    changes = _changes(order, after)
    net = add_up(line.net for line in lines)
    if not changes and all(_says_the_same(line, order.lines[line.line].sold) for line in lines):
        raise NothingChanges
    return OrderAmended(
        opportunity_id=order.opportunity_id,
        currency=order.currency,
        reason=reason,
        lines=tuple(lines),
        changes=changes,
        complete=all(line.line in order.lines and order.lines[line.line].delivered == line.quantity for line in lines),
        net=net,
        net_change=net - order.net,
        not_before=max(order.changed_on, order.reversed_on),
    )


def _kept(line: OrderLine, before: Line, currency: str, at: str) -> OrderLine:
    """An amended line, checked against what is delivered and billed of it, which it must still hold."""
    unit = minor_unit(currency)
    net = line.net
    parts = (("delivered", before.delivered, before.delivered_amount), ("billed", before.billed, before.billed_amount))
    for what, done, amount in parts:
        # What was billed beyond the order, within the allowance, does not force the order up to it.
        least = min(done, before.quantity)
        if line.quantity < least:
            raise AmendedBelow(line=line.line, asked=line.quantity, done=least, what=what, at=f"{at}.quantity")
        if done == line.quantity and abs(amount - line.net) <= unit:
            net = amount
    for what, done, amount in parts:
        if not done:
            continue
        # The rounding of the whole line moves the worth of a part by a minor unit; nothing else may.
        moved = abs(share(net, line.quantity, done, currency) - amount)
        if moved > (ZERO if done == line.quantity else unit) or (done < line.quantity and net < amount):
            asked = share(line.net, line.quantity, done, currency)
            raise PriceOfTheDone(line=line.line, what=what, done=done, amount=amount, asked=asked, at=f"{at}.unit_price")
    quote_line = before.sold.quote_line if line.sku == before.sold.sku else None
    if net == line.net and quote_line == line.quote_line:
        return line
    return line.model_copy(update={"net": net, "quote_line": quote_line})


def _changes(order: Order, after: Mapping[int, OrderLine]) -> tuple[LineAmount, ...]:
    """The difference of new and old quantity and net, for each line that changed."""
    changes = []
    for number in [*order.lines, *(number for number in after if number not in order.lines)]:
        before, line = order.lines.get(number), after.get(number)
        quantity = (line.quantity if line else ZERO) - (before.quantity if before else ZERO)
        amount = (line.net if line else ZERO) - (before.net if before else ZERO)
        if quantity or amount:
            changes.append(LineAmount(line=number, quantity=quantity, amount=amount))
    return tuple(changes)


def _says_the_same(line: OrderLine, sold: Sold) -> bool:
    return (line.sku, line.description, line.tax_category, line.tax_rate) == sold[:4]
