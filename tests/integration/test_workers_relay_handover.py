"""Who relays, and onto what: another relay takes over within seconds, and a topic that was made anew is not gone on with."""

import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from kafka import KafkaAdminClient
from tests.broker import PARTITIONS, everything, until
from tests.integration.test_workers_loop import environment, start
from tests.integration.test_workers_relay import assert_all_in_order, fill, published

from ltc_events.bus.producer_connection import TopicReplaced
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.store import ConnectionLost, Database, EventStore, Role
from ltc_events.workers.relay import open_relay

TAKEOVER_S = 5.0


def make_anew(bus: Bus) -> None:
    """Delete the topic of events, and make it again."""
    admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap)
    try:
        admin.delete_topics([bus.topic(EVENTS)])
        until(lambda: bus.topic(EVENTS) not in admin.list_topics())
    finally:
        admin.close()
    create_topics(bus, PARTITIONS)


def publish_all(bus: Bus, database: Database, store: EventStore) -> None:
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: published(bus, store), relay.step)


def test_a_topic_that_was_made_anew_is_refused(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    publish_all(bus, database, event_store)
    make_anew(bus)
    with open_relay(bus, database, Publisher(bus)) as relay, pytest.raises(TopicReplaced, match="60 events were") as error:
        relay.step()
    assert "ltc init --kafka" in error.value.fix
    assert everything(bus, EVENTS) == []


def test_what_the_refusal_says_publishes_everything_again(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)
    publish_all(bus, database, event_store)
    make_anew(bus)
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute("DELETE FROM ltc.offsets WHERE feed = %s", (bus.topic(EVENTS),))
    publish_all(bus, database, event_store)
    assert_all_in_order(everything(bus, EVENTS), event_store)


def test_a_topic_that_is_made_anew_meanwhile_gets_nothing(bus: Bus, database: Database, event_store: EventStore) -> None:
    fill(event_store)

    def go_on() -> None:
        with open_relay(bus, database, Publisher(bus)) as relay:
            until(lambda: published(bus, event_store), relay.step)
            make_anew(bus)
            fill(event_store)
            until(lambda: published(bus, event_store), relay.step)

    with pytest.raises(TopicReplaced, match="its id has changed"):
        go_on()
    assert everything(bus, EVENTS) == [], "events after a gap"


def test_when_the_active_one_is_killed_another_one_takes_over_at_once(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    fill(event_store)
    active = start("relay", environment(bus, database))
    try:
        until(lambda: published(bus, event_store))
        with open_relay(bus, database, Publisher(bus)) as standby:
            standby.step()
            active.send_signal(signal.SIGKILL)
            active.wait()
            killed_at = time.monotonic()
            fill(event_store)
            until(lambda: published(bus, event_store), standby.step)
            assert time.monotonic() - killed_at < TAKEOVER_S
    finally:
        with suppress(ProcessLookupError):
            active.kill()
        active.communicate()
    assert_all_in_order(everything(bus, EVENTS), event_store)


def test_who_loses_the_lease_amid_publishing_moves_nothing(bus: Bus, database: Database, event_store: EventStore) -> None:
    class Robbed(Publisher):
        """Between sending and the acknowledgement the lease is lost, and another relay does the same work, and more."""

        is_robbed = False

        def send(self, topic: str, messages: Iterable[Outgoing], **more: Any) -> None:
            super().send(topic, messages, **more)
            if not self.is_robbed:
                self.is_robbed = True
                end_lease(database)
                fill(event_store)
                with open_relay(bus, database, Publisher(bus)) as rival:
                    until(lambda: published(bus, event_store), rival.step)

    fill(event_store)
    with pytest.raises(ConnectionLost), open_relay(bus, database, Robbed(bus)) as relay:
        until(lambda: False, relay.step)
    assert published(bus, event_store), "the offset is where the other one left it"
    assert_all_in_order(everything(bus, EVENTS), event_store)


def end_lease(database: Database) -> None:
    """End the connection that holds the lease."""
    here = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = {here}"
    with database.connect(Role.OWNER, autocommit=True) as connection:
        assert connection.execute(end.encode()).fetchall() == [(True,)]
