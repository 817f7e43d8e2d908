"""A `Work` in memory: what a rule that crosses aggregates reads and emits, without a store."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import Policies
from ltc_events.application.errors import IdTaken, OtherCustomers
from ltc_events.application.work import NotFound
from ltc_events.schemas.base import Event
from ltc_events.schemas.catalogue import COMPANY_NOUNS
from ltc_events.schemas.policy import PolicyPublished

S = TypeVar("S")


class Stream(NamedTuple):
    """What one stream holds."""

    noun: str
    state: Any
    customer_id: UUID | None


class MemoryWork:
    """States of streams by id. `emitted` lists what was emitted since `begin`, as (stream id, event)."""

    def __init__(self, subject: UUID, customer_id: UUID | None, policies: Policies | None = None) -> None:
        self.subject = subject
        self.customer_id = customer_id
        self.policies = policies or Policies()
        self.emitted: list[tuple[UUID, Event]] = []
        self._streams: dict[UUID, Stream] = {}

    def begin(self, subject: UUID, customer_id: UUID | None) -> None:
        """Take up the next command."""
        self.subject, self.customer_id = subject, customer_id
        self.emitted = []

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

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        """Record events of an aggregate."""
        stream = self._streams.get(id)
        customer_id = None if aggregate.noun in COMPANY_NOUNS else self.customer_id
        if stream is not None and (stream.noun, stream.customer_id) != (aggregate.noun, customer_id):
            raise AssertionError(f"{id} is a {stream.noun} of {stream.customer_id}, not a {aggregate.noun} of {customer_id}")
        state = None if stream is None else stream.state
        for event in events:
            assert event.type.partition(".")[0] == aggregate.noun, f"{event.type} is no event of {aggregate.noun}"
            state = aggregate.evolve(state, event)
            self.emitted.append((id, event))
            if isinstance(event, PolicyPublished):
                self.policies = self.policies.with_published(event)
        if events:
            self._streams[id] = Stream(aggregate.noun, state, customer_id)

    def invoices_of_customer(self) -> Sequence[UUID]:
        """All invoices of the command's customer, in the order they were issued."""
        return [id for id, stream in self._streams.items() if stream.noun == "invoice" and stream.customer_id == self.customer_id]
