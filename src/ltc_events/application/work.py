"""What a rule that crosses aggregates sees of the world: states to read, events to emit."""

from collections.abc import Callable, Sequence
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


class Work(Protocol):
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
    def policies(self) -> Policies:
        """The policies in force."""
        ...

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        """The state of an aggregate of this customer (or of the company), or None."""
        ...

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        """Like `find`, but a missing one raises `NotFound` for `field` of the command."""
        ...

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        """Record events of an aggregate."""
        ...

    def invoices_of_customer(self) -> Sequence[UUID]:
        """All invoices of the command's customer, in the order they were issued."""
        ...


Rule = Callable[[Any, Work], None]
"""Decides one type of command: emits events, or raises `Refused`."""
