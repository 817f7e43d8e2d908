"""The relay: publishes every event of the store to Kafka in the order of positions, keyed by customer.

Its offset is the last position acknowledged by Kafka. After a crash it continues there: delivery is at least once, and the
first delivery of each customer's events is in order.

Events on the topic were in the store before. If the store lacks one, it has gone back, and nothing is published.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from itertools import groupby

import structlog

from ltc_events.bootstrap.services import open_store
from ltc_events.bus.cloudevents import epoch_message, event_message
from ltc_events.bus.producer_connection import TopicReplaced
from ltc_events.bus.publisher import NotPublished, Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.kernel.collector import collector_paused
from ltc_events.recovery.topic_comparison import PublishedEvent, refuse_events_ahead, refuse_events_between
from ltc_events.schemas.record import RawRecord
from ltc_events.store import Database, EventStore, Role, StoreWentBack
from ltc_events.store.epochs import Epochs
from ltc_events.store.lease import Lease
from ltc_events.workers.epoch_check import require_current_epoch
from ltc_events.workers.spans import spans

log = structlog.get_logger()

PAGE_EVENTS = 2000
WAIT_S = 0.5
# So often a relay that has nothing to do looks whether anybody else wrote to its topic.
LOOK_EVERY_S = 5.0


class Relay:
    """Publishes the log while it holds the lease; otherwise it is a standby.

    While a full page is in flight, the next one is read and packed; the offset moves when a page is acknowledged.
    """

    def __init__(self, store: EventStore, lease: Lease, publisher: Publisher, *, page_events: int = PAGE_EVENTS) -> None:
        self._store = store
        self._lease = lease
        self._publisher = publisher
        self._page_events = page_events
        self._position: int | None = None
        self._epochs: Epochs | None = None
        self._sent = 0
        self._looked_at = 0.0
        self._standing_by = False
        self._spans = spans()

    @property
    def is_standing_by(self) -> bool:
        """Whether another relay holds the lease."""
        return self._standing_by

    def step(self) -> None:
        """Publish a page; wait for events or for the lease where there is none."""
        if self._position is None and not self._begin():
            return
        if self._publish() < self._page_events:
            self.finish()
            # A word now and then, or the lease is lost. Nobody else moves the offset, unless the store has gone back under us.
            if not self._store.wait(self._sent, WAIT_S):
                if self._lease.offset() != self._position:
                    self._position = None
                elif time.monotonic() - self._looked_at > LOOK_EVERY_S:
                    self._looked_at = time.monotonic()
                    with suppress(NotPublished):  # where the broker is away, who publishes next hears of it
                        self._check_other_producers(self._publisher.ends(self._lease.feed))

    def finish(self) -> None:
        """Wait for the page in flight."""
        self._publisher.settle()
        self._acknowledged()

    def _publish(self) -> int:
        """Send the next page; returns the number of its events."""
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
            self._publisher.send(
                self._lease.feed, messages, before_send=lambda: self._require_current_epoch(records[-1], read_at)
            )

    def _require_current_epoch(self, last: RawRecord, read_at: float) -> None:
        def lost() -> str:
            is_there = self._store.raw_at([last.position]).get(last.position) == last
            what = f"it has no such event {last.position} of command {last.command_id} as was about to be published"
            return "" if is_there else what

        require_current_epoch(self._store, (self._epochs or self._store.epochs()).current.name, read_at, lost)

    def _by_epoch(self, records: Sequence[RawRecord]) -> Iterator[tuple[str, Sequence[RawRecord]]]:
        """The parts of a page by epoch; usually one."""
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
        position, ends = self._lease.offset(), self._publisher.ends(self._lease.feed)
        self._check(position, ends)
        head = self._store.head()[0]
        if position > head:
            raise StoreWentBack(what=f"{self._lease.feed} was published up to {position}, and the head of the store is {head}")
        # Whatever comes behind these ends is ours, or is looked at.
        self._publisher.watch(self._lease.feed, ends)
        last = refuse_events_ahead(self._publisher.bus, self._store)
        self._epochs = self._store.epochs()
        self._announce_epoch(last)
        self._position = self._sent = position
        self._standing_by = False
        log.info("relay_active", position=position)
        return True

    def _check(self, position: int, ends: Mapping[int, int]) -> None:
        """Check that the topic has had at least as many messages as events were published up to the position."""
        if (had := sum(ends.values())) < position:
            what = f"it has had {had} messages, and {position} events were published"
            raise TopicReplaced(topic=self._lease.feed, what=what)

    def _announce_epoch(self, last: Mapping[int, PublishedEvent]) -> None:
        """Announce the epoch on all partitions before its first event, where partitions end in an earlier epoch."""
        current = (self._epochs or self._store.epochs()).current
        partitions = self._publisher.ends(self._lease.feed)
        if current.number == 1 or all(number in last and last[number].epoch == current.name for number in partitions):
            return
        message = epoch_message(current.name, current.after, current.begun_at, current.reason)
        self._publisher.publish_everywhere(self._lease.feed, message)
        log.warning("epoch_told", topic=self._lease.feed, epoch=current.name, after=current.after)

    def _acknowledged(self) -> None:
        """Record that everything sent before is acknowledged."""
        if self._position is not None and self._sent > self._position:
            self._check_other_producers()
            self._lease.advance(self._position, self._sent)
            self._position = self._sent

    def _check_other_producers(self, ends: Mapping[int, int] | None = None) -> None:
        """Check that the store has what other producers wrote to the topic since we began, up to our last message or these ends.

        A page of a previous relay may have been in flight when the store went back, and arrive after our first check. Raises
        StoreWentBack, NotPublished.
        """
        if others := self._publisher.others(self._lease.feed, ends):
            log.warning("others_published", topic=self._lease.feed, between=others)
            refuse_events_between(self._publisher.bus, self._store, others)
            self._publisher.forget_others(self._lease.feed)


@contextmanager
def open_relay(bus: Bus, database: Database, publisher: Publisher) -> Iterator[Relay]:
    """A relay with its own lease and connections; the publisher is closed with it."""
    with (
        publisher,
        closing(Lease(database, bus.topic(EVENTS))) as lease,
        open_store(database, Role.RELAY) as store,
    ):
        relay = Relay(store, lease, publisher)
        yield relay
        relay.finish()
