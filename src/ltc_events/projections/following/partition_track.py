"""The progress of read tables along a topic: the rows to write for a batch, and checkpoints per partition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
import structlog

from ltc_events.projections.declaration.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.event_applier import EventApplier, Prepared, cause_of, passes
from ltc_events.projections.following.failures import Failure, RetrySchedule, first_of, waiting_out
from ltc_events.projections.writing.checkpoints import Move, Taken, move_checkpoints
from ltc_events.schemas.record import Record
from ltc_events.store import is_connection_gone, waits

log = structlog.get_logger()

# So few events, counted once for each table that they concern, are written for several tables at once. Where there are many, a
# transaction for each table costs next to nothing, and nobody who wants to look at, switch or lock one waits for the others.
TOGETHER_MAX = 500


class Arrivals(NamedTuple):
    """What came of one partition, in its order: events that some table handles, and how far it was read.

    `position` is that of the last event that came, whether handled or not.
    """

    records: list[Record]
    position: int
    next_offset: int


class Place:
    """The progress of a table in a partition: stored, stored after the writes in progress, and read.

    Events between the last two are not handled by it. A `stopped` one does not advance. `epoch` is the store's at that time.
    """

    __slots__ = ("epoch", "next_offset", "position", "read", "read_offset", "stopped", "underway")

    def __init__(self, position: int, next_offset: int, epoch: str, *, stopped: bool) -> None:
        self.position = self.underway = self.read = position
        self.next_offset = self.read_offset = next_offset
        self.epoch = epoch
        self.stopped = stopped

    @property
    def is_idle(self) -> bool:
        """Whether it was read beyond what is stored or being written."""
        return self.underway < self.read and not self.stopped

    def read_up_to(self, position: int, next_offset: int) -> None:
        """Note the offset read."""
        if self.read < position and not self.stopped:
            self.read, self.read_offset = position, max(self.read_offset, next_offset)


class Share:
    """The share of one table in a batch: its events of each partition, and their operations."""

    __slots__ = ("moves", "parts", "prepared", "track")

    def __init__(self, track: "PartitionTrack") -> None:
        self.track = track
        self.parts: dict[int, list[Record]] = {}
        self.moves: list[Move] = []
        self.prepared: Prepared | None = None

    @property
    def records(self) -> list[Record]:
        """All of its events, partition by partition."""
        return [record for part in self.parts.values() for record in part]

    @property
    def goes_on(self) -> bool:
        """Whether none of its partitions was stopped meanwhile."""
        return not any(self.track.places[move.partition].stopped for move in self.moves)

    def set_out(self) -> None:
        """Mark it as read and, if there is anything to write, as being written."""
        for move in self.moves:
            place = self.track.places[move.partition]
            place.read_up_to(move.position, move.next_offset or 0)
            if self.parts:
                place.underway = move.position


class PartitionTrack:
    """A table that follows a topic."""

    def __init__(self, projection: type[Projection], connection: Connection, source: str) -> None:
        self.projection = projection()
        self.connection = connection
        self.source = source
        self.applier = EventApplier(connection, self.projection, source=source, moved=self.moved)
        self.places: dict[int, Place] = {}
        self.retries = RetrySchedule()

    @property
    def name(self) -> tuple[str, int]:
        """The name and version under which its checkpoints are stored."""
        return self.projection.place(), self.projection.version

    def take_in(self, share: Share) -> None:
        """Write a share. At a failing event its partition stops, if that is the failure policy.

        After a transient error the table waits. Raises CheckpointMoved.
        """
        try:
            self.applier.write(share.records, share.moves, share.prepared)
        except Exception as error:  # noqa: BLE001 - a handler may raise anything: its event is found below; what passes is waited for
            if passes(error):
                self._wait(share.moves, share.parts, error)
                return
            # Whatever a handler raises concerns that partition of this table, not the others.
            for move in share.moves:
                if not self.is_waiting:
                    with self._standing(move.partition, share.parts):
                        self.applier.take(share.parts.get(move.partition, []), [move])
        else:
            self.retries.got_on()

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a retry, in all of its partitions."""
        return self.retries.error is not None

    def pass_by(self, move: Move) -> None:
        """Move a checkpoint past events that are not handled, or let the table wait. Raises CheckpointMoved."""
        with waiting_out(lambda error: self._wait([move], {}, error)):
            move_idle(self.connection, self.source, [(self, move)])

    def leave_out(self, partition: int, position: int, event_type: str, error: Exception) -> None:
        """Leave out an undecodable event of a partition, or stop before it, by the failure policy.

        Nothing may be being written. Raises CheckpointMoved.
        """
        place = self.places[partition]
        with self._standing(partition, {}):
            self.applier.leave_out(position, event_type, error, [Move(partition, place.position, position, epoch=place.epoch)])
        place.underway = place.read = place.position

    def moved(self, move: Move) -> None:
        """Note that a checkpoint has moved. Called by the writing thread."""
        place = self.places[move.partition]
        place.position = move.position
        if move.next_offset is not None:
            place.next_offset = move.next_offset

    @contextmanager
    def _standing(self, partition: int, parts: Mapping[int, list[Record]]) -> Iterator[None]:
        def wait(error: Exception) -> None:
            place = self.places[partition]
            self._wait([Move(partition, place.position, place.position + 1)], parts, error)

        try:
            with waiting_out(wait):
                yield
        except FoldStopped as stopped:
            self.places[partition].stopped = True
            at, event = stopped.details["position"], stopped.details["event"]
            Failure(self.name, self.source, partition, at, event, stopped).note(self.connection)

    def _wait(self, moves: Sequence[Move], parts: Mapping[int, list[Record]], error: Exception) -> None:
        """Stop in all partitions until the retry, which begins at the table's checkpoints."""
        if isinstance(error, CheckpointMoved):
            raise error
        found = []
        for move in moves:
            place = self.places[move.partition]
            left = [record for record in parts.get(move.partition, ()) if record.position > place.position]
            found.append((bool(left), *first_of(left, move.position), move.partition))
        _, position, event, partition = max(found, key=lambda one: (one[0], -one[1]))
        self.retries.begin(self.connection, Failure(self.name, self.source, partition, position, event, error))
        for place in self.places.values():
            place.stopped = True


TrackMoves = Sequence[tuple[PartitionTrack, Move]]


def share_of(
    track: PartitionTrack,
    arrivals: Mapping[int, Arrivals],
    parts: Mapping[int, Mapping[PartitionTrack, list[Record]]],
) -> Share:
    """The share of a table: the events of a batch that it has not applied yet."""
    share = Share(track)
    for partition, one in sorted(arrivals.items()):
        place = track.places.get(partition)
        if place is None or place.stopped or one.position <= place.read:
            continue
        records = parts[partition].get(track, [])
        if records and records[0].position <= place.read:
            records = [record for record in records if record.position > place.read]
        if records:
            share.parts[partition] = records
        last = Taken.last_of(records)
        share.moves.append(Move(partition, place.underway, one.position, one.next_offset, epoch=place.epoch, last=last))
    if share.parts:
        share.prepared = track.applier.prepare(share.records)
    return share


def write_shares(connection: Connection, source: str, shares: Sequence[Share], idle: TrackMoves) -> None:
    """Write the shares of this connection, and move the `idle` checkpoints of tables without events.

    Small batches are written for several tables in one transaction, which saves most of the cost per table; after an error each
    table is written by itself. Raises CheckpointMoved: nothing of the common transaction is written then.
    """
    few = sum(len(part) for share in shares for part in share.parts.values()) <= TOGETHER_MAX
    if few and _are_written_together(connection, source, shares, idle):
        return
    for share in shares:
        share.track.take_in(share)
    move_idle_apart(connection, source, idle)


def move_idle_apart(connection: Connection, source: str, moves: TrackMoves) -> None:
    """As `move_idle`, but a table whose checkpoint is locked waits by itself. Raises CheckpointMoved."""
    if not moves:
        return
    try:
        move_idle(connection, source, moves)
    except psycopg.Error as error:
        if not waits(error) or is_connection_gone(error, connection):
            raise
        for track, move in moves:
            if not track.is_waiting:
                track.pass_by(move)


def move_idle(connection: Connection, source: str, moves: TrackMoves) -> None:
    """Move the checkpoints of tables without events. Raises CheckpointMoved."""
    _write_together(connection, source, (), moves)


def _are_written_together(connection: Connection, source: str, shares: Sequence[Share], idle: TrackMoves) -> bool:
    try:
        _write_together(connection, source, shares, idle)
    except Exception as error:  # a handler may raise anything: false is answered, and each table then meets its own
        if isinstance(error, CheckpointMoved) or is_connection_gone(error, connection):
            raise
        # Whosever fault it is, it comes again to the table that it is about, and is dealt with there.
        log.info("tables_written_apart", tables=[share.track.name[0] for share in shares], cause=cause_of(error))
        return False
    return True


def _write_together(connection: Connection, source: str, shares: Iterable[Share], idle: TrackMoves) -> None:
    batches = [(share, share.track.applier.meaning(share.records, share.prepared)) for share in shares]
    moves = [*idle, *((share.track, move) for share, _ in batches for move in share.track.applier.checked(share.moves))]
    with connection.transaction():
        move_checkpoints(connection, source, [(track.name, move) for track, move in moves])
        for share, batch in batches:
            share.track.applier.writer.apply(batch)
    for track, move in moves:
        track.moved(move)
