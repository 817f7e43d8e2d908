"""Writes the net effect of a batch to one read table, set-based, with its checkpoint, in one transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.types.json import set_json_dumps

from ltc_events.projections.declaration.errors import CheckpointMoved, OperationInvalid
from ltc_events.projections.declaration.names import Connection, names, relation
from ltc_events.projections.declaration.projection import NUMBERS, Operation, Projection
from ltc_events.projections.writing.checkpoints import Move, in_its_epoch, is_stored, mark, move_checkpoints, still_true
from ltc_events.projections.writing.pg_binary import (
    Array,
    ArrayDumper,
    TextArray,
    TextArrayDumper,
    array_oid,
    json_bytes,
    pack_array,
)
from ltc_events.projections.writing.pg_text import COPY_OPTIONS, array
from ltc_events.projections.writing.write_buffer import Shape, WriteBuffer
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
PREPARED_STATEMENTS_MAX = 2000


def prepare_session(connection: Connection) -> None:
    """Set up a connection for writers.

    A crash of the server may lose the last moments of a read table together with its checkpoint, so they are made again
    from the log: waiting for the disk would be for nothing.
    """
    connection.execute(_SQL["prepare_session"])
    if not connection.autocommit:
        connection.commit()
    connection.adapters.register_dumper(Array, ArrayDumper)
    connection.adapters.register_dumper(TextArray, TextArrayDumper)
    set_json_dumps(json_bytes, connection)
    connection.prepared_max = PREPARED_STATEMENTS_MAX


class _Upsert(NamedTuple):
    statement: bytes
    columns: tuple[str, ...]
    adds_from: int
    """The columns from here on are added to."""


class Writer:
    """Writes one projection's table and moves its checkpoints for one source. `partition` is what `write` is about."""

    def __init__(self, connection: Connection, projection: type[Projection], *, source: str, partition: int = 0) -> None:
        prepare_session(connection)
        self._connection = connection
        self._projection = projection
        self._table = relation(projection.physical(), projection.schema)
        self._columns = tuple(projection.columns)
        self._place = (projection.place(), projection.version, source)
        self._partition = partition
        checkpoints = relation("checkpoints", projection.schema)
        fences = {
            "in_its_epoch": in_its_epoch("%s::text"),
            "still_true": still_true("c"),
            "is_stored": is_stored("%s::int8", "%s", "%s"),
        }
        self._move = _SQL.compose("move", checkpoints=checkpoints, mark=mark("%s"), **fences).as_bytes(connection)
        self._upserts: dict[tuple[Any, ...], _Upsert] = {}
        self._shape = Shape(projection)

    @property
    def connection(self) -> Connection:
        """What it writes through."""
        return self._connection

    def write(self, operations: Sequence[Operation], *, expected: int, position: int) -> None:
        """Apply the operations of all events after `expected` up to `position`.

        Raises CheckpointMoved when the checkpoint is not at `expected` (nothing is written then) and OperationInvalid.
        """
        self.write_partitions(operations, (Move(self._partition, expected, position),))

    def write_partitions(self, operations: Sequence[Operation], moves: Sequence[Move]) -> None:
        """Apply the operations of all events by which these partitions move; raises as `write`."""
        self._write(self._buffered(operations), moves)

    def apply(self, operations: Sequence[Operation]) -> None:
        """Change the rows alone, in an open transaction that moves the checkpoint too. Raises OperationInvalid."""
        self._change(self._buffered(operations))

    def new_buffer(self) -> WriteBuffer:
        """An empty buffer, for several batches that are written at once."""
        return WriteBuffer(self._shape)

    def write_buffer(self, buffer: WriteBuffer, move: Move) -> None:
        """Apply the buffered operations of all events by which a partition moves; raises as `write`."""
        self._write(buffer, (move,))

    def _buffered(self, operations: Sequence[Operation]) -> WriteBuffer:
        buffer = self.new_buffer()
        buffer.add(operations)
        return buffer

    def _write(self, buffer: WriteBuffer, moves: Sequence[Move]) -> None:
        with self._connection.transaction():
            self._advance(moves)
            self._change(buffer)

    def _change(self, buffer: WriteBuffer) -> None:
        net = buffer.net
        if buffer.texts or buffer.rows:
            self._append(buffer)
        gone = [key for key, (removed, _, _) in net.items() if removed]
        if gone:
            self._delete(gone)
        groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for key, (_, sets, adds) in net.items():
            if sets is not None:
                shape = (len(key), tuple(sets), tuple(adds))
                groups.setdefault(shape, []).append((*key, *sets.values(), *adds.values()))
        for shape, group in groups.items():
            self._upsert(shape, group)

    def _advance(self, moves: Sequence[Move]) -> None:
        if len(moves) != 1:
            place, version, source = self._place
            move_checkpoints(self._connection, source, [((place, version), move) for move in moves], self._projection.schema)
            return
        ((partition, expected, position, next_offset, holds, epoch, *last),) = (move.columns() for move in moves)
        given = (position, next_offset, position, *self._place, partition, expected, holds, epoch, last[0], *last)
        moved = self._connection.execute(self._move, given)
        if not moved.rowcount:
            raise CheckpointMoved(projection=self._place[0], expected=expected)

    def _append(self, buffer: WriteBuffer) -> None:
        copy = sql.SQL("COPY {} ({}) FROM STDIN ").format(self._table, names(self._columns))
        if buffer.texts:
            with self._connection.cursor() as cursor, cursor.copy(copy + sql.SQL(COPY_OPTIONS)) as stream:
                for text in buffer.texts:
                    stream.write(text)
        if buffer.rows:
            with self._connection.cursor() as cursor, cursor.copy(copy + sql.SQL("(FORMAT binary)")) as stream:
                stream.set_types([self._projection.columns[name].type for name in self._columns])
                for row in buffer.rows:
                    stream.write_row(row[1:])

    def _delete(self, keys: list[tuple[Any, ...]]) -> None:
        projection = self._projection
        self._shape.check(len(keys[0]), ())
        statement = _SQL.compose(
            "delete",
            table=self._table,
            arrays=self._arrays(projection.key),
            key=names(projection.key),
            own=_of("t", projection.key),
            given=_of("k", projection.key),
        )
        self._connection.execute(statement, self._pack(projection.key, keys, adds_from=len(projection.key)))

    def _upsert(self, shape: tuple[Any, ...], rows: list[tuple[Any, ...]]) -> None:
        upsert = self._upserts.get(shape)
        if upsert is None:
            upsert = self._upserts[shape] = self._plan(*shape)
        self._connection.execute(upsert.statement, self._pack(upsert.columns, rows, adds_from=upsert.adds_from))

    def _plan(self, key_length: int, sets: tuple[str, ...], adds: tuple[str, ...]) -> _Upsert:
        projection = self._projection
        self._shape.check(key_length, (*sets, *adds))
        changes = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in sets]
        for name in adds:
            declared = projection.columns[name]
            if declared.type not in NUMBERS or declared.default not in (None, "0"):
                problem = f"Add needs a number that starts at 0 or null; column {name} does not"
                raise OperationInvalid(table=projection.table, problem=problem)
            changes.append(sql.SQL("{0} = coalesce(t.{0}, 0) + excluded.{0}").format(sql.Identifier(name)))
        columns = (*projection.key, *sets, *adds)
        change = sql.SQL("UPDATE SET {}").format(sql.SQL(", ").join(changes)) if changes else sql.SQL("NOTHING")
        statement = _SQL.compose(
            "upsert",
            table=self._table,
            columns=names(columns),
            arrays=self._arrays(columns),
            key=names(projection.key),
            change=change,
        )
        return _Upsert(statement.as_bytes(self._connection), columns, len(columns) - len(adds))

    def _arrays(self, columns: Iterable[str]) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("%s::{}[]").format(sql.Identifier(self._projection.columns[name].type)) for name in columns
        )

    def _pack(self, columns: Sequence[str], rows: list[tuple[Any, ...]], *, adds_from: int) -> list[Array]:
        return [
            self._pack_column(name, values, nullable=index < adds_from)
            for index, (name, values) in enumerate(zip(columns, zip(*rows, strict=True), strict=True))
        ]

    def _pack_column(self, name: str, values: Sequence[Any], *, nullable: bool) -> Array:
        kind = self._projection.columns[name].type
        literal = array(kind, values, nullable=nullable)
        if literal is not None:
            return TextArray(array_oid(kind), literal)
        return pack_array(self._projection.table, name, kind, values, nullable=nullable)


def _of(alias: str, columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(alias, name) for name in columns)
