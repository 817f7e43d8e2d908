"""Read tables change hands between the store and Kafka: one source feeds each, and nothing is lost on the way."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from kafka import KafkaAdminClient
from tests.broker import until
from tests.commands import rename
from tests.projectors import SOME, Patient, Touchy, adopt, are_at, arrive, assert_true, at_work, fill, relay_all, source_of

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.freshness import Freshness
from ltc_events.kernel.partitioning import partition_of
from ltc_events.projections.catalog.event_source import Source, vector_of
from ltc_events.projections.catalog.skipped_events import left_out
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import EventMisplaced, FedElsewhere, FedFromStore, PartitionsChanged
from ltc_events.projections.following.parked_retry import retry
from ltc_events.projections.following.source_switch import to_store, to_topic
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.projections.rebuilding.switch import switch
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.reports.registry import report
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay


def ends(bus: Bus) -> tuple[Source, Callable[[], dict[int, int]]]:
    with OffsetReader(bus) as offset_reader:
        count = len(offset_reader.ends(bus.topic(EVENTS)))

    def look() -> dict[int, int]:
        with OffsetReader(bus) as offset_reader:
            return offset_reader.ends(bus.topic(EVENTS))

    return Source(bus.topic(EVENTS), count), look


def test_handing_over_and_back_while_commands_keep_coming(bus: Bus, database: Database, event_store: EventStore) -> None:
    done = threading.Event()

    def command() -> None:
        with EventStore(database, Role.WRITER) as store:
            while not done.wait(0.02):
                fill(store, 12)

    commands = threading.Thread(target=command)
    source, look = ends(bus)
    fill(event_store)
    with at_work(lambda: open_relay(bus, database, Publisher(bus))):
        commands.start()
        try:
            for _ in range(2):
                with open_runner(database, SOME) as runner:
                    for _ in range(3):
                        runner.step()
                    to_topic(database, SOME, source, look, by="ann", reason="a test")
                    with pytest.raises(FedElsewhere, match="not from the store"):
                        runner.step()
                with open_projector(bus, database, projections=SOME) as worker:
                    begun = event_store.head()[0]
                    until(lambda: lowest(database) > begun + 50, worker.step)  # noqa: B023
                    assert_true(database)
                    to_store(database, SOME, by="ann", reason="a test")
                    with pytest.raises(FedFromStore, match="not from"):
                        until(lambda: False, worker.step)
                assert {one.source for one in projection_status(database)} == {"store"}
                assert_true(database)
        finally:
            done.set()
            commands.join()
    with open_runner(database, SOME) as runner:
        runner.catch_up()
    assert are_at(database, event_store.head()[0])
    assert_true(database)


def test_who_is_parked_stays_so_whoever_feeds_the_table(
    bus: Bus, database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, pipeline = (*SOME, Patient), CommandPipeline(event_store, SystemClock())
    (source, look), patient = ends(bus), Build("touchy", 1, 0)

    def parked() -> dict[UUID, int]:
        with database.connect(Role.PROJECTOR) as connection:
            return left_out(connection, patient).parked

    def rename_all(name: str) -> int:
        pipeline.submit([rename(f"{name} {number}", one) for number, one in enumerate(customers)])
        return event_store.head()[0]

    def break_on(customer: UUID) -> int:
        pipeline.submit([rename("Bad", customer)])
        return event_store.head()[0]

    customers = fill(event_store)
    waits = {customers[0]: break_on(customers[0])}
    rename_all("Early")
    with open_runner(database, tables) as runner:
        runner.catch_up()
    assert parked() == waits
    rename_all("Before the first")
    to_topic(database, tables, source, look, by="ann", reason="a test")
    assert (source_of(database, Patient), parked()) == (source.name, waits)

    with open_projector(bus, database, projections=tables) as worker:
        waits[customers[1]] = break_on(customers[1])
        rename_all("By way of Kafka")
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store, tables)
        assert parked() == waits
        assert_true(database, *tables)
        monkeypatch.setattr(Touchy, "broken", False)
        (first,) = retry(database, Patient, by="ann", only=customers[0])
        assert (first.taken, first.obstacle) == (4, None)
        del waits[customers[0]]
        rename_all("After the first")
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store, tables)
    rename_all("Not on the topic")
    to_store(database, tables, by="ann", reason="a test")
    assert (source_of(database, Patient), parked()) == ("store", waits)
    with open_runner(database, tables) as runner:
        runner.catch_up()
        (second,) = retry(database, Patient, by="ann")
        assert (second.held, second.taken, second.obstacle) == (customers[1], 4, None)
        rename_all("All of them")
        runner.catch_up()
    assert_true(database, *tables)
    assert verify(database, Patient).is_whole


def lowest(database: Database) -> int:
    return min(one.position for one in projection_status(database))


def test_only_one_source_feeds_a_table(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    with pytest.raises(FedElsewhere, match="not from the store") as refused, open_runner(database, SOME):
        pass
    assert "ltc projections source store" in refused.value.fix
    to_store(database, SOME, by="ann", reason="a test")
    with pytest.raises(FedFromStore) as other, open_projector(bus, database, projections=SOME):
        pass
    assert "ltc projections source kafka" in other.value.fix


def test_another_number_of_partitions_is_refused_and_there_is_a_way(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    adopt(bus, database, event_store)
    with open_projector(bus, database, projections=SOME) as worker:
        until(lambda: len(worker.partitions) == 3, worker.step)
        admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
        admin.create_partitions({bus.topic(EVENTS): 5})
        admin.close()
        customers = fill(event_store, 300)
        assert any(partition_of(str(one).encode(), 3) != partition_of(str(one).encode(), 5) for one in customers)
        relay_all(bus, database, event_store)
        with pytest.raises((EventMisplaced, PartitionsChanged)):  # whichever it sees first
            until(lambda: False, worker.step)
    assert_true(database)
    with pytest.raises(PartitionsChanged, match="5 partitions now") as refused, open_projector(bus, database, projections=SOME):
        pass
    assert "ltc projections source store" in refused.value.fix
    to_store(database, SOME, by="ann", reason="five partitions")
    assert_true(database)
    source, look = ends(bus)
    to_topic(database, SOME, source, look, by="ann", reason="five partitions")
    with open_projector(bus, database, projections=SOME) as worker:
        fill(event_store)
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store)
    assert_true(database)


def test_a_rebuilt_table_is_handed_over_and_can_be_shown(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    with at_work(lambda: open_relay(bus, database, Publisher(bus)), lambda: open_projector(bus, database, projections=SOME)):
        fill(event_store)
        build = rebuild(database, Customers, by="ann", reason="a test", anew=True)
        fill(event_store)

        def handed_over() -> bool:
            with database.connect(Role.PROJECTOR) as connection:
                return vector_of(connection, build).source == bus.topic(EVENTS)

        until(handed_over)
        fill(event_store)
        switched = switch(database, Customers, build, by="ann")
        assert switched.comparison is not None
        assert switched.comparison.equal
        fill(event_store)
        assert digest(database, Customers).build == build == Build("customers", Customers.version, 1)
        until(lambda: are_at(database, event_store.head()[0]))
    assert_true(database)


def test_a_report_waits_for_tables_and_writes_none(bus: Bus, database: Database, event_store: EventStore) -> None:
    tables = (Timeline,)
    with open_projector(bus, database) as worker:
        until(lambda: source_of(database, Timeline) == bus.topic(EVENTS), worker.step)
        fill(event_store)
        relay_all(bus, database, event_store)
        before = event_store.head()[0]
        until(lambda: are_at(database, before, *tables), worker.step)
    fill(event_store)
    Freshness().reach(database, report("funnel").tables)
    assert lowest(database) == before
    assert {one.source for one in projection_status(database)} == {bus.topic(EVENTS)}
