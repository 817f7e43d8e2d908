"""Compares the last messages of each partition with the store.

The store cannot detect by itself that it went back, since an older backup is consistent. So workers between it and Kafka compare
the two at their start, and stop where the topic has events that the store lacks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from ltc_events.bus.cloudevents import EPOCH_BEGAN, SOURCE
from ltc_events.bus.consumer import Polled
from ltc_events.bus.event_decoding import NoEvent, head_of, headers_of, row_of
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topics import EVENTS, RESULTS, Bus
from ltc_events.recovery.outcomes_ahead import answers_ahead
from ltc_events.schemas.record import RawRecord
from ltc_events.schemas.tracing import PARENT, Trace
from ltc_events.store import EventStore, StoreWentBack
from ltc_events.store.epochs import Epochs
from ltc_events.store.reading import to_raw_records

# So many messages at the end of a partition are looked at: what is none of ours may lie behind the last that is.
LAST = 20


class PublishedEvent(NamedTuple):
    """An event on the topic, or the announcement of an epoch (`record` is None). `epoch` None: from a release without epochs."""

    partition: int
    offset: int
    epoch: str | None
    position: int
    record: RawRecord | None
    trace: Trace | None = None
    """The trace that the event came with."""


def published_event(message: Polled) -> PublishedEvent:
    """The event in a message; raises NoEvent for a foreign message."""
    headers = headers_of(message)
    epoch = headers.get("ce_epoch")
    name = None if epoch is None else epoch.decode(errors="replace")
    if headers.get("ce_type") == EPOCH_BEGAN.encode():
        try:
            return PublishedEvent(
                message.partition, message.offset, str(name), int(orjson.loads(message.value or b"")["after"]), None
            )
        except (ValueError, TypeError, KeyError) as error:
            raise NoEvent(reason=f"its epoch is unreadable: {error}") from None
    position, kind = head_of(headers)
    if headers.get("ce_source") != SOURCE.encode() or headers.get("ce_id") != headers.get("ce_position"):
        raise NoEvent(reason="its id or source is not one that the relay gives")
    (record,) = to_raw_records([row_of(message, headers, position, kind)])
    return PublishedEvent(message.partition, message.offset, name, position, record, _trace(headers))


def _trace(headers: Mapping[str, bytes | None]) -> Trace | None:
    if PARENT not in headers:
        return None
    return Trace.of({name: value.decode(errors="replace") for name, value in headers.items() if value is not None})


def ours(messages: Iterable[Polled]) -> Iterator[PublishedEvent]:
    """The events among messages, without foreign ones."""
    for message in messages:
        try:
            yield published_event(message)
        except NoEvent:
            continue


class TopicComparison:
    """Compares events of the topic with the store."""

    def __init__(self, store: EventStore) -> None:
        self.epochs: Epochs = store.epochs()
        self._store = store

    def is_of_another_store(self, one: PublishedEvent) -> bool:
        """Whether its epoch is one that the store never had."""
        return one.epoch is not None and not self.epochs.knows(one.epoch)

    def is_void(self, one: PublishedEvent) -> bool:
        """Whether it is known to be void: lost when the store went back, by a recorded epoch."""
        name = self.epochs.first.name if one.epoch is None else one.epoch
        return self.epochs.knows(name) and not self.epochs.holds(name, one.position)

    def foreign(self, told: Sequence[PublishedEvent]) -> list[PublishedEvent]:
        """The events that the store lacks, in the order given."""
        events = [one for one in told if one.record is not None and not self.is_of_another_store(one) and not self.is_void(one)]
        stored = self._store.raw_at(sorted({one.position for one in events}))
        wrong = {(one.partition, one.offset) for one in events if not is_same(one.record, stored.get(one.position))}
        return [one for one in told if self.is_of_another_store(one) or (one.partition, one.offset) in wrong]


def is_same(one: RawRecord | None, other: RawRecord | None) -> bool:
    """Whether two are the same event, by its bytes and its recording time."""
    return one is not None and other is not None and one == other


def refuse_events_ahead(bus: Bus, store: EventStore, *, offset_reader: OffsetReader | None = None) -> dict[int, PublishedEvent]:
    """Check that the store has the last events of each partition of the topic; returns them (absent: none).

    Raises StoreWentBack, BusUnreachable, TopicMissing.
    """
    topic = bus.topic(EVENTS)
    # The topic first: what is on it was stored before.
    last = _with_reader(bus, offset_reader, lambda reader: reader.last(topic, LAST))
    witness, found = TopicComparison(store), {}
    for messages in last.values():
        told = list(ours(messages))
        if told:
            found[told[-1].partition] = told[-1]
    if foreign := witness.foreign(list(found.values())):
        raise StoreWentBack(what=describe_foreign(topic, foreign, store.head()[0]))
    return found


def refuse_events_between(bus: Bus, store: EventStore, stretches: Mapping[int, tuple[int, int]]) -> None:
    """Check that the store has the topic's events in these half-open ranges of offsets, by partition.

    Events known to be void by their epoch are ignored. Raises StoreWentBack, BusUnreachable.
    """
    topic = bus.topic(EVENTS)
    begins = {partition: first for partition, (first, _) in stretches.items()}
    ends = {partition: following for partition, (_, following) in stretches.items()}
    with OffsetReader(bus) as offset_reader:
        found = offset_reader.read(topic, begins, ends)
    told = [one for messages in found.values() for one in ours(messages)]
    if foreign := TopicComparison(store).foreign(told):
        raise StoreWentBack(what=describe_foreign(topic, foreign, store.head()[0]))


def describe_foreign(topic: str, foreign: Sequence[PublishedEvent], head: int) -> str:
    """A description of the events that only the topic has."""
    one = max(foreign, key=lambda each: each.position)
    if one.record is None:
        return f"{topic} knows of the epoch {one.epoch}, which the store never had"
    which = "another event there" if one.position <= head else f"the head {head}"
    return f"{topic} has the event {one.position} of command {one.record.command_id}, and the store has {which}"


def refuse_answers_ahead(bus: Bus, store: EventStore, *, offset_reader: OffsetReader) -> None:
    """Check that the store has the outcomes of the last answers. Raises the errors of `refuse_events_ahead`."""
    topic = bus.topic(RESULTS)
    if missing := answers_ahead(offset_reader, topic, store):
        raise StoreWentBack(what=f"{topic} has the answers to {len(missing)} commands, of which the store has no such outcome")


def _with_reader(
    bus: Bus, offset_reader: OffsetReader | None, read: Callable[[OffsetReader], dict[int, list[Polled]]]
) -> dict[int, list[Polled]]:
    if offset_reader is not None:
        return read(offset_reader)
    with OffsetReader(bus) as own:
        return read(own)
