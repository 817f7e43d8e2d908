"""Over Kafka: commands in with their answers out, events out, and how long it takes from end to end.

The broker shares the machine's processors with us, the database and the peer.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from time import perf_counter
from typing import Any, TypeAlias

from confluent_kafka import Producer
from kafka import KafkaProducer

from benchmarks import peer
from benchmarks.broker import company_parts, new_bus, send, with_broker
from benchmarks.commands import Lives, rate
from benchmarks.figure import Figure, Target, against_peer
from benchmarks.latency import end_to_end, memory
from benchmarks.place import Place, fill, in_batches
from ltc_events.bus.cloudevents import event_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.command import CommandWorker, open_command_worker
from ltc_events.workers.relay import open_relay

COMMANDS, RELAY = "commands from Kafka, answers on Kafka", "relay to Kafka"
_Ready: TypeAlias = tuple[bytes, bytes, list[tuple[str, str | bytes | None]]]
EVENTS_MAX = 60_000
"""Of the ledger's events so many are published."""
NAMES = {COMMANDS: "commands/s", RELAY: "events/s", "end to end at 500 commands/s": "ms"}


def measure(place: Place) -> Iterator[Figure]:
    """All on one broker."""

    def figures(bootstrap: str) -> Iterator[Figure]:
        yield from _commands(place, bootstrap)
        yield from _relay(place, bootstrap)
        yield from end_to_end(place, bootstrap)
        yield from memory(place, bootstrap)

    return with_broker(place, NAMES, figures)


def _commands(place: Place, bootstrap: str) -> Iterator[Figure]:
    """A company's year in stretches, taking turns with the peer. What is measured ends when the last answer is acknowledged."""
    own, documents = company_parts(place.sizes.customers)
    database, bus = place.database(), new_bus(bootstrap)
    fill(database, own)
    stretches = list(in_batches(documents, -(-len(documents) // (2 * place.sizes.rounds))))
    ours, theirs = [], []
    with (
        open_command_worker(bus, database, Publisher(bus)) as worker,
        peer.open_receivables(place.bare_database()) as receivables,
    ):
        lives = Lives(receivables)
        worker.step()
        for stretch in stretches:
            send(bus, stretch)
            place.settle()
            ours.append((len(stretch), _seconds(worker, len(stretch))))
            theirs.append((place.sizes.peer_commands, lives.seconds(place.sizes.peer_commands)))
    other = f"{peer.NAME}: load, decide, save"
    yield against_peer(COMMANDS, "commands/s", rate(ours), other, rate(theirs), Target(ours_min=8_000, ratio_min=10))
    yield against_peer(
        f"{COMMANDS}, best stretch", "commands/s", max(n / s for n, s in ours), other, rate(theirs), is_detail=True
    )


def _seconds(worker: CommandWorker, messages: int) -> float:
    def stored() -> int:
        return sum(place.stored for place in worker._places.values())

    goal, began = stored() + messages, perf_counter()
    while stored() < goal:
        worker.step()
    worker.finish()
    return perf_counter() - began


def _relay(place: Place, bootstrap: str) -> Iterator[Figure]:
    """The same events published by us from the store, and by two clients that are given them ready made."""
    ledger = place.ledger(place.sizes.customers)
    with EventStore(ledger, Role.WRITER) as store:
        head = min(store.head()[0], EVENTS_MAX)
        packed = [event_message(record) for record in store.read_raw(0, head)]
    messages: list[_Ready] = [(key, value, [(name, text or b"") for name, text in headers]) for key, value, headers in packed]
    place.settle()
    ours, kafka_python, librdkafka = [], [], []
    for _ in range(place.sizes.rounds):
        ours.append(head / _relayed(place, ledger, new_bus(bootstrap), head))
        kafka_python.append(head / _by_kafka_python(new_bus(bootstrap), messages))
        librdkafka.append(head / _by_librdkafka(new_bus(bootstrap), messages))
    produced = "kafka-python, producing alone"
    yield against_peer(RELAY, "events/s", median(ours), produced, median(kafka_python), Target(ours_min=20_000))
    yield against_peer(
        f"{RELAY}, beside librdkafka", "events/s", median(ours), "librdkafka, producing alone", median(librdkafka), is_detail=True
    )


def _relayed(place: Place, ledger: Database, bus: Bus, head: int) -> float:
    database = place.copy_of(ledger)
    began = perf_counter()
    with EventStore(database, Role.WRITER) as store, open_relay(bus, database, Publisher(bus)) as relay:
        began = perf_counter()
        while sum(store.offsets(bus.topic(EVENTS)).values()) < head:
            relay.step()
        seconds = perf_counter() - began
    place.drop(database)
    return seconds


def _by_kafka_python(bus: Bus, messages: Sequence[_Ready]) -> float:
    producer = KafkaProducer(
        bootstrap_servers=bus.bootstrap, acks="all", enable_idempotence=True, linger_ms=5, batch_size=256 * 1024
    )
    began = perf_counter()
    for key, value, headers in messages:
        producer.send(bus.topic(EVENTS), key=key, value=value, headers=headers)
    producer.flush()
    seconds = perf_counter() - began
    producer.close()
    return seconds


def _by_librdkafka(bus: Bus, messages: Sequence[_Ready]) -> float:
    settings: dict[str, Any] = {"bootstrap.servers": bus.bootstrap, "enable.idempotence": True, "linger.ms": 5}
    producer = Producer({**settings, "queue.buffering.max.messages": len(messages) + 1, "partitioner": "murmur2_random"})
    began = perf_counter()
    for key, value, headers in messages:
        producer.produce(bus.topic(EVENTS), value, key, headers=headers)
    producer.flush()
    return perf_counter() - began
