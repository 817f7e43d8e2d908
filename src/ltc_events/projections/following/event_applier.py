"""Applies events to a table as its failure policy says: as a whole where possible, else without those that fail.
declares: it stops there, skips it, or lets the customer's events wait."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import structlog

from ltc_events.projections.catalog.skipped_events import NOBODY, Held, count_change, held_by, holder_of, record_skipped
from ltc_events.projections.declaration.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Operation, Projection
from ltc_events.projections.following.log_pages import middle
from ltc_events.projections.writing.checkpoints import Move
from ltc_events.projections.writing.net_effect import operations
from ltc_events.projections.writing.table_writer import Writer
from ltc_events.schemas.record import Record, ordered_with
from ltc_events.store import is_events_own, waits
from ltc_events.store.error_text import error_text

log = structlog.get_logger()


class Prepared(NamedTuple):
    """The operations of events (None: a handler raised), valid while the parked customers are those of `then`."""

    batch: list[Operation] | None
    then: Held


class EventApplier:
    """Applies events to one table. `moved` is called with each move of a checkpoint as soon as it is written."""

    def __init__(
        self,
        connection: Connection,
        projection: Projection,
        *,
        source: str,
        partition: int = 0,
        moved: Callable[[Move], None] | None = None,
    ) -> None:
        self.writer = Writer(connection, type(projection), source=source, partition=partition)
        self.held = NOBODY
        self._connection = connection
        self._projection = projection
        self._source = source
        self._moved = moved

    @property
    def _table(self) -> tuple[str, int]:
        return self._projection.place(), self._projection.version

    def read_parked(self) -> None:
        """Read which routing keys are parked."""
        schema = self._projection.schema
        self.held = held_by(self._connection, self._source, [self._table], schema).get(self._table, NOBODY)

    def prepare(self, records: Sequence[Record]) -> Prepared:
        """The operations of these events, to be written later."""
        held = self.held
        try:
            return Prepared(operations(self._projection, _free(records, held)), held)
        except Exception:  # noqa: BLE001 - a handler may raise anything: the event is found when this is written
            return Prepared(None, held)

    def write(self, records: Sequence[Record], moves: Sequence[Move], prepared: Prepared | None = None) -> None:
        """Write these events and move the checkpoints, all or nothing. Raises any error of a handler or the database."""
        self.writer.write_partitions(self.meaning(records, prepared), self.checked(moves))
        self._report_moves(moves)

    def meaning(self, records: Sequence[Record], prepared: Prepared | None = None) -> list[Operation]:
        """The operations of these events by the present state of parked keys. Raises any error of a handler."""
        batch = prepared.batch if prepared is not None and prepared.then is self.held else None
        return operations(self._projection, _free(records, self.held)) if batch is None else batch

    def take(self, records: Sequence[Record], moves: Sequence[Move], prepared: Prepared | None = None) -> None:
        """As `write`, but a failing event is found by bisection and handled by the projection's failure policy.

        Raises FoldStopped with the event, after everything before it is written, and CheckpointMoved.
        """
        try:
            self.write(records, moves, prepared)
        except Exception as error:  # a handler may raise anything: the table deals with its event as it declares
            if passes(error):
                raise
            free = _free(records, self.held)
            half = middle(free)
            if half is None:
                self.leave_out(free[0].position, free[0].event.type, error, moves)
                return
            self.take([one for one in records if one.position < half], _cut(moves, upto=half - 1))
            self.take([one for one in records if one.position >= half], _cut(moves, after=half - 1))

    def leave_out(self, position: int, event: str, error: Exception, moves: Sequence[Move]) -> None:
        """Leave out an event and record it; raises FoldStopped where the failure policy is to stop."""
        connection, held = self._connection, self.held
        holder = holder_of(connection, position)
        policy, cause = self._projection.on_failure, cause_of(error)
        if holder in held.keys:
            self.writer.write_partitions((), self.checked(moves))  # it waits with the others
            self._report_moves(moves)
            return
        if policy == "stop" or not is_events_own(error):
            raise FoldStopped(projection=self._projection.place(), event=event, position=position, cause=cause) from error
        parks = policy == "park"
        schema, partitions = self._projection.schema, [move.partition for move in moves]
        with connection.transaction():
            self.writer.write_partitions((), self.checked(moves))
            record_skipped(connection, self._table, position, event, cause, parks=parks, schema=schema)
            if parks:
                count_change(connection, self._table, self._source, partitions, schema)
        if parks:
            changes = {one: number + (one in partitions) for one, number in held.changes.items()}
            self.held = Held(held.keys | {holder}, changes)
        self._report_moves(moves)
        what = "projection_parked" if parks else "projection_skipped"
        log.warning(what, table=self._table[0], version=self._table[1], position=position, type=event, cause=cause)

    def checked(self, moves: Iterable[Move]) -> list[Move]:
        """The moves, on condition that the parked keys have not changed."""
        return [move._replace(holds=self.held.changes.get(move.partition)) for move in moves]

    def _report_moves(self, moves: Iterable[Move]) -> None:
        if self._moved:
            for move in moves:
                self._moved(move)


def passes(error: BaseException) -> bool:
    """Whether the error is not an event's: another process writes the table, or the error is transient."""
    return isinstance(error, CheckpointMoved) or waits(error)


def cause_of(error: BaseException) -> str:
    """An error in one line, as the database can keep it, without values of rows."""
    return f"{type(error).__name__}: {error_text(error)}".replace("\0", "")


def _free(records: Sequence[Record], held: Held) -> Sequence[Record]:
    """The records whose routing key is not parked."""
    return [record for record in records if ordered_with(record) not in held.keys] if held.keys else records


def _cut(moves: Iterable[Move], *, after: int = 0, upto: int | None = None) -> list[Move]:
    """The part of these moves after one position or up to another. Only their ends have an offset to read next."""
    cut = []
    for move in moves:
        expected = max(move.expected, after)
        if upto is not None and upto < move.position:
            move = move._replace(position=upto, next_offset=None)  # noqa: PLW2901
        if expected < move.position:
            cut.append(move._replace(expected=expected))
    return cut
