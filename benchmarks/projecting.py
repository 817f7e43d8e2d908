"""Tailing the log into read tables, against the peer's ProjectionRunner."""

from collections.abc import Iterator, Sequence
from statistics import median
from time import perf_counter

from eventsourcing.projection import ProjectionRunner

from benchmarks import peer
from benchmarks.figure import Figure, Target, against_peer
from benchmarks.place import Place
from ltc_events.projections.base import Projection
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.projections.runner import open_runner
from ltc_events.projections.tables.open_item_movements import OpenItemMovements
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.store import Database, EventStore, Role

RECEIVABLES = (OpenItems, OpenItemMovements)
"""What the aging of receivables is made from."""
TIMEOUT_S = 600


def measure(place: Place) -> Iterator[Figure]:
    """Our runner takes a copy of the ledger's log, from its beginning to its head; the peer's does the same with its own.

    `events` are those of the log. Both sides ask the database only for the events that their tables are made from; how
    many of ours those are shows the figure of events taken in.
    """
    ledger = place.ledger(place.sizes.customers)
    types = sorted({name for one in RECEIVABLES for name in one.types})
    events, wanted = _count(ledger, None), _count(ledger, types)
    receivables, every, theirs = [], [], []
    for _ in range(place.sizes.rounds):
        receivables.append(_seconds(place, ledger, RECEIVABLES))
        every.append(_seconds(place, ledger, PROJECTIONS))
        theirs.append(_theirs(place))
    unit, other, their_rate = "events/s", f"{peer.NAME}: ProjectionRunner", median(theirs)
    alone = Target(ours_min=60_000, ratio_min=40)
    yield against_peer("projecting receivables", unit, events / median(receivables), other, their_rate, alone)
    name = "projecting receivables, events taken in"
    yield against_peer(name, unit, wanted / median(receivables), other, their_rate, is_detail=True)
    name = f"projecting all {len(PROJECTIONS)} read tables"
    yield against_peer(name, unit, events / median(every), other, their_rate)


def _count(ledger: Database, types: Sequence[str] | None) -> int:
    with EventStore(ledger, Role.PROJECTOR) as store:
        return store.head()[0] if types is None else len(store.read(0, 2**31, types=types))


def _seconds(place: Place, ledger: Database, projections: Sequence[type[Projection]]) -> float:
    """How long it takes from an empty table to the head of the log."""
    database = place.copy_of(ledger)
    with open_runner(database, projections) as runner:
        began = perf_counter()
        runner.catch_up()
        seconds = perf_counter() - began
    place.drop(database)
    return seconds


def _theirs(place: Place) -> float:
    """Events of its log a second, those that its projection does not ask for included."""
    events = max(60, place.sizes.peer_events // 10)
    database = place.bare_database()
    with peer.open_receivables(database) as receivables:
        peer.fill(receivables, events)
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
