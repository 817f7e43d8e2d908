"""What a projector cannot take in holds up no more than it must: nobody, one customer, or tables in one partition."""

from typing import Any

import pytest
from psycopg import sql
from tests.broker import send, until
from tests.commands import rename
from tests.long_keys import LONG, take_references
from tests.projection_samples import append, chatter, known_events
from tests.projectors import SOME, Patient, Touchy, adopt, are_at, arrive, assert_true, fill, relay_all, source_of

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import event_message
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.kernel.partitioning import partition_of
from ltc_events.projections.catalog.skipped_events import Skipped, left_out
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.following.parked_retry import retry
from ltc_events.projections.following.source_switch import catch_up_partitions, to_store
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customer_references import CustomerReferences
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.schemas.record import routing_key
from ltc_events.store import Database, EventStore, Role
from ltc_events.store import database as database_module
from ltc_events.workers.projector import open_projector


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


def test_a_key_that_no_index_takes_stops_its_table_in_its_partition_alone(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    tables = (*SOME, CustomerReferences)
    with open_projector(bus, database, projections=tables) as worker:
        until(lambda: source_of(database) == bus.topic(EVENTS), worker.step)
        bad = take_references(event_store, "one", LONG)
        take_references(event_store, "two", "three")
        fill(event_store)
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store)
        stopped = [one for one in projection_status(database) if not one.gets_on]
        assert [(one.name, one.state, one.failed_position) for one in stopped] == [("customer_references", "failed", bad)]
        assert "exceeds btree" in str(stopped[0].error)
        with pytest.raises(FoldStopped, match=f"position {bad}"):
            catch_up_partitions(database, tables)
        with pytest.raises(FoldStopped, match=f"position {bad}"):
            to_store(database, tables, by="ann", reason="to see")
    assert_true(database)


def test_a_table_that_somebody_locks_waits_alone_and_goes_on_by_itself(
    bus: Bus, database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT_S", 0.1)
    with open_projector(bus, database, projections=SOME) as worker:
        until(lambda: source_of(database) == bus.topic(EVENTS), worker.step)
        with database.connect(Role.OWNER) as owner:
            owner.execute(sql.SQL("LOCK TABLE ltc_read.{}").format(sql.Identifier(Customers.physical())))
            fill(event_store)
            relay_all(bus, database, event_store)
            others = (Timeline, CustomerProfiles)
            until(lambda: are_at(database, event_store.head()[0], *others), worker.step)
            held_up = [one for one in projection_status(database) if not one.gets_on]
            assert {(one.name, one.state, one.fault) for one in held_up} == {("customers", "retrying", "retry")}
        arrive(worker, database, event_store)
        assert all(one.gets_on for one in projection_status(database))
    assert_true(database)


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
        arrive(worker, database, event_store, tables)
        found = verify(database, Patient)
        assert (found.equal, found.is_whole) == (True, False)
        assert found.left_out[0] == found.left_out[1] == Skipped((), {customers[0]: bad})

        pipeline.submit([rename("Bad", customers[1])])
        worse = event_store.head()[0]
        catch_up_partitions(database, tables)  # from the store, past the worker
        with database.connect(Role.PROJECTOR) as connection:
            assert left_out(connection, Build("touchy", 1, 0)).parked == {customers[0]: bad, customers[1]: worse}
        pipeline.submit([rename(f"Last {n}", one) for n, one in enumerate(customers)])
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store, tables)
        assert verify(database, Patient).equal

        monkeypatch.setattr(Touchy, "broken", False)
        done = retry(database, Patient, by="ann")
        assert {one.held: (one.taken, one.obstacle) for one in done} == {customers[0]: (3, None), customers[1]: (2, None)}
        fill(event_store)
        pipeline.submit([rename(f"New {n}", one) for n, one in enumerate(customers)])
        relay_all(bus, database, event_store)
        arrive(worker, database, event_store, tables)  # it believed that they wait
    assert_true(database, *tables)
    assert verify(database, Patient).is_whole


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
