"""Aligns all partitions of a table at one position, reading from the store what each has not applied yet."""

from collections.abc import Sequence

from ltc_events.projections.catalog.event_source import STORE, Vector
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.bulk_loader import FILL_EVENTS
from ltc_events.projections.following.event_applier import EventApplier
from ltc_events.projections.following.log_pages import Log, pages
from ltc_events.projections.writing.checkpoints import Move, Taken, present_epoch
from ltc_events.schemas.record import Record


def align(
    log: Log, connection: Connection, projection: type[Projection], vector: Vector, upto: int, *, page_events: int = FILL_EVENTS
) -> Vector:
    """Advance a table from `vector` to the position `upto` in all partitions behind it; returns its progress then.

    Each page is a transaction, unless the caller is in one. Raises FoldStopped with the failing event, and CheckpointMoved when
    another process writes the table.
    """
    applier, epoch = EventApplier(connection, projection(), source=vector.source), present_epoch(connection)
    applier.read_parked()
    for records, position in pages(log, vector.low, upto, projection.types, page_events):
        fresh = [record for record in records if not vector.holds(record)]
        vector = _take(applier, vector, fresh, position, epoch)
    return vector


def replay_to(
    log: Log, connection: Connection, projection: type[Projection], after: int, other: Vector, *, page_events: int = FILL_EVENTS
) -> None:
    """Advance a table fed by the store from the position `after` to the progress of another table, with exactly the events that
    the other has applied. Raises FoldStopped, CheckpointMoved."""
    applier, epoch = EventApplier(connection, projection(), source=STORE), present_epoch(connection)
    applier.read_parked()
    vector = Vector(STORE, {0: after})
    for records, position in pages(log, after, other.high, projection.types, page_events):
        vector = _take(applier, vector, [record for record in records if other.holds(record)], position, epoch)


def _take(applier: EventApplier, vector: Vector, records: Sequence[Record], position: int, epoch: str) -> Vector:
    """Advance all partitions that are behind to a position; `records` are the events that they have not applied up to there."""
    behind = [(partition, at) for partition, at in vector.positions.items() if at < position]
    applier.take(records, [Move(partition, at, position, epoch=epoch, last=Taken.last_of(records)) for partition, at in behind])
    return Vector(vector.source, {partition: max(at, position) for partition, at in vector.positions.items()})
