"""Where read tables get their events from: the store, or a topic whose partitions several workers share.

Of a partitioned source each partition has a checkpoint of its own. All events with one routing key are on one partition, in
the order of their positions, so the checkpoints together say exactly which events a table has taken in.
"""

from typing import Any, Literal, NamedTuple

from ltc_events.kernel.partitioning import partition_of
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import CheckpointMoved, FedElsewhere, NoSuchBuild
from ltc_events.projections.declaration.names import Connection
from ltc_events.schemas.record import RawRecord, Record, routing_key
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)

STORE = "store"
"""The source of tables that follow the store itself. It has one partition, 0."""


class Source(NamedTuple):
    """`store`, or the full name of a topic, with its number of partitions."""

    name: str
    partitions: int

    @property
    def is_store(self) -> bool:
        """Whether it is the store itself."""
        return self.name == STORE


class Vector(NamedTuple):
    """How far a table has come: of its source, the last position taken in by partition."""

    source: str
    positions: dict[int, int]

    @property
    def low(self) -> int:
        """Up to here it has taken in everything."""
        return min(self.positions.values())

    @property
    def high(self) -> int:
        """Beyond here it has taken in nothing."""
        return max(self.positions.values())

    @property
    def is_level(self) -> bool:
        """Whether it is what the store was at one position."""
        return self.low == self.high

    def home(self, record: Record | RawRecord) -> int:
        """The partition that an event is on."""
        if len(self.positions) == 1:
            return next(iter(self.positions))
        return partition_of(routing_key(record), len(self.positions))

    def holds(self, record: Record) -> bool:
        """Whether the table has taken in this event."""
        return record.position <= self.positions[self.home(record)]


def vector_of(connection: Connection, build: Build, *, lock: Literal["", "FOR UPDATE", "FOR UPDATE NOWAIT"] = "") -> Vector:
    """How far the table of a build has come; raises NoSuchBuild.

    With a lock nobody moves it until the caller's transaction ends; NOWAIT raises psycopg's LockNotAvailable where somebody
    is about to.
    """
    rows = connection.execute(_SQL["checkpoints"] + f" {lock}".encode(), (build.place, build.version)).fetchall()
    if not rows:
        raise NoSuchBuild(projection=build.name, build=build)
    sources = {source for source, _, _ in rows}
    if len(sources) > 1:  # never within one transaction of ours
        raise CheckpointMoved(projection=build.name, expected=", ".join(sorted(sources)))
    return Vector(sources.pop(), {partition: position for _, partition, position in rows})


def declared_source(connection: Connection) -> Source | None:
    """Where an operator, or the first projector on Kafka, said that events shall come from; None: nobody did."""
    row = connection.execute(_SQL["declared_source"]).fetchone()
    return None if row is None else Source(*row)


def declare_source(connection: Connection, source: Source, *, by: str, reason: str) -> None:
    """Say where events shall come from, within the caller's transaction, which holds the lock of the layout."""
    connection.execute(
        _SQL["declare_source"],
        {"source": source.name, "partitions": source.partitions, "by": by, "reason": reason},
    )


def fed_by_topic(connection: Connection) -> bool:
    """Whether read tables take their events from a topic. Needs no more than a reader's rights."""
    if connection.execute(_SQL["is_laid_out"]).fetchone() != (True,):
        return False
    source = declared_source(connection)
    return source is not None and not source.is_store


def refuse_unless_store(connection: Connection, builds: list[Build]) -> None:
    """Raise FedElsewhere where events shall come from a topic, or a table still takes its events from one."""
    declared = declared_source(connection)
    foreign: Any = None if declared is None or declared.is_store else declared.name
    if foreign is None:
        row = connection.execute(
            _SQL["other_source"],
            ([build.place for build in builds], [build.version for build in builds], STORE),
        ).fetchone()
        foreign = row and row[0]
    if foreign is not None:
        raise FedElsewhere(source=foreign)
