"""One batch of commands being decided: the states after every command so far, and the events to store."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import reduce
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.business_days import widest_window, window, zone_of
from ltc_events.aggregates.customer import CUSTOMER
from ltc_events.aggregates.policies import POLICY_IDS, Policies
from ltc_events.aggregates.policy import POLICY
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.authorisation import Authorised, Gatekeeper
from ltc_events.application.errors import IdTaken, OtherCustomers, OwnCustomer, ReservedId, StaleVersion, UnregisteredCustomer
from ltc_events.application.unit_of_work import NotFound
from ltc_events.kernel.frozen import new_tuple
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.customer import StubRegistered
from ltc_events.schemas.policy import BusinessDates, PolicyPublished, PublishPolicy
from ltc_events.schemas.record import Record
from ltc_events.schemas.registry import noun_of
from ltc_events.store.commit import NewEvent, Reads
from ltc_events.store.ledger_store import LedgerStore

K = TypeVar("K")
S = TypeVar("S")
_POLICIES = frozenset(id.int for id in POLICY_IDS)
# A customer registers itself, a lead its prospect; and a reminder or a returned payment leads to claims, whoever it concerns.
_NEED_NO_CUSTOMER = frozenset({"customer", "lead", "claim"})


class Entry(NamedTuple):
    """The state of one stream after `version` events. A stream without events has version 0 and the state None."""

    noun: str
    state: Any
    version: int
    customer_id: UUID | None


NOTHING = Entry("", None, 0, None)


def evolve(entry: Entry, record: Record) -> Entry:
    """The entry of a stream after its next record."""
    noun = noun_of(record.event.type)
    return Entry(
        noun, AGGREGATES[noun].evolve(entry.state, record.event, record.effective_on), record.version, record.customer_id
    )


def fold(records: Iterable[Record], known: Entry = NOTHING) -> Entry:
    """The entry of a stream from the records that follow `known`; by default from all of its records."""
    return reduce(evolve, records, known)


class Cache:
    """The cache between batches: states of streams, and the streams of customers; bounded, least recently used first out.

    Keys are the `int` of a UUID: hashing and comparing a UUID is Python code, and happens a dozen times a command.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self.entries: dict[int, Entry] = {}
        self.outdated: dict[int, Entry] = {}
        """What was true before somebody else wrote: true up to its version, for streams only grow."""
        self.stream_lists: dict[tuple[str, int], list[UUID]] = {}
        """All streams of an aggregate (its noun) that a customer has, in the order in which they began."""
        self.gatekeeper = Gatekeeper()

    def absorb(self, batch: "Batch") -> None:
        """Keep the states and stream lists of a stored batch."""
        entries = self.entries
        for number, entry in batch.entries.items():
            entries.pop(number, None)
            self.outdated.pop(number, None)
            if entry.version:
                entries[number] = entry
        for listing, begun in batch.begun.items():
            if listing in self.stream_lists:
                self.stream_lists[listing].extend(begun)
        self._shrink(self.entries)
        self._shrink(self.outdated)
        self._shrink(self.stream_lists)

    def forget(self, streams: Iterable[UUID] | None) -> None:
        """Mark streams that another writer wrote as outdated; None: all of them."""
        self.stream_lists.clear()
        if streams is None:
            self.outdated |= self.entries
            self.entries.clear()
            return
        for id in streams:
            entry = self.entries.pop(id.int, None)
            if entry is not None:
                self.outdated[id.int] = entry

    def _shrink(self, known: dict[K, Any]) -> None:
        for key in list(islice(known, max(0, len(known) - self._size))):
            del known[key]


class Batch:
    """The states of one batch: looked up in its own changes, then in the cache, then in the store."""

    def __init__(self, store: LedgerStore, cache: Cache, policies: Policies, now: datetime) -> None:
        self._store = store
        self._cache = cache
        self._now = now
        self._rule(policies)
        self.entries: dict[int, Entry] = {}
        """Every stream that the batch has touched, as it now is."""
        self.begun: dict[tuple[str, int], list[UUID]] = {}
        """The streams that the batch has begun, of aggregates that are listed by customer."""
        self._listed: set[int] = set()
        """The customers of whom all streams of an aggregate were asked for."""

    def publish(self, event: PolicyPublished) -> None:
        """Decide the commands that follow by a policy that this batch has published."""
        self._rule(self.policies.with_published(event))

    def _rule(self, policies: Policies) -> None:
        self.policies = policies
        self.access = self._cache.gatekeeper.rules(policies.access)
        """Who may send what; None: everybody everything."""
        self.window = window(self._now, policies)
        """The business dates that its commands may have."""
        company = policies.company.content
        self.zone = None if company.time_zone == "UTC" else zone_of(company)
        """Where the date of a moment is not that of UTC, the company's time zone."""

    def business_dated(self, message: Authorised, command: Command) -> Command:
        """The command with its business date: its own, or the day of its `time` in the company's zone. Raises OutsideWindow."""
        if self.zone is not None and not message.is_dated:
            day = message.occurred_at.astimezone(self.zone).date()
            if day != command.effective_on:
                command = command.model_copy(update={"effective_on": day})
        earliest, latest = self.window
        if not earliest <= command.effective_on <= latest:
            is_mending = type(command) is PublishPolicy and type(command.content) is BusinessDates
            (widest_window(self._now, self.policies) if is_mending else self.window).require(command.effective_on)
        return command

    def prefetch(self, ids: Iterable[UUID]) -> None:
        """Load the streams that are not cached in one query, and the new records of outdated ones in another."""
        own, cached, outdated = self.entries, self._cache.entries, self._cache.outdated
        missing = {id.int: id for id in ids if id.int not in cached and id.int not in own}
        if not missing:
            return
        grown = {number: id for number, id in missing.items() if number in outdated} if outdated else {}
        fresh = [id for number, id in missing.items() if number not in grown]
        loaded = self._store.load(fresh) if fresh else {}
        if grown:
            loaded |= self._store.load_after({id: outdated[number].version for number, id in grown.items()})
        for number, id in missing.items():
            own[number] = fold(loaded.get(id, ()), outdated.get(number, NOTHING))

    def list_streams(self, aggregate: Aggregate[Any], customers: Iterable[UUID]) -> None:
        """List the streams of customers whose list is not cached in one query, and load them in another."""
        if aggregate.begins_with is None:
            raise ValueError(f"{aggregate.noun} does not state what its streams begin with")
        known = self._cache.stream_lists
        wanted = {id.int: id for id in customers}
        self._listed.update(wanted)
        missing = {(aggregate.noun, number): id for number, id in wanted.items() if (aggregate.noun, number) not in known}
        if missing:
            found = self._store.streams_of(list(missing.values()), aggregate.begins_with)
            known.update((listing, found.get(id, [])) for listing, id in missing.items())
            self.prefetch(id for listing in missing for id in known[listing])

    def entry(self, id: UUID) -> Entry:
        """The stream after all commands so far."""
        number = id.int
        entry = self.entries.get(number)
        if entry is None:
            entry = self._cache.entries.get(number)
            if entry is None:
                known = self._cache.outdated.get(number, NOTHING)
                entry = fold(self._store.stream(id, after_version=known.version), known)
            self.entries[number] = entry
        return entry

    def streams_of(self, aggregate: Aggregate[Any], customer_id: UUID) -> list[UUID]:
        """The customer's streams of this aggregate: those stored, then those begun in this batch."""
        self.list_streams(aggregate, [customer_id])
        listing = aggregate.noun, customer_id.int
        return [*self._cache.stream_lists[listing], *self.begun.get(listing, ())]

    def reads(self, since: int, events: Iterable[NewEvent]) -> Reads:
        """What these events were decided on besides the streams they are written to; policies are always included."""
        written = {one.subject.int for one in events}
        return Reads(since, _POLICIES.union(self.entries).difference(written), self._listed)


class CommandUnitOfWork:
    """The `UnitOfWork` of one command of a batch. Its events take effect with `finish` alone."""

    __slots__ = ("_batch", "_begun", "_entries", "_envelope", "customer_id", "effective_on", "emitted", "policies", "subject")

    def __init__(self, batch: Batch, message: Authorised, effective_on: date) -> None:
        self._batch = batch
        self._entries: dict[int, Entry] = {}
        self._begun: list[tuple[str, UUID]] = []
        self._envelope = (
            message.occurred_at,
            effective_on,
            message.command_id,
            message.correlation_id,
            message.causation_id,
            message.actor,
        )
        self.effective_on = effective_on
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

    def require_version(self, expected: int) -> None:
        """Raise StaleVersion unless the subject has the version that the sender expects. Other customers do not learn it."""
        entry = self._entry(self.subject)
        owner = entry.customer_id
        is_ours = owner is None or (self.customer_id is not None and owner.int == self.customer_id.int)
        if is_ours and entry.version != expected:
            raise StaleVersion(expected=expected, found=entry.version, id=self.subject)

    def get(self, aggregate: Aggregate[S], id: UUID, field: str) -> S:
        state = self.find(aggregate, id)
        if state is None:
            raise NotFound(noun=aggregate.noun, id=id, at=field)
        return state

    def find_any(self, aggregate: Aggregate[S], id: UUID) -> S | None:
        entry = self._entry(id)
        state: S | None = entry.state if entry.noun == aggregate.noun else None
        return state

    def is_free(self, id: UUID) -> bool:
        return self._entry(id).version == 0

    def owner_of(self, id: UUID) -> UUID | None:
        return self._entry(id).customer_id

    def emit(self, aggregate: Aggregate[Any], id: UUID, *events: Event) -> None:
        noun, state, version, customer_id = self._entry(id)
        if version == 0:
            noun = aggregate.noun
            if id.int in _POLICIES and noun != POLICY.noun:
                at = "subject" if id == self.subject else f"{noun}_id"
                raise ReservedId(id=id, noun=noun, at=at)
            customer_id = None if noun == "number_series" else self.customer_id
            if customer_id is not None and noun not in _NEED_NO_CUSTOMER:
                self._require_customer(customer_id, noun, id)
            if events and aggregate.begins_with is not None:
                self._begun.append((noun, id))
        for event in events:
            version += 1
            state = aggregate.evolve(state, event, self.effective_on)
            self.emitted.append(new_tuple(NewEvent, (id, version, event, customer_id, *self._envelope)))
        self._entries[id.int] = new_tuple(Entry, (noun, state, version, customer_id))

    def _require_customer(self, customer_id: UUID, noun: str, id: UUID) -> None:
        """Check a new stream against policy `require_registered_customer`.

        Raises UnregisteredCustomer, OwnCustomer, IdTaken.
        """
        mode = self.policies.require_registered_customer.content.mode
        if mode == "off":
            return
        entry = self._entry(customer_id)
        if entry.noun == "customer":
            return
        if entry.version:
            raise IdTaken(id=customer_id, other=entry.noun, noun="customer", at="partitionkey")
        if customer_id == id:
            raise OwnCustomer(id=id, noun=noun)
        if mode == "refuse":
            raise UnregisteredCustomer(id=customer_id, noun=noun)
        self.emit(CUSTOMER, customer_id, StubRegistered(noun=noun, first_id=id))

    def streams_of_customer(self, aggregate: Aggregate[Any]) -> Sequence[UUID]:
        if self.customer_id is None:
            return ()
        begun = [id for noun, id in self._begun if noun == aggregate.noun]
        return [*self._batch.streams_of(aggregate, self.customer_id), *begun]

    def finish(self) -> None:
        """Add the emitted events to the batch."""
        batch = self._batch
        batch.entries.update(self._entries)
        if self._begun and self.customer_id is not None:
            for noun, id in self._begun:
                batch.begun.setdefault((noun, self.customer_id.int), []).append(id)
        for one in self.emitted:
            if type(one.event) is PolicyPublished:
                batch.publish(one.event)

    def _entry(self, id: UUID) -> Entry:
        return self._entries.get(id.int) or self._batch.entry(id)
