"""The interface of an aggregate to the pipeline, and the refusals common to all aggregates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Generic, TypeVar

from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Kind, LtcError, Refused
from ltc_events.kernel.money import minor_unit
from ltc_events.schemas.base import Event

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[S]):
    """One kind of aggregate. `decide` gets None for a stream that has no event yet, and raises `Refused`.

    `evolve` gets the state (None before the first event), the next event of the stream and its business date.

    A command that touches other aggregates too is decided by a rule of the application package instead; it still has its
    noun here, for the events to be evolved by.
    """

    noun: str
    decide: Callable[[S | None, Any, Policies], list[Event]]
    evolve: Callable[[S | None, Any, date], S]
    begins_with: str | None = None
    """The type of the event with which its streams begin, of an aggregate that is listed by customer."""


class BrokenStream(LtcError):
    """the stream of a {noun} begins with {event}, which cannot be its first event"""

    kind = Kind.DEFECT
    remedy = "restore the store from its backup: events are missing"


class AlreadyExists(Refused):
    """this {noun} already exists: its stream has events"""

    field = "subject"
    remedy = "give a new {noun} an id of its own as subject, or send a command that changes this one"


class DoesNotExist(Refused):
    """this {noun} does not exist: its stream has no event"""

    field = "subject"
    remedy = "send {first} for this subject first, or correct the subject"


class EndsBeforeStart(Refused):
    """the last day {ends_on} lies before the first day {starts_on}"""

    field = "ends_on"
    remedy = "give an ends_on of {starts_on} or later"


class DatedTooEarly(Refused):
    """{effective_on} is before {earliest}, the date of {what}"""

    field = "effective_on"
    remedy = "give an effective_on of {earliest} or later"


class FinerThanMinorUnit(Refused):
    """{amount} is finer than the smallest amount of {currency}, {unit}"""

    remedy = "round {amount} to a multiple of {unit}"


def require_minor_units(amount: Decimal, currency: str, at: str) -> None:
    """Refuse an amount finer than the currency's minor unit (ISO 4217). Raises FinerThanMinorUnit."""
    unit = minor_unit(currency)
    if amount % unit:
        raise FinerThanMinorUnit(amount=amount, currency=currency, unit=unit, at=at)


def require_not_before(effective_on: date, earliest: date, what: str) -> None:
    """Refuse a business date before that of what the event acts on; `what` names it with its article: `the payment`."""
    if effective_on < earliest:
        raise DatedTooEarly(effective_on=effective_on, earliest=earliest, what=what)


def require_order(starts_on: date, ends_on: date) -> None:
    """Refuse a period that ends before it starts. Raises EndsBeforeStart."""
    if ends_on < starts_on:
        raise EndsBeforeStart(starts_on=starts_on, ends_on=ends_on)
