"""The relay: every event of the store onto Kafka, in the order of positions, keyed by customer.

Its offset is the last position that Kafka has acknowledged. After a crash it begins there again: events may come twice,
none is left out, and of each customer the first coming of every event is in order.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import structlog

from ltc_events.bus.cloudevents import event_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.lease import Lease

log = structlog.get_logger()

PAGE_EVENTS = 2000
WAIT_S = 0.5


class Relay:
    """Publishes the log while it holds the lease; stands by while another one does."""

    def __init__(self, store: EventStore, lease: Lease, publisher: Publisher, *, page_events: int = PAGE_EVENTS) -> None:
        self._store = store
        self._lease = lease
        self._publisher = publisher
        self._page_events = page_events
        self._position: int | None = None
        self._standing_by = False

    def step(self) -> None:
        """Publish a page; wait for events, or for the lease, where there is none."""
        if self._position is None:
            if not self._lease.take():
                if not self._standing_by:
                    self._standing_by = True
                    log.info("relay_standing_by")
                time.sleep(WAIT_S)
                return
            self._position = self._lease.offset()
            log.info("relay_active", position=self._position)
        records = self._store.read_raw(self._position, self._page_events)
        if not records:
            self._store.wait(self._position, WAIT_S)
            self._lease.offset()  # a word now and then, or the lease is lost
            return
        self._publisher.publish(self._lease.feed, map(event_message, records))
        self._lease.advance(self._position, records[-1].position)
        self._position = records[-1].position


@contextmanager
def open_relay(bus: Bus, database: Database, publisher: Publisher) -> Iterator[Relay]:
    """A relay with a lease and connections of its own; the publisher is closed with it."""
    with (
        publisher,
        closing(Lease(database, bus.topic(EVENTS))) as lease,
        EventStore(database, Role.WRITER) as store,
    ):
        yield Relay(store, lease, publisher)
