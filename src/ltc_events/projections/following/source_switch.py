"""Switches the source of read tables between the store and a topic in one transaction; no event is lost or applied twice.

To a topic: read the end offsets of its partitions, then the store's head, then advance the table from the store to that head.
Every event before those end offsets was stored by then, so all events that the table has not applied come after them. Back:
all partitions are advanced from the store to one position, where the store takes over.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from ltc_events.projections.catalog.ddl import lock_layout, prepare
from ltc_events.projections.catalog.event_source import STORE, Source, declare_source, declared_source, vector_of
from ltc_events.projections.catalog.lifecycle import FOLLOWED, PROJECTOR, record, states_of
from ltc_events.projections.catalog.tables_ahead import refuse_tables_ahead
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import (
    CheckpointMoved,
    FedFromStore,
    FoldStopped,
    NotInThisProgram,
    PartitionsChanged,
)
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection, build_of, built
from ltc_events.projections.following.alignment import align
from ltc_events.projections.following.event_applier import cause_of
from ltc_events.projections.following.failures import Failure
from ltc_events.projections.following.store_runner import WRITERS, Runner
from ltc_events.projections.writing.checkpoints import mark_checkpoints
from ltc_events.store import TROUBLE, Database, EventStore, Role, UnreadableEvent, is_connection_gone, waits
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)

# With the hash of a topic's name: who hands tables over to it.
_ADOPTION_LOCK = 0x6C746364
# So many events are taken in between two looks at what else there is to do.
SLICE_EVENTS = 50_000
# So little behind, the rest is taken in at one go.
NEARLY_EVENTS = 2_000

_WAIT_S = 0.2

Ends = Callable[[], Mapping[int, int]]
"""Where each partition of the topic ends at this moment."""


def agree(connection: Connection, source: Source) -> None:
    """Check that this topic may feed the tables.

    Raises FedFromStore where the store is declared as the source, PartitionsChanged where the number of partitions has changed.
    """
    declared = declared_source(connection)
    if declared is None or declared == source:
        return
    if declared.name != source.name:
        raise FedFromStore(source=declared.name, topic=source.name)
    raise PartitionsChanged(topic=source.name, partitions=source.partitions, known=declared.partitions)


class Adoption:
    """Advances tables fed by the store to its head, and switches them to a topic. One at a time; not thread-safe."""

    def __init__(
        self, log: EventStore, connections: Sequence[Connection], projections: Sequence[type[Projection]], source: Source
    ) -> None:
        self._connection = connections[0]
        self._log = log
        self._runner = Runner(log, connections, projections, adopting=True)
        self._source = source
        self._projections = projections

    def step(self, ends: Ends) -> bool:
        """Do one part of the work; whether all is done. A table stopped at an event is not switched."""
        reached = self._runner.catch_up(events_max=SLICE_EVENTS)
        if self._log.head()[0] - reached > NEARLY_EVENTS:
            return False
        offsets = ends()
        if len(offsets) != self._source.partitions:
            raise PartitionsChanged(topic=self._source.name, partitions=len(offsets), known=self._source.partitions)
        head = self._runner.catch_up()
        hand_over(self._connection, self._projections, self._source, offsets, head)
        return True


@contextmanager
def adopting(database: Database, projections: Sequence[type[Projection]], source: Source) -> Iterator[Adoption | None]:
    """The Adoption for this topic, under a lock; None: another process holds it."""
    with ExitStack() as stack:
        lock = stack.enter_context(database.connect(Role.PROJECTOR, autocommit=True))
        taken = lock.execute(_SQL["try_lock"], (_ADOPTION_LOCK, source.name)).fetchone()
        if taken != (True,):
            yield None
            return
        log = stack.enter_context(EventStore(database, Role.PROJECTOR))
        connect = partial(database.connect, Role.PROJECTOR, autocommit=True)
        yield Adoption(log, [stack.enter_context(connect()) for _ in range(WRITERS)], projections, source)


def hand_over(
    connection: Connection,
    projections: Sequence[type[Projection]],
    source: Source,
    offsets: Mapping[int, int],
    head: int,
    *,
    by: str = PROJECTOR,
    reason: str = "first fed from Kafka",
) -> list[Build]:
    """Switch all tables that are at `head` from the store to a topic; returns these tables.

    `offsets`: per partition an offset that all events after `head` come after. Raises the errors of `agree`.
    """
    partitions = sorted(offsets)
    with connection.transaction():
        lock_layout(connection)
        agree(connection, source)
        builds = {(build.place, build.version): build for build in map(build_of, prepare(connection, projections))}
        rows = connection.execute(_SQL["lock_checkpoints"], (STORE, head)).fetchall()
        handed = []
        for place, version, position in rows:
            build = builds.get((place, version))
            if build is None:
                continue
            connection.execute(
                _SQL["begin_partitions"],
                (place, version, source.name, position, partitions, [offsets[one] for one in partitions]),
            )
            connection.execute(_SQL["end_source"], (place, version, STORE))
            mark_checkpoints(connection, place, version)
            _note(connection, build, f"fed by {source.name} from here on")
            handed.append(build)
        if declared_source(connection) is None:
            declare_source(connection, source, by=by, reason=reason)
    return handed


def to_topic(
    database: Database, projections: Sequence[type[Projection]], source: Source, ends: Ends, *, by: str, reason: str
) -> None:
    """Switch all tables to a topic. Resumes an interrupted switch; a table stopped at an event stays with the store.

    Raises PartitionsChanged and FedFromStore where tables are still fed by a topic that is not this one, as it was.
    """
    with database.connect(Role.PROJECTOR, autocommit=True) as connection, connection.transaction():
        lock_layout(connection)
        refuse_tables_ahead(connection)
        row = connection.execute(_SQL["other_partitions"], (STORE, *source)).fetchone()
        if row and row[0] == source.name:
            raise PartitionsChanged(topic=source.name, partitions=source.partitions, known=row[1])
        if row:
            raise FedFromStore(source=row[0], topic=source.name)
        declare_source(connection, source, by=by, reason=reason)
    while True:
        with adopting(database, projections, source) as adoption:
            if adoption is None:
                time.sleep(_WAIT_S)  # a projector is at it
                continue
            while not adoption.step(ends):
                pass
            return


def catch_up_partitions(
    database: Database, projections: Sequence[type[Projection]], report: Callable[[int, int], None] | None = None
) -> int:
    """Apply from the store the events that tables fed by a topic have not applied yet, stopped tables included; returns the head.

    Projectors on the topic continue meanwhile. A table that stops at an event, or is held up by a transient error, records its
    failure (see `status`), and the others complete first. Then FoldStopped is raised for a stopped table, and the error itself
    where it holds up all tables.
    """
    with EventStore(database, Role.PROJECTOR) as log, database.connect(Role.PROJECTOR, autocommit=True) as connection:
        with connection.transaction():
            followed = prepare(connection, projections)
            refuse_tables_ahead(connection)
        head, _ = log.head()
        stopped: FoldStopped | None = None
        trouble: list[Exception] = []
        for number, projection in enumerate(followed, 1):
            try:
                _catch_up(log, connection, projection, head)
            except TROUBLE as error:
                found = _left_word(log, connection, build_of(projection), error)
                if found is None:
                    raise
                if isinstance(found, FoldStopped):
                    stopped = found
                else:
                    trouble.append(found)
            if report:
                report(number, len(followed))
        if stopped:
            raise stopped
        if trouble and len(trouble) == len(followed):
            raise trouble[0]  # what nobody gets past is no matter of one table
    return head


def _catch_up(log: EventStore, connection: Connection, projection: type[Projection], head: int) -> None:
    build = build_of(projection)
    was_stopped = connection.execute(_SQL["stopped"], (build.place, build.version)).fetchone() is not None
    unreadable: UnreadableEvent | None = None
    while True:
        try:
            vector = align(log, connection, projection, vector_of(connection, build), head)
        except CheckpointMoved:
            continue  # its own projector was quicker
        except UnreadableEvent as error:
            unreadable, head = error, error.details["position"] - 1
            continue
        break
    if unreadable is not None:
        raise unreadable
    if was_stopped and vector.is_level:
        with connection.transaction():
            lock_layout(connection)
            _note(connection, build, "goes on: caught up from the store")


def _left_word(log: EventStore, connection: Connection, build: Build, error: Exception) -> Exception | None:
    """The error that holds a table up, after recording it; None: the error is not this table's."""
    if isinstance(error, UnreadableEvent):
        position, event = error.details["position"], error.details["type"]
        stopped = FoldStopped(projection=build.place, event=event, position=position, cause=cause_of(error))
        stopped.__cause__ = error
        error = stopped
    if isinstance(error, FoldStopped):
        position, event = error.details["position"], error.details["event"]
        (record,) = log.read_raw(position - 1, 1)
        vector = vector_of(connection, build)
        partition = vector.partition_of(record)
    elif waits(error) and not is_connection_gone(error, connection):
        vector = vector_of(connection, build)
        partition, position, event = min(vector.positions, key=lambda one: vector.positions[one]), vector.low + 1, ""
    else:
        return None
    Failure((build.place, build.version), vector.source, partition, position, event, error).note(connection)
    return error


def to_store(database: Database, projections: Sequence[type[Projection]], *, by: str, reason: str) -> list[Build]:
    """Switch all tables back to the store at their present positions; returns them. Resumes an interrupted switch.

    Projectors on the topic stop when they notice it. Raises FoldStopped for a table with a failing event, and NotInThisProgram
    for tables of other versions; all other tables are switched by then.
    """
    with (
        EventStore(database, Role.PROJECTOR) as log,
        database.connect(Role.PROJECTOR, autocommit=True) as connection,
    ):
        with connection.transaction():
            lock_layout(connection)
            refuse_tables_ahead(connection)
            declare_source(connection, Source(STORE, 1), by=by, reason=reason)
            states = {build: state for build, state in states_of(connection).items() if state in FOLLOWED}
            away = [build for build in states if vector_of(connection, build).source != STORE]
            for build in away:
                _note(connection, build, f"to be fed by the store: {reason}" if reason else "to be fed by the store")
        known = {projection.table: projection for projection in projections}
        returned: list[Build] = []
        trouble: Exception | None = None
        for build in away:
            projection = known.get(build.name)
            if projection is None or projection.version != build.version:
                trouble = NotInThisProgram(projection=build.name, build=build, known="another version")
                continue
            try:
                _return(log, connection, built(projection, build.build), build)
            except TROUBLE as error:  # raised below, when the other tables are done
                trouble = _left_word(log, connection, build, error) or error
            else:
                returned.append(build)
        if trouble:
            raise trouble
    return returned


def _return(log: EventStore, connection: Connection, projection: type[Projection], build: Build) -> None:
    # Page by page what there is much of, then the rest and the change itself in one transaction.
    vector = vector_of(connection, build)
    align(log, connection, projection, vector, vector.high)
    with connection.transaction():
        vector = vector_of(connection, build, lock="FOR UPDATE")
        vector = align(log, connection, projection, vector, vector.high)
        connection.execute(_SQL["end_all_sources"], (build.place, build.version))
        connection.execute(_SQL["begin_at_store"], (build.place, build.version, STORE, vector.high))
        mark_checkpoints(connection, build.place, build.version)
        _note(connection, build, "fed by the store from here on")


def _note(connection: Connection, build: Build, reason: str) -> None:
    """Record a transition of a table, upon which projectors read their tables again."""
    record(connection, build, states_of(connection, build.name)[build], by=PROJECTOR, reason=reason)
