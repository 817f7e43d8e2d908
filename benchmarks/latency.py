"""From a command that is sent to a read table that shows it; and what memory the workers have after very many messages."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from time import perf_counter, sleep
from typing import Any
from uuid import UUID, uuid4

import psutil
import psycopg

from benchmarks.broker import new_bus, send, until, workers
from benchmarks.figure import Figure, not_run, within
from benchmarks.place import Place, say
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, EVENTS, Bus
from ltc_events.kernel.partitioning import partition_of
from ltc_events.schemas.customer import Profile, RegisterCustomer
from ltc_events.schemas.envelope import document
from ltc_events.schemas.outcome import Outcome
from ltc_events.store import Database, EventStore, Role

PER_SECOND = 500
PAGE_S = 0.01
"""Commands are sent so often; each counts from when it was due."""
LOOK_S = 0.005
"""The table is looked at so often: who looks all the time takes from the workers what they need."""
SECONDS, WARM_UP_S = 20.0, 4.0
P50_MS, P99_MS = 50.0, 250.0
MEMORY_MB = 300.0
MESSAGES = 1_000_000
EARLY = 5
"""Memory is looked at after the whole, and after one part in so many."""
_LOOK = "SELECT partition, position FROM ltc_read.checkpoints WHERE projection = 'customers'"


def end_to_end(place: Place, bootstrap: str) -> Iterator[Figure]:
    """At a steady rate, with workers as in production; the table takes its events once from the store, once from Kafka."""
    kinds = {
        "tailing the store": (("command",), ("projector", "--source", "store")),
        "by way of Kafka": (("command",), ("relay",), ("projector", "--source", "kafka")),
    }
    for how, commands in kinds.items():
        database, bus = place.database(), new_bus(bootstrap)
        place.settle()
        with workers(bus, database, *commands):
            delays = sorted(_delays(database, bus, *((0.5, 0.0) if place.sizes.is_quick else (SECONDS, WARM_UP_S))))
        name = f"end to end at {PER_SECOND} commands/s, {how}"
        yield within(f"{name}, p50", "ms", 1000 * delays[len(delays) // 2], P50_MS)
        yield within(f"{name}, p99", "ms", 1000 * delays[len(delays) * 99 // 100], P99_MS)


def _delays(database: Database, bus: Bus, seconds: float, warm_up_s: float) -> list[float]:
    """Of each command, from when it was due until a reader of the table saw it, in seconds."""
    warm_up = _commands(PER_SECOND // 10)
    send(bus, [one for _, one in warm_up])
    watch = _Watch(database)
    until(lambda: watch.position == len(warm_up))
    commands = _commands(round((seconds + warm_up_s) * PER_SECOND))
    due: dict[UUID, float] = {}
    with Publisher(bus) as publisher:
        began = perf_counter()
        per_page = round(PER_SECOND * PAGE_S)
        for number in range(0, len(commands), per_page):
            moment = began + number / PER_SECOND
            sleep(max(0.0, moment - perf_counter()))
            page = commands[number : number + per_page]
            publisher.send(bus.topic(COMMANDS), [command_message(one) for _, one in page])
            if moment - began >= warm_up_s:
                due.update((id, moment) for id, _ in page)
        publisher.settle()
    until(lambda: watch.position == len(warm_up) + len(commands))
    watch.stop()
    with EventStore(database, Role.PROJECTOR) as store:
        outcomes = store.outcomes(list(due))
        subjects = {record.position: record.customer_id for record in store.read_raw(0, watch.position)}
    return [watch.seen_at(position, subjects[position]) - due[id] for id, position in _positions(outcomes)]


def _positions(outcomes: Mapping[UUID, Outcome]) -> Iterator[tuple[UUID, int]]:
    for id, outcome in outcomes.items():
        if not outcome.last_position:
            raise ValueError(f"{id} was refused: {outcome.reasons}")
        yield id, outcome.last_position


def _commands(number: int) -> list[tuple[UUID, dict[str, object]]]:
    made = []
    for _ in range(number):
        id, customer = uuid4(), uuid4()
        command = RegisterCustomer(profile=Profile(name="Acme Ltd", email="office@acme.example"))
        made.append((id, document(command, command_id=id, subject=customer, customer_id=customer, source="bench")))
    return made


class _Watch:
    """A reader that looks at how far the table is in each partition, all the time."""

    def __init__(self, database: Database) -> None:
        self.position = 0
        """All partitions have come so far."""
        self._seen: list[tuple[dict[int, int], float]] = []
        self._ended = False
        self._thread = threading.Thread(target=self._look, args=(database,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended = True
        self._thread.join()

    def seen_at(self, position: int, customer: UUID | None) -> float:
        """When the table first showed the event of a customer at this position: its own partition had come so far."""
        key = str(customer).encode()
        return next(moment for places, moment in self._seen if places[partition_of(key, len(places))] >= position)

    def _look(self, database: Database) -> None:
        before: dict[int, int] = {}
        with database.connect(Role.READER, autocommit=True) as connection:
            while not self._ended:
                places = _places(connection)
                if places and places != before:
                    self._seen.append((places, perf_counter()))
                    self.position, before = min(places.values()), places
                sleep(LOOK_S)


def _places(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[int, int]:
    try:
        return dict(connection.execute(_LOOK).fetchall())
    except psycopg.errors.UndefinedTable:
        return {}


def memory(place: Place, bootstrap: str) -> Iterator[Figure]:
    """The command worker and the relay, after a part of very many messages and after all of them."""
    messages = 2_000 if place.sizes.is_quick else MESSAGES
    if not place.is_large:
        yield not_run("memory of workers after 1,000,000 messages", "MB", "takes minutes, ask for it with --large")
        return
    database, bus = place.database(), new_bus(bootstrap)
    sent = threading.Thread(target=_send_many, args=(bus, messages), daemon=True)
    with workers(bus, database, ("command",), ("relay",)) as processes, EventStore(database, Role.WRITER) as store:
        sent.start()
        early = _memory_at(store, bus, messages // EARLY, [one.pid for one in processes])
        late = _memory_at(store, bus, messages, [one.pid for one in processes])
    for name, first, last in zip(("command worker", "relay"), early, late, strict=True):
        yield within(f"memory of the {name} after {messages:,} messages", "MB", last, MEMORY_MB)
        yield within(f"memory of the {name} after {messages // EARLY:,} messages", "MB", first, MEMORY_MB, is_detail=True)


def _send_many(bus: Bus, messages: int) -> None:
    for _ in range(0, messages, 10_000):
        send(bus, (one for _, one in _commands(min(10_000, messages))))


def _memory_at(store: EventStore, bus: Bus, position: int, pids: Sequence[int]) -> list[float]:
    for look in count():
        reached = sum(store.offsets(bus.topic(EVENTS)).values())
        if reached >= position:
            break
        if look % 20 == 0:
            say(f"{reached:,} events …")
        sleep(0.5)
    return [psutil.Process(pid).memory_info().rss / 1e6 for pid in pids]
