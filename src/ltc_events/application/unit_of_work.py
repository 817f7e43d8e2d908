"""The unit of work of a rule that crosses aggregates: states to read, events to emit."""

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
    """The unit of work of one command. Its later reads, and the commands after it in the batch, see the events that it emits."""

    @property
    def subject(self) -> UUID:
        """The id of the aggregate that the command was sent to."""
        ...

    @property
    def customer_id(self) -> UUID | None:
        """The customer of the command; None for a command to the company."""
        ...

    @property
    def effective_on(self) -> date:
        """The business date of the command and of the events that it emits."""
        ...

    @property
    def policies(self) -> Policies:
        """The policies in force."""
        ...

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        """The state of an aggregate of this customer (or of the company), or None."""
        ...

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        """Like `find`, but raises NotFound for `field` of the command where there is none."""
        ...

    def find_any(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        """The state of an aggregate of any customer, to be read only; None where there is none of this kind.

        As with every read, the batch is stored only if the state has not changed until then.
        """
        ...

    def is_free(self, id: UUID) -> bool:
        """Whether no aggregate of any kind or customer has this id."""
        ...

    def owner_of(self, id: UUID) -> UUID | None:
        """The customer of the aggregate with this id, or None."""
        ...

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        """Record events of an aggregate."""
        ...

    def streams_of_customer(self, aggregate: Aggregate[Any]) -> Sequence[UUID]:
        """All streams of this aggregate that the command's customer has, oldest first.

        For aggregates that declare the type of their first event (`Aggregate.begins_with`).
        """
        ...


Rule = Callable[[Any, UnitOfWork], None]
"""Decides one type of command: emits events, or raises `Refused`."""
