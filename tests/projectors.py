"""Projectors that Kafka feeds, for tests: events for them, reading these to the end, and whether the tables are true."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from tests.broker import until
from tests.commands import register, rename

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.projections.catalog.event_source import vector_of
from ltc_events.projections.catalog.installed_tables import position_of, shown_build
from ltc_events.projections.declaration.projection import Operation, Put, column, on
from ltc_events.projections.declaration.projection import Projection as Table
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.schemas.customer import CustomerRegistered, ProfileUpdated
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.loop import Stop, run
from ltc_events.workers.projector import Projector, open_projector
from ltc_events.workers.relay import open_relay

SOME = (Timeline, Customers, CustomerProfiles)


class Touchy(Table):
    """Names of customers; cannot take every name."""

    table, version, key = "touchy", 1, ("customer_id",)
    columns = {"customer_id": column("uuid", "the customer"), "name": column("text", "its name")}
    broken = True

    @on(CustomerRegistered, ProfileUpdated)
    def named(self, event: CustomerRegistered | ProfileUpdated, record: Record) -> Iterator[Operation]:
        if self.broken and event.profile.name == "Bad":
            raise ValueError("not that name")
        yield Put(record.subject, name=event.profile.name)


class Patient(Touchy):
    """Names of customers; who has a name that it cannot take waits."""

    table, version, on_failure = "touchy", 1, "park"


def fill(store: EventStore, events: int = 60) -> list[UUID]:
    """Events of some customers, all mixed."""
    customers = [uuid4() for _ in range(6)]
    sent = [register(f"Customer {number}", customer) for number, customer in enumerate(customers)]
    sent += [rename(f"Name {number}", customers[number % 6]) for number in range(events - 6)]
    CommandPipeline(store, SystemClock()).submit(sent)
    return customers


def relay_all(bus: Bus, database: Database, store: EventStore) -> None:
    """Put all events on the topic."""
    topic = bus.topic(EVENTS)
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: store.offsets(topic) == {(topic, 0): store.head()[0]}, relay.step)


def are_at(database: Database, position: int, *tables: type[Table]) -> bool:
    """Whether all partitions of the tables have come to a position; those that nothing happens in as well."""
    with database.connect(Role.PROJECTOR) as connection:
        return all(position_of(connection, shown_build(connection, one.table)) == position for one in tables or SOME)


def arrive(worker: Projector, database: Database, store: EventStore, tables: Sequence[type[Table]] = SOME) -> None:
    """Let a worker take in all that there is."""
    head = store.head()[0]
    until(lambda: are_at(database, head, *tables), worker.step)


def adopt(bus: Bus, database: Database, store: EventStore) -> None:
    """Tables that Kafka feeds, and events on the topic that they have taken in."""
    with open_projector(bus, database, projections=SOME) as worker:
        until(lambda: source_of(database) == bus.topic(EVENTS), worker.step)
        fill(store)
        relay_all(bus, database, store)
        arrive(worker, database, store)


def source_of(database: Database, table: type[Table] = Customers) -> str:
    """What feeds the build of a table that readers see."""
    with database.connect(Role.PROJECTOR) as connection:
        return vector_of(connection, shown_build(connection, table.table)).source


def assert_true(database: Database, *tables: type[Table]) -> None:
    """The tables are what the store says, to the row."""
    for one in tables or SOME:
        found = verify(database, one)
        assert found.equal, (one.table, found.findings[:3])


@contextmanager
def at_work(*opened: Callable[[], Any]) -> Iterator[list[threading.Thread]]:
    """Workers in threads, through the loop that all have."""
    stop = Stop()
    threads = [threading.Thread(target=run, args=("worker", one, stop)) for one in opened]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        stop()
        for thread in threads:
            thread.join(timeout=60)
        stop.close()
