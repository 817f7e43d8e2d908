"""Taking read tables along a topic: what several workers do, each for the partitions that are its own.

Each table has a checkpoint for each partition, which moves in the transaction with the rows. What comes again is behind the
checkpoint and passed over; who works on a partition that is no longer his finds its checkpoint moved and writes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import NamedTuple

from ltc_events.projections.base import Projection
from ltc_events.projections.catalogue import build_of
from ltc_events.projections.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.intake import NOT_OF_THE_EVENT, Intake, Prepared
from ltc_events.projections.layout import prepare
from ltc_events.projections.letters import NOBODY, held_by
from ltc_events.projections.lifecycle import last_transition
from ltc_events.projections.naming import Connection
from ltc_events.projections.source import STORE, Source
from ltc_events.projections.track import stop
from ltc_events.projections.writer import Move
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.store import UnreadableEvent

_PLACES = b"""
    SELECT c.projection, c.version, c.source, c.partition, c.position, c.next_offset,
           coalesce(f.failed_position > c.position, false)
    FROM ltc_read.checkpoints c LEFT JOIN ltc_read.projection_failures f USING (projection, version, source, partition)
    WHERE (c.projection, c.version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))
"""
# In the order of the key, as everybody who moves several, so that nobody waits in a circle.
_PASS = b"""
    WITH own AS (
        SELECT c.projection, c.version, c.source, c.partition, m.position, m.next_offset
        FROM unnest(%s::text[], %s::int4[], %s::int4[], %s::int8[], %s::int8[], %s::int8[])
            AS m (projection, version, partition, expected, position, next_offset)
        JOIN ltc_read.checkpoints c ON (c.projection, c.version, c.partition, c.position)
            = (m.projection, m.version, m.partition, m.expected)
        WHERE c.source = %s ORDER BY c.projection, c.version, c.source, c.partition FOR UPDATE OF c
    )
    UPDATE ltc_read.checkpoints c SET position = own.position, next_offset = own.next_offset, moved_at = clock_timestamp()
    FROM own WHERE (c.projection, c.version, c.source, c.partition) = (own.projection, own.version, own.source, own.partition)
"""

TYPES_MAX = 10_000


class Arrivals(NamedTuple):
    """What came of one partition, in its order: events that some table handles, and how far it was read.

    `position` is that of the last event that came, whether handled or not.
    """

    records: list[Record]
    position: int
    next_offset: int


class _Place:
    """How far a table is in a partition, and will be when all is written. One that is `stopped` goes no further."""

    __slots__ = ("ahead", "next_offset", "position", "stopped")

    def __init__(self, position: int, next_offset: int, *, stopped: bool) -> None:
        self.position = self.ahead = position
        self.next_offset = next_offset
        self.stopped = stopped


class _Share:
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


class PartitionedTrack:
    """A table on its way along a topic."""

    def __init__(self, projection: type[Projection], connection: Connection, source: str) -> None:
        self.projection = projection()
        self.connection = connection
        self.source = source
        self.intake = Intake(connection, self.projection, source=source, moved=self._moved)
        self.places: dict[int, _Place] = {}

    @property
    def name(self) -> tuple[str, int]:
        """Under which name and version its checkpoints are kept."""
        return self.projection.place(), self.projection.version

    def take_in(self, share: _Share) -> None:
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

        Raises CheckpointMoved.
        """
        place = self.places[partition]
        with self._standing(partition):
            self.intake.leave_out(position, event_type, error, [Move(partition, place.position, position)])

    @contextmanager
    def _standing(self, partition: int) -> Iterator[None]:
        try:
            yield
        except FoldStopped as stopped:
            self.places[partition].stopped = True
            stop(self.connection, self.name, (self.source, partition), stopped)

    def _moved(self, move: Move) -> None:
        place = self.places[move.partition]
        place.position = move.position
        place.ahead = max(place.ahead, move.position)
        if move.next_offset is not None:
            place.next_offset = move.next_offset


class PartitionedRunner:
    """Writes what comes of a topic, while the next is being read. Not to be shared by threads.

    Batches are given to `take`, in the order in which they came; a batch is written by the time that the next one is taken,
    or that `finish` returns.
    """

    def __init__(self, connections: Sequence[Connection], projections: Iterable[type[Projection]], source: Source) -> None:
        """`connections`, in autocommit mode and acting as the projector, share the writing between them."""
        self._connections = connections
        self._projections = tuple(projections)
        self._source = source
        self._partitions: tuple[int, ...] = ()
        self._tracks: list[PartitionedTrack] = []
        self._writers = ThreadPoolExecutor(max_workers=len(connections), thread_name_prefix="ltc-write")
        self._writing: list[Future[None]] = []
        self._wanted: dict[type[Event], list[PartitionedTrack]] = {}
        self._concerned: dict[str, bool] = {}
        self.life = -1
        """The last transition that we know of; see `lifecycle`."""
        self.waiting = False
        """Whether there are tables that still take their events from the store."""

    @property
    def has_tables(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self._tracks)

    def concerns(self, type_name: str) -> bool:
        """Whether a stored event of this type may mean something to some table."""
        found = self._concerned.get(type_name)
        if found is None:
            found = any(track.projection.concerns(type_name) for track in self._tracks)
            if len(self._concerned) < TYPES_MAX:  # whoever may write to the topic may make up types without end
                self._concerned[type_name] = found
        return found

    def begin(self, partitions: Collection[int]) -> dict[int, int]:
        """Take on these partitions and give all others back; where to begin to read each. Nothing is being written then."""
        self.finish_quietly()
        self._partitions = tuple(sorted(partitions))
        self.refresh()
        return self.offsets()

    def offsets(self) -> dict[int, int]:
        """Where to read on in each partition: where the hindmost table is that is not stopped."""
        begins: dict[int, int] = {}
        for partition in self._partitions:
            places = [track.places[partition] for track in self._tracks if partition in track.places]
            going = [place.next_offset for place in places if not place.stopped]
            begins[partition] = min(going or [place.next_offset for place in places] or [0])
        return begins

    def refresh(self) -> None:
        """Read anew which tables are in use, and how far they are."""
        connection = self._connections[0]
        with connection.transaction():  # nobody brings a table into another state in between
            followed = prepare(connection, self._projections)
            self.life = last_transition(connection)
        builds = list(map(build_of, followed))
        names = [build.place for build in builds], [build.version for build in builds]
        found: dict[tuple[str, int], dict[int, _Place]] = {}
        self.waiting = False
        for name, version, source, partition, position, next_offset, failed in connection.execute(_PLACES, names):
            if source == STORE:
                self.waiting = True
            elif source == self._source.name:
                places = found.setdefault((name, version), {})
                if partition in self._partitions:
                    places[partition] = _Place(position, next_offset, stopped=failed)
        held = held_by(connection, self._source.name, found)
        known = {track.name: track for track in self._tracks}
        self._tracks = []
        for one, writer in zip(followed, cycle(self._connections), strict=False):
            name = one.place(), one.version
            if name in found:
                track = known.get(name) or PartitionedTrack(one, writer, self._source.name)
                track.places = found[name]
                track.intake.held = held.get(name, NOBODY)
                self._tracks.append(track)
        self._concerned.clear()
        self._wanted = {}
        for track in self._tracks:
            for event in track.projection.handlers:
                self._wanted.setdefault(event, []).append(track)

    def take(self, arrivals: Mapping[int, Arrivals]) -> None:
        """Write what came, when all that came before is written. Raises CheckpointMoved: then `begin` again."""
        # Meanwhile the batch before is being written, and as a rule all of it can be.
        parts = {partition: self._share_out(one.records) for partition, one in arrivals.items()}
        shares = [share for track in self._tracks if (share := _share(track, arrivals, parts)).moves]
        self.finish()
        shares = [share if share.goes_on else _share(share.track, arrivals, parts) for share in shares]
        for share in shares:
            for move in share.moves:
                share.track.places[move.partition].ahead = move.position
        busy = [share for share in shares if share.parts]
        idle = [(share.track, move) for share in shares if not share.parts for move in share.moves]
        self._writing = [
            self._writers.submit(_write, [share for share in busy if share.track.connection is connection])
            for connection in self._connections
        ]
        if idle:
            # Over the first connection, behind its shares.
            self._writing[0] = self._writers.submit(_then, self._writing[0], lambda: self._pass(idle))

    def pass_by(self, marks: Mapping[int, tuple[int, int]]) -> None:
        """Move tables to a position up to which nothing more will come of a partition, read to an offset.

        `marks`: position and offset by partition. Nothing is being written then. Raises CheckpointMoved.
        """
        self.finish()
        moves = [
            (track, Move(partition, place.position, position, max(place.next_offset, offset)))
            for track in self._tracks
            for partition, (position, offset) in marks.items()
            if (place := track.places.get(partition)) is not None and not place.stopped and place.position < position
        ]
        if moves:
            self._pass(moves)

    def leave_out(self, partition: int, error: UnreadableEvent) -> None:
        """Stop the tables that an event of this partition concerns, which cannot be decoded, unless they go on without it.

        Raises CheckpointMoved.
        """
        self.finish()
        position, kind = error.details["position"], error.details["type"]
        for track in self._tracks:
            place = track.places.get(partition)
            if place is not None and not place.stopped and place.position < position and track.projection.concerns(kind):
                track.leave_out(partition, position, kind, error)

    def finish(self) -> None:
        """Wait until all is written. Raises CheckpointMoved, and what the database says."""
        writing, self._writing = self._writing, []
        errors = [error for one in writing if (error := one.exception()) is not None]
        for error in errors:
            if not isinstance(error, CheckpointMoved):
                raise error
        if errors:
            raise errors[0]

    def finish_quietly(self) -> None:
        """Wait until all is written that still can be."""
        with suppress(CheckpointMoved):
            self.finish()

    def close(self) -> None:
        """Wait for what is being written."""
        self._writers.shutdown()

    def _share_out(self, records: list[Record]) -> dict[PartitionedTrack, list[Record]]:
        shared: dict[PartitionedTrack, list[Record]] = {}
        wanted = self._wanted
        appends: dict[type[Event], list[Callable[[Record], None]]] = {}
        for record in records:
            kind = type(record.event)
            found = appends.get(kind)
            if found is None:
                found = appends[kind] = [shared.setdefault(track, []).append for track in wanted.get(kind, ())]
            for append in found:
                append(record)
        return shared

    def _pass(self, moves: Sequence[tuple[PartitionedTrack, Move]]) -> None:
        rows = [(*track.name, move.partition, move.expected, move.position, move.next_offset) for track, move in moves]
        columns = [list(column) for column in zip(*rows, strict=True)]
        with self._connections[0].transaction():
            moved = self._connections[0].execute(_PASS, (*columns, self._source.name))
            if moved.rowcount != len(rows):
                raise CheckpointMoved(projection=", ".join(sorted({name for name, *_ in rows})), expected="where it was")
        for track, move in moves:
            track._moved(move)  # noqa: SLF001


def _share(
    track: PartitionedTrack,
    arrivals: Mapping[int, Arrivals],
    parts: Mapping[int, Mapping[PartitionedTrack, list[Record]]],
) -> _Share:
    """What of all this a table has not taken in yet."""
    share = _Share(track)
    for partition, one in sorted(arrivals.items()):
        place = track.places.get(partition)
        if place is None or place.stopped or one.position <= place.ahead:
            continue
        records = parts[partition].get(track, [])
        if records and records[0].position <= place.ahead:
            records = [record for record in records if record.position > place.ahead]
        if records:
            share.parts[partition] = records
        share.moves.append(Move(partition, place.ahead, one.position, one.next_offset))
    if share.parts:
        share.prepared = track.intake.prepare(share.records)
    return share


def _write(shares: Iterable[_Share]) -> None:
    for share in shares:
        share.track.take_in(share)


def _then(first: Future[None], second: Callable[[], None]) -> None:
    first.result()
    second()
