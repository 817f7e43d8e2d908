"""The relay: every event of the store onto Kafka, in the order of positions, keyed by customer.

Its offset is the last position that Kafka has acknowledged. After a crash it begins there again: events may come twice,
none is left out, and of each customer the first coming of every event is in order.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext

import structlog

from ltc_events.bus.cloudevents import event_message
from ltc_events.bus.link import TopicReplaced
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.kernel.collector import collector_paused
from ltc_events.schemas.record import RawRecord
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.lease import Lease
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
            if not self._store.wait(self._sent, WAIT_S):
                self._lease.offset()  # a word now and then, or the lease is lost

    def finish(self) -> None:
        """Wait for the page that is on its way."""
        self._publisher.settle()
        self._acknowledged()

    def _publish(self) -> int:
        """Send the next page; how many events it has."""
        with collector_paused():
            records = self._store.read_raw(self._sent, self._page_events)
            if records:
                self._send(records)
                self._acknowledged()
                self._sent = records[-1].position
            return len(records)

    def _send(self, records: Sequence[RawRecord]) -> None:
        traces = self._store.traces(self._sent, records[-1].position - self._sent)
        if not traces:
            self._publisher.send(self._lease.feed, map(event_message, records))
            return
        with self._spans.publishing(self._lease.feed, traces) if self._spans else nullcontext(traces) as told:
            self._publisher.send(self._lease.feed, [event_message(one, told.get(one.position)) for one in records])

    def _begin(self) -> bool:
        if not self._lease.take():
            if not self._standing_by:
                self._standing_by = True
                log.info("relay_standing_by")
            time.sleep(WAIT_S)
            return False
        position = self._lease.offset()
        self._check(position)
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
        EventStore(database, Role.WRITER) as store,
    ):
        relay = Relay(store, lease, publisher)
        yield relay
        relay.finish()
