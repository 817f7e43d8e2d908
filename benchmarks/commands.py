"""Commands, embedded, one worker: a mixed lead-to-cash load against the peer's load, decide, save."""

from collections.abc import Iterator
from time import perf_counter
from uuid import UUID

from benchmarks import peer
from benchmarks.figure import Figure, Target, against_peer
from benchmarks.place import BATCH, Place, company, in_batches
from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.store import Database


def measure(place: Place) -> Iterator[Figure]:
    """A company's year in stretches, taking turns with the peer. Halfway the worker is replaced by a new one: the store is
    half full, and of all its aggregates the new worker knows none."""
    documents = company(place.sizes.customers)
    stretches = list(in_batches(documents, -(-len(documents) // (2 * place.sizes.rounds))))
    halfway = len(stretches) // 2
    place.settle()
    ours, theirs = [], []
    worker = _Worker(place.database())
    with peer.open_receivables(place.bare_database()) as receivables:
        lives = Lives(receivables)
        for number, stretch in enumerate(stretches):
            if number == halfway:
                worker.replace()
            ours.append((len(stretch), worker.seconds(stretch)))
            theirs.append((place.sizes.peer_commands, lives.seconds(place.sizes.peer_commands)))
    worker.stop()
    unit, other, their_rate = "commands/s", f"{peer.NAME}: load, decide, save", rate(theirs)
    yield against_peer("commands", unit, rate(ours), other, their_rate, Target(ours_min=15_000, ratio_min=20))
    cold, warm = ours[halfway : halfway + 1], ours[1:halfway] + ours[halfway + 1 :]
    yield against_peer("commands, cold aggregates", unit, rate(cold), other, their_rate, is_detail=True)
    yield against_peer("commands, warm aggregates", unit, rate(warm or ours), other, their_rate, is_detail=True)


def rate(measured: list[tuple[int, float]]) -> float:
    """So many a second, of several stretches."""
    return sum(commands for commands, _ in measured) / sum(seconds for _, seconds in measured)


class _Worker:
    """One pipeline on one store, as `ltc submit` has it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.replace()

    def replace(self) -> None:
        """Another process takes over: new connections, an empty cache."""
        self._services = Services(load_settings(), self._database)
        self._pipeline = self._services.pipeline()

    def seconds(self, documents: list[bytes]) -> float:
        """How long it takes to submit these."""
        began = perf_counter()
        for batch in in_batches(documents, BATCH):
            self._pipeline.submit(batch)
        return perf_counter() - began

    def stop(self) -> None:
        """Leave the store."""
        self._services.close()


class Lives:
    """The peer's load: many receivables side by side, one command of each after the other."""

    def __init__(self, receivables: peer.Receivables) -> None:
        self._receivables = receivables
        self._issued = 0

    def seconds(self, commands: int) -> float:
        """How long it takes to do so many commands."""
        began = perf_counter()
        ids: list[UUID] = []
        for _ in range(commands // peer.COMMANDS_EACH):
            self._issued += 1
            ids.append(self._receivables.issue(self._issued))
        for step in range(1, peer.COMMANDS_EACH):
            for id in ids:
                self._receivables.go_on(id, step)
        return perf_counter() - began
