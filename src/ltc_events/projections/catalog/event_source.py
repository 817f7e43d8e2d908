"""The source of the read tables' events: the store, or a topic whose partitions several workers share.

Each partition of a source has its own checkpoint. All events with one routing key are on one partition, in the order of their
positions, so the checkpoints together determine exactly which events a table has applied.
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
    """The progress of a table: the last position applied, by partition of its source."""

    source: str
    positions: dict[int, int]

    @property
    def low(self) -> int:
        """The position up to which all events are applied."""
        return min(self.positions.values())

    @property
    def high(self) -> int:
        """The position after which no event is applied."""
        return max(self.positions.values())

    @property
    def is_level(self) -> bool:
        """Whether all partitions are at one position."""
        return self.low == self.high

    def partition_of(self, record: Record | RawRecord) -> int:
        """The partition of an event."""
        if len(self.positions) == 1:
            return next(iter(self.positions))
        return partition_of(routing_key(record), len(self.positions))

    def holds(self, record: Record) -> bool:
        """Whether this event is applied."""
        return record.position <= self.positions[self.partition_of(record)]


def vector_of(connection: Connection, build: Build, *, lock: Literal["", "FOR UPDATE", "FOR UPDATE NOWAIT"] = "") -> Vector:
    """The progress of a build's table; raises NoSuchBuild.

    With a lock the checkpoints cannot move until the caller's transaction ends; NOWAIT raises psycopg's LockNotAvailable where
    another transaction holds them.
    """
    rows = connection.execute(_SQL["checkpoints"] + f" {lock}".encode(), (build.place, build.version)).fetchall()
    if not rows:
        raise NoSuchBuild(projection=build.name, build=build)
    sources = {source for source, _, _ in rows}
    if len(sources) > 1:  # never within one transaction of ours
        raise CheckpointMoved(projection=build.name, expected=", ".join(sorted(sources)))
    return Vector(sources.pop(), {partition: position for _, partition, position in rows})


def declared_source(connection: Connection) -> Source | None:
    """The source declared by an operator or the first projector on Kafka; None: none is declared."""
    row = connection.execute(_SQL["declared_source"]).fetchone()
    return None if row is None else Source(*row)


def declare_source(connection: Connection, source: Source, *, by: str, reason: str) -> None:
    """Declare the source, within the caller's transaction, which holds the layout lock."""
    connection.execute(
        _SQL["declare_source"],
        {"source": source.name, "partitions": source.partitions, "by": by, "reason": reason},
    )


def fed_by_topic(connection: Connection) -> bool:
    """Whether a topic feeds the read tables. Needs a reader's privileges only."""
    if connection.execute(_SQL["is_laid_out"]).fetchone() != (True,):
        return False
    source = declared_source(connection)
    return source is not None and not source.is_store


def refuse_unless_store(connection: Connection, builds: list[Build]) -> None:
    """Raise FedElsewhere where a topic is the declared source, or still feeds a table."""
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
