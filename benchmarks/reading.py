"""Reading and decoding the log: our event store against the peer's recorder and mapper."""

from collections.abc import Iterator
from statistics import median
from time import perf_counter

from benchmarks import peer
from benchmarks.figure import Figure, Target, against_peer
from benchmarks.place import Place
from ltc_events.store import EventStore, Role

PAGE = 2_000


def measure(place: Place) -> Iterator[Figure]:
    """The same events in both stores, read in pages of the same size, into objects with typed fields."""
    ledger = place.ledger(place.sizes.customers)
    ours, theirs = [], []
    with peer.open_receivables(place.bare_database()) as receivables, EventStore(ledger, Role.PROJECTOR) as store:
        start = max(0, store.head()[0] - place.sizes.peer_events)
        peer.fill_with(receivables, store.read(start, place.sizes.peer_events))
        place.settle()
        for _ in range(3 * place.sizes.rounds):
            ours.append(_ours(store, start))
            theirs.append(_theirs(receivables))
    other = f"{peer.NAME}: select_notifications, mapper"
    yield against_peer("reading the log", "events/s", median(ours), other, median(theirs), Target(ratio_min=2))


def _ours(store: EventStore, start: int) -> float:
    began, position = perf_counter(), start
    while records := store.read(position, PAGE):
        position = records[-1].position
    return (position - start) / (perf_counter() - began)


def _theirs(receivables: peer.Receivables) -> float:
    began, position = perf_counter(), 0
    to_domain_event = receivables.mapper.to_domain_event
    while found := receivables.recorder.select_notifications(start=position, limit=PAGE, inclusive_of_start=False):
        for notification in found:
            to_domain_event(notification)
        position = found[-1].id
    return position / (perf_counter() - began)
