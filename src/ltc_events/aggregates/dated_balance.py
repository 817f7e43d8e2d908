"""A balance by date, changed by movements that may be back-dated, and the amount available on each day. Pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, Never

from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import EXACT, ZERO, add_up

Step = tuple[date, Decimal]
"""A business date, and the balance from then on."""


class AvailableLater(Refused):
    """as of {effective_on} only {available} of {what} can be used, {asked} from {earliest} on"""

    field = "effective_on"
    remedy = "give an effective_on of {earliest} or later"


class DatedBalance(NamedTuple):
    """An open or unapplied amount by day: `steps` by rising date, each with the balance at the end of that day.

    A back-dated movement changes every later day. So only the lowest balance of its own and all later days can be used, which
    is `available`; commands must keep every day's balance from becoming negative.
    """

    steps: tuple[Step, ...] = ()

    @property
    def amount(self) -> Decimal:
        """The balance after all movements."""
        return self.steps[-1][1] if self.steps else ZERO

    def moved(self, on: date, change: Decimal) -> "DatedBalance":
        """The balance after one more movement. The fast path is a date not before the last one."""
        steps = self.steps
        if not steps or on > steps[-1][0]:
            return DatedBalance((*steps, (on, EXACT.add(self.amount, change))))
        if on == steps[-1][0]:
            return DatedBalance((*steps[:-1], (on, EXACT.add(steps[-1][1], change))))
        earlier = [step for step in steps if step[0] < on]
        later = [(day, EXACT.add(balance, change)) for day, balance in steps if day >= on]
        if later[0][0] != on:
            later.insert(0, (on, EXACT.add(earlier[-1][1] if earlier else ZERO, change)))
        return DatedBalance((*earlier, *later))

    def at(self, on: date) -> Decimal:
        """The balance at the end of a day."""
        return next((balance for day, balance in reversed(self.steps) if day <= on), ZERO)

    def least(self, on: date) -> Decimal:
        """The lowest balance on a day and after."""
        steps = self.steps
        if steps and on >= steps[-1][0]:
            return steps[-1][1]
        return min((self.at(on), *(balance for day, balance in steps if day > on)))

    def available(self, on: date) -> Decimal:
        """The amount that can be taken on a day without a negative balance on that or any later day; at least zero."""
        return max(ZERO, self.least(on))

    def together(self, other: "DatedBalance") -> "DatedBalance":
        """The sum of two balances, day by day."""
        days = sorted({day for day, _ in (*self.steps, *other.steps)})
        return DatedBalance(tuple((day, EXACT.add(self.at(day), other.at(day))) for day in days))

    def less(self, other: "DatedBalance") -> "DatedBalance":
        """This balance without the other one, day by day; it may become negative."""
        return self.together(DatedBalance(tuple((day, -balance) for day, balance in other.steps)))


NOTHING = DatedBalance()


def require_available(balances: Sequence[DatedBalance], on: date, amount: Decimal, what: str) -> None:
    """Refuse to take `amount` of several balances on a day on which it is not available, though it is after all movements.

    `what` names them with their article: `the payment`. Raises AvailableLater, which names the first day on which it is.
    """
    if amount > add_up(one.available(on) for one in balances):
        _refuse(balances, on, amount, what)


def require_any(balances: Sequence[DatedBalance], on: date, what: str) -> None:
    """Refuse a day on which nothing of several balances is available, though something is later. Raises AvailableLater."""
    if not any(one.available(on) for one in balances):
        _refuse(balances, on, None, what)


def _refuse(balances: Sequence[DatedBalance], on: date, asked: Decimal | None, what: str) -> Never:
    """Raise AvailableLater with the first day on which the requested amount, or any amount, is available."""
    then = {day: add_up(one.available(day) for one in balances) for one in balances for day, _ in one.steps if day > on}
    earliest = min(day for day, amount in then.items() if (amount > 0 if asked is None else amount >= asked))
    available = add_up(one.available(on) for one in balances)
    raise AvailableLater(effective_on=on, available=available, what=what, asked=asked or then[earliest], earliest=earliest)
