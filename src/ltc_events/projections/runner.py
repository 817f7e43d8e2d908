"""Keeping read tables up with the log: one read of the log for all projections that stand at the same position."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Protocol

import psycopg

from ltc_events.projections.base import Operation, Projection
from ltc_events.projections.errors import CheckpointMoved
from ltc_events.projections.fold import operations
from ltc_events.projections.layout import Connection, prepare, show_newer
from ltc_events.projections.writer import Writer
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role, UnreadableEvent

PAGE_EVENTS_MAX = 5000
WINDOW_POSITIONS_MAX = 200_000
# How soon `follow` notices that it shall stop. New events wake it at once.
WAIT_S = 0.5
SOURCE = "store"
PARTITION = 0


class Log(Protocol):
    """What the runner needs of the event store."""

    def head(self) -> tuple[int, datetime]: ...
    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]: ...
    def wait(self, after: int, timeout: float) -> bool: ...


class _Track:
    """One projection on its way along the log."""

    __slots__ = ("failed", "position", "projection", "writer")

    def __init__(self, projection: type[Projection], writer: Writer) -> None:
        self.projection = projection()
        self.writer = writer
        self.position = 0
        self.failed = False

    @property
    def name(self) -> tuple[str, int]:
        return self.projection.table, self.projection.version


class _Share:
    """The events of a page that one projection handles, and what they mean to it (None: one of them raises)."""

    __slots__ = ("batch", "records", "track")

    def __init__(self, track: _Track) -> None:
        self.track = track
        self.records: list[Record] = []
        self.batch: Sequence[Operation] | None = None


class Runner:
    """Takes projections along the log. Not to be shared by threads.

    A projection that cannot take an event in stops before it, alone; `ltc_read.projection_status` says where and why.
    It is tried again by the next runner. A lost connection is raised: nothing is half done, so start again.
    """

    def __init__(
        self,
        log: Log,
        connection: Connection,
        projections: Iterable[type[Projection]],
        *,
        page_events: int = PAGE_EVENTS_MAX,
    ) -> None:
        """`connection` must be in autocommit mode, acting as the projector."""
        chosen = tuple(projections)
        self._log = log
        self._connection = connection
        self._page_events = page_events
        self._shown = False
        prepare(connection, chosen, source=SOURCE, partition=PARTITION)
        self._tracks = [_Track(one, Writer(connection, one, source=SOURCE, partition=PARTITION)) for one in chosen]
        self._find_positions(self._tracks)

    def catch_up(self, report: Callable[[int, int], None] | None = None) -> int:
        """Take all projections to the present head of the log, and return it.

        `report(position, head)` is called after each page with the position of the hindmost.
        """
        head, _ = self._log.head()
        while group := self._hindmost(head):
            ahead = [track.position for track in self._running() if track.position > group[0].position]
            self._carry(group, min([head, *ahead]), lambda position: report(position, head) if report else None)
        if not self._shown:
            show_newer(self._connection, [type(track.projection) for track in self._running()])
            self._shown = True
        return head

    def follow(self, stop: threading.Event) -> None:
        """Keep up with the log until `stop` is set."""
        while not stop.is_set():
            self._log.wait(self.catch_up(), WAIT_S)

    def _running(self) -> list[_Track]:
        return [track for track in self._tracks if not track.failed]

    def _hindmost(self, head: int) -> list[_Track]:
        behind = [track for track in self._running() if track.position < head]
        lowest = min((track.position for track in behind), default=0)
        return [track for track in behind if track.position == lowest]

    def _carry(self, group: list[_Track], upto: int, report: Callable[[int], None]) -> None:
        """Take a group that stands at one position along to `upto`: while one page is written, the next is prepared."""
        types = sorted({name for track in group for name in track.projection.types})
        after = group[0].position
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ltc-write") as writer:
            writing: Future[None] | None = None
            try:
                for records, position in _pages(self._log, after, upto, types, self._page_events):
                    shares = _share_out([track for track in group if not track.failed], records)
                    if writing:
                        writing.result()
                        report(after)
                    writing = writer.submit(self._take_in, shares, after, position)
                    after = position
            except UnreadableEvent as error:
                if writing:
                    writing.result()
                self._pass_by(group, error, report)
            else:
                if writing:
                    writing.result()
                report(after)

    def _pass_by(self, group: list[_Track], error: UnreadableEvent, report: Callable[[int], None]) -> None:
        """An event that cannot be decoded stops those that handle its type, right before it; the others go on."""
        position, kind = error.details["position"], error.details["type"]
        for track in group:
            if kind in track.projection.types and not track.failed:
                if track.position < position - 1:
                    self._carry([track], position - 1, report)
                self._stop(track, position, kind, error)

    def _take_in(self, shares: list[_Share], after: int, position: int) -> None:
        # One that failed, or that another projector took on, no longer stands where this page begins.
        present = [share for share in shares if share.track.position == after and not share.track.failed]
        for share in present:
            if share.records:
                self._apply(share.track, share.records, position, share.batch)
        idle = [share.track for share in present if not share.records]
        if idle:
            self._advance(idle, position)

    def _apply(self, track: _Track, records: list[Record], position: int, batch: Sequence[Operation] | None = None) -> None:
        """Write a batch; if it cannot be written, find the event that stands in the way by halving."""
        try:
            if batch is None:
                batch = operations(track.projection, records)
            track.writer.write(batch, expected=track.position, position=position)
            track.position = position
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise  # the database's trouble, not the projection's
        except CheckpointMoved:
            self._find_positions([track])
        except Exception as error:  # noqa: BLE001 - whatever a handler raises stops this projection, not the others
            if len(records) == 1:
                event = records[0].event
                self._stop(track, records[0].position, event.type, error)
                return
            middle = records[len(records) // 2].position
            self._apply(track, [one for one in records if one.position < middle], middle - 1)
            if track.position == middle - 1:
                self._apply(track, [one for one in records if one.position >= middle], position)

    def _advance(self, tracks: list[_Track], position: int) -> None:
        """Move the checkpoints of projections that these events mean nothing to, all in one statement."""
        rows = self._connection.execute(
            # In the order of the key, so that two projectors never wait for each other.
            b"WITH own AS (SELECT * FROM ltc_read.checkpoints WHERE source = %s AND partition = %s AND position = %s"
            b" AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))"
            b" ORDER BY projection, version FOR UPDATE)"
            b" UPDATE ltc_read.checkpoints c SET position = %s, moved_at = clock_timestamp() FROM own"
            b" WHERE (c.projection, c.version, c.source, c.partition) = (own.projection, own.version, own.source, own.partition)"
            b" RETURNING c.projection, c.version",
            (SOURCE, PARTITION, tracks[0].position, *_columns(tracks), position),
        ).fetchall()
        moved = set(rows)
        for track in tracks:
            if track.name in moved:
                track.position = position
        self._find_positions([track for track in tracks if track.name not in moved])

    def _find_positions(self, tracks: list[_Track]) -> None:
        rows = self._connection.execute(
            b"SELECT projection, version, position FROM ltc_read.checkpoints WHERE source = %s AND partition = %s"
            b" AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))",
            (SOURCE, PARTITION, *_columns(tracks)),
        )
        positions = {(name, version): position for name, version, position in rows}
        for track in tracks:
            track.position = positions[track.name]

    def _stop(self, track: _Track, position: int, kind: str, error: Exception) -> None:
        track.failed = True
        self._connection.execute(
            b"INSERT INTO ltc_read.projection_failures VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp())"
            b" ON CONFLICT (projection, version, source, partition) DO UPDATE SET failed_position = excluded.failed_position,"
            b" failed_event = excluded.failed_event, error = excluded.error, failed_at = excluded.failed_at",
            (*track.name, SOURCE, PARTITION, position, kind, f"{type(error).__name__}: {error}".replace("\0", "")),
        )


@contextmanager
def open_runner(database: Database, projections: Iterable[type[Projection]]) -> Iterator[Runner]:
    """A runner on the database's event store, with connections of its own."""
    store = EventStore(database, Role.PROJECTOR)
    try:
        with database.connect(Role.PROJECTOR, autocommit=True) as connection:
            yield Runner(store, connection, projections)
    finally:
        store.close()


def _columns(tracks: list[_Track]) -> tuple[list[str], list[int]]:
    return [track.name[0] for track in tracks], [track.name[1] for track in tracks]


def _pages(log: Log, after: int, upto: int, types: Sequence[str], limit: int) -> Iterator[tuple[list[Record], int]]:
    """Pages of the log, each with the position it reaches.

    Each read is bounded by positions too, in a window as wide as it takes to fill a page: whatever plan the database makes
    of it, it never sorts the rest of the log, and where events of these types are rare, the checkpoint still moves on.
    """
    window = limit
    while after < upto:
        end = min(after + window, upto)
        records = log.read(after, limit, types=types, upto=end)
        after = records[-1].position if len(records) == limit else end
        if len(records) < limit // 2:
            window = min(window * 2, WINDOW_POSITIONS_MAX)
        elif len(records) == limit:
            window = max(window // 2, limit)
        yield records, after


def _share_out(tracks: list[_Track], records: list[Record]) -> list[_Share]:
    wanted: dict[type[Event], list[Callable[[Record], None]]] = {}
    shares = []
    for track in tracks:
        share = _Share(track)
        shares.append(share)
        for event in track.projection.handlers:
            wanted.setdefault(event, []).append(share.records.append)
    for record in records:
        for append in wanted.get(type(record.event), ()):
            append(record)
    for share in shares:
        # An event that raises is looked for when its page is written: what was read before it comes first.
        with suppress(Exception):
            share.batch = operations(share.track.projection, share.records)
    return shares
