"""Bulk-loads the log into tables: one read of the log for all of them, written in large stretches."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeAlias
from uuid import UUID

import psycopg

from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.declaration.names import SCHEMA, Connection
from ltc_events.projections.declaration.projection import Handler, Operation, Projection
from ltc_events.projections.following.event_applier import EventApplier, passes
from ltc_events.projections.following.failures import Failure
from ltc_events.projections.following.log_pages import READ_EVENTS, Log, pages
from ltc_events.projections.following.store_runner import rare_collections
from ltc_events.projections.following.table_track import PARTITION, SOURCE
from ltc_events.projections.writing.checkpoints import Move, Taken, present_epoch
from ltc_events.projections.writing.write_buffer import WriteBuffer
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record, ordered_with
from ltc_events.store import TROUBLE, UnreadableEvent, is_connection_gone, waits

FILL_EVENTS = 40_000
"""Events that are buffered before they are written. With more of them, more changes of a row are written as one."""
# The most buffered operations of a table: a document of 10,000 lines is one event.
_OPERATIONS_MAX = 400_000
# Where events of these types are rare, the checkpoint moves on all the same.
_STRETCH_POSITIONS_MAX = 1_000_000

_TURN_S = 0.0005

_Dispatch: TypeAlias = dict[type[Event], list[tuple[Handler, "_Lane"]]]


class _Lane:
    """One table being loaded. `buffer` is None when a handler raised since the last stretch was handed over."""

    __slots__ = ("applier", "batch", "buffer", "interrupted", "operations", "projection", "stopped")

    def __init__(self, projection: type[Projection], connection: Connection) -> None:
        self.projection = projection()
        self.applier = EventApplier(connection, self.projection, source=SOURCE, partition=PARTITION)
        self.applier.read_parked()
        self.batch: list[Operation] = []
        self.operations = 0
        """The number of buffered operations."""
        self.buffer: WriteBuffer | None = self.applier.writer.new_buffer()
        self.stopped: FoldStopped | None = None
        self.interrupted = False

    def buffer_page(self) -> None:
        """Add the page's operations to the buffer."""
        batch, self.batch = self.batch, []
        self.operations += len(batch)
        if self.buffer is not None:
            try:
                self.buffer.add(batch)
            except Exception:  # noqa: BLE001 - a row may be of any value: which event it was is found when the stretch is written, event by event
                self.buffer = None

    def hand_over(self) -> WriteBuffer | None:
        """Return the buffer, and begin the next stretch."""
        buffer, self.buffer = self.buffer, self.applier.writer.new_buffer()
        self.operations = 0
        return buffer

    def apply_in_parts(self, log: Log, after: int, upto: int, epoch: str) -> None:
        """Apply a stretch that could not be written as a whole, in halves down to single events.

        Raises CheckpointMoved.
        """
        held = self.applier.held
        try:
            for records, position in pages(log, after, upto, self.projection.types, READ_EVENTS):
                self.applier.take(records, [Move(PARTITION, after, position, epoch=epoch, last=Taken.last_of(records))])
                after = position
        except FoldStopped as error:
            self._stop(error)
        except TROUBLE as error:
            self.record_failure(after, error)
            raise
        if self.applier.held is not held:
            self.buffer = None  # it may hold events of a customer who is parked now

    def skip_undecodable(self, error: UnreadableEvent, epoch: str) -> None:
        """Skip the next event, which cannot be decoded, or stop before it, by the projection's failure policy."""
        position, kind = error.details["position"], error.details["type"]
        try:
            self.applier.leave_out(position, kind, error, [Move(PARTITION, position - 1, position, epoch=epoch)])
        except FoldStopped as stopped:
            self._stop(stopped)

    def record_failure(self, after: int, error: Exception) -> None:
        """Record a failure of the events after a position, for `ltc projections status`."""
        connection = self.applier.writer.connection
        if (
            self.projection.schema == SCHEMA
            and not self.interrupted
            and waits(error)
            and not is_connection_gone(error, connection)
        ):
            with suppress(psycopg.Error):  # the same trouble may keep the failure from being recorded
                Failure(self._name, SOURCE, PARTITION, after + 1, "", error).note(connection)

    def _stop(self, stopped: FoldStopped) -> None:
        self.stopped = stopped
        if self.projection.schema == SCHEMA:
            at, event = stopped.details["position"], stopped.details["event"]
            Failure(self._name, SOURCE, PARTITION, at, event, stopped).note(self.applier.writer.connection)

    @property
    def _name(self) -> tuple[str, int]:
        return self.projection.place(), self.projection.version


class _Stretch:
    """A part of the log being written to the tables. `failed`: the tables to which it could not be written as a whole."""

    def __init__(self, lanes: Sequence[_Lane], move: Move) -> None:
        self.move = move
        self._buffers = [(lane, lane.hand_over()) for lane in lanes]
        self.failed: list[_Lane] = []

    def write(self) -> None:
        for lane, buffer in self._buffers:
            try:
                if buffer is None:
                    self.failed.append(lane)
                else:
                    lane.applier.writer.write_buffer(buffer, self.move)
            except Exception as error:  # the driver refuses values by any type; the table is taken along event by event
                if passes(error):
                    lane.record_failure(self.move.expected, error)
                    raise
                self.failed.append(lane)  # the event that is in the way is looked for
        self._buffers = []


class BulkLoader:
    """Loads several tables from the store together, each stretch in one transaction per table with its checkpoint. Not
    thread-safe."""

    def __init__(self, log: Log, connection: Connection, *projections: type[Projection], page_events: int = FILL_EVENTS) -> None:
        self._log = log
        self._connection = connection
        self._epoch = ""
        self._lanes = [_Lane(projection, connection) for projection in projections]
        self._page_events = page_events
        self._reached = 0

    @property
    def stopped(self) -> dict[str, FoldStopped]:
        """The stopped tables by place, with the error."""
        return {lane.projection.place(): lane.stopped for lane in self._lanes if lane.stopped}

    def fill(self, after: int, upto: int, arrived: Callable[[int], None] | None = None) -> None:
        """Load from the position `after`, where all tables are, to `upto`; while one stretch is written, the next is folded.

        `arrived(position)` is called after each stretch, when it is written and none is being written. A table with a failing
        event leaves it out or stops before it, by its failure policy; FoldStopped is raised when the other tables are done.
        Raises CheckpointMoved when another process writes one of the tables, or the store began another epoch.
        """
        self._epoch = present_epoch(self._connection)
        while self._running() and after < upto:
            try:
                self._fill(after, upto, arrived)
                break
            except UnreadableEvent as error:
                # Not the one that was raised: it holds on to the read that it broke off, and with it to the connection.
                after = self._pass_by(type(error)(**error.details), arrived)
        for stopped in self.stopped.values():
            raise stopped

    def _fill(self, after: int, upto: int, arrived: Callable[[int], None] | None) -> None:
        with rare_collections(), _quick_turns(), ThreadPoolExecutor(max_workers=1, thread_name_prefix="ltc-fill") as thread:
            writing: tuple[_Stretch, Future[None]] | None = None

            def finish() -> None:
                nonlocal writing
                if writing:
                    (stretch, written), writing = writing, None
                    written.result()
                    for lane in stretch.failed:
                        lane.apply_in_parts(self._log, stretch.move.expected, stretch.move.position, self._epoch)
                    self._reached = stretch.move.position
                    if arrived:
                        arrived(self._reached)

            dispatch, taken = self._dispatch(), 0
            last: Taken | None = None
            types = sorted({name for lane in self._running() for name in lane.projection.types})
            start = self._reached = after
            try:
                for records, position in pages(self._log, after, upto, types, min(self._page_events, READ_EVENTS)):
                    _fold(dispatch, records)
                    last = Taken.last_of(records) or last
                    for lane in self._lanes:
                        lane.buffer_page()
                    taken += len(records)
                    few = taken < self._page_events and position - start < _STRETCH_POSITIONS_MAX
                    if few and position < upto and all(lane.operations < _OPERATIONS_MAX for lane in self._lanes):
                        continue
                    finish()
                    stretch = _Stretch(self._running(), Move(PARTITION, start, position, epoch=self._epoch, last=last))
                    writing = stretch, thread.submit(stretch.write)
                    start, taken = position, 0
                    dispatch = self._dispatch()
                    if not self._running():
                        break
            except KeyboardInterrupt:
                writing = None  # nobody waits for it: it is undone, and comes again
                for lane in self._lanes:
                    lane.interrupted = True
                    lane.applier.writer.connection.cancel()
                raise
            finally:
                finish()

    def _running(self) -> list[_Lane]:
        return [lane for lane in self._lanes if lane.stopped is None]

    def _dispatch(self) -> _Dispatch:
        dispatch: _Dispatch = {}
        for lane in self._running():
            keys = lane.applier.held.keys
            for event, handler in lane.projection.handlers.items():
                chosen = _unless_waiting(handler, keys) if keys else handler
                dispatch.setdefault(event, []).append((chosen, lane))
        return dispatch

    def _pass_by(self, error: UnreadableEvent, arrived: Callable[[int], None] | None) -> int:
        """Apply everything before an undecodable event to all tables there, and pass it for those that leave it out."""
        position, kind = error.details["position"], error.details["type"]
        for lane in self._running():
            lane.hand_over()
            concerned = lane.projection.concerns(kind)
            lane.apply_in_parts(self._log, self._reached, position - concerned, self._epoch)
            if concerned and lane.stopped is None:
                lane.skip_undecodable(error, self._epoch)
            lane.hand_over()
        if arrived and self._running():
            arrived(position)
        return int(position)


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Shorten the interpreter's switch interval: the writing thread needs it briefly between waits for the server."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _fold(dispatch: _Dispatch, records: Sequence[Record]) -> None:
    for record in records:
        event = record.event
        for handler, lane in dispatch.get(type(event), ()):
            try:
                lane.batch.extend(handler(lane.projection, event, record))
            except Exception:  # noqa: BLE001 - a handler may raise anything: found as in `_Lane.gather`
                lane.buffer = None


def _unless_waiting(handler: Handler, keys: frozenset[UUID]) -> Handler:
    def handle(projection: Projection, event: Event, record: Record) -> Iterable[Operation]:
        return () if ordered_with(record) in keys else handler(projection, event, record)

    return handle
