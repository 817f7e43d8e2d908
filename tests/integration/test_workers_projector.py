"""The projector with a real broker and a real store: every read table is what the store says, whatever happens to workers."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.broker import send, until
from tests.integration.test_workers_command import environment
from tests.projectors import SOME, adopt, are_at, arrive, assert_true, at_work, fill, relay_all

from ltc_events.bus.cloudevents import event_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.following.source_switch import catch_up_partitions
from ltc_events.projections.proving.digest import digest
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize("point", ["before-write", "before-rows-2", "after-rows-2", "after-write", "after-idle"])
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
