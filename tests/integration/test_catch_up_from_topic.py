"""`catch-up` takes tables along that Kafka feeds, while no projector runs: what does not get there leaves word, alone."""

import json

import psycopg
import pytest
from tests.broker import until
from tests.commands import rename
from tests.long_keys import LONG, take_references
from tests.projection_samples import append, chatter, known_events
from tests.projectors import SOME, Touchy, are_at, arrive, assert_true, fill, relay_all, source_of
from typer.testing import CliRunner

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.cli.main import app
from ltc_events.projections.catalog.status import ProjectionStatus, projection_status
from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.following.source_switch import catch_up_partitions, to_store
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.store import Database, EventStore, Role
from ltc_events.store import database as database_module
from ltc_events.workers.projector import open_projector

WITH_TOUCHY = (*SOME, Touchy)


@pytest.fixture(autouse=True)
def fed_by_topic(bus: Bus, database: Database) -> None:
    """No projector runs any more."""
    with open_projector(bus, database, projections=WITH_TOUCHY) as worker:
        until(lambda: source_of(database, Touchy) == bus.topic(EVENTS), worker.step)


def held_up(database: Database) -> list[ProjectionStatus]:
    return [one for one in projection_status(database) if not one.gets_on]


def take_bad(store: EventStore) -> int:
    """Store an event that one table cannot take in, between others; its position."""
    (customer, *_) = fill(store)
    CommandPipeline(store, SystemClock()).submit([rename("Bad", customer)])
    bad = store.head()[0]
    fill(store)
    return bad


def test_one_that_stops_says_so_in_its_partition(
    database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = take_bad(event_store)
    with pytest.raises(FoldStopped, match=f"position {bad}"):
        catch_up_partitions(database, WITH_TOUCHY)
    assert are_at(database, event_store.head()[0], *SOME)
    (stopped,) = held_up(database)
    assert (stopped.name, stopped.state, stopped.failed_position, stopped.fault) == ("touchy", "failed", bad, "event")
    with pytest.raises(FoldStopped):
        catch_up_partitions(database, WITH_TOUCHY)
    assert [one.attempts for one in held_up(database)] == [2]

    monkeypatch.setattr(Touchy, "broken", False)
    catch_up_partitions(database, WITH_TOUCHY)
    assert not held_up(database)
    assert are_at(database, event_store.head()[0], *WITH_TOUCHY)
    assert_true(database, *WITH_TOUCHY)


def test_one_that_stops_on_its_way_home_says_so(bus: Bus, database: Database, event_store: EventStore) -> None:
    bad = take_bad(event_store)
    relay_all(bus, database, event_store)
    with open_projector(bus, database, projections=WITH_TOUCHY) as worker:
        arrive(worker, database, event_store)
        until(lambda: len(held_up(database)) == 1, worker.step)
    (stopped,) = held_up(database)
    with pytest.raises(FoldStopped):
        to_store(database, WITH_TOUCHY, by="ann", reason="to see")
    (again,) = held_up(database)
    assert (again.name, again.state, again.failed_position, again.partition) == ("touchy", "failed", bad, stopped.partition)
    assert again.attempts == (stopped.attempts or 0) + 1


def test_an_event_that_nobody_knows_yet_stops_tables_right_before_it(database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with known_events():  # as a newer program's
        strange = append(event_store, chatter())
    fill(event_store)
    with pytest.raises(FoldStopped, match=f"position {strange}"):
        catch_up_partitions(database, WITH_TOUCHY)
    stopped = held_up(database)
    assert {one.name for one in stopped} == {one.table for one in WITH_TOUCHY}
    assert {(one.state, one.failed_position, one.position) for one in stopped} == {("failed", strange, strange - 1)}
    with known_events():
        catch_up_partitions(database, WITH_TOUCHY)
    assert are_at(database, event_store.head()[0], *WITH_TOUCHY)


def test_one_that_somebody_locks_waits_alone(
    database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT_S", 0.1)
    fill(event_store)
    with database.connect(Role.OWNER) as owner:
        owner.execute(f"LOCK TABLE ltc_read.{Customers.table}__v{Customers.version}".encode())
        catch_up_partitions(database, WITH_TOUCHY)
        (waits,) = held_up(database)
        assert (waits.name, waits.state, waits.fault, waits.failed_position) == ("customers", "retrying", "retry", 1)
        assert are_at(database, event_store.head()[0], Timeline, CustomerProfiles, Touchy)
    catch_up_partitions(database, WITH_TOUCHY)
    assert not held_up(database)
    assert_true(database, *WITH_TOUCHY)


def test_what_holds_up_all_tables_is_raised(database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT_S", 0.1)
    fill(event_store)
    with database.connect(Role.OWNER) as owner:
        for one in WITH_TOUCHY:
            owner.execute(f"LOCK TABLE ltc_read.{one.table}__v{one.version}".encode())
        with pytest.raises(psycopg.errors.LockNotAvailable):
            catch_up_partitions(database, WITH_TOUCHY)
        assert {one.state for one in held_up(database)} == {"retrying"}


def test_the_command_line_ends_with_1_and_names_it(bus: Bus, database: Database, event_store: EventStore) -> None:
    with open_projector(bus, database, projections=PROJECTIONS) as worker:
        until(lambda: source_of(database, PROJECTIONS[-1]) == bus.topic(EVENTS), worker.step)
    bad = take_references(event_store, LONG)
    told = CliRunner().invoke(app, ["projections", "catch-up", "--json"], env={"LTC_DATABASE_URL": database.conninfo})
    assert told.exit_code == 1, told.output
    (one,) = json.loads(told.stdout)["not_caught_up"]
    assert (one["name"], one["state"], one["failed_position"]) == ("customer_references", "failed", bad)
