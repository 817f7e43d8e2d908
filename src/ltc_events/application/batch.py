"""One batch of commands being decided: states as they are after every command so far, and what to store of it."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import POLICY_IDS, Policies
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.errors import IdTaken, OtherCustomers
from ltc_events.application.work import NotFound
from ltc_events.schemas.base import Event
from ltc_events.schemas.envelope import Message
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.policy import PolicyPublished
from ltc_events.schemas.record import Record
from ltc_events.store.commit import NewEvent, Reads
from ltc_events.store.event_store import EventStore

S = TypeVar("S")
_POLICIES = frozenset(id.int for id in POLICY_IDS)


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
    """What is known of the store between batches: streams, and whose invoices they are; bounded, oldest use first out.

    Both go by the `int` of a UUID: hashing and comparing a UUID is Python code, and happens a dozen times a command.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.entries: dict[int, Entry] = {}
        self.invoices: dict[int, list[UUID]] = {}

    def absorb(self, batch: "Batch") -> None:
        """Keep what a stored batch has touched."""
        entries = self.entries
        for number, entry in batch.entries.items():
            entries.pop(number, None)
            if entry.version:
                entries[number] = entry
        for customer, issued in batch.issued.items():
            if customer in self.invoices:
                self.invoices[customer].extend(issued)
        self._shrink(self.entries)
        self._shrink(self.invoices)

    def forget(self, streams: Iterable[UUID] | None) -> None:
        """Drop streams that somebody else wrote; None: everything."""
        self.invoices.clear()
        if streams is None:
            self.entries.clear()
            return
        for id in streams:
            self.entries.pop(id.int, None)

    def _shrink(self, entries: dict[int, Any]) -> None:
        for number in list(islice(entries, max(0, len(entries) - self._size))):
            del entries[number]


class Batch:
    """States are looked for in this batch's own changes, then in the cache, then in the store."""

    def __init__(self, store: EventStore, cache: Cache, policies: Policies) -> None:
        self._store = store
        self._cache = cache
        self.policies = policies
        self.entries: dict[int, Entry] = {}
        """Every stream that the batch has touched, as it now is."""
        self.issued: dict[int, list[UUID]] = {}
        """The invoices that the batch has issued, per customer."""
        self._listed: set[int] = set()
        """The customers whose invoices were asked for."""

    def prefetch(self, ids: Iterable[UUID]) -> None:
        """Load the streams that are not known yet, in one query."""
        own, cached = self.entries, self._cache.entries
        missing = {id.int: id for id in ids if id.int not in cached and id.int not in own}
        if missing:
            loaded = self._store.load(list(missing.values()))
            for number, id in missing.items():
                own[number] = fold(loaded.get(id, ()))

    def prefetch_invoices(self, customers: Iterable[UUID]) -> None:
        """Find the invoices of customers of whom they are not known yet, in one query, and load them in another."""
        known = self._cache.invoices
        wanted = {id.int: id for id in customers}
        self._listed.update(wanted)
        missing = {number: id for number, id in wanted.items() if number not in known}
        if missing:
            found = self._store.streams_of(list(missing.values()), InvoiceIssued.type)
            known.update((number, found.get(id, [])) for number, id in missing.items())
            self.prefetch(id for number in missing for id in known[number])

    def entry(self, id: UUID) -> Entry:
        """The stream as it is after all commands so far."""
        number = id.int
        entry = self.entries.get(number)
        if entry is None:
            entry = self._cache.entries.get(number)
            if entry is None:
                entry = fold(self._store.stream(id))
            self.entries[number] = entry
        return entry

    def invoices_of(self, customer_id: UUID) -> list[UUID]:
        """The customer's invoices: those stored, and those of this batch behind them."""
        self.prefetch_invoices([customer_id])
        return [*self._cache.invoices[customer_id.int], *self.issued.get(customer_id.int, ())]

    def reads(self, since: int, events: Iterable[NewEvent]) -> Reads:
        """What these events were decided on besides the streams they are written to; policies too, whatever was decided."""
        written = {one.subject.int for one in events}
        return Reads(since, _POLICIES.union(self.entries).difference(written), self._listed)


class CommandWork:
    """One command at work on a batch (the `Work` of the rules). Nothing of it counts before `finish`."""

    __slots__ = ("_batch", "_entries", "_envelope", "_invoices", "customer_id", "emitted", "policies", "subject")

    def __init__(self, batch: Batch, message: Message, effective_on: date) -> None:
        self._batch = batch
        self._entries: dict[int, Entry] = {}
        self._invoices: list[UUID] = []
        self._envelope = (
            message.occurred_at,
            effective_on,
            message.command_id,
            message.correlation_id,
            message.causation_id,
            message.actor,
        )
        self.subject = message.subject
        self.customer_id = message.customer_id
        self.policies = batch.policies
        self.emitted: list[NewEvent] = []

    def find(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        entry = self._entry(id)
        if entry.version == 0:
            return None
        if entry.noun != aggregate.noun:
            raise IdTaken(id=id, other=entry.noun, noun=aggregate.noun)
        owner = entry.customer_id
        if owner is not None and (self.customer_id is None or owner.int != self.customer_id.int):
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
            customer_id = None if noun == "number_series" else self.customer_id
        for event in events:
            version += 1
            state = aggregate.evolve(state, event)
            self.emitted.append(NewEvent(id, version, event, customer_id, *self._envelope))
            if type(event) is InvoiceIssued:  # asking for an instance of a pydantic model is Python code
                self._invoices.append(id)
        self._entries[id.int] = Entry(noun, state, version, customer_id)

    def invoices_of_customer(self) -> Sequence[UUID]:
        if self.customer_id is None:
            return ()
        return [*self._batch.invoices_of(self.customer_id), *self._invoices]

    def finish(self) -> None:
        """Make what was emitted part of the batch."""
        batch = self._batch
        batch.entries.update(self._entries)
        if self._invoices and self.customer_id is not None:
            batch.issued.setdefault(self.customer_id.int, []).extend(self._invoices)
        for one in self.emitted:
            if type(one.event) is PolicyPublished:
                batch.policies = batch.policies.with_published(one.event)

    def _entry(self, id: UUID) -> Entry:
        return self._entries.get(id.int) or self._batch.entry(id)
