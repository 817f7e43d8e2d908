"""The relay with a real broker and a real store: all events, each customer's in order, whenever it is killed."""

import random
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.broker import Arrived, everything, until
from tests.commands import register, rename
from tests.integration.test_workers_command import environment

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.local_broker import LocalBroker
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.store import Database, EventStore, OffsetMoved, Role
from ltc_events.store.lease import Lease
from ltc_events.workers.loop import Stop, run
from ltc_events.workers.relay import Relay, open_relay

ROOT = Path(__file__).parents[2]


def fill(store: EventStore, events: int = 60) -> None:
    """Events of some customers, all mixed."""
    customers = [uuid4() for _ in range(6)]
    sent = [register(f"Customer {number}", customer) for number, customer in enumerate(customers)]
    sent += [rename(f"Name {number}", customers[number % 6]) for number in range(events - 6)]
    CommandPipeline(store, SystemClock()).submit(sent)


def published(bus: Bus, store: EventStore) -> bool:
    return store.offsets(bus.topic(EVENTS)) == {(bus.topic(EVENTS), 0): store.head()[0]}


def assert_all_in_order(arrived: Iterable[Arrived], store: EventStore) -> None:
    """Everything is there, byte by byte, and the first coming of each event is in its customer's order."""
    records = store.read_raw(0, 100_000)
    firsts: dict[bytes, list[int]] = defaultdict(list)
    by_position: dict[int, Arrived] = {}
    for one in arrived:
        position = int(one.headers["ce_position"])
        if position not in by_position:
            by_position[position] = one
            firsts[one.key or b""].append(position)
    wanted: dict[bytes, list[int]] = defaultdict(list)
    for record in records:
        wanted[str(record.customer_id or record.subject).encode()].append(record.position)
    assert firsts == wanted
    assert [by_position[record.position].value for record in records] == [record.data for record in records]


def test_every_event_is_published_in_order(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: published(bus, event_store), relay.step)
        fill(event_store)
        until(lambda: published(bus, event_store), relay.step)
    arrived = everything(bus, EVENTS)
    assert len(arrived) == 120, "without trouble nothing comes twice"
    assert_all_in_order(arrived, event_store)


@pytest.mark.parametrize("point", ["before-send", "after-send", "after-settle-2", "before-lease", "after-lease"])
def test_a_killed_relay_repeats_and_never_skips(bus: Bus, database: Database, event_store: EventStore, point: str) -> None:
    fill(event_store)
    words = ["relay", point, database.conninfo, bus.bootstrap, bus.prefix]
    died = subprocess.run(
        [sys.executable, "-m", "tests.dying_worker", *words],
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    fill(event_store)
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: published(bus, event_store), relay.step)
    assert_all_in_order(everything(bus, EVENTS), event_store)


class Gone(Exception):
    """The relay ends here."""


@pytest.mark.parametrize("seed", range(3))
def test_wherever_it_ends_the_next_one_goes_on(bus: Bus, database: Database, event_store: EventStore, seed: int) -> None:
    dice = random.Random(seed)

    class Failing(Publisher):
        """Sends part of what it is given, and may end then, before or after it is acknowledged."""

        def send(self, topic: str, messages: Iterable[Outgoing], **more: Any) -> None:
            given = list(messages)
            if dice.random() < 0.3:
                super().send(topic, given[: dice.randrange(len(given) + 1)], **more)
                if dice.random() < 0.5:
                    self.settle()
                raise Gone
            super().send(topic, given, **more)

    fill(event_store, 200)
    while not published(bus, event_store):
        lease = Lease(database, bus.topic(EVENTS))
        with Failing(bus) as publisher, EventStore(database, Role.WRITER) as store:
            relay = Relay(store, lease, publisher, page_events=7)
            try:
                until(lambda: published(bus, event_store), relay.step)
            except Gone:
                pass
            finally:
                lease.close()
    assert_all_in_order(everything(bus, EVENTS), event_store)


def test_a_standby_takes_over(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with open_relay(bus, database, Publisher(bus)) as standby:
        with open_relay(bus, database, Publisher(bus)) as active:
            until(lambda: published(bus, event_store), active.step)
            fill(event_store)
            standby.step()
            assert not published(bus, event_store), "one at a time"
        until(lambda: published(bus, event_store), standby.step)
    assert_all_in_order(everything(bus, EVENTS), event_store)


def test_who_lost_the_lease_moves_nothing(database: Database) -> None:
    one, other = Lease(database, "x.events"), Lease(database, "x.events")
    assert one.take()
    assert not other.take()
    one.advance(0, 5)
    one.close()
    until(other.take)
    assert other.offset() == 5
    with pytest.raises(OffsetMoved):
        other.advance(4, 9)
    other.close()


def test_a_relay_never_waits_for_writers_nor_they_for_it(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with open_relay(bus, database, Publisher(bus)) as relay, database.connect(Role.WRITER) as writer:
        writer.execute("SELECT ltc.await_head()")
        until(lambda: published(bus, event_store), relay.step)
        writer.rollback()


def test_it_outlives_the_broker(tmp_path: Path, database: Database, event_store: EventStore, bootstrap: str) -> None:
    broker = LocalBroker(tmp_path / "kafka")
    bus = Bus(broker.bootstrap)
    stop = Stop()
    fill(event_store)
    working = threading.Thread(
        target=run, args=("relay", lambda: open_relay(bus, database, Publisher(bus, stopping=stop.requested)), stop)
    )
    try:
        broker.start()
        create_topics(bus, 2)
        working.start()
        until(lambda: published(bus, event_store))
        broker.kill()
        fill(event_store)
        broker.start()
        until(lambda: published(bus, event_store))
        assert_all_in_order(everything(bus, EVENTS), event_store)
    finally:
        stop()
        working.join(timeout=60)
        broker.stop()
    assert not working.is_alive()
    stop.close()
