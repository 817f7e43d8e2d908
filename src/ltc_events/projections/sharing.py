"""What a batch of a topic brings for each read table, and writing it: rows, with the checkpoints of their partitions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from ltc_events.projections.base import Projection
from ltc_events.projections.checkpoints import Move, move_checkpoints
from ltc_events.projections.errors import FoldStopped
from ltc_events.projections.intake import NOT_OF_THE_EVENT, Intake, Prepared, cause_of
from ltc_events.projections.naming import Connection
from ltc_events.projections.track import stop
from ltc_events.schemas.record import Record

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
    """How far a table is in a partition: as stored, as stored when all that is being written is, and as read.

    What lies between the last two does not concern it. One that is `stopped` goes no further.
    """

    __slots__ = ("next_offset", "position", "read", "read_offset", "stopped", "underway")

    def __init__(self, position: int, next_offset: int, *, stopped: bool) -> None:
        self.position = self.underway = self.read = position
        self.next_offset = self.read_offset = next_offset
        self.stopped = stopped

    @property
    def is_idle(self) -> bool:
        """Whether it was read further than is stored or being written."""
        return self.underway < self.read and not self.stopped

    def read_up_to(self, position: int, next_offset: int) -> None:
        """It was read so far."""
        if self.read < position and not self.stopped:
            self.read, self.read_offset = position, max(self.read_offset, next_offset)


class Share:
    """What a batch brings for one table: its part of each partition's events, and what they mean."""

    __slots__ = ("moves", "parts", "prepared", "track")

    def __init__(self, track: "PartitionedTrack") -> None:
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
        """Whether nothing of it was stopped meanwhile."""
        return not any(self.track.places[move.partition].stopped for move in self.moves)

    def set_out(self) -> None:
        """From now on it counts as read and, if there is anything to write, as being written."""
        for move in self.moves:
            place = self.track.places[move.partition]
            place.read_up_to(move.position, move.next_offset or 0)
            if self.parts:
                place.underway = move.position


class PartitionedTrack:
    """A table on its way along a topic."""

    def __init__(self, projection: type[Projection], connection: Connection, source: str) -> None:
        self.projection = projection()
        self.connection = connection
        self.source = source
        self.intake = Intake(connection, self.projection, source=source, moved=self.moved)
        self.places: dict[int, Place] = {}

    @property
    def name(self) -> tuple[str, int]:
        """Under which name and version its checkpoints are kept."""
        return self.projection.place(), self.projection.version

    def take_in(self, share: Share) -> None:
        """Write a share. Where an event is in the way, and the table stops at such, its partition stops before it.

        Raises CheckpointMoved.
        """
        try:
            self.intake.write(share.records, share.moves, share.prepared)
        except NOT_OF_THE_EVENT:
            raise
        except Exception:  # noqa: BLE001 - whatever a handler raises concerns that partition of this table, not the others
            for move in share.moves:
                with self._standing(move.partition):
                    self.intake.take(share.parts.get(move.partition, []), [move])

    def leave_out(self, partition: int, position: int, event_type: str, error: Exception) -> None:
        """Go on behind an event of a partition, which cannot be decoded, or stop before it, as the projection says.

        Nothing is being written then. Raises CheckpointMoved.
        """
        place = self.places[partition]
        with self._standing(partition):
            self.intake.leave_out(position, event_type, error, [Move(partition, place.position, position)])
        place.underway = place.read = place.position

    def moved(self, move: Move) -> None:
        """A checkpoint has moved. Told by whoever writes, from any thread."""
        place = self.places[move.partition]
        place.position = move.position
        if move.next_offset is not None:
            place.next_offset = move.next_offset

    @contextmanager
    def _standing(self, partition: int) -> Iterator[None]:
        try:
            yield
        except FoldStopped as stopped:
            self.places[partition].stopped = True
            stop(self.connection, self.name, (self.source, partition), stopped)


TrackMoves = Sequence[tuple[PartitionedTrack, Move]]


def share_of(
    track: PartitionedTrack,
    arrivals: Mapping[int, Arrivals],
    parts: Mapping[int, Mapping[PartitionedTrack, list[Record]]],
) -> Share:
    """What of all this a table has not taken in yet."""
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
        share.moves.append(Move(partition, place.underway, one.position, one.next_offset))
    if share.parts:
        share.prepared = track.intake.prepare(share.records)
    return share


def write_shares(connection: Connection, source: str, shares: Sequence[Share], idle: TrackMoves) -> None:
    """Write the shares that go through this connection, and move `idle` checkpoints of tables that nothing concerned.

    Few events go together in one transaction, which spares most of what a table costs; where one is in the way, each table
    goes by itself. Raises CheckpointMoved: then nothing is written of what went together.
    """
    few = sum(len(part) for share in shares for part in share.parts.values()) <= TOGETHER_MAX
    if few and _are_written_together(connection, source, shares, idle):
        return
    for share in shares:
        share.track.take_in(share)
    if idle:
        move_idle(connection, source, idle)


def move_idle(connection: Connection, source: str, moves: TrackMoves) -> None:
    """Move checkpoints of tables that nothing concerned. Raises CheckpointMoved."""
    _write_together(connection, source, (), moves)


def _are_written_together(connection: Connection, source: str, shares: Sequence[Share], idle: TrackMoves) -> bool:
    try:
        _write_together(connection, source, shares, idle)
    except NOT_OF_THE_EVENT:
        raise
    except Exception as error:  # noqa: BLE001 - where it is an event's fault it comes again, and is dealt with there
        log.info("tables_written_apart", tables=[share.track.name[0] for share in shares], cause=cause_of(error))
        return False
    return True


def _write_together(connection: Connection, source: str, shares: Iterable[Share], idle: TrackMoves) -> None:
    batches = [(share, share.track.intake.meaning(share.records, share.prepared)) for share in shares]
    moves = [*idle, *((share.track, move) for share, _ in batches for move in share.track.intake.checked(share.moves))]
    with connection.transaction():
        move_checkpoints(connection, source, [(track.name, move) for track, move in moves])
        for share, batch in batches:
            share.track.intake.writer.apply(batch)
    for track, move in moves:
        track.moved(move)
