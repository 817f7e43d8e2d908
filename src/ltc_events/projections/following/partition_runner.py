"""Keeps read tables up with a topic: each of several workers applies the partitions assigned to it.

Each table has a checkpoint per partition, which moves in the transaction of the rows. Redelivered events are before the
checkpoint and skipped. A worker that lost a partition, or that is in an epoch that is over, finds the checkpoint moved and
writes nothing.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle

from ltc_events.projections.catalog.ddl import prepare
from ltc_events.projections.catalog.event_source import STORE, Source
from ltc_events.projections.catalog.lifecycle import last_transition
from ltc_events.projections.catalog.skipped_events import NOBODY, held_by
from ltc_events.projections.catalog.tables_ahead import refuse_tables_ahead
from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection, build_of
from ltc_events.projections.following.failures import Failure
from ltc_events.projections.following.partition_track import (
    Arrivals,
    PartitionTrack,
    Place,
    Share,
    TrackMoves,
    move_idle_apart,
    share_of,
    write_shares,
)
from ltc_events.projections.writing.checkpoints import Move
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.store import UnreadableEvent
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
TYPES_MAX = 10_000
# Checkpoints of tables that nothing concerned follow so often: each costs as much as one that moves with rows.
IDLE_EVERY_S = 0.25


class PartitionRunner:
    """Writes the batches of a topic while the next one is read. Not thread-safe.

    Pass batches to `take` in order; a batch is written when the next one is taken, or when `finish` returns. Checkpoints of
    tables without an event in it follow a moment later.
    """

    def __init__(self, connections: Sequence[Connection], projections: Iterable[type[Projection]], source: Source) -> None:
        """`connections`, in autocommit mode and acting as the projector, share the writing between them."""
        self._connections = connections
        self._projections = tuple(projections)
        self._source = source
        self._partitions: tuple[int, ...] = ()
        self._tracks: list[PartitionTrack] = []
        self._writers = ThreadPoolExecutor(max_workers=len(connections), thread_name_prefix="ltc-write")
        self._writing: list[Future[None]] = []
        self._has_idle = False
        self._moved_idle_at = 0.0
        self._wanted: dict[type[Event], list[PartitionTrack]] = {}
        self._concerned: dict[str, bool] = {}
        self.life = -1
        """The last transition that we know of; see `lifecycle`."""
        self.waiting = False
        """Whether there are tables that still take their events from the store."""

    @property
    def has_idle(self) -> bool:
        """Whether checkpoints of tables without events still have to follow."""
        return self._has_idle

    @property
    def has_tables(self) -> bool:
        """Whether there is any table to write."""
        return bool(self._tracks)

    @property
    def is_due(self) -> bool:
        """Whether a retry of a table is due: call `begin` again."""
        return any(track.retries.is_over for track in self._tracks)

    def unnoted(self) -> list[Failure]:
        """The tables whose error ended the connection, so that it could not be recorded."""
        return [track.retries.unnoted for track in self._tracks if track.retries.unnoted is not None]

    def concerns(self, type_name: str) -> bool:
        """Whether any table may handle a stored event of this type."""
        found = self._concerned.get(type_name)
        if found is None:
            found = any(track.projection.concerns(type_name) for track in self._tracks)
            if len(self._concerned) < TYPES_MAX:  # whoever may write to the topic may make up types without end
                self._concerned[type_name] = found
        return found

    def begin(self, partitions: Collection[int]) -> dict[int, int]:
        """Take over these partitions and release all others, with no write in progress; returns the offset to begin each at."""
        with suppress(CheckpointMoved):
            self._wait()
        for track in self._tracks:  # whoever has them now moves them
            track.places = {partition: place for partition, place in track.places.items() if partition in partitions}
        self.finish_quietly()
        self._partitions = tuple(sorted(partitions))
        self.refresh()
        return self.offsets()

    def offsets(self) -> dict[int, int]:
        """The next offset to read per partition: the lowest of the tables that are not stopped."""
        begins: dict[int, int] = {}
        for partition in self._partitions:
            places = [track.places[partition] for track in self._tracks if partition in track.places]
            going = [place.next_offset for place in places if not place.stopped]
            begins[partition] = min(going or [place.next_offset for place in places] or [0])
        return begins

    def refresh(self) -> None:
        """Read which tables are in use, and their progress. Raises StoreWentBack."""
        connection = self._connections[0]
        with connection.transaction():  # nobody brings a table into another state in between
            followed = prepare(connection, self._projections)
            refuse_tables_ahead(connection)
            self.life = last_transition(connection)
        builds = list(map(build_of, followed))
        names = [build.place for build in builds], [build.version for build in builds]
        found: dict[tuple[str, int], dict[int, Place]] = {}
        self.waiting = False
        for name, version, source, partition, position, next_offset, epoch, failed in connection.execute(_SQL["places"], names):
            if source == STORE:
                self.waiting = True
            elif source == self._source.name:
                places = found.setdefault((name, version), {})
                if partition in self._partitions:
                    places[partition] = Place(position, next_offset, epoch, stopped=failed)
        held = held_by(connection, self._source.name, found)
        known = {track.name: track for track in self._tracks}
        self._tracks = []
        for one, writer in zip(followed, cycle(self._connections), strict=False):
            name = one.place(), one.version
            if name in found:
                track = known.get(name) or PartitionTrack(one, writer, self._source.name)
                track.places = found[name]
                track.applier.held = held.get(name, NOBODY)
                track.retries.end()
                self._tracks.append(track)
        self._concerned.clear()
        self._wanted = {}
        for track in self._tracks:
            for event in track.projection.handlers:
                self._wanted.setdefault(event, []).append(track)

    def take(self, arrivals: Mapping[int, Arrivals]) -> None:
        """Write a batch after the previous one is written. Raises CheckpointMoved: call `begin` again."""
        # Meanwhile the batch before is being written, and as a rule all of it can be.
        parts = {partition: self._share_out(one.records) for partition, one in arrivals.items()}
        shares = [share for track in self._tracks if (share := share_of(track, arrivals, parts)).moves]
        self._wait()
        shares = [share if share.goes_on else share_of(share.track, arrivals, parts) for share in shares]
        for share in shares:
            share.set_out()
        busy = [share for share in shares if share.parts]
        self._has_idle = self._has_idle or len(busy) < len(shares)
        idle = self._idle() if time.monotonic() - self._moved_idle_at > IDLE_EVERY_S else []
        self._writing = [
            self._writers.submit(write_shares, connection, self._source.name, *work)
            for connection in self._connections
            if any(work := _through(connection, busy, idle))
        ]

    def read_up_to(self, marks: Mapping[int, tuple[int, int]]) -> None:
        """Note that these partitions have no further event up to a position, and were read up to an offset."""
        for track in self._tracks:
            for partition, mark in marks.items():
                if partition in track.places:
                    track.places[partition].read_up_to(*mark)
                    self._has_idle = self._has_idle or track.places[partition].is_idle

    def leave_out(self, partition: int, error: UnreadableEvent) -> None:
        """Stop the tables that may handle an undecodable event of this partition, unless their failure policy leaves it out.

        Raises CheckpointMoved.
        """
        self.finish()
        position, kind = error.details["position"], error.details["type"]
        for track in self._tracks:
            place = track.places.get(partition)
            if place is not None and not place.stopped and place.position < position and track.projection.concerns(kind):
                track.leave_out(partition, position, kind, error)

    def finish(self) -> None:
        """Wait until everything is written, checkpoints included. Raises CheckpointMoved and errors of the database."""
        self._wait()
        if idle := self._idle():
            move_idle_apart(self._connections[0], self._source.name, idle)

    def finish_quietly(self) -> None:
        """Wait until everything is written that still can be, ignoring errors."""
        with suppress(CheckpointMoved):
            self.finish()

    def close(self) -> None:
        """Wait for the batch being written."""
        self._writers.shutdown()

    def _wait(self) -> None:
        writing, self._writing = self._writing, []
        errors = [error for one in writing if (error := one.exception()) is not None]
        for error in errors:
            if not isinstance(error, CheckpointMoved):
                raise error
        if errors:
            raise errors[0]
        waiting = [track.retries.error for track in self._tracks if track.places and track.retries.error is not None]
        if waiting and len(waiting) == sum(map(bool, (track.places for track in self._tracks))):
            raise waiting[0]  # what nobody gets past is no matter of one table: it is for whoever runs us to wait

    def _idle(self) -> TrackMoves:
        """The checkpoints that may move past read events that their tables do not handle; they count as being written."""
        moves = []
        for track in self._tracks:
            for partition, place in track.places.items():
                if place.is_idle:
                    moves.append((track, Move(partition, place.underway, place.read, place.read_offset, epoch=place.epoch)))
                    place.underway = place.read
        self._has_idle = False
        self._moved_idle_at = time.monotonic()
        return moves

    def _share_out(self, records: list[Record]) -> dict[PartitionTrack, list[Record]]:
        shared: dict[PartitionTrack, list[Record]] = {}
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


def next_offsets(connection: Connection, topic: str) -> dict[int, int]:
    """The next offset to read, by partition: the lowest of the tables that the topic feeds and that are not stopped."""
    return dict(connection.execute(_SQL["next_offsets"], (topic,)).fetchall())


def _through(connection: Connection, busy: Sequence[Share], idle: TrackMoves) -> tuple[list[Share], TrackMoves]:
    """The shares that one connection writes."""
    shares = [share for share in busy if share.track.connection is connection]
    return shares, [(track, move) for track, move in idle if track.connection is connection]
