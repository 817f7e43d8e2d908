"""A rebuild at work: tables are filled from the store with one read for all, get their indexes, and catch up with the log."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import psycopg
from psycopg import sql

from ltc_events.projections.base import Projection
from ltc_events.projections.catalogue import Build, build_of, position_of
from ltc_events.projections.errors import FoldStopped, RebuildCancelled, RebuildRunning
from ltc_events.projections.filling import FILL_EVENTS, Filler
from ltc_events.projections.layout import index_sql, key_sql, lock_layout
from ltc_events.projections.lifecycle import UNFINISHED, State, record, states_of
from ltc_events.projections.naming import Connection, relation
from ltc_events.store import Database, EventStore, Role

# With the hash of a projection's name: who rebuilds it, or takes its tables away.
_REBUILD_LOCK = 0x6C7463
# A rebuild that was killed holds its lock until the server notices.
_LOCK_TIMEOUT_S = 5
# So little behind, a table is left to those who follow.
MOMENT_EVENTS = 1000
_INDEX_MEMORY = "128MB"


class Progress(NamedTuple):
    """How far a rebuild is: the hindmost of its tables. `seconds_left` is None until there is a rate to judge by."""

    build: Build
    state: State
    position: int
    head: int
    events_per_s: float
    seconds_left: float | None


Report = Callable[[Progress], None]


@contextmanager
def alone(connection: Connection, *names: str) -> Iterator[None]:
    """Be the only one who rebuilds these projections or removes their tables; raises RebuildRunning."""
    connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(f"{_LOCK_TIMEOUT_S}s")))
    with ExitStack() as stack:
        for name in sorted(names):
            stack.enter_context(_alone(connection, name))
        yield


@contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    lock = sql.SQL("({}, hashtext({}))").format(sql.Literal(_REBUILD_LOCK), sql.Literal(name))
    try:
        connection.execute(sql.SQL("SELECT pg_advisory_lock") + lock)
    except psycopg.errors.LockNotAvailable as error:
        raise RebuildRunning(projection=name) from error
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(sql.SQL("SELECT pg_advisory_unlock") + lock)


def bring(
    database: Database,
    projections: Iterable[type[Projection]],
    *,
    by: str,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> dict[Build, FoldStopped]:
    """Take tables that are being built, wherever they are, to the head of the log; those that stopped on the way, and why.

    Raises RebuildRunning, and RebuildCancelled when one of them was.
    """
    with (
        EventStore(database, Role.PROJECTOR) as store,
        database.connect(Role.PROJECTOR, autocommit=True) as connection,
        ExitStack() as stack,
    ):
        chosen = list(projections)
        stack.enter_context(alone(connection, *(one.table for one in chosen)))
        work = _Work(store, connection, chosen, by, page_events, report)
        work.catch_up(State.FILLING)
        work.index()
        work.catch_up(State.CATCHING_UP)
    return work.stopped


def enter(connection: Connection, builds: Sequence[Build], state: State, *, by: str, reason: str) -> None:
    """Bring tables that are being built into their next state together; raises RebuildCancelled."""
    with connection.transaction():
        lock_layout(connection)
        _go_on(connection, builds)
        for build in builds:
            record(connection, build, state, by=by, reason=reason)


def _go_on(connection: Connection, builds: Iterable[Build]) -> None:
    states = states_of(connection)
    for build in builds:
        if states.get(build) not in UNFINISHED:
            raise RebuildCancelled(projection=build.name, build=build)


class _Work:
    def __init__(
        self,
        store: EventStore,
        connection: Connection,
        projections: Sequence[type[Projection]],
        by: str,
        page_events: int,
        report: Report | None,
    ) -> None:
        self._store = store
        self._connection = connection
        self._projections = {build_of(one): one for one in projections}
        self._by = by
        self._page_events = page_events
        self._report = report
        self._positions = {build: position_of(connection, build) for build in self._projections}
        self._began_at, self._began = min(self._positions.values(), default=0), time.monotonic()
        self.stopped: dict[Build, FoldStopped] = {}

    def catch_up(self, state: State) -> None:
        """Take those in this state to the head of the log, but for what comes in the last moment."""
        head, _ = self._store.head()
        while builds := self._in(state):
            goal = head
            self._fill(builds, goal, state)
            head, _ = self._store.head()
            if head - goal <= MOMENT_EVENTS:
                return

    def index(self) -> None:
        """What a table has to have beside its rows, once they are there."""
        if filled := self._in(State.FILLING):
            enter(self._connection, filled, State.INDEXING, by=self._by, reason="filled")
        for build in self._in(State.INDEXING):
            projection = self._projections[build]
            self._tell(build, State.INDEXING)
            with self._connection.transaction():
                self._connection.execute(sql.SQL("SET LOCAL maintenance_work_mem = {}").format(sql.Literal(_INDEX_MEMORY)))
                if projection.append_only:
                    self._connection.execute(key_sql(projection))
                for statement in index_sql(projection):
                    self._connection.execute(statement)
                enter(self._connection, [build], State.CATCHING_UP, by=self._by, reason="indexed")
            self._connection.execute(sql.SQL("ANALYZE {}").format(relation(projection.physical())))

    def _in(self, state: State) -> list[Build]:
        states = states_of(self._connection)
        for build in self._projections:
            if states.get(build) not in UNFINISHED:
                raise RebuildCancelled(projection=build.name, build=build)
        return [build for build in self._projections if states[build] is state and build not in self.stopped]

    def _fill(self, builds: Sequence[Build], goal: int, state: State) -> None:
        """After an interruption some may be a stretch ahead of others: these come after them, then all go together."""
        fillers: dict[tuple[Build, ...], Filler] = {}
        while group := self._hindmost(builds, goal):
            low = self._positions[group[0]]
            upto = min([goal, *(self._positions[build] for build in builds if self._positions[build] > low)])
            if group not in fillers:
                chosen = (self._projections[build] for build in group)
                fillers[group] = Filler(self._store, self._connection, *chosen, page_events=self._page_events)
            filler = fillers[group]
            try:
                filler.fill(low, upto, lambda position, group=group: self._arrived(group, state, position))  # type: ignore[misc]
            except FoldStopped:
                self.stopped |= {build: filler.stopped[build.place] for build in group if build.place in filler.stopped}
                if len(self.stopped) == len(self._projections):
                    return

    def _hindmost(self, builds: Iterable[Build], goal: int) -> tuple[Build, ...]:
        behind = [build for build in builds if build not in self.stopped and self._positions[build] < goal]
        low = min((self._positions[build] for build in behind), default=goal)
        return tuple(build for build in behind if self._positions[build] == low)

    def _arrived(self, group: Iterable[Build], state: State, position: int) -> None:
        for build in group:
            self._positions[build] = position
        _go_on(self._connection, self._projections)
        self._tell(min(self._positions, key=self._positions.__getitem__), state)

    def _tell(self, build: Build, state: State) -> None:
        if self._report:
            position = self._positions[build]
            head = max(self._store.head()[0], position)
            rate = (position - self._began_at) / max(time.monotonic() - self._began, 1e-6)
            self._report(Progress(build, state, position, head, rate, (head - position) / rate if rate else None))
