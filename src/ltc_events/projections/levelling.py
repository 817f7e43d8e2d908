"""Bringing all partitions of a table to one position, from the store: each takes in what it has not yet."""

from collections.abc import Sequence

from ltc_events.projections.base import Projection
from ltc_events.projections.checkpoints import Move
from ltc_events.projections.filling import FILL_EVENTS
from ltc_events.projections.intake import Intake
from ltc_events.projections.naming import Connection
from ltc_events.projections.paging import Log, pages
from ltc_events.projections.source import STORE, Vector
from ltc_events.schemas.record import Record


def level(
    log: Log, connection: Connection, projection: type[Projection], vector: Vector, upto: int, *, page_events: int = FILL_EVENTS
) -> Vector:
    """Take a table from `vector` to the position `upto` in all partitions that are not there yet; how far it is then.

    Each page is a transaction, unless the caller is in one. Raises FoldStopped with the event that stands in the way, and
    CheckpointMoved when somebody else writes the table.
    """
    intake = Intake(connection, projection(), source=vector.source)
    intake.look()
    for records, position in pages(log, vector.low, upto, projection.types, page_events):
        fresh = [record for record in records if not vector.holds(record)]
        vector = _take(intake, vector, fresh, position)
    return vector


def imitate(
    log: Log, connection: Connection, projection: type[Projection], after: int, other: Vector, *, page_events: int = FILL_EVENTS
) -> None:
    """Take a table that follows the store from the position `after` to where another one is: with those events that the
    other has taken in and without the rest. Raises FoldStopped, CheckpointMoved."""
    intake = Intake(connection, projection(), source=STORE)
    intake.look()
    vector = Vector(STORE, {0: after})
    for records, position in pages(log, after, other.high, projection.types, page_events):
        vector = _take(intake, vector, [record for record in records if other.holds(record)], position)


def _take(intake: Intake, vector: Vector, records: Sequence[Record], position: int) -> Vector:
    """Take all partitions that are behind to a position; `records` are what they have not taken in up to there."""
    intake.take(records, [Move(partition, at, position) for partition, at in vector.positions.items() if at < position])
    return Vector(vector.source, {partition: max(at, position) for partition, at in vector.positions.items()})
