"""The relay: every event of the store onto Kafka, in the order of positions, keyed by customer.

Its offset is the last position that Kafka has acknowledged. After a crash it begins there again: events may come twice,
none is left out, and of each customer the first coming of every event is in order.

What is on the topic was in the store before. Where the store does not have it, it has gone back: then nothing is published.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import groupby

import structlog

from ltc_events.bus.cloudevents import epoch_message, event_message
from ltc_events.bus.producer_connection import TopicReplaced
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.kernel.collector import collector_paused
from ltc_events.recovery.topic_comparison import Told, refuse_events_ahead
from ltc_events.schemas.record import RawRecord
from ltc_events.store import Database, EpochOver, EventStore, Role, StoreWentBack
from ltc_events.store.epochs import Epochs
from ltc_events.store.lease import Lease
from ltc_events.workers.loop import LATE_S
from ltc_events.workers.spans import spans

log = structlog.get_logger()

PAGE_EVENTS = 2000
WAIT_S = 0.5


class Relay:
    """Publishes the log while it holds the lease; stands by while another one does.

    While a full page is on its way to Kafka, the next one is read and packed; the offset moves when a page is acknowledged.
    """

    def __init__(self, store: EventStore, lease: Lease, publisher: Publisher, *, page_events: int = PAGE_EVENTS) -> None:
        self._store = store
        self._lease = lease
        self._publisher = publisher
        self._page_events = page_events
        self._position: int | None = None
        self._epochs: Epochs | None = None
        self._sent = 0
        self._standing_by = False
        self._spans = spans()

    @property
    def is_standing_by(self) -> bool:
        """Whether another one is at work."""
        return self._standing_by

    def step(self) -> None:
        """Publish a page; wait for events, or for the lease, where there is none."""
        if self._position is None and not self._begin():
            return
        if self._publish() < self._page_events:
            self.finish()
            # A word now and then, or the lease is lost. Nobody else moves the offset, unless the store has gone back under us.
            if not self._store.wait(self._sent, WAIT_S) and self._lease.offset() != self._position:
                self._position = None

    def finish(self) -> None:
        """Wait for the page that is on its way."""
        self._publisher.settle()
        self._acknowledged()

    def _publish(self) -> int:
        """Send the next page; how many events it has."""
        with collector_paused():
            read_at = time.monotonic()
            upto = self._store.readable(self._sent, self._sent + self._page_events)
            records = self._store.read_raw(self._sent, self._page_events, upto=upto)
            if records:
                self._send(records, read_at)
                self._acknowledged()
                self._sent = records[-1].position
            return len(records)

    def _send(self, records: Sequence[RawRecord], read_at: float) -> None:
        traces = self._store.traces(self._sent, records[-1].position - self._sent)
        with self._spans.publishing(self._lease.feed, traces) if self._spans and traces else nullcontext(traces) as told:
            messages = [
                event_message(one, told.get(one.position), epoch) for epoch, part in self._by_epoch(records) for one in part
            ]
            self._publisher.send(self._lease.feed, messages, last_look=lambda: self._look_again(records[-1], read_at))

    def _look_again(self, last: RawRecord, read_at: float) -> None:
        """See that the store still has what is about to be published, where that was read a while ago.

        Raises EpochOver, StoreWentBack.
        """
        if time.monotonic() - read_at < LATE_S:
            return
        present, known = self._store.epochs().current, (self._epochs or self._store.epochs()).current
        if present != known:
            raise EpochOver(present=present.name, known=known.name)
        if self._store.raw_at([last.position]).get(last.position) != last:
            what = f"it has no such event {last.position} of command {last.command_id} as was about to be published"
            raise StoreWentBack(what=what)

    def _by_epoch(self, records: Sequence[RawRecord]) -> Iterator[tuple[str, Sequence[RawRecord]]]:
        """The parts of a page by the epochs that they belong to; as a rule it is one."""
        epochs = self._epochs or self._store.epochs()
        if epochs.of(records[0].position) == epochs.of(records[-1].position):
            yield epochs.of(records[0].position).name, records
            return
        for one, part in groupby(records, key=lambda record: epochs.of(record.position).name):
            yield one, list(part)

    def _begin(self) -> bool:
        if not self._lease.take():
            if not self._standing_by:
                self._standing_by = True
                log.info("relay_standing_by")
            time.sleep(WAIT_S)
            return False
        position = self._lease.offset()
        self._check(position)
        head = self._store.head()[0]
        if position > head:
            raise StoreWentBack(what=f"{self._lease.feed} was published up to {position}, and the head of the store is {head}")
        last = refuse_events_ahead(self._publisher.bus, self._store)
        self._epochs = self._store.epochs()
        self._tell_epoch(last)
        self._position = self._sent = position
        self._standing_by = False
        log.info("relay_active", position=position)
        return True

    def _check(self, position: int) -> None:
        """Every event up to the position was published: so the topic has at least as many messages, or had them once."""
        ends = sum(self._publisher.ends(self._lease.feed).values()) if position else 0
        if ends < position:
            what = f"it has had {ends} messages, and {position} events were published"
            raise TopicReplaced(topic=self._lease.feed, what=what)

    def _tell_epoch(self, last: Mapping[int, Told]) -> None:
        """Where partitions end in an earlier epoch, say on all of them that this one has begun, before anything of it comes."""
        current = (self._epochs or self._store.epochs()).current
        partitions = self._publisher.ends(self._lease.feed)
        if current.number == 1 or all(number in last and last[number].epoch == current.name for number in partitions):
            return
        message = epoch_message(current.name, current.after, current.begun_at, current.reason)
        self._publisher.publish_everywhere(self._lease.feed, message)
        log.warning("epoch_told", topic=self._lease.feed, epoch=current.name, after=current.after)

    def _acknowledged(self) -> None:
        """All that was sent before is on Kafka."""
        if self._position is not None and self._sent > self._position:
            self._lease.advance(self._position, self._sent)
            self._position = self._sent


@contextmanager
def open_relay(bus: Bus, database: Database, publisher: Publisher) -> Iterator[Relay]:
    """A relay with a lease and connections of its own; the publisher is closed with it."""
    with (
        publisher,
        closing(Lease(database, bus.topic(EVENTS))) as lease,
        EventStore(database, Role.RELAY) as store,
    ):
        relay = Relay(store, lease, publisher)
        yield relay
        relay.finish()
