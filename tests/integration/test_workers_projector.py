"""The projector with a real broker and a real store: every read table is what the store says, whatever happens to workers."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from kafka import KafkaAdminClient
from tests.broker import send, until
from tests.commands import register, rename
from tests.integration.test_workers_command import environment
from tests.projection_samples import append, chatter, known_events

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import event_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import partition_of
from ltc_events.bus.survey import Survey
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.cli.freshness import freshen
from ltc_events.cli.session import Session
from ltc_events.projections.base import Operation, Put, column, on
from ltc_events.projections.base import Projection as Table
from ltc_events.projections.catalogue import Build, position_of, shown_build
from ltc_events.projections.digest import digest
from ltc_events.projections.errors import CheckpointMoved, EventMisplaced, FedElsewhere, FedFromStore, PartitionsChanged
from ltc_events.projections.handover import catch_up_partitions, come_home, go_out
from ltc_events.projections.letters import LeftOut, left_out
from ltc_events.projections.rebuild import rebuild
from ltc_events.projections.retrying import retry
from ltc_events.projections.runner import open_runner
from ltc_events.projections.source import Source, vector_of
from ltc_events.projections.status import projection_status
from ltc_events.projections.switching import switch
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.projections.verification import verify
from ltc_events.schemas.customer import CustomerRegistered, ProfileUpdated
from ltc_events.schemas.record import Record, routing_key
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.loop import Stop, run
from ltc_events.workers.projector import Projector, open_projector
from ltc_events.workers.relay import open_relay

ROOT = Path(__file__).parents[2]
SOME = (Timeline, Customers, CustomerProfiles)


def fill(store: EventStore, events: int = 60) -> list[UUID]:
    """Events of some customers, all mixed."""
    customers = [uuid4() for _ in range(6)]
    sent = [register(f"Customer {number}", customer) for number, customer in enumerate(customers)]
    sent += [rename(f"Name {number}", customers[number % 6]) for number in range(events - 6)]
    CommandPipeline(store, SystemClock()).submit(sent)
    return customers


def relay_all(bus: Bus, database: Database, store: EventStore) -> None:
    topic = bus.topic(EVENTS)
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: store.offsets(topic) == {(topic, 0): store.head()[0]}, relay.step)


def are_at(database: Database, position: int, *tables: type[Table]) -> bool:
    """Whether all partitions of the tables have come to a position; those that nothing happens in as well."""
    with database.connect(Role.PROJECTOR) as connection:
        return all(position_of(connection, shown_build(connection, one.table)) == position for one in tables or SOME)


def arrive(worker: Projector, database: Database, store: EventStore) -> None:
    """Let a worker take in all that there is."""
    head = store.head()[0]
    until(lambda: are_at(database, head), worker.step)


def adopt(bus: Bus, database: Database, store: EventStore) -> None:
    """Tables that Kafka feeds, and events on the topic that they have taken in."""
    with open_projector(bus, database, projections=SOME) as worker:
        until(lambda: source_of(database) == bus.topic(EVENTS), worker.step)
        fill(store)
        relay_all(bus, database, store)
        arrive(worker, database, store)


def source_of(database: Database, table: type[Table] = Customers) -> str:
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
            thread.join(timeout=20)
        stop.close()


def ends(bus: Bus) -> tuple[Source, Callable[[], dict[int, int]]]:
    with Survey(bus) as survey:
        count = len(survey.ends(bus.topic(EVENTS)))

    def look() -> dict[int, int]:
        with Survey(bus) as survey:
            return survey.ends(bus.topic(EVENTS))

    return Source(bus.topic(EVENTS), count), look


def test_it_begins_where_the_store_has_brought_the_tables(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    adopt(bus, database, event_store)
    assert_true(database)
    with database.connect(Role.READER) as reader:
        assert reader.execute("SELECT count(*) FROM ltc_read.timeline").fetchone() == (event_store.head()[0],)


def test_what_comes_again_changes_nothing(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    before = [digest(database, one).sha256 for one in SOME]
    send(bus, EVENTS, [event_message(one) for one in event_store.read_raw(0, 1000)])  # as a relay does after a crash
    with open_projector(bus, database, projections=SOME) as worker:
        fill(event_store, 8)
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store)
    assert_true(database)
    assert [digest(database, one).sha256 for one in SOME] != before, "and what was new was taken in"


def test_workers_share_the_partitions_and_come_and_go(bus: Bus, database: Database, event_store: EventStore) -> None:
    def opened() -> Any:
        return open_projector(bus, database, projections=SOME)

    with at_work(lambda: open_relay(bus, database, Publisher(bus)), opened):
        fill(event_store)
        with open_projector(bus, database, projections=SOME) as second:
            until(lambda: 0 < len(second.partitions) < 3, second.step)
            for _ in range(5):
                fill(event_store, 30)
                second.step()
            until(lambda: are_at(database, event_store.head()[0]), second.step)
        fill(event_store)
        until(lambda: are_at(database, event_store.head()[0]))
    assert_true(database)


@pytest.mark.parametrize("point", ["before-write-2", "after-write-2", "after-pass"])
def test_a_killed_projector_takes_nothing_twice(bus: Bus, database: Database, event_store: EventStore, point: str) -> None:
    adopt(bus, database, event_store)
    fill(event_store)
    relay_all(bus, database, event_store)
    words = ["projector", point, database.conninfo, bus.bootstrap, bus.prefix]
    died = subprocess.run(
        [sys.executable, "-m", "tests.dying_worker", *words],
        cwd=ROOT,
        env=environment(),
        timeout=90,
        check=False,
        capture_output=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert_true(database)
    # Of another group: Kafka would wait for the dead one until its session is over.
    with open_projector(bus, database, projections=SOME, group="next") as worker:
        arrive(worker, database, event_store)
    assert_true(database)


def test_who_slept_writes_nothing(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    with (
        open_projector(bus, database, projections=SOME) as sleeper,
        # Of another group, so that Kafka tells neither of the other: as when one sleeps and has not heard yet.
        open_projector(bus, database, projections=SOME, group="other") as other,
    ):
        until(lambda: len(sleeper.partitions) == 3, sleeper.step)
        fill(event_store)
        relay_all(bus, database, event_store)
        read: list[Any] = []
        until(lambda: len(read) == 60, lambda: read.extend(sleeper._feed.poll(0.1)))
        arrive(other, database, event_store)
        with pytest.raises(CheckpointMoved):  # noqa: PT012 - it is told of one batch when it takes the next
            sleeper._take(read)
            sleeper._runner.finish()
        assert_true(database)
        fill(event_store)
        relay_all(bus, database, event_store)
        arrive(sleeper, database, event_store)
        arrive(other, database, event_store)
    assert_true(database)


def test_a_table_that_was_brought_to_the_head_meanwhile_is_no_trouble(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    adopt(bus, database, event_store)
    with open_projector(bus, database, projections=SOME) as worker:
        until(lambda: len(worker.partitions) == 3, worker.step)
        fill(event_store)
        assert catch_up_partitions(database, SOME) == event_store.head()[0]
        assert_true(database)
        relay_all(bus, database, event_store)
        fill(event_store)
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store)
    assert_true(database)


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
                    go_out(database, SOME, source, look, by="ann", reason="a test")
                    with pytest.raises(FedElsewhere, match="not from the store"):
                        runner.step()
                with open_projector(bus, database, projections=SOME) as worker:
                    begun = event_store.head()[0]
                    until(lambda: lowest(database) > begun + 50, worker.step)  # noqa: B023
                    assert_true(database)
                    come_home(database, SOME, by="ann", reason="a test")
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


def lowest(database: Database) -> int:
    return min(one.position for one in projection_status(database))


def test_only_one_source_feeds_a_table(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    with pytest.raises(FedElsewhere, match="not from the store") as refused, open_runner(database, SOME):
        pass
    assert "ltc projections source store" in refused.value.fix
    come_home(database, SOME, by="ann", reason="a test")
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
    come_home(database, SOME, by="ann", reason="five partitions")
    assert_true(database)
    source, look = ends(bus)
    go_out(database, SOME, source, look, by="ann", reason="five partitions")
    with open_projector(bus, database, projections=SOME) as worker:
        fill(event_store)
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store)
    assert_true(database)


def test_what_is_no_event_of_ours_becomes_a_dead_letter_once(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    one = event_store.read_raw(0, 1)[0]
    key, value, headers = event_message(one)
    named = dict(headers)
    garbage: list[Any] = [
        (b"k", b"what is this", []),
        (b"k", None, [("ce_type", b"ltc.customer.registered.v1"), ("ce_position", b"\xff")]),
        (key, value, list({**named, "ce_position": b"999999"}.items())),
        (key, b"{", list({**named, "ce_position": b"%d" % (event_store.head()[0] + 6)}.items())),
        (key, value, list({**named, "ce_type": b"com.example.other"}.items())),
    ]
    CommandPipeline(event_store, SystemClock()).submit([rename(f"New {n}", one.subject) for n in range(6)])
    send(bus, EVENTS, garbage)  # one of them says that it is the last of those that come behind it
    relay_all(bus, database, event_store)
    for _ in range(2):
        with open_projector(bus, database, projections=SOME) as worker:
            until(lambda: len(worker.partitions) == 3, worker.step)
            arrive(worker, database, event_store)
            worker._feed._consumer.seek_to_beginning()
            for _ in range(5):
                worker.step()
    assert_true(database)
    letters = event_store.dead_letters(0, 100)
    assert {one.source for one in letters} == {bus.topic(EVENTS)}
    assert {one.kind for one in letters} == {"event"}
    assert len(letters) == len(garbage)
    places = [(one.origin or {}).get("partition") for one in letters], [(one.origin or {}).get("offset") for one in letters]
    assert len(set(zip(*places, strict=True))) == len(letters), "each is kept once"


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
        assert digest(database, Customers).build == build == Build("customers", 1, 1)
        until(lambda: are_at(database, event_store.head()[0]))
    assert_true(database)


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


def test_one_that_breaks_stops_alone_in_its_partition(
    bus: Bus, database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = (*SOME, Touchy)
    with open_projector(bus, database, projections=tables) as worker:
        until(lambda: source_of(database) == bus.topic(EVENTS), worker.step)
        customers = fill(event_store)
        CommandPipeline(event_store, SystemClock()).submit([rename("Bad", customers[0])])
        bad = event_store.head()[0]
        CommandPipeline(event_store, SystemClock()).submit([rename(f"Later {n}", one) for n, one in enumerate(customers)])
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store)
        stopped = [one for one in projection_status(database) if one.failed_position is not None]
        assert [(one.name, one.failed_position, one.position < bad) for one in stopped] == [("touchy", bad, True)]
        others = [one for one in projection_status(database) if one.name == "touchy" and one.failed_position is None]
        assert {one.position for one in others} == {event_store.head()[0]}
        assert_true(database)
        monkeypatch.setattr(Touchy, "broken", False)
        catch_up_partitions(database, tables)
        fill(event_store)
        relay_all(bus, database, event_store)
        until(lambda: are_at(database, event_store.head()[0], *tables), worker.step)
    assert_true(database, *tables)


class Patient(Touchy):
    """Names of customers; who has a name that it cannot take waits."""

    table, version, on_failure = "touchy", 1, "park"


def test_a_parked_customer_waits_and_comes_back_in_order_while_workers_go_on(
    bus: Bus, database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, pipeline = (*SOME, Patient), CommandPipeline(event_store, SystemClock())
    with open_projector(bus, database, projections=tables) as worker:
        until(lambda: source_of(database) == bus.topic(EVENTS), worker.step)
        customers = fill(event_store)
        pipeline.submit([rename("Bad", customers[0])])
        bad = event_store.head()[0]
        pipeline.submit([rename(f"Later {n}", one) for n, one in enumerate(customers)])
        relay_all(bus, database, event_store)
        arrive_with(worker, database, event_store, tables)
        found = verify(database, Patient)
        assert (found.equal, found.is_whole) == (True, False)
        assert found.left_out[0] == found.left_out[1] == LeftOut((), {customers[0]: bad})

        pipeline.submit([rename("Bad", customers[1])])
        worse = event_store.head()[0]
        catch_up_partitions(database, tables)  # from the store, past the worker
        with database.connect(Role.PROJECTOR) as connection:
            assert left_out(connection, Build("touchy", 1, 0)).parked == {customers[0]: bad, customers[1]: worse}
        pipeline.submit([rename(f"Last {n}", one) for n, one in enumerate(customers)])
        relay_all(bus, database, event_store)
        arrive_with(worker, database, event_store, tables)
        assert verify(database, Patient).equal

        monkeypatch.setattr(Touchy, "broken", False)
        done = retry(database, Patient, by="ann")
        assert {one.held: (one.taken, one.obstacle) for one in done} == {customers[0]: (3, None), customers[1]: (2, None)}
        fill(event_store)
        pipeline.submit([rename(f"New {n}", one) for n, one in enumerate(customers)])
        relay_all(bus, database, event_store)
        arrive_with(worker, database, event_store, tables)  # it believed that they wait
    assert_true(database, *tables)
    assert verify(database, Patient).is_whole


def arrive_with(worker: Projector, database: Database, store: EventStore, tables: tuple[type[Table], ...]) -> None:
    until(lambda: are_at(database, store.head()[0], *tables), worker.step)


def test_an_event_that_nobody_knows_yet_stops_its_partition_alone(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    with open_projector(bus, database, projections=SOME) as worker:
        with known_events():  # as a newer program's
            strange = append(event_store, chatter())
        fill(event_store)
        relay_all(bus, database, event_store)
        head = event_store.head()[0]
        (stranger,) = event_store.read_raw(strange - 1, 1)
        home = partition_of(routing_key(stranger), 3)

        def others() -> set[int]:
            return {one.position for one in projection_status(database) if one.partition != home}

        def stopped_at() -> set[int | None]:
            return {one.failed_position for one in projection_status(database) if one.partition == home}

        until(lambda: others() == {head} and stopped_at() == {strange}, worker.step)
        assert_true_where_it_went_on(database)
        assert event_store.dead_letters(0, 10) == [], "it is one of ours"
        with known_events():
            catch_up_partitions(database, SOME)
        fill(event_store)
        relay_all(bus, database, event_store)
        until(lambda: are_at(database, event_store.head()[0]), worker.step)


def assert_true_where_it_went_on(database: Database) -> None:
    with known_events():
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
    session = Session(database_url=database.conninfo)
    try:
        freshen(session, "funnel")
    finally:
        session.close()
    assert lowest(database) == before
    assert {one.source for one in projection_status(database)} == {bus.topic(EVENTS)}
