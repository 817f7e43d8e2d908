"""Two tables of a projection at the same position of the log, while both go on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ltc_events.projections.base import Projection, built
from ltc_events.projections.catalogue import Build, position_of
from ltc_events.projections.errors import Behind
from ltc_events.projections.filling import Filler
from ltc_events.projections.layout import lock_layout
from ltc_events.projections.naming import Connection
from ltc_events.projections.paging import Log
from ltc_events.projections.track import PARTITION, SOURCE

WAIT_S = 5.0
_LOOK_AGAIN_S = 0.02
_LOCK = (
    b"SELECT position FROM ltc_read.checkpoints WHERE projection = %s AND version = %s AND source = %s AND partition = %s"
    b" FOR UPDATE NOWAIT"
)


class Meeting:
    """Brings two builds to the same position. The one behind is taken along if it is of this program's version; else it
    is waited for, as its own projector keeps it up with the log."""

    def __init__(
        self, log: Log, connection: Connection, projection: type[Projection], first: Build, second: Build, *, wait_s: float
    ) -> None:
        self._connection = connection
        self._builds = (first, second)
        self._fillers = {
            build: Filler(log, connection, built(projection, build.build))
            for build in self._builds
            if build.version == projection.version
        }
        self._wait_s = wait_s

    @contextmanager
    def held(self, *, layout: bool = False) -> Iterator[int]:
        """A transaction in which both are at the same position, and stay there; raises Behind after the wait.

        With `layout` nobody else makes or switches tables meanwhile: who does that may wait for checkpoints, so that lock
        comes first.
        """
        deadline = time.monotonic() + self._wait_s
        while True:
            with self._connection.transaction():
                if layout:
                    lock_layout(self._connection)
                position = self._bring_together()
                if position is not None:
                    yield position
                    return
            if time.monotonic() > deadline:
                raise self._behind()
            time.sleep(_LOOK_AGAIN_S)

    @contextmanager
    def seen(self, onlooker: Connection) -> Iterator[int]:
        """A transaction of another connection that sees both at the same position, and holds nobody up; raises Behind."""
        deadline = time.monotonic() + self._wait_s
        while True:
            with self.held():
                pass
            # Nobody has had the time to go on yet, as a rule.
            with onlooker.transaction():
                onlooker.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                first, second = (position_of(onlooker, build) for build in self._builds)
                if first == second:
                    yield first
                    return
            if time.monotonic() > deadline:
                raise self._behind()

    def _bring_together(self) -> int | None:
        """The position that both are at now; None: not yet."""
        try:
            # Neither lock is waited for, so nobody who holds the other one waits for us in turn.
            with self._connection.transaction():
                positions = [self._lock(build) for build in self._builds]
        except psycopg.errors.LockNotAvailable:
            return None  # a projector is at work on one of them
        low, high = sorted(positions)
        if low < high:
            filler = self._fillers.get(self._builds[positions.index(low)])
            if filler is None:
                return None
            filler.fill(low, high)
        return high

    def _lock(self, build: Build) -> int:
        row = self._connection.execute(_LOCK, (build.place, build.version, SOURCE, PARTITION)).fetchone()
        return int(row[0]) if row else position_of(self._connection, build)

    def _behind(self) -> Behind:
        (low, behind), (high, ahead) = sorted((position_of(self._connection, build), build) for build in self._builds)
        return Behind(projection=behind.name, build=behind, position=low, shown=ahead, shown_position=high)
