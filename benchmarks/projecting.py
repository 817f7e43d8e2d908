"""Tailing the log into read tables, against the peer's ProjectionRunner."""

from collections.abc import Iterator, Sequence
from statistics import median
from time import perf_counter

from eventsourcing.projection import ProjectionRunner

from benchmarks import peer
from benchmarks.figure import Figure, Target, against_peer
from benchmarks.place import Place
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.open_item_movements import OpenItemMovements
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, EventStore, Role

RECEIVABLES = (OpenItems, OpenItemMovements)
"""What the aging of receivables is made from."""
TIMEOUT_S = 600


def measure(place: Place) -> Iterator[Figure]:
    """Our runner takes a copy of the ledger's log from its beginning to its head; the peer's takes one of its own.

    `events` are those of the log. Both ask the database only for the events that their tables are made from, and these are
    as frequent in the peer's log as in ours; how many of them are taken in a second is a figure of its own.
    """
    ledger = place.ledger(place.sizes.customers)
    types = sorted({name for one in RECEIVABLES for name in one.types})
    events, wanted = _count(ledger, None), _count(ledger, types)
    place.settle()
    receivables, every, their_rates = [], [], []
    for _ in range(place.sizes.rounds):
        receivables.append(events / _seconds(place, ledger, RECEIVABLES))
        every.append(events / _seconds(place, ledger, PROJECTIONS))
        their_rates.append(theirs(place, events / wanted))
    unit, other, their_rate = "events/s", f"{peer.NAME}: ProjectionRunner", median(their_rates)
    alone = Target(ours_min=60_000, ratio_min=40)
    yield against_peer("projecting receivables", unit, median(receivables), other, their_rate, alone)
    share = wanted / events
    ours, their_share = median(receivables) * share, their_rate * share
    yield against_peer("projecting receivables, events taken in", unit, ours, other, their_share, is_detail=True)
    yield against_peer(f"projecting all {len(PROJECTIONS)} read tables", unit, median(every), other, their_rate)


def _count(ledger: Database, types: Sequence[str] | None) -> int:
    with EventStore(ledger, Role.PROJECTOR) as store:
        return store.head()[0] if types is None else len(store.read(0, 2**31, types=types))


def _seconds(place: Place, ledger: Database, projections: Sequence[type[Projection]]) -> float:
    """How long it takes from empty tables to the head of the log."""
    database = place.copy_of(ledger)
    with open_runner(database, projections) as runner:
        began = perf_counter()
        runner.catch_up()
        seconds = perf_counter() - began
    place.drop(database)
    return seconds


def theirs(place: Place, events_per_wanted: float) -> float:
    """Events of its log a second."""
    database = place.bare_database()
    with peer.open_receivables(database) as receivables:
        events = peer.fill(receivables, place.sizes.peer_receivables, max(0, round(4 * events_per_wanted) - 4))
        last = receivables.recorder.max_notification_id()
    began = perf_counter()
    runner = ProjectionRunner(
        application_class=peer.Receivables,
        projection_class=peer.OpenAmountsProjection,
        view_class=peer.OpenAmounts,
        env=peer.environment(database),
    )
    with runner:
        runner.wait(last, timeout=TIMEOUT_S)
        seconds = perf_counter() - began
    place.drop(database)
    return events / seconds
