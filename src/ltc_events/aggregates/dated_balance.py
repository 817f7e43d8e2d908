"""An amount that dated movements change, in whatever order they become known: how much of it is there from which day on. Pure."""

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
    """What is open or unapplied on each day: `steps` by rising date, each with the balance at the end of that day.

    A movement that is dated back changes every later day. So only what is there on its own day and on all later ones can be
    used; `available` says how much that is, and that no day's balance becomes negative is all that a command has to hold.
    """

    steps: tuple[Step, ...] = ()

    @property
    def amount(self) -> Decimal:
        """The balance after all movements."""
        return self.steps[-1][1] if self.steps else ZERO

    def moved(self, on: date, change: Decimal) -> "DatedBalance":
        """The balance after one more movement. Dates mostly rise, and then no earlier day is looked at."""
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
        """What can be taken on a day without any later day's balance becoming negative."""
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
    """Refuse to take `amount` of several balances, in which it is by now, on a day from which on it is not there yet.

    `what` names them with their article: `the payment`. Raises AvailableLater, which says from which day on it is.
    """
    if amount > add_up(one.available(on) for one in balances):
        _refuse(balances, on, amount, what)


def require_any(balances: Sequence[DatedBalance], on: date, what: str) -> None:
    """Refuse a day from which on nothing of several balances is there yet, though something is by now. Raises AvailableLater."""
    if not any(one.available(on) for one in balances):
        _refuse(balances, on, None, what)


def _refuse(balances: Sequence[DatedBalance], on: date, asked: Decimal | None, what: str) -> Never:
    """Say from which day on what is asked for is there, or anything at all where no amount is said."""
    then = {day: add_up(one.available(day) for one in balances) for one in balances for day, _ in one.steps if day > on}
    earliest = min(day for day, amount in then.items() if (amount > 0 if asked is None else amount >= asked))
    available = add_up(one.available(on) for one in balances)
    raise AvailableLater(effective_on=on, available=available, what=what, asked=asked or then[earliest], earliest=earliest)
