"""The demo over Kafka: commands in, answers and events out, read tables fed by the topic of events."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from ltc_events.bootstrap.services import Services
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.consumer import PartitionConsumer
from ltc_events.bus.local_broker import LocalBroker
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import COMMANDS, RESULTS, Bus
from ltc_events.cli.output import Ticker
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.projections.catalog.ddl import prepare
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.following.source_switch import to_store
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.registry import noun_of
from ltc_events.store import Role
from ltc_events.workers.loop import Stop
from ltc_events.workers.supervisor import Member, supervise
from ltc_events.workers.topic_source import feed_from_kafka

BATCH = 500
PATIENCE_S = 120.0
LOOK_S = 0.1
RULES = frozenset({"policy", "price_book"})
"""The nouns whose commands change how others are decided."""


class NoAnswer(LtcError):
    """after {seconds} s without news, {missing} of {what} are missing; what the workers say is in {log}"""

    kind = Kind.UNAVAILABLE
    remedy = "look into {log}, then run the demo again: it goes on where it was"


@contextmanager
def open_bus(services: Services) -> Iterator[Bus]:
    """The bus of the settings; without one, a broker of our own in LTC_HOME while the block runs. Raises BrokerUnavailable."""
    if services.has_bus:
        create_topics(services.bus)
        yield services.bus
        return
    with LocalBroker(services.settings.home / "kafka") as broker:
        bus = Bus(broker.bootstrap, services.settings.kafka_prefix)
        create_topics(bus)
        # Said aloud, since an earlier demo gave the tables back to the store.
        with services.database.connect(Role.PROJECTOR) as connection:
            prepare(connection, PROJECTIONS)
        feed_from_kafka(bus, services.database, by="ltc demo", reason="shown over Kafka")
        yield bus


@contextmanager
def workers(environment: dict[str, str], log: Path) -> Iterator[None]:
    """A command worker, a relay and a projector while the block runs, each a process with its output in `log`."""
    stop = Stop()
    start = [sys.executable, "-m", "ltc_events", "worker", "--with-parent"]
    members = [Member(name, [*start, name]) for name in ("command", "relay", "projector")]
    with log.open("ab") as stream:
        thread = threading.Thread(target=supervise, args=(members, stop, environment, stream), name="ltc-family")
        thread.start()
        try:
            yield
        finally:
            stop()
            thread.join()
            stop.close()


def converse(bus: Bus, commands: Iterable[bytes], ticker: Ticker, log: Path) -> Counter[str]:
    """Publish commands to `ltc.commands` and read their answers from `ltc.command-results`; returns counts by status.

    There is no order between partitions, so commands that depend on the company's policies and prices wait for the answers to
    those. Raises NoAnswer.
    """
    counts = Counter[str]()
    listener = PartitionConsumer(bus, RESULTS, f"demo-{uuid4()}", assigned=lambda partitions: dict.fromkeys(partitions, 0))
    with listener, Publisher(bus) as publisher:
        for wave in _waves(map(orjson.loads, commands)):
            for start in range(0, len(wave), BATCH):
                publisher.publish(bus.topic(COMMANDS), map(command_message, wave[start : start + BATCH]))
            counts.update(_answers(listener, {one["id"] for one in wave}, ticker, log))
    return counts


def _waves(commands: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Groups of commands that need not wait for each other's answers: those between two changes of policies."""
    for _, wave in groupby(commands, key=lambda one: noun_of(one["type"].removeprefix(WIRE_PREFIX)) in RULES):
        yield list(wave)


def _answers(listener: PartitionConsumer, waiting: set[str], ticker: Ticker, log: Path) -> Iterator[str]:
    """The status of each of these commands."""
    news = time.monotonic()
    while waiting:
        for message in listener.poll(LOOK_S):
            answer = orjson.loads(message.value or b"{}")
            if answer.get("command_id") in waiting:
                waiting.remove(answer["command_id"])
                ticker.advance(1)
                news = time.monotonic()
                yield answer["status"]
        if time.monotonic() - news > PATIENCE_S:
            raise NoAnswer(seconds=PATIENCE_S, missing=len(waiting), what="the answers", log=log)


def await_tables(services: Services, log: Path) -> int:
    """Wait until all read tables have reached the head of the log; returns that position. Raises NoAnswer."""
    head, _ = services.store(Role.PROJECTOR).head()
    behind, news = None, time.monotonic()
    while True:
        positions = [one.position for one in projection_status(services.database) if not one.has_stopped]
        missing = sum(max(head - position, 0) for position in positions)
        if positions and not missing:
            return head
        if missing != behind:
            behind, news = missing, time.monotonic()
        elif time.monotonic() - news > PATIENCE_S:
            raise NoAnswer(seconds=PATIENCE_S, missing=missing, what="the events of all read tables", log=log)
        time.sleep(LOOK_S)


def leave(services: Services) -> None:
    """Switch the read tables back to the store where the broker was the demo's own, since it ends with the demo."""
    if not services.has_bus:
        to_store(services.database, PROJECTIONS, by="ltc demo", reason="the broker of the demo ends with it")
