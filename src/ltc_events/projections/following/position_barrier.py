"""A barrier at one position of the log for the tables of a projection, in all partitions, without stopping the workers."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg

from ltc_events.projections.catalog.ddl import lock_layout
from ltc_events.projections.catalog.event_source import Vector, vector_of
from ltc_events.projections.catalog.installed_tables import position_of
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import Behind, FoldStopped
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection, built
from ltc_events.projections.following.alignment import align
from ltc_events.projections.following.log_pages import Log

WAIT_S = 5.0
_LOOK_AGAIN_S = 0.02


class PositionBarrier:
    """Brings builds to one position, the highest of their partitions. A build of this program's version is advanced; another one
    is waited for, as its own projector keeps it up with the log."""

    def __init__(self, log: Log, connection: Connection, projection: type[Projection], *builds: Build, wait_s: float) -> None:
        self._log = log
        self._connection = connection
        self._builds = builds
        self._known = {build: built(projection, build.build) for build in builds if build.version == projection.version}
        self._wait_s = wait_s

    @contextmanager
    def held(self, *, layout: bool = False) -> Iterator[int]:
        """A transaction in which all builds are at the same position and cannot advance. Raises Behind after the wait, or at once
        where one stops at an event on the way (with FoldStopped as its cause).

        With `layout` it takes the layout lock, and takes it first, since whoever holds it may wait for checkpoints.
        """
        deadline = time.monotonic() + self._wait_s
        while True:
            with self._connection.transaction():
                if layout:
                    lock_layout(self._connection)
                position = self._align_builds()
                if position is not None:
                    yield position
                    return
            if time.monotonic() > deadline:
                raise self._behind()
            time.sleep(_LOOK_AGAIN_S)

    @contextmanager
    def seen(self, onlooker: Connection) -> Iterator[int]:
        """A transaction of another connection whose snapshot has all builds at one position, without locks; raises Behind."""
        deadline = time.monotonic() + self._wait_s
        while True:
            with self.held():
                pass
            with ExitStack() as looking:
                with self._connection.transaction():
                    # Nobody has had the time to go on yet, as a rule; nobody goes on before the onlooker has seen it.
                    together = self._common_position()
                    if together is not None:
                        looking.enter_context(onlooker.transaction())
                        onlooker.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                        onlooker.execute("SELECT 1")
                if together is not None:
                    yield together
                    return
            if time.monotonic() > deadline:
                raise self._behind()

    def _align_builds(self) -> int | None:
        """The position that all builds are at now; None: not yet."""
        vectors = self._locked()
        goal = max((vector.high for vector in vectors), default=None)
        if goal is None:
            return None
        behind = [build for build, vector in zip(self._builds, vectors, strict=True) if vector.low < goal]
        for build in behind:
            if build in self._known:
                vector = vectors[self._builds.index(build)]
                try:
                    align(self._log, self._connection, self._known[build], vector, goal)
                except FoldStopped as stopped:
                    raise Behind(projection=build.name, build=build, **self._ahead_of(vector, vectors, goal)) from stopped
        return goal if all(build in self._known for build in behind) else None

    def _ahead_of(self, vector: Vector, vectors: list[Vector], goal: int) -> dict[str, object]:
        ahead = self._builds[max(range(len(vectors)), key=lambda number: vectors[number].high)]
        return {"position": vector.low, "shown": ahead, "shown_position": goal}

    def _common_position(self) -> int | None:
        """The position that all builds are at without being advanced; None: they are not."""
        vectors = self._locked()
        positions = {position for vector in vectors for position in vector.positions.values()}
        return positions.pop() if len(positions) == 1 else None

    def _locked(self) -> list[Vector]:
        """The locked progress of the builds; empty: a projector holds one of them."""
        try:
            # No lock is waited for, so nobody who holds another one waits for us in turn.
            with self._connection.transaction():
                return [vector_of(self._connection, build, lock="FOR UPDATE NOWAIT") for build in self._builds]
        except psycopg.errors.LockNotAvailable:
            return []

    def _behind(self) -> Behind:
        ordered = sorted((position_of(self._connection, build), build) for build in self._builds)
        (low, behind), (high, ahead) = ordered[0], ordered[-1]
        return Behind(projection=behind.name, build=behind, position=low, shown=ahead, shown_position=high)
