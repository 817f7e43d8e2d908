"""One batch of commands being decided: states as they are after every command so far, and what to store of it."""

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policy import POLICY_IDS, Policies
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.errors import IdTaken, OtherCustomers
from ltc_events.application.work import NotFound
from ltc_events.schemas.base import Event
from ltc_events.schemas.envelope import Message
from ltc_events.schemas.policy import PolicyPublished
from ltc_events.schemas.record import Record
from ltc_events.store.event_store import EventStore

S = TypeVar("S")
INVOICE_ISSUED = "invoice.issued.v1"


class Entry(NamedTuple):
    """The state of one stream after `version` events. A stream without events has version 0 and the state None."""

    noun: str
    state: Any
    version: int
    customer_id: UUID | None


NOTHING = Entry("", None, 0, None)


def noun_of(type_name: str) -> str:
    """The noun of a command's or event's type: `invoice` of `invoice.issue.v1`."""
    return type_name.partition(".")[0]


def evolve(entry: Entry, record: Record) -> Entry:
    """The entry of a stream after one more of its records."""
    noun = noun_of(record.event.type)
    return Entry(noun, AGGREGATES[noun].evolve(entry.state, record.event), record.version, record.customer_id)


def fold(records: Iterable[Record]) -> Entry:
    """The entry of a stream from all of its records."""
    return reduce(evolve, records, NOTHING)


class Cache:
    """What is known of the store between batches: streams, and whose invoices they are; bounded, oldest use first out."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.entries: dict[UUID, Entry] = {}
        self.invoices: dict[UUID, list[UUID]] = {}

    def absorb(self, batch: "Batch") -> None:
        """Keep what a stored batch has touched."""
        for id, entry in batch.entries.items():
            self.entries.pop(id, None)
            if entry.version:
                self.entries[id] = entry
        for customer_id, issued in batch.issued.items():
            if customer_id in self.invoices:
                self.invoices[customer_id].extend(issued)
        self._shrink(self.entries)
        self._shrink(self.invoices)

    def forget(self, streams: Iterable[UUID] | None) -> None:
        """Drop streams that somebody else wrote; None: everything."""
        self.invoices.clear()
        if streams is None:
            self.entries.clear()
            return
        for id in streams:
            self.entries.pop(id, None)

    def _shrink(self, entries: dict[UUID, Any]) -> None:
        for id in list(islice(entries, max(0, len(entries) - self._size))):
            del entries[id]


class Batch:
    """States are looked for in this batch's own changes, then in the cache, then in the store."""

    def __init__(self, store: EventStore, cache: Cache, policies: Policies) -> None:
        self._store = store
        self._cache = cache
        self.policies = policies
        self.entries: dict[UUID, Entry] = {}
        """Every stream that the batch has touched, as it now is."""
        self.issued: dict[UUID, list[UUID]] = {}
        """The invoices that the batch has issued, per customer."""

    def prefetch(self, ids: Iterable[UUID]) -> None:
        """Load the streams that are not in the cache yet, in one query."""
        missing = [id for id in ids if id not in self._cache.entries]
        if missing:
            loaded = self._store.load(missing)
            for id in missing:
                self.entries[id] = fold(loaded.get(id, ()))

    def entry(self, id: UUID) -> Entry:
        """The stream as it is after all commands so far."""
        entry = self.entries.get(id)
        if entry is None:
            entry = self._cache.entries.get(id)
            if entry is None:
                entry = fold(self._store.stream(id))
            self.entries[id] = entry
        return entry

    def invoices_of(self, customer_id: UUID) -> list[UUID]:
        """The customer's invoices: those stored, and those of this batch behind them."""
        stored = self._cache.invoices.get(customer_id)
        if stored is None:
            stored = self._cache.invoices[customer_id] = self._store.streams_of(customer_id, INVOICE_ISSUED)
        return [*stored, *self.issued.get(customer_id, ())]


class CommandWork:
    """One command at work on a batch (the `Work` of the rules). Nothing of it counts before `finish`."""

    def __init__(self, batch: Batch, message: Message) -> None:
        self._batch = batch
        self._message = message
        self._entries: dict[UUID, Entry] = {}
        self._invoices: list[UUID] = []
        self.emitted: list[tuple[UUID, int, Event, UUID | None]] = []

    @property
    def subject(self) -> UUID:
        return self._message.subject

    @property
    def customer_id(self) -> UUID | None:
        return self._message.customer_id

    @property
    def policies(self) -> Policies:
        return self._batch.policies

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        entry = self._entry(id)
        if entry.version == 0:
            return None
        if entry.noun != aggregate.noun:
            raise IdTaken(id=id, other=entry.noun, noun=aggregate.noun)
        if entry.customer_id is not None and entry.customer_id != self._message.customer_id:
            raise OtherCustomers(noun=aggregate.noun, id=id)
        state: S = entry.state
        return state

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        state = self.find(aggregate, id)
        if state is None:
            raise NotFound(noun=aggregate.noun, id=id, at=field)
        return state

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        noun, state, version, customer_id = self._entry(id)
        if version == 0:
            noun = aggregate.noun
            customer_id = None if noun == "number_series" else self._message.customer_id
        for event in events:
            version += 1
            state = aggregate.evolve(state, event)
            self.emitted.append((id, version, event, customer_id))
            if event.type == INVOICE_ISSUED:
                self._invoices.append(id)
        self._entries[id] = Entry(noun, state, version, customer_id)

    def invoices_of_customer(self) -> Sequence[UUID]:
        if self._message.customer_id is None:
            return ()
        return [*self._batch.invoices_of(self._message.customer_id), *self._invoices]

    def finish(self) -> None:
        """Make what was emitted part of the batch."""
        batch = self._batch
        batch.entries.update(self._entries)
        if self._invoices and self._message.customer_id is not None:
            batch.issued.setdefault(self._message.customer_id, []).extend(self._invoices)
        for id, _, event, _ in self.emitted:
            if id in POLICY_IDS and isinstance(event, PolicyPublished):
                batch.policies = batch.policies.with_published(event)

    def _entry(self, id: UUID) -> Entry:
        return self._entries.get(id) or self._batch.entry(id)
