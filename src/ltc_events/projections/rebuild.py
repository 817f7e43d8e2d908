"""Building a table of a projection from the whole store, beside the one that readers see."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
from psycopg import sql

from ltc_events.projections.base import Projection, built
from ltc_events.projections.catalogue import Build, build_of, position_of
from ltc_events.projections.errors import AlreadyBuilt, NothingToCancel, RebuildCancelled, RebuildRunning
from ltc_events.projections.filling import FILL_EVENTS, Filler
from ltc_events.projections.layout import index_sql, key_sql, lock_layout, prepare, table_sql
from ltc_events.projections.lifecycle import GONE, UNFINISHED, State, record, states_of
from ltc_events.projections.naming import Connection, relation
from ltc_events.projections.track import PARTITION, SOURCE
from ltc_events.store import Database, EventStore, Role

# With the hash of a projection's name: who rebuilds it, or takes its tables away.
_REBUILD_LOCK = 0x6C7463
# A rebuild that was killed holds its lock until the server notices.
_LOCK_TIMEOUT_S = 5

# So little behind, a table is left to those who follow.
MOMENT_EVENTS = 1000


class Progress(NamedTuple):
    """How far a rebuild is. `seconds_left` is None until there is a rate to judge by."""

    build: Build
    state: State
    position: int
    head: int
    events_per_s: float
    seconds_left: float | None


def rebuild(
    database: Database,
    projection: type[Projection],
    *,
    by: str,
    reason: str,
    anew: bool = False,
    page_events: int = FILL_EVENTS,
    report: Callable[[Progress], None] | None = None,
) -> Build:
    """Fill a table of the projection's version from the store; from then on projectors keep it up with the log.

    Takes up a rebuild that was interrupted, wherever that was. Else a version that has no table gets one; one that has gets
    another beside it if `anew`. Readers see it after `switch`. Raises AlreadyBuilt, RebuildRunning, RebuildCancelled and
    FoldStopped (then the same call goes on once the cause is mended).
    """
    with (
        EventStore(database, Role.PROJECTOR) as store,
        database.connect(Role.PROJECTOR, autocommit=True) as connection,
        alone(connection, projection.table),
    ):
        build, state = _begin(connection, projection, anew=anew, by=by, reason=reason)
        known = built(projection, build.build)
        work = _Work(store, connection, known, build, page_events, report)
        if state is State.FILLING:
            work.catch_up(state)
            with connection.transaction():
                work.enter(State.INDEXING, by, "filled")
            state = State.INDEXING
        if state is State.INDEXING:
            work.tell(state)
            with connection.transaction():
                if known.append_only:
                    connection.execute(key_sql(known))
                for statement in index_sql(known):
                    connection.execute(statement)
                work.enter(State.CATCHING_UP, by, "indexed")
            connection.execute(sql.SQL("ANALYZE {}").format(relation(known.physical())))
        work.catch_up(State.CATCHING_UP)
        with connection.transaction():
            work.enter(State.READY, by, "caught up with the log")
    return build


def cancel(database: Database, projection: type[Projection], *, by: str, reason: str) -> Build:
    """End an unfinished rebuild, running or not, and remove its table; raises NothingToCancel, RebuildRunning (not yet)."""
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        with connection.transaction():
            lock_layout(connection)
            unfinished = [build for build, state in states_of(connection, projection.table).items() if state in UNFINISHED]
            if not unfinished:
                raise NothingToCancel(projection=projection.table)
            build = unfinished[-1]
            record(connection, build, State.CANCELLED, by=by, reason=reason)
        # Who rebuilds it sees that at its next page, and leaves.
        with alone(connection, projection.table), connection.transaction():
            lock_layout(connection)
            remove(connection, build)
    return build


def remove(connection: Connection, build: Build) -> None:
    """Remove a build's table and checkpoints, within the caller's transaction."""
    for table in ("checkpoints", "projection_failures"):  # first of all: who follows it waits here
        connection.execute(
            sql.SQL("DELETE FROM {} WHERE projection = %s AND version = %s").format(relation(table)), (build.place, build.version)
        )
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(relation(build.physical)))


@contextmanager
def alone(connection: Connection, name: str) -> Iterator[None]:
    """Be the only one who rebuilds a projection or removes its tables; raises RebuildRunning."""
    lock = sql.SQL("({}, hashtext({}))").format(sql.Literal(_REBUILD_LOCK), sql.Literal(name))
    connection.execute(sql.SQL("SET lock_timeout = {}").format(sql.Literal(f"{_LOCK_TIMEOUT_S}s")))
    try:
        connection.execute(sql.SQL("SELECT pg_advisory_lock") + lock)
    except psycopg.errors.LockNotAvailable as error:
        raise RebuildRunning(projection=name) from error
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(sql.SQL("SELECT pg_advisory_unlock") + lock)


class _Work:
    """A rebuild at work."""

    def __init__(
        self,
        store: EventStore,
        connection: Connection,
        projection: type[Projection],
        build: Build,
        page_events: int,
        report: Callable[[Progress], None] | None,
    ) -> None:
        self._store = store
        self._connection = connection
        self._build = build
        self._filler = Filler(store, connection, projection, page_events=page_events)
        self._report = report
        self._position = self._began_at = position_of(connection, build)
        self._began = time.monotonic()

    def catch_up(self, state: State) -> None:
        """Fill the table up to the head of the log, but for what comes in the last moment."""
        head, _ = self._store.head()
        while True:
            goal = head
            self._filler.fill(self._position, goal, lambda position: self._arrived(state, position))
            head, _ = self._store.head()
            if head - goal <= MOMENT_EVENTS:
                return

    def enter(self, state: State, by: str, reason: str) -> None:
        """Bring the table into its next state, unless somebody cancelled the rebuild."""
        lock_layout(self._connection)
        self._go_on()
        record(self._connection, self._build, state, by=by, reason=reason)

    def tell(self, state: State) -> None:
        """Report the progress."""
        if self._report:
            head = max(self._store.head()[0], self._position)
            rate = (self._position - self._began_at) / max(time.monotonic() - self._began, 1e-6)
            left = (head - self._position) / rate if rate else None
            self._report(Progress(self._build, state, self._position, head, rate, left))

    def _arrived(self, state: State, position: int) -> None:
        self._position = position
        self._go_on()
        self.tell(state)

    def _go_on(self) -> None:
        if states_of(self._connection, self._build.name).get(self._build) not in UNFINISHED:
            raise RebuildCancelled(projection=self._build.name, build=self._build)


def _begin(connection: Connection, projection: type[Projection], *, anew: bool, by: str, reason: str) -> tuple[Build, State]:
    """The build to work on, new or found unfinished, and its state."""
    with connection.transaction():
        prepare(connection, [])
        states = {
            build: state
            for build, state in states_of(connection, projection.table).items()
            if build.version == projection.version
        }
        for build, state in reversed(states.items()):
            if state in UNFINISHED:
                return build, state
        if any(state not in GONE for state in states.values()) and not anew:
            raise AlreadyBuilt(projection=projection.table, version=projection.version)
        # Numbers are not used twice: what is told of a build stays true.
        known = built(projection, max((build.build + 1 for build in states), default=0))
        for statement in table_sql(known, keyed=not known.append_only):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO ltc_read.checkpoints VALUES (%s, %s, %s, %s, 0, clock_timestamp())",
            (known.place(), known.version, SOURCE, PARTITION),
        )
        record(connection, build_of(known), State.FILLING, by=by, reason=reason)
        return build_of(known), State.FILLING
