"""A rebuild job: fills empty tables from the store with one read for all, adds indexes, and catches up with the log."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import psycopg

from ltc_events.projections.catalog.ddl import index_sql, key_sql, lock_layout
from ltc_events.projections.catalog.installed_tables import position_of
from ltc_events.projections.catalog.lifecycle import FOLLOWED, UNFINISHED, State, record, states_of
from ltc_events.projections.catalog.tables_ahead import describe_ahead, tables_ahead
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import FoldStopped, RebuildCancelled, RebuildRunning
from ltc_events.projections.declaration.names import Connection, relation
from ltc_events.projections.declaration.projection import Projection, build_of
from ltc_events.projections.following.bulk_loader import FILL_EVENTS, BulkLoader
from ltc_events.projections.following.event_applier import cause_of
from ltc_events.projections.writing.checkpoints import mark_checkpoints
from ltc_events.store import Database, EventStore, Role, StoreWentBack, is_events_own
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)

# With the hash of a projection's name: who rebuilds it, or takes its tables away.
_REBUILD_LOCK = 0x6C7463
# A rebuild that was killed holds its lock until the server notices.
_LOCK_TIMEOUT_S = 5
# So little behind, a table is left to those who follow.
MOMENT_EVENTS = 1000
_INDEX_MEMORY = "128MB"


class Progress(NamedTuple):
    """The progress of a rebuild: that of its slowest table. `seconds_left` is None until a rate is known."""

    build: Build
    state: State
    position: int
    head: int
    events_per_s: float
    seconds_left: float | None


Report = Callable[[Progress], None]


@contextmanager
def alone(connection: Connection, *names: str) -> Iterator[None]:
    """Hold the lock for rebuilding these projections or removing their tables; raises RebuildRunning."""
    with ExitStack() as stack:
        for name in sorted(names):
            stack.enter_context(_alone(connection, name))
        yield


@contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    lock = (_REBUILD_LOCK, name)
    try:
        with connection.transaction():  # the lock is the session's and outlives it; how long we wait for it is not
            connection.execute(_SQL.compose("limit_lock_wait", limit=f"{_LOCK_TIMEOUT_S}s"))
            connection.execute(_SQL["lock"], lock)
    except psycopg.errors.LockNotAvailable as error:
        raise RebuildRunning(projection=name) from error
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(_SQL["unlock"], lock)


def run_job(
    database: Database,
    projections: Iterable[type[Projection]],
    *,
    by: str,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> dict[Build, FoldStopped]:
    """Advance tables being built, from whatever state, to the head of the log; returns the stopped ones with their errors.

    Raises StoreWentBack, RebuildRunning, and RebuildCancelled when one of them was cancelled.
    """
    with (
        EventStore(database, Role.PROJECTOR) as store,
        database.connect(Role.PROJECTOR, autocommit=True) as connection,
        ExitStack() as stack,
    ):
        chosen = list(projections)
        places = {(build.place, build.version) for build in map(build_of, chosen)}
        if ahead := [one for one in tables_ahead(connection) if (one.projection, one.version) in places]:
            raise StoreWentBack(what=describe_ahead(ahead))
        stack.enter_context(alone(connection, *(one.table for one in chosen)))
        work = _Work(store, connection, chosen, by, page_events, report)
        work.catch_up(State.FILLING)
        work.index()
        work.catch_up(State.CATCHING_UP)
    return work.stopped


def enter(connection: Connection, builds: Sequence[Build], state: State, *, by: str, reason: str) -> None:
    """Move tables being built into their next state together; raises RebuildCancelled.

    A table that another process has finished meanwhile keeps its state.
    """
    with connection.transaction():
        lock_layout(connection)
        for build in _still_built(connection, builds):
            record(connection, build, state, by=by, reason=reason)


def make_empty(connection: Connection, build: Build) -> None:
    """Empty a build's table and reset its checkpoint to the beginning of the store, within the caller's transaction."""
    connection.execute(_SQL.compose("empty", table=relation(build.physical)))
    for table in ("projection_failures", "projection_letters"):
        forget(connection, table, build)
    connection.execute(_SQL["begin_again"], (build.place, build.version))
    mark_checkpoints(connection, build.place, build.version)


def forget(connection: Connection, table: str, build: Build) -> None:
    """Delete the rows of a build from a catalog table (such as `checkpoints`), within the caller's transaction."""
    connection.execute(_SQL.compose("forget", table=relation(table)), (build.place, build.version))


def _still_built(connection: Connection, builds: Iterable[Build]) -> dict[Build, State]:
    """Those that are not finished yet, which whoever takes up the same rebuild may do first. Raises RebuildCancelled."""
    states = states_of(connection)
    for build in builds:
        if states.get(build) not in UNFINISHED | FOLLOWED:
            raise RebuildCancelled(projection=build.name, build=build)
    return {build: states[build] for build in builds if states[build] in UNFINISHED}


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
        """Advance the tables in this state to the head of the log, except for the newest events."""
        head, _ = self._store.head()
        while builds := self._in(state):
            goal = head
            self._fill(builds, goal, state)
            head, _ = self._store.head()
            if head - goal <= MOMENT_EVENTS:
                return

    def index(self) -> None:
        """Create the keys, indexes and constraints of filled tables."""
        if filled := self._in(State.FILLING):
            enter(self._connection, filled, State.INDEXING, by=self._by, reason="filled")
        for build in self._in(State.INDEXING):
            self._report_progress(build, State.INDEXING)
            try:
                self._index(build, reason="indexed")
            except psycopg.Error as error:
                if not is_events_own(error):
                    raise
                # Some row does not fit an index, and nothing says which event made it: with the indexes there, that shows.
                self._index(build, reason=f"filled once more, with its indexes: {cause_of(error)}", empty=True)
            self._connection.execute(_SQL.compose("analyze", table=relation(build.physical)))

    def _index(self, build: Build, *, reason: str, empty: bool = False) -> None:
        projection, connection = self._projections[build], self._connection
        with connection.transaction():
            connection.execute(_SQL.compose("allow_memory", memory=_INDEX_MEMORY))
            if empty:
                make_empty(connection, build)
                self._positions[build] = 0
            if projection.append_only:
                connection.execute(key_sql(projection))
            for statement in index_sql(projection):
                connection.execute(statement)
            enter(connection, [build], State.CATCHING_UP, by=self._by, reason=reason)

    def _in(self, state: State) -> list[Build]:
        built = _still_built(self._connection, self._projections)
        return [build for build, its in built.items() if its is state and build not in self.stopped]

    def _fill(self, builds: Sequence[Build], goal: int, state: State) -> None:
        """Fill the tables; after an interruption those behind catch up first, then all are filled together."""
        fillers: dict[tuple[Build, ...], BulkLoader] = {}
        while group := self._hindmost(builds, goal):
            low = self._positions[group[0]]
            upto = min([goal, *(self._positions[build] for build in builds if self._positions[build] > low)])
            if group not in fillers:
                chosen = (self._projections[build] for build in group)
                fillers[group] = BulkLoader(self._store, self._connection, *chosen, page_events=self._page_events)
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
        _still_built(self._connection, self._projections)
        self._report_progress(min(self._positions, key=self._positions.__getitem__), state)

    def _report_progress(self, build: Build, state: State) -> None:
        if self._report:
            position = self._positions[build]
            head = max(self._store.head()[0], position)
            rate = (position - self._began_at) / max(time.monotonic() - self._began, 1e-6)
            self._report(Progress(build, state, position, head, rate, (head - position) / rate if rate else None))
