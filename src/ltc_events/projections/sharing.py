"""What a batch of a topic brings for each read table, and writing it: rows, with the checkpoints of their partitions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ltc_events.projections.base import Projection
from ltc_events.projections.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.intake import NOT_OF_THE_EVENT, Intake, Prepared
from ltc_events.projections.naming import Connection
from ltc_events.projections.track import stop
from ltc_events.projections.writer import Move
from ltc_events.schemas.record import Record

# So few events are written for several tables at once. Many take so long that other workers would wait for rows that both
# add to, and that the tables wait for each other.
TOGETHER_MAX = 500

# In the order of the key, as everybody who moves several, so that nobody waits in a circle.
_MOVE = b"""
    WITH own AS (
        SELECT c.projection, c.version, c.source, c.partition, m.position, m.next_offset
        FROM unnest(%s::text[], %s::int4[], %s::int4[], %s::int8[], %s::int8[], %s::int8[], %s::int8[])
            AS m (projection, version, partition, expected, position, next_offset, holds)
        JOIN ltc_read.checkpoints c ON (c.projection, c.version, c.partition, c.position)
            = (m.projection, m.version, m.partition, m.expected) AND c.holds = coalesce(m.holds, c.holds)
        WHERE c.source = %s ORDER BY c.projection, c.version, c.source, c.partition FOR UPDATE OF c
    )
    UPDATE ltc_read.checkpoints c SET position = own.position, next_offset = own.next_offset, moved_at = clock_timestamp()
    FROM own WHERE (c.projection, c.version, c.source, c.partition) = (own.projection, own.version, own.source, own.partition)
"""


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

    def passed(self, position: int, next_offset: int) -> None:
        """It was read so far, without anything to write."""
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
            place.passed(move.position, move.next_offset or 0)
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


Moves = Sequence[tuple[PartitionedTrack, Move]]


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


def write_shares(connection: Connection, source: str, shares: Sequence[Share], idle: Moves) -> None:
    """Write the shares that go through this connection, and move `idle` checkpoints of tables that nothing concerned.

    Few events go together in one transaction, which spares most of what a table costs; where one is in the way, each table
    goes by itself. Raises CheckpointMoved.
    """
    few = sum(len(part) for share in shares for part in share.parts.values()) <= TOGETHER_MAX
    if few and _are_written_together(connection, source, shares, idle):
        return
    for share in shares:
        share.track.take_in(share)
    pass_by(connection, source, idle)


def pass_by(connection: Connection, source: str, moves: Moves) -> None:
    """Move checkpoints of tables that nothing concerned. Raises CheckpointMoved."""
    _write_together(connection, source, (), moves)


def _are_written_together(connection: Connection, source: str, shares: Sequence[Share], idle: Moves) -> bool:
    try:
        _write_together(connection, source, shares, idle)
    except NOT_OF_THE_EVENT:
        raise
    except Exception:  # noqa: BLE001 - it comes again where its own table is written alone, and is told of there
        return False
    return True


def _write_together(connection: Connection, source: str, shares: Iterable[Share], idle: Moves) -> None:
    batches = [(share, share.track.intake.meaning(share.records, share.prepared)) for share in shares]
    moves = [*idle, *((share.track, move) for share, _ in batches for move in share.track.intake.checked(share.moves))]
    if not moves:
        return
    rows = [(*track.name, *move) for track, move in moves]
    with connection.transaction():
        moved = connection.execute(_MOVE, (*(list(column) for column in zip(*rows, strict=True)), source))
        if moved.rowcount != len(rows):
            raise CheckpointMoved(projection=", ".join(sorted({name for name, *_ in rows})), expected="where it was")
        for share, batch in batches:
            share.track.intake.writer.apply(batch)
    for track, move in moves:
        track.moved(move)
