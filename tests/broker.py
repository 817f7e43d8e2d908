"""A real Kafka for the tests that need one: our own starter's, or that of LTC_TEST_KAFKA_BOOTSTRAP.

Topics are made anew for each test, under a prefix of its own. Where no broker can be started, these tests fail in CI;
elsewhere they are reported, by name, as not run.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaConsumer, TopicPartition

from ltc_events.bus.local_broker import BrokerUnavailable, LocalBroker
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import Bus, Topic

PARTITIONS = 3
DEADLINE_S = 90.0
_numbers = count(1)


class Arrived(NamedTuple):
    """A message that a foreign consumer read."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]


@pytest.fixture(scope="session")
def broker() -> Iterator[str | BrokerUnavailable]:
    """The address of the broker that all tests of a session share, or why there is none."""
    given = os.environ.get("LTC_TEST_KAFKA_BOOTSTRAP")
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="ltc-kafka-") as folder:
        local = LocalBroker(Path(folder) / "kafka")
        try:
            local.start()
        except BrokerUnavailable as error:
            yield error
        else:
            yield local.bootstrap
            local.stop()


@pytest.fixture
def bootstrap(broker: str | BrokerUnavailable, request: pytest.FixtureRequest) -> str:
    """Where the broker is; without one, the test fails in CI and is reported as not run elsewhere."""
    if isinstance(broker, str):
        return broker
    if os.environ.get("CI"):
        raise broker
    pytest.skip(f"NOT RUN {request.node.name}: {broker.message}")


@pytest.fixture
def bus(bootstrap: str) -> Bus:
    """Topics of this test's own."""
    bus = Bus(bootstrap, f"t{os.getpid()}-{next(_numbers)}")
    create_topics(bus, PARTITIONS)
    return bus


def send(bus: Bus, topic: Topic, messages: list[Outgoing]) -> None:
    """Put messages on a topic."""
    with Publisher(bus) as publisher:
        publisher.publish(bus.topic(topic), messages)


def everything(bus: Bus, topic: Topic) -> list[Arrived]:
    """All that is on a topic now, in the order of each partition; read by Kafka's client alone."""
    name = bus.topic(topic)
    consumer = KafkaConsumer(bootstrap_servers=bus.bootstrap, enable_auto_commit=False)
    try:
        places = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        arrived: list[Arrived] = []
        deadline = time.monotonic() + DEADLINE_S
        while any(consumer.position(place) < end for place, end in ends.items()):
            assert time.monotonic() < deadline, f"{name} could not be read to its end"
            for messages in consumer.poll(timeout_ms=200).values():
                arrived += [Arrived(one.partition, one.key, one.value, dict(one.headers)) for one in messages]
        return arrived
    finally:
        consumer.close(autocommit=False)


def until(condition: Callable[[], bool], step: Callable[[], object] = lambda: time.sleep(0.02)) -> None:
    """Take steps until a condition holds; fail when it does not within the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        step()
