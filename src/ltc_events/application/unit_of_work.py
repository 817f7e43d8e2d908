"""What a rule that crosses aggregates sees of the world: states to read, events to emit."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Protocol, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Event

S = TypeVar("S")


class NotFound(Refused):
    """{noun} {id} does not exist for this customer"""

    remedy = "send the command that creates {noun} {id} first, with the same partitionkey, or correct the id"


class UnitOfWork(Protocol):
    """One command at work. What it emits is seen by its own later reads and by the commands after it in the batch."""

    @property
    def subject(self) -> UUID:
        """The aggregate the command was sent to."""
        ...

    @property
    def customer_id(self) -> UUID | None:
        """The customer the command is about."""
        ...

    @property
    def effective_on(self) -> date:
        """The business date of the command, and so of what it emits."""
        ...

    @property
    def policies(self) -> Policies:
        """The policies in force."""
        ...

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        """The state of an aggregate of this customer (or of the company), or None."""
        ...

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        """Like `find`, but a missing one raises `NotFound` for `field` of the command."""
        ...

    def find_any(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        """An aggregate of whatever customer, to be read alone; None where there is none of its kind.

        Like all that is read, it is as it is when what is decided on it is stored.
        """
        ...

    def is_free(self, id: UUID) -> bool:
        """Whether there is nothing of this id, of whatever kind and customer."""
        ...

    def owner_of(self, id: UUID) -> UUID | None:
        """The customer to whom belongs what has this id."""
        ...

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        """Record events of an aggregate."""
        ...

    def streams_of_customer(self, aggregate: Aggregate[Any]) -> Sequence[UUID]:
        """All streams of this aggregate that the command's customer has, in the order in which they began.

        For aggregates that state what they begin with (`Aggregate.begins_with`).
        """
        ...


Rule = Callable[[Any, UnitOfWork], None]
"""Decides one type of command: emits events, or raises `Refused`."""
