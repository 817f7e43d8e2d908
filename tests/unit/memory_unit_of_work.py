"""A `UnitOfWork` in memory: what a rule that crosses aggregates reads and emits, without a store."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import Policies
from ltc_events.application.errors import IdTaken, OtherCustomers
from ltc_events.application.unit_of_work import NotFound
from ltc_events.schemas.base import Event
from ltc_events.schemas.policy import PolicyPublished
from ltc_events.schemas.registry import COMPANY_NOUNS

S = TypeVar("S")


class Stream(NamedTuple):
    """What one stream holds."""

    noun: str
    state: Any
    customer_id: UUID | None


class MemoryUnitOfWork:
    """States of streams by id. `emitted` lists what was emitted since `begin`, as (stream id, event)."""

    def __init__(self, subject: UUID, customer_id: UUID | None, policies: Policies | None = None) -> None:
        self.subject = subject
        self.customer_id = customer_id
        self.effective_on = date.min
        self.policies = policies or Policies()
        self.emitted: list[tuple[UUID, Event]] = []
        self._streams: dict[UUID, Stream] = {}
        self._before: dict[UUID, Stream] = {}

    def begin(self, subject: UUID, customer_id: UUID | None, effective_on: date) -> None:
        """Take up the next command."""
        self.effective_on = effective_on
        self.subject, self.customer_id = subject, customer_id
        self.emitted = []
        self._before = dict(self._streams)

    def undo(self) -> None:
        """Forget what was emitted of a command that was refused after all."""
        self._streams, self.emitted = self._before, []

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        """The state of an aggregate of this customer (or of the company), or None."""
        stream = self._streams.get(id)
        if stream is None:
            return None
        if stream.noun != aggregate.noun:
            raise IdTaken(id=id, other=stream.noun, noun=aggregate.noun)
        if stream.customer_id is not None and stream.customer_id != self.customer_id:
            raise OtherCustomers(noun=aggregate.noun, id=id)
        state: S = stream.state
        return state

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        """Like `find`, but a missing one raises `NotFound`."""
        state = self.find(aggregate, id)
        if state is None:
            raise NotFound(noun=aggregate.noun, id=id, at=field)
        return state

    def find_any(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        """An aggregate of whatever customer."""
        stream = self._streams.get(id)
        state: S | None = stream.state if stream is not None and stream.noun == aggregate.noun else None
        return state

    def is_free(self, id: UUID) -> bool:
        """Whether there is nothing of this id."""
        return id not in self._streams

    def owner_of(self, id: UUID) -> UUID | None:
        """The customer to whom belongs what has this id."""
        stream = self._streams.get(id)
        return None if stream is None else stream.customer_id

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        """Record events of an aggregate."""
        stream = self._streams.get(id)
        customer_id = None if aggregate.noun in COMPANY_NOUNS else self.customer_id
        if stream is not None and (stream.noun, stream.customer_id) != (aggregate.noun, customer_id):
            raise AssertionError(f"{id} is a {stream.noun} of {stream.customer_id}, not a {aggregate.noun} of {customer_id}")
        state = None if stream is None else stream.state
        for event in events:
            assert event.type.partition(".")[0] == aggregate.noun, f"{event.type} is no event of {aggregate.noun}"
            state = aggregate.evolve(state, event, self.effective_on)
            self.emitted.append((id, event))
            if isinstance(event, PolicyPublished):
                self.policies = self.policies.with_published(event)
        if events:
            self._streams[id] = Stream(aggregate.noun, state, customer_id)

    def streams_of_customer(self, aggregate: Aggregate[Any]) -> Sequence[UUID]:
        """All streams of this aggregate that the command's customer has, in the order in which they began."""
        wanted = aggregate.noun, self.customer_id
        return [id for id, stream in self._streams.items() if (stream.noun, stream.customer_id) == wanted]
