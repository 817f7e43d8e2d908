"""Servers that go away under working workers: nothing is lost, nothing happens twice, and the workers come back by themselves."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from psycopg import sql
from tests.broker import everything, send, until
from tests.commands import register, rename
from tests.integration.test_workers_relay import assert_all_in_order, published

from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.consumer import PartitionConsumer
from ltc_events.bus.local_broker import LocalBroker
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS, Bus
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.database import KEEPALIVE
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.loop import Stop, run
from ltc_events.workers.relay import open_relay


@contextmanager
def at_work(bus: Bus, database: Database, *kinds: Callable[..., Any]) -> Iterator[None]:
    """Workers in threads, through the loop that all have."""
    stop = Stop()

    def work(open_worker: Callable[..., Any]) -> None:
        run(open_worker.__name__, lambda: open_worker(bus, database, Publisher(bus, stopping=stop.requested)), stop)

    threads = [threading.Thread(target=work, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop()
        for thread in threads:
            thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    stop.close()


def commands(count: int) -> list[dict[str, Any]]:
    customers = [uuid4() for _ in range(count)]
    made = [register(f"Customer {number}", customer) for number, customer in enumerate(customers)]
    return [*made, *(rename(f"Name {number}", customer) for number, customer in enumerate(customers))]


def assert_answered_once(bus: Bus, sent: list[dict[str, Any]]) -> None:
    """Each command has one outcome, however often it was told."""
    told = [json.loads(one.value or b"") for one in everything(bus, RESULTS)]
    assert {one["command_id"] for one in told} == {one["id"] for one in sent}
    assert {one["first_outcome"] for one in told} == {"accepted"}


def done(bus: Bus, store: EventStore) -> int:
    return sum(store.offsets(f"{bus.topic(COMMANDS)}/answers").values())


def test_connections_to_the_database_are_cut_again_and_again(bus: Bus, database: Database, event_store: EventStore) -> None:
    sent = []
    with at_work(bus, database, open_command_worker, open_relay), database.connect(Role.OWNER, autocommit=True) as owner:
        for _ in range(5):
            more = commands(50)
            sent += more
            send(bus, COMMANDS, [command_message(one) for one in more])
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> {}"
            owner.execute(sql.SQL(cut).format(owner.info.backend_pid))
        until(lambda: done(bus, event_store) == len(sent) and published(bus, event_store))
    assert len(event_store.read(0, 10_000)) == len(sent)
    assert_answered_once(bus, sent)
    assert_all_in_order(everything(bus, EVENTS), event_store)


def test_the_broker_dies_and_comes_back(tmp_path: Path, database: Database, event_store: EventStore, bootstrap: str) -> None:
    broker = LocalBroker(tmp_path / "kafka")
    bus = Bus(broker.bootstrap)
    broker.start()
    try:
        create_topics(bus, 2)
        with at_work(bus, database, open_command_worker, open_relay):
            sent = commands(50)
            send(bus, COMMANDS, [command_message(one) for one in sent])
            until(lambda: event_store.head()[0] > 0)
            broker.kill()
            broker.start()
            more = commands(50)
            send(bus, COMMANDS, [command_message(one) for one in more])
            until(lambda: done(bus, event_store) == len(sent + more) and published(bus, event_store))
        assert len(event_store.read(0, 10_000)) == len(sent + more)
        assert_answered_once(bus, sent + more)
        assert_all_in_order(everything(bus, EVENTS), event_store)
    finally:
        broker.stop()


def test_a_machine_that_vanishes_is_noticed_from_both_ends(database: Database) -> None:
    with database.connect(Role.WRITER, autocommit=True) as connection:
        ours = connection.info.get_parameters()
        assert {name: int(ours[f"keepalives_{name}"]) for name in KEEPALIVE} == KEEPALIVE
        theirs = "SELECT count(*) FROM pg_settings WHERE name LIKE 'tcp_keepalives_%' AND source = 'session'"
        assert connection.execute(theirs).fetchone() == (3,)
    with Database(f"{database.conninfo} keepalives_idle=7").connect(Role.READER) as connection:
        assert connection.info.get_parameters()["keepalives_idle"] == "7", "who says otherwise is obeyed"


def test_a_broker_that_is_back_is_noticed_within_a_second(bus: Bus) -> None:
    with (
        Publisher(bus) as publisher,
        PartitionConsumer(bus, EVENTS, "watching", assigned=lambda partitions: dict.fromkeys(partitions, 0)) as feed,
    ):
        limits = [one.config["reconnect_backoff_max_ms"] for one in (publisher._link._manager, feed._consumer)]
    assert max(limits) <= 1000
