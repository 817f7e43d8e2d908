"""What every aggregate module offers the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ltc_events.aggregates.policy import Policies
from ltc_events.schemas.base import Command, Event

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[S]):
    """One kind of aggregate. `decide` gets None for a stream that has no event yet, and raises `Refused`.

    A command that touches other aggregates too is decided by a rule of the application package instead; it still has its
    noun here, for the events to be evolved by.
    """

    noun: str
    decide: Callable[[S | None, Any, Policies], list[Event]]
    evolve: Callable[[S | None, Any], S]


Decide = Callable[[Any, Command, Policies], list[Event]]
