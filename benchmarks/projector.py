"""Read tables from Kafka: the money tables against the peer's ProjectionRunner, and two workers against one.

The broker shares the machine's processors with us, the database and the peer.
"""

import signal
from collections.abc import Iterator, Sequence
from statistics import median
from time import perf_counter, sleep

from benchmarks import peer
from benchmarks.broker import new_bus, until, with_broker, workers
from benchmarks.figure import Figure, Target, against_peer
from benchmarks.place import Place
from benchmarks.projecting import RECEIVABLES, theirs
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.projections.catalog.event_source import Source
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.source_switch import hand_over
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.projector import open_projector
from ltc_events.workers.relay import open_relay

MONEY, EVERY, PAIR = "receivables from Kafka", f"all {len(PROJECTIONS)} read tables from Kafka", "two projectors on Kafka"
NAMES = dict.fromkeys((MONEY, EVERY, PAIR), "events/s")
JOIN_S = 8.0
"""By then workers share the partitions; what they do until then is not measured."""


def measure(place: Place) -> Iterator[Figure]:
    """Events are those of the topic: all of the log. So it is with the peer; see `projecting`."""

    def figures(bootstrap: str) -> Iterator[Figure]:
        ledger = place.ledger(place.sizes.customers)
        with EventStore(ledger, Role.PROJECTOR) as store:
            head = store.head()[0]
            types = sorted({name for one in RECEIVABLES for name in one.types})
            wanted = len(store.read(0, 2**31, types=types))
        place.settle()
        money, every, their_rates = [], [], []
        for _ in range(place.sizes.rounds):
            money.append(head / _alone(place, ledger, new_bus(bootstrap), RECEIVABLES))
            their_rates.append(theirs(place, head / wanted))
            every.append(head / _alone(place, ledger, new_bus(bootstrap), PROJECTIONS))
        other = f"{peer.NAME}: ProjectionRunner"
        target = Target(ours_min=25_000, ratio_min=20)
        yield against_peer(MONEY, "events/s", median(money), other, median(their_rates), target)
        yield against_peer(EVERY, "events/s", median(every), other, median(their_rates))
        one, two = [], []
        for _ in range(place.sizes.rounds):
            one.append(head / _in_processes(place, ledger, new_bus(bootstrap, 2), 1))
            two.append(head / _in_processes(place, ledger, new_bus(bootstrap, 2), 2))
        yield against_peer(PAIR, "events/s", median(two), "one projector", median(one), Target(ratio_min=1))

    return with_broker(place, NAMES, figures)


def _alone(place: Place, ledger: Database, bus: Bus, projections: Sequence[type[Projection]]) -> float:
    """From empty tables to the last event of a full topic."""
    database = place.copy_of(ledger)
    _feed_from_the_beginning(database, bus, projections)
    _publish(bus, database)
    with open_projector(bus, database, projections=projections) as worker:
        while not worker.partitions:
            worker.step()
        began = perf_counter()
        ends = worker._feed.ends()
        while any((worker._feed.reached(partition) or 0) < end for partition, end in ends.items()):
            worker.step()
        worker.finish()
        seconds = perf_counter() - began
    place.drop(database)
    return seconds


def _in_processes(place: Place, ledger: Database, bus: Bus, count: int) -> float:
    """The same by so many workers as in production, for all tables."""
    database = place.copy_of(ledger)
    _feed_from_the_beginning(database, bus, PROJECTIONS)
    with EventStore(database, Role.PROJECTOR) as store:
        head = store.head()[0]
    with workers(bus, database, *[("projector",)] * count) as started:
        sleep(JOIN_S / 4 if place.sizes.is_quick else JOIN_S)
        for one in started:
            one.send_signal(signal.SIGSTOP)
        _publish(bus, database)
        began = perf_counter()
        for one in started:
            one.send_signal(signal.SIGCONT)
        until(lambda: min(status.position for status in projection_status(database)) == head)
        seconds = perf_counter() - began
    place.drop(database)
    return seconds


def _feed_from_the_beginning(database: Database, bus: Bus, projections: Sequence[type[Projection]]) -> None:
    """Empty tables that Kafka feeds: as they never are, since the store would have filled them."""
    topic = bus.topic(EVENTS)
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        partitions = _partitions(bus)
        hand_over(connection, projections, Source(topic, partitions), dict.fromkeys(range(partitions), 0), 0)


def _partitions(bus: Bus) -> int:
    from ltc_events.bus.offsets import OffsetReader

    with OffsetReader(bus) as offset_reader:
        return len(offset_reader.ends(bus.topic(EVENTS)))


def _publish(bus: Bus, database: Database) -> None:
    with EventStore(database, Role.WRITER) as store, open_relay(bus, database, Publisher(bus)) as relay:
        head = store.head()[0]
        while sum(store.offsets(bus.topic(EVENTS)).values()) < head:
            relay.step()
