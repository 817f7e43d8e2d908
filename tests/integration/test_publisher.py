"""The publisher with a real broker: whatever breaks, every message once and in order, or none after a gap."""

import random
from uuid import uuid4

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaConnectionError
from tests.broker import PARTITIONS, everything

from ltc_events.bus.publisher import BATCH_BYTES, MessageTooLarge, NotPublished, Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import EVENTS, MESSAGE_BYTES_MAX, RESULTS, Bus
from ltc_events.kernel.partitioning import partition_of

KEYS = [str(uuid4()).encode() for _ in range(20)]


def page(first: int, count: int) -> list[Outgoing]:
    """Numbered messages of some keys."""
    dice = random.Random(first)
    return [(dice.choice(KEYS), b"%d" % number, []) for number in range(first, first + count)]


def assert_each_once_and_in_order(bus: Bus, sent: list[Outgoing]) -> None:
    arrived = everything(bus, EVENTS)
    for partition in range(PARTITIONS):
        wanted = [(key, value) for key, value, _ in sent if partition_of(key or b"", PARTITIONS) == partition]
        assert [(one.key, one.value) for one in arrived if one.partition == partition] == wanted


def test_connections_that_break_neither_lose_nor_double_nor_disorder(bus: Bus) -> None:
    sent: list[Outgoing] = []
    broken = []

    def cut() -> None:
        """In the client's own thread: what is on its way there may have come, and what comes back never does."""
        connection = next(iter(publisher._link._manager._conns.values()), None)
        if connection is not None and connection.in_flight_requests:
            connection.close(KafkaConnectionError("cut"))
            broken.append(connection)

    with Publisher(bus) as publisher:
        publisher.publish(bus.topic(EVENTS), page(0, 1))
        sent += page(0, 1)
        for number in range(25):
            messages = page(1 + number * 40, 40)
            publisher.send(bus.topic(EVENTS), messages)
            for moment in (0, 0.001, 0.003, 0.01):
                publisher._link._net.call_later(moment, cut)
            publisher.settle()
            sent += messages
    assert len(broken) > 10
    assert_each_once_and_in_order(bus, sent)


def test_more_than_fits_into_a_batch_goes_out_in_order(bus: Bus) -> None:
    large: list[Outgoing] = [(KEYS[number % 3], b"%d" % number + b"x" * (BATCH_BYTES // 3), []) for number in range(20)]
    huge: list[Outgoing] = [(KEYS[0], b"y" * 3_900_000, []), (KEYS[0], b"z", [])]
    with Publisher(bus) as publisher:
        publisher.publish(bus.topic(EVENTS), [*large, *huge])
    assert_each_once_and_in_order(bus, [*large, *huge])


def test_a_message_that_the_broker_does_not_take_is_not_passed_over(bus: Bus) -> None:
    small = bus.topic(RESULTS)
    admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
    try:
        admin.alter_configs([ConfigResource("TOPIC", small, configs={"max.message.bytes": "4000000"})])
    finally:
        admin.close()
    with Publisher(bus) as publisher:
        publisher.send(small, [(KEYS[0], b"x" * 5_000_000, []), (KEYS[0], b"after", [])])
        for _ in range(2):
            with pytest.raises(NotPublished, match="MessageSizeTooLarge"):
                publisher.settle()
        with pytest.raises(NotPublished):
            publisher.send(small, page(0, 1))
    assert everything(bus, RESULTS) == []


def test_a_message_over_the_limit_is_refused_before_it_is_sent(bus: Bus) -> None:
    largest: Outgoing = (KEYS[0], b"x" * (MESSAGE_BYTES_MAX - 1000), [])
    with Publisher(bus) as publisher:
        publisher.publish(bus.topic(EVENTS), [largest])
        with pytest.raises(MessageTooLarge) as error:
            publisher.send(bus.topic(EVENTS), [(KEYS[1], b"before", []), (KEYS[0], b"x" * MESSAGE_BYTES_MAX, [])])
    assert bus.topic(EVENTS) in error.value.message
    assert str(MESSAGE_BYTES_MAX) in error.value.message
    assert_each_once_and_in_order(bus, [largest])


def test_large_messages_for_many_partitions_do_not_make_one_request_too_large(bus: Bus) -> None:
    create_topics(bus._replace(prefix=f"{bus.prefix}w"), 8)
    wide = bus._replace(prefix=f"{bus.prefix}w")
    keys = {partition_of(b"%d" % number, 8): b"%d" % number for number in range(100)}
    large: list[Outgoing] = [(key, b"%d" % number + b"x" * 15_000_000, []) for number, key in sorted(keys.items())]
    with Publisher(wide) as publisher:
        publisher.publish(wide.topic(EVENTS), large)  # 120 MB; a broker takes requests of 105 MB
        assert publisher.ends(wide.topic(EVENTS)) == dict.fromkeys(range(8), 1)


def test_a_topic_that_does_not_exist_is_named(bus: Bus) -> None:
    with Publisher(bus) as publisher, pytest.raises(NotPublished, match="nowhere"):
        publisher.publish("nowhere", page(0, 1))


def test_where_a_topic_ends_is_known(bus: Bus) -> None:
    with Publisher(bus) as publisher:
        assert publisher.ends(bus.topic(EVENTS)) == {0: 0, 1: 0, 2: 0}
        publisher.publish(bus.topic(EVENTS), page(0, 30))
        assert sum(publisher.ends(bus.topic(EVENTS)).values()) == 30
