"""A source with a topic of its own at Kafka is what the topic says, whatever its messages claim."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.access_examples import ADMIN, publish_access
from tests.broker import everything, send, until
from tests.commands import register
from tests.integration.test_authorisation import matrix, order, payment

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import COMMANDS, RESULTS, Bus
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.command import CommandWorker


@pytest.fixture
def webshop(bus: Bus) -> Bus:
    """The bus of a source that has a topic of its own."""
    source = bus._replace(source="webshop")
    assert create_topics(source, 2) == [f"{bus.prefix}.commands.webshop"]
    return source


@pytest.fixture
def workers(bus: Bus, webshop: Bus, database: Database) -> Iterator[list[CommandWorker]]:
    """A worker for everybody's topic, and one for the source's."""
    with ExitStack() as stack:
        started = []
        for one in (bus, webshop):
            store = stack.enter_context(EventStore(database, Role.WRITER))
            started.append(CommandWorker(one, store, stack.enter_context(Publisher(one)), SystemClock()))
            stack.callback(started[-1].close)
        yield started


def told(bus: Bus) -> dict[str, tuple[str, str]]:
    """Of each answer the status or the code of the refusal, and the principal."""
    found = {}
    for one in everything(bus, RESULTS):
        answer: Any = json.loads(one.value or b"")
        what = answer["reasons"][0]["code"] if answer["reasons"] else answer["status"]
        found[answer["command_id"]] = what, one.headers["ce_principal"].decode()
    return found


def test_over_kafka_a_shop_that_plays_the_bank_is_refused_and_its_orders_go_through(
    bus: Bus, webshop: Bus, workers: list[CommandWorker], event_store: EventStore
) -> None:
    CommandPipeline(event_store, SystemClock(), principal=ADMIN).submit([register(actor="ada"), publish_access()])
    discounts, bank, too_much, fine = matrix(actor="otto"), payment("1000000", actor="bank"), payment("1000000"), order()
    posing = {**matrix(actor="ada"), "source": "office"}
    by_everybodys = order()
    attack = [discounts, bank, too_much, posing]
    send(webshop, COMMANDS, [command_message(one) for one in (*attack, fine)])
    send(bus, COMMANDS, [command_message(by_everybodys)])

    def step() -> None:
        for worker in workers:
            worker.step()

    until(lambda: len(everything(bus, RESULTS)) == 6, step)
    shop = "source:webshop"
    assert told(bus) == {
        **{one["id"]: ("not_authorised", shop) for one in attack},
        fine["id"]: ("accepted", shop),
        by_everybodys["id"]: ("not_authorised", f"source:kafka:{bus.prefix}.commands"),
    }
    assert [one.event.type for one in event_store.read(2, 100)] == ["order.placed.v1"]
