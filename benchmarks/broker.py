"""A broker for benchmarks, on the same machine as everything else, and the work of workers in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import orjson

from benchmarks.figure import Figure, not_run
from benchmarks.place import Place, company, in_batches, say
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.local_broker import BrokerUnavailable, LocalBroker
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topic_creation import create_topics
from ltc_events.bus.topics import COMMANDS, Bus
from ltc_events.schemas.registry import COMPANY_NOUNS
from ltc_events.store import Database

PROJECT = Path(__file__).resolve().parents[1]
PAGE = 2_000
TIMEOUT_S = 1_800
_numbers = count(1)


@contextmanager
def open_broker(place: Place) -> Iterator[str]:
    """A broker of this benchmark's own, in the folder of the place; its address. Raises BrokerUnavailable.

    A quick run measures nothing, and its benchmarks share one.
    """
    if place.broker:
        yield place.broker
        return
    say("a broker is started …")
    broker = LocalBroker(place.home / f"kafka-{next(_numbers)}")
    if place.sizes.is_quick:
        place.broker = place.held.enter_context(broker).bootstrap
        yield place.broker
        return
    with broker:
        yield broker.bootstrap


def new_bus(bootstrap: str, partitions: int = 8) -> Bus:
    """Topics that nobody else has."""
    bus = Bus(bootstrap, f"bench-{next(_numbers)}")
    create_topics(bus, partitions)
    return bus


def with_broker(place: Place, names: Mapping[str, str], measure: Callable[[str], Iterable[Figure]]) -> Iterator[Figure]:
    """The figures of `measure`; where no broker can be started, those of these names (with their units) as not run."""
    try:
        with open_broker(place) as bootstrap:
            yield from measure(bootstrap)
    except BrokerUnavailable as error:
        yield from (not_run(name, unit, error.message) for name, unit in names.items())


def company_parts(customers: int) -> tuple[list[bytes], list[dict[str, Any]]]:
    """A company's year: what concerns the company itself, and the commands of its customers.

    On Kafka these two are on partitions of their own; so the first part has to be done before the second is sent.
    """
    own: list[bytes] = []
    customers_own: list[dict[str, Any]] = []
    for document in company(customers):
        parsed = orjson.loads(document)
        if parsed["type"].split(".")[1] in COMPANY_NOUNS:
            own.append(document)
        else:
            customers_own.append(parsed)
    return own, customers_own


def send(bus: Bus, documents: Iterable[dict[str, Any]]) -> None:
    """Put commands on their topic."""
    with Publisher(bus) as publisher:
        for page in in_batches(documents, PAGE):
            publisher.send(bus.topic(COMMANDS), map(command_message, page))
        publisher.settle()


@contextmanager
def workers(bus: Bus, database: Database, *commands: tuple[str, ...]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """`ltc worker …` in processes of their own, as in production."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LTC_")},
        "LTC_DATABASE_URL": database.conninfo,
        "LTC_KAFKA_BOOTSTRAP": bus.bootstrap,
        "LTC_KAFKA_PREFIX": bus.prefix,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    with ExitStack() as stack:
        started = []
        for command in commands:
            words = [sys.executable, "-m", "ltc_events", "worker", *command]
            started.append(
                subprocess.Popen(words, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            )
            stack.callback(_end, started[-1])
        yield started


def until(condition: Callable[[], bool], pause_s: float = 0.05) -> None:
    """Wait; raises TimeoutError."""
    began = perf_counter()
    while not condition():
        if perf_counter() - began > TIMEOUT_S:
            raise TimeoutError
        sleep(pause_s)


def _end(process: subprocess.Popen[bytes]) -> None:
    ended_early = process.poll()
    process.terminate()
    _, told = process.communicate(timeout=30)
    if ended_early is not None:
        raise RuntimeError(f"a worker ended: {told.decode()[-500:]}")
