"""Moving checkpoints of read tables: several at once, by compare and set, in the transaction with the rows."""

from collections.abc import Sequence
from typing import NamedTuple

from psycopg import sql

from ltc_events.projections.errors import CheckpointMoved
from ltc_events.projections.naming import SCHEMA, Connection, relation

# Locked in the order of the key, as everybody does who moves several: so nobody waits in a circle.
_MOVE = """
    WITH own AS (
        SELECT c.projection, c.version, c.source, c.partition, m.position, m.next_offset
        FROM unnest(%s::text[], %s::int4[], %s::int4[], %s::int8[], %s::int8[], %s::int8[], %s::int8[])
            AS m (projection, version, partition, expected, position, next_offset, holds)
        JOIN {checkpoints} c ON (c.projection, c.version, c.partition, c.position)
            = (m.projection, m.version, m.partition, m.expected) AND c.holds = coalesce(m.holds, c.holds)
        WHERE c.source = %s ORDER BY c.projection, c.version, c.source, c.partition FOR UPDATE OF c
    )
    UPDATE {checkpoints} c
    SET position = own.position, next_offset = coalesce(own.next_offset, c.next_offset), moved_at = clock_timestamp()
    FROM own WHERE (c.projection, c.version, c.source, c.partition) = (own.projection, own.version, own.source, own.partition)
    RETURNING c.projection, c.version, c.partition
"""
_MOVE_READ_TABLES = sql.SQL(_MOVE).format(checkpoints=relation("checkpoints", SCHEMA)).as_bytes()


class Move(NamedTuple):
    """A partition of a source was taken in from `expected` to `position`.

    `next_offset` is where to read on in the partition, for a source that counts otherwise than by positions. `holds`: it is
    only for as long as the same customers wait as at that count; see `letters`.
    """

    partition: int
    expected: int
    position: int
    next_offset: int | None = None
    holds: int | None = None


def move_checkpoints(
    connection: Connection, source: str, moves: Sequence[tuple[tuple[str, int], Move]], schema: str = SCHEMA
) -> None:
    """Move checkpoints, each with the place and version of its table, in the caller's transaction: at least one, none twice.

    Raises CheckpointMoved with those that are not where they were expected. The others have moved then: the caller lets the
    error leave the transaction.
    """
    statement = _MOVE_READ_TABLES
    if schema != SCHEMA:
        statement = sql.SQL(_MOVE).format(checkpoints=relation("checkpoints", schema)).as_bytes()
    columns = zip(*((*table, *move) for table, move in moves), strict=True)
    moved = set(connection.execute(statement, (*map(list, columns), source)).fetchall())
    if len(moved) != len(moves):
        away = [(table, move) for table, move in moves if (*table, move.partition) not in moved] or moves
        names = ", ".join(dict.fromkeys(place for (place, _), _ in away))
        raise CheckpointMoved(projection=names, expected=", ".join(map(str, sorted({move.expected for _, move in away}))))
