"""The projector with a real broker and a real store: every read table is what the store says, whatever happens to workers."""

from typing import Any
from uuid import uuid4

from tests.broker import until
from tests.commands import register, rename

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.projections.catalogue import position_of, shown_build
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay

SOME = (Timeline, Customers)


def fill(store: EventStore, events: int = 60) -> None:
    """Events of some customers, all mixed."""
    customers = [uuid4() for _ in range(6)]
    sent = [register(f"Customer {number}", customer) for number, customer in enumerate(customers)]
    sent += [rename(f"Name {number}", customers[number % 6]) for number in range(events - 6)]
    CommandPipeline(store, SystemClock()).submit(sent)


def relay_all(bus: Bus, database: Database, store: EventStore) -> None:
    topic = bus.topic(EVENTS)
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: store.offsets(topic) == {(topic, 0): store.head()[0]}, relay.step)


def positions(database: Database, *tables: str) -> set[int]:
    with database.connect(Role.PROJECTOR) as connection:
        return {position_of(connection, shown_build(connection, table)) for table in tables or ("timeline", "customers")}


def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    with database.connect(Role.READER) as connection:
        return connection.execute(f"SELECT * FROM ltc_read.{table} ORDER BY 1".encode()).fetchall()


def test_it_follows(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with open_projector(bus, database, projections=SOME) as worker:
        until(lambda: positions(database) == {event_store.head()[0]}, worker.step)
        fill(event_store)
        relay_all(bus, database, event_store)
        until(lambda: positions(database) == {event_store.head()[0]}, worker.step)
    assert len(rows(database, "timeline")) == event_store.head()[0]
    assert len(rows(database, "customers")) == 12
