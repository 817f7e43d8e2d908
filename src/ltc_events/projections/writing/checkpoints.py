"""Checkpoints of read tables, moved by compare-and-set in the transaction that writes the rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from psycopg import sql

from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.declaration.names import SCHEMA, Connection, relation
from ltc_events.schemas.record import Record
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
_PRESENT = _SQL.compose("present_epoch")


def mark(position: str) -> sql.Composed:
    """What a checkpoint keeps of the event at its position, to be SET with it: by this a store that went back is known, also
    when it has grown again since. `position` is SQL."""
    return _SQL.compose("mark", present=_PRESENT, position=sql.SQL(position))


def in_its_epoch(epoch: str) -> sql.Composed:
    """Whether the present epoch is that of a move, to follow WHERE; `epoch` is SQL, NULL: any.

    A statement sees what was committed when it has its locks: so who waited for `lock_checkpoints` sees what was done under it.
    """
    return _SQL.compose("is_in_epoch", present=_PRESENT, epoch=sql.SQL(epoch))


def still_true(checkpoint: str) -> sql.Composed:
    """Whether the store still has what a checkpoint keeps of it, to follow WHERE; `checkpoint` names its row.

    A store that went back and has grown since would else take a table further that holds what never happened, and cover that.
    """
    return _SQL.compose("still_true", checkpoint=sql.Identifier(checkpoint))


def is_stored(position: str, command: str, recorded: str) -> sql.Composed:
    """Whether the store still has the last event that is taken in, to follow WHERE; all three are SQL, NULL: none is."""
    names = {"position": sql.SQL(position), "command": sql.SQL(command), "recorded": sql.SQL(recorded)}
    return _SQL.compose("is_stored", **names)


def present_epoch(connection: Connection) -> str:
    """The store's epoch, to be read before the events that a move is about."""
    row = connection.execute(_SQL["present_epoch"]).fetchone()
    return str(row[0]) if row else ""


def _move(schema: str) -> bytes:
    own = {"mark": mark("own.position"), "in_its_epoch": in_its_epoch("m.epoch"), "still_true": still_true("c")}
    own["is_stored"] = is_stored("m.last", "m.command", "m.recorded")
    return _SQL.compose("move", checkpoints=relation("checkpoints", schema), **own).as_bytes()


_MOVE_READ_TABLES = _move(SCHEMA)


class Taken(NamedTuple):
    """An event that is taken in, as far as to tell it from another one that the store has at its position later."""

    position: int
    command_id: UUID
    recorded_at: datetime

    @classmethod
    def last_of(cls, records: Sequence[Record]) -> Self | None:
        """The last of these; None: there is none."""
        return cls(records[-1].position, records[-1].command_id, records[-1].recorded_at) if records else None


_NOTHING = (None, None, None)


class Move(NamedTuple):
    """A checkpoint moved: a partition of a source is processed from `expected` up to `position`.

    `next_offset` is the offset to read next, for a source that counts in offsets. The rest are conditions of the move: `holds`,
    the same customers are parked as at that count (see `skipped_events`); `epoch`, the store is still in that epoch, as events
    may be void since another one began; `last`, the store still has that event, as it may have gone back unnoticed.
    """

    partition: int
    expected: int
    position: int
    next_offset: int | None = None
    holds: int | None = None
    epoch: str | None = None
    last: Taken | None = None

    def columns(self) -> tuple[Any, ...]:
        """All of it in one row."""
        return (*self[:-1], *(self.last or _NOTHING))


def move_checkpoints(
    connection: Connection, source: str, moves: Sequence[tuple[tuple[str, int], Move]], schema: str = SCHEMA
) -> None:
    """Move checkpoints, each with the place and version of its table, in the caller's transaction: at least one, none twice.

    Raises CheckpointMoved with those that are not where they were expected. The others have moved then: the caller lets the
    error leave the transaction.
    """
    statement = _MOVE_READ_TABLES if schema == SCHEMA else _move(schema)
    columns = zip(*((*table, *move.columns()) for table, move in moves), strict=True)
    moved = set(connection.execute(statement, (*map(list, columns), source)).fetchall())
    if len(moved) != len(moves):
        away = [(table, move) for table, move in moves if (*table, move.partition) not in moved] or moves
        names = ", ".join(dict.fromkeys(place for (place, _), _ in away))
        raise CheckpointMoved(projection=names, expected=", ".join(map(str, sorted({move.expected for _, move in away}))))


def lock_checkpoints(connection: Connection) -> None:
    """Wait until nobody is moving a checkpoint, and let nobody until the caller's transaction ends; what moves next sees what it
    did. Nothing where no tables are laid out."""
    if connection.execute(_SQL["are_laid_out"]).fetchone() == (True,):
        connection.execute(_SQL["lock"])


def mark_checkpoints(connection: Connection, place: str, version: int) -> None:
    """Let the checkpoints of a table keep what the store has at their positions, in the caller's transaction that made them."""
    connection.execute(_SQL.compose("mark_all", mark=mark("c.position")), (place, version))
