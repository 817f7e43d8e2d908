"""Commands that expire before they are taken: the worker says which, and goes on by a word that is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient, TopicPartition
from tests.broker import everything, send, until
from tests.commands import register
from tests.e2e.test_cli import Ltc
from tests.projectors import SOME, adopt, assert_true, fill, relay_all

from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS, Bus, Topic
from ltc_events.diagnosis.bus import examine_bus
from ltc_events.diagnosis.check import Check
from ltc_events.projections.declaration.errors import EventsGone
from ltc_events.projections.following.source_switch import to_store
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.recovery.expired import CommandsExpired
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.projector import open_projector

CUSTOMER = uuid4()
"""All on one partition."""


def expire(bus: Bus, topic: Topic, count: int) -> dict[int, tuple[int, int]]:
    """Let Kafka drop all but the last message of each partition that has some, as it does when they are too old or too many.

    The first and the next offset that is there, by partition, of those in which at least `count` were dropped.
    """
    name = bus.topic(topic)
    with OffsetReader(bus) as offset_reader:
        first, ends = offset_reader.beginnings(name), offset_reader.ends(name)
    dropped = {number: (first[number], end - 1) for number, end in ends.items() if end - 1 - first[number] >= count}
    admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
    try:
        admin.delete_records({TopicPartition(name, number): end for number, (_, end) in dropped.items()})
    finally:
        admin.close()
    return dropped


@contextmanager
def asleep(worker: Any) -> Iterator[None]:
    """It fetches nothing meanwhile; what it had asked for before has come."""
    consumer = worker._feed._consumer
    consumer.pause(*consumer.assignment())
    for _ in range(4):  # longer than a broker keeps a request that it has nothing for
        worker.step()
    yield
    consumer.resume(*consumer.assignment())


def command(number: int) -> dict[str, object]:
    document: dict[str, object] = register(f"Customer {number}", CUSTOMER)
    return document


def test_the_worker_stops_says_which_and_goes_on_by_word_alone(bus: Bus, database: Database, event_store: EventStore) -> None:
    send(bus, COMMANDS, [command_message(command(0))])
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 1, worker.step)
    send(bus, COMMANDS, [command_message(command(number)) for number in range(1, 12)])
    ((partition, (_, following)),) = expire(bus, COMMANDS, 1).items()
    told = f"10 messages that were never taken: partition {partition} offsets 1 to {following - 1}"
    for _ in range(2):
        with (
            pytest.raises(CommandsExpired, match=told),
            open_command_worker(bus, database, Publisher(bus)) as worker,
        ):
            until(lambda: False, worker.step)
    assert event_store.head()[0] == 1

    (check,) = [one for one in examine_bus(bus, database) if one.name == "expired commands"]
    assert not check.healthy
    assert f"offsets 1 to {following - 1}" in check.detail
    line = Ltc(LTC_DATABASE_URL=database.conninfo, LTC_KAFKA_BOOTSTRAP=bus.bootstrap, LTC_KAFKA_PREFIX=bus.prefix)
    assert line.json("expired", exits=1)["expired"] == [
        {"partition": partition, "first": 1, "last": following - 1, "messages": following - 1}
    ]
    line.json("expired", "--yes", exits=2)
    line.json("expired", "--yes", "--by", "ann", "--reason", "the web shop sends them again")
    with database.connect(Role.OWNER) as owner:
        kept = owner.execute("SELECT feed, partition, first_offset, next_offset, passed_by, reason FROM ltc.expired_messages")
        assert kept.fetchall() == [
            (bus.topic(COMMANDS), partition, 1, following, "ann", "the web shop sends them again"),
        ]
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        until(lambda: len(everything(bus, RESULTS)) == 2, worker.step)
    assert line.json("expired")["expired"] == []


def test_a_worker_that_slept_meanwhile_notices(bus: Bus, database: Database, event_store: EventStore) -> None:
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        send(bus, COMMANDS, [command_message(command(0))])
        until(lambda: len(everything(bus, RESULTS)) == 1, worker.step)
        with asleep(worker):
            send(bus, COMMANDS, [command_message(command(number)) for number in range(1, 12)])
            expire(bus, COMMANDS, 1)
        with pytest.raises(CommandsExpired, match="messages that were never taken"):
            until(lambda: False, worker.step)
    assert event_store.head()[0] == 1


def test_answers_that_can_no_longer_be_given_again_stop_nobody(bus: Bus, database: Database, event_store: EventStore) -> None:
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        send(bus, COMMANDS, [command_message(command(number)) for number in range(5)])
        until(lambda: event_store.head()[0] >= 1 and len(everything(bus, RESULTS)) == 5, worker.step)
    with database.connect(Role.OWNER) as owner:  # as if it had ended before it noted its answers
        owner.execute("UPDATE ltc.offsets SET next_offset = 0 WHERE feed LIKE '%/answers'")
    expire(bus, COMMANDS, 1)
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        send(bus, COMMANDS, [command_message(command(9))])
        until(lambda: len(everything(bus, RESULTS)) >= 6, worker.step)


def unread_events(bus: Bus, database: Database) -> Check:
    (found,) = [one for one in examine_bus(bus, database) if one.name == "unread events"]
    return found


def test_a_projector_stops_and_the_store_has_what_the_topic_lost(bus: Bus, database: Database, event_store: EventStore) -> None:
    adopt(bus, database, event_store)
    with open_projector(bus, database, projections=SOME) as worker:
        until(lambda: len(worker.partitions) == 3, worker.step)
        with asleep(worker):
            fill(event_store)
            relay_all(bus, database, event_store)
            assert unread_events(bus, database).healthy
            expire(bus, EVENTS, 1)
        told = unread_events(bus, database)
        assert not told.healthy, "and nobody has to start a projector to hear of it"
        assert f"{bus.topic(EVENTS)} partition" in told.detail
        assert "projections source store" in told.fix
        with pytest.raises(EventsGone, match="has messages from"):
            until(lambda: False, worker.step)
    with pytest.raises(EventsGone), open_projector(bus, database, projections=SOME) as worker:
        until(lambda: False, worker.step)
    to_store(database, SOME, by="ann", reason="a test")
    with open_runner(database, SOME) as runner:
        runner.catch_up()
    assert_true(database)
