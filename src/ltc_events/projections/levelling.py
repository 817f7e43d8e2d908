"""Bringing all partitions of a table to one position, from the store: each takes in what it has not yet."""

from collections.abc import Sequence

import psycopg

from ltc_events.projections.base import Projection
from ltc_events.projections.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.filling import FILL_EVENTS
from ltc_events.projections.fold import operations
from ltc_events.projections.naming import Connection
from ltc_events.projections.paging import Log, middle, pages
from ltc_events.projections.source import STORE, Vector
from ltc_events.projections.writer import Move, Writer
from ltc_events.schemas.record import Record


def level(
    log: Log, connection: Connection, projection: type[Projection], vector: Vector, upto: int, *, page_events: int = FILL_EVENTS
) -> Vector:
    """Take a table from `vector` to the position `upto` in all partitions that are not there yet; how far it is then.

    Each page is a transaction, unless the caller is in one. Raises FoldStopped with the event that stands in the way, and
    CheckpointMoved when somebody else writes the table.
    """
    writer = Writer(connection, projection, source=vector.source)
    folded = projection()
    for records, position in pages(log, vector.low, upto, projection.types, page_events):
        fresh = [record for record in records if not vector.holds(record)]
        vector = _write(writer, folded, vector, fresh, position)
    return vector


def imitate(
    log: Log, connection: Connection, projection: type[Projection], after: int, other: Vector, *, page_events: int = FILL_EVENTS
) -> None:
    """Take a table that follows the store from the position `after` to where another one is: with those events that the
    other has taken in and without the rest. Raises FoldStopped, CheckpointMoved."""
    writer = Writer(connection, projection, source=STORE)
    folded = projection()
    vector = Vector(STORE, {0: after})
    for records, position in pages(log, after, other.high, projection.types, page_events):
        vector = _write(writer, folded, vector, [record for record in records if other.holds(record)], position)


def _write(writer: Writer, projection: Projection, vector: Vector, records: Sequence[Record], position: int) -> Vector:
    """Take all partitions that are behind to a position; `records` are what they have not taken in up to there."""
    moves = [Move(partition, at, position) for partition, at in vector.positions.items() if at < position]
    try:
        writer.write_partitions(operations(projection, records), moves)
    except (psycopg.OperationalError, psycopg.InterfaceError, CheckpointMoved):
        raise
    except Exception as error:
        half = middle(records)
        if half is None:
            raise FoldStopped(
                projection=projection.place(),
                event=records[0].event.type,
                position=records[0].position,
                cause=f"{type(error).__name__}: {error}",
            ) from error
        before = _write(writer, projection, vector, [one for one in records if one.position < half], half - 1)
        return _write(writer, projection, before, [one for one in records if one.position >= half], position)
    return Vector(vector.source, {partition: max(at, position) for partition, at in vector.positions.items()})
