"""Clients that share no code with ours send commands and read what comes of them: kcat, librdkafka, the CloudEvents SDK."""

import json
import subprocess
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from tests.broker import DEADLINE_S, PARTITIONS, until
from tests.commands import register
from tests.foreign import need
from tests.integration.test_workers_command import answered

from ltc_events.application.clock import SystemClock
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, DEAD_LETTERS, EVENTS, RESULTS, Bus, Topic
from ltc_events.kernel.partitioning import partition_of
from ltc_events.store import Database, EventStore
from ltc_events.workers.command import CommandWorker
from ltc_events.workers.relay import open_relay

TIMEOUT_S = 60


class Read(NamedTuple):
    """A message as librdkafka read it."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


def sent(bus: Bus, messages: list[tuple[Any, Any, Any]], **settings: Any) -> None:
    """Put commands on their topic with librdkafka."""
    producer = Producer(
        {"bootstrap.servers": bus.bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True, **settings}
    )
    for key, value, headers in messages:
        producer.produce(bus.topic(COMMANDS), value, key, headers=headers)
    assert producer.flush(TIMEOUT_S) == 0


def read(bus: Bus, topic: Topic, count: int) -> list[Read]:
    """The first messages of a topic, read by librdkafka."""
    consumer = Consumer({"bootstrap.servers": bus.bootstrap, "group.id": str(uuid4()), "enable.auto.commit": False})
    consumer.assign([TopicPartition(bus.topic(topic), number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    found: list[Read] = []

    def take() -> None:
        message = consumer.poll(0.5)
        if message is not None:
            assert message.error() is None
            found.append(Read(message.partition(), message.key(), message.value(), dict(message.headers() or ())))

    try:
        until(lambda: len(found) >= count, take)
    finally:
        consumer.close()
    return found


def work(bus: Bus, database: Database, store: EventStore, messages: int) -> None:
    """Let a command worker and a relay do all there is to do."""
    with Publisher(bus) as publisher:
        worker = CommandWorker(bus, store, publisher, SystemClock(), group=str(uuid4()))
        try:
            until(lambda: answered(bus, store) == messages, worker.step)
        finally:
            worker.close()
    head = store.head()[0]
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: sum(store.offsets(bus.topic(EVENTS)).values()) == head, relay.step)


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_librdkafka_sends_and_reads(bus: Bus, database: Database, event_store: EventStore, compression: str) -> None:
    commands = [register(f"Customer {number}", uuid4()) for number in range(40)]
    sent(bus, [command_message(one) for one in commands], **{"compression.type": compression, "linger.ms": 20})
    work(bus, database, event_store, len(commands))
    answers, events = read(bus, RESULTS, len(commands)), read(bus, EVENTS, len(commands))
    assert {one.headers["ce_id"].decode() for one in answers} == {one["id"] for one in commands}
    assert {json.loads(one.value or b"")["status"] for one in answers} == {"accepted"}
    for one in (*answers, *events):
        assert one.partition == partition_of(one.key or b"", PARTITIONS), "where every client puts that key"
    stored = {record.position: record.data for record in event_store.read_raw(0, 100)}
    assert {int(one.headers["ce_position"]): one.value for one in events} == stored


def event_of(message: Read) -> CloudEvent:
    found = from_kafka_event(KafkaMessage(message.headers, message.key, message.value or b""))
    assert isinstance(found, CloudEvent)
    return found


def test_the_cloudevents_sdk_reads_what_we_send(bus: Bus, database: Database, event_store: EventStore) -> None:
    command = {**register(), "correlationid": str(uuid4())}
    sent(bus, [command_message(command)])
    work(bus, database, event_store, 1)
    (answer,), (event,) = map(event_of, read(bus, RESULTS, 1)), map(event_of, read(bus, EVENTS, 1))
    for one in (answer, event):
        assert one.get_specversion() == "1.0"
        assert one.get_source() == "ltc-events"
        assert one.get_subject() == command["subject"]
        assert one.get_extension("partitionkey") == command["partitionkey"]
        assert one.get_extension("correlationid") == command["correlationid"]
        assert one.get_extension("causationid") == command["id"] or one is event
        assert one.get_datacontenttype() == "application/json"
        assert one.get_time() is not None
    assert (answer.get_type(), event.get_type()) == ("ltc.command.result.v1", "ltc.customer.registered.v1")
    assert (answer.get_id(), event.get_id()) == (command["id"], "1")
    data = event.get_data()
    assert isinstance(data, dict)
    assert data["profile"]["name"] == command["data"]["profile"]["name"]
    assert event.get_time() == datetime.fromisoformat(command["time"])


@pytest.mark.parametrize("written", [to_binary_event, to_structured_event])
def test_we_read_what_the_cloudevents_sdk_sends(bus: Bus, database: Database, event_store: EventStore, written: Any) -> None:
    command = {**register(), "correlationid": str(uuid4())}
    data = command.pop("data")
    attributes = {**command, "time": datetime.fromisoformat(command["time"]), "datacontenttype": "application/json"}
    message = written(CloudEvent({**attributes, "dataschema": "https://example.com/schema"}, data))
    sent(bus, [(message.key, message.value, message.headers)])
    work(bus, database, event_store, 1)
    (answer,) = read(bus, RESULTS, 1)
    assert json.loads(answer.value or b"")["status"] == "accepted"
    assert answer.headers["ce_correlationid"].decode() == command["correlationid"]
    (record,) = event_store.read(0, 10)
    assert (record.actor, record.occurred_at) == (command["actor"], datetime.fromisoformat(command["time"]).astimezone(UTC))


def kcat(bus: Bus, topic: Topic, *words: str, value: bytes | None = None) -> bytes:
    """What kcat writes."""
    command = ["kcat", "-b", bus.bootstrap, "-t", bus.topic(topic), "-q", *words]
    return subprocess.run(command, input=value, capture_output=True, check=True, timeout=DEADLINE_S).stdout


def test_kcat_sends_in_its_own_ways_and_reads(
    bus: Bus, database: Database, event_store: EventStore, request: pytest.FixtureRequest
) -> None:
    need(request, "kcat")
    command, other = register("One", uuid4()), register("Other", uuid4())
    needed = ("specversion", "id", "source", "type", "subject", "partitionkey")
    headers = [word for name in needed for word in ("-H", f"CE_{name.title()}={command[name]}")]
    value = json.dumps(command["data"]).encode()
    kcat(bus, COMMANDS, "-P", "-k", command["partitionkey"], *headers, "-H", "X-Trace=17", value=value)
    structured = ["-H", "Content-Type=application/cloudevents+json; charset=utf-8"]
    kcat(bus, COMMANDS, "-P", "-k", other["partitionkey"], *structured, value=json.dumps(other).encode())
    work(bus, database, event_store, 2)
    answers = [json.loads(line) for line in kcat(bus, RESULTS, "-C", "-e", "-J").splitlines()]
    assert {one["key"] for one in answers} == {command["partitionkey"], other["partitionkey"]}
    assert {json.loads(one["payload"])["status"] for one in answers} == {"accepted"}
    events = kcat(bus, EVENTS, "-C", "-e", "-f", "%k %h %s\n").decode().splitlines()
    assert len(events) == 2
    assert all("ce_type=ltc.customer.registered.v1" in line for line in events)


def without(name: str) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    key, value, headers = command_message(register())
    return key, value, [one for one in headers if one[0] != name]


KEY, VALUE, HEADERS = command_message(register())


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ((b"4711", VALUE, list(HEADERS)), "the message's key is '4711', and its partitionkey"),
        ((None, VALUE, list(HEADERS)), "the message's key is none"),
        (without("ce_partitionkey"), "its partitionkey is missing"),
        (without("ce_id"), "id: Field required"),
        (without("ce_specversion"), "specversion: Field required"),
        (without("ce_type"), "type: Field required"),
        ((KEY, VALUE[:-1], list(HEADERS)), "the value is not JSON"),
    ],
)
def test_what_is_no_command_is_answered_with_what_is_wrong(
    bus: Bus, database: Database, event_store: EventStore, message: Any, says: str
) -> None:
    sent(bus, [message])
    work(bus, database, event_store, 1)
    (letter,) = read(bus, DEAD_LETTERS, 1)
    assert says in letter.headers["ltc_reason"].decode()
    assert (letter.key, letter.value) == message[:2]
    assert letter.headers["ltc_topic"].decode() == bus.topic(COMMANDS)
