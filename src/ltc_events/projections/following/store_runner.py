"""Keeps read tables up with the store: one read of the log for all projections at the same position."""

import gc
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import cycle

import psycopg

from ltc_events.projections.catalog.ddl import prepare, show_newer
from ltc_events.projections.catalog.event_source import refuse_unless_store
from ltc_events.projections.catalog.lifecycle import last_transition
from ltc_events.projections.catalog.tables_ahead import refuse_tables_ahead
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection, build_of
from ltc_events.projections.following.event_applier import Prepared
from ltc_events.projections.following.failures import Failure, recording_failures
from ltc_events.projections.following.log_pages import Log, pages
from ltc_events.projections.following.table_track import PARTITION, Track, advance, find_positions
from ltc_events.projections.writing.checkpoints import Move, Taken
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role, UnreadableEvent, is_connection_gone, waits

PAGE_EVENTS_MAX = 5000
# So far it goes before it looks whether it shall stop.
STEP_EVENTS = 100_000
# How soon `follow` notices that it shall stop. New events wake it at once.
WAIT_S = 0.5
GARBAGE_OBJECTS_MIN = 200_000
# PostgreSQL writes two tables at once while we prepare the next page.
WRITERS = 2


class _Share:
    """The events of a page that one projection handles, and their operations."""

    __slots__ = ("prepared", "records", "track")

    def __init__(self, track: Track) -> None:
        self.track = track
        self.records: list[Record] = []
        self.prepared: Prepared | None = None


class Runner:
    """Advances projections along the log. Not thread-safe.

    A projection with a failing event stops before it, alone, unless its failure policy (`OnFailure`) differs;
    `ltc_read.projection_status` has the event and the error. The next runner tries it again. After a transient error (a lock, a
    full disk) a projection waits, alone, and is retried; the status has that, too. A lost connection, and an error that holds up
    all tables, are raised; nothing is half done, so run it again.
    """

    def __init__(
        self,
        log: Log,
        connections: Sequence[Connection],
        projections: Iterable[type[Projection]],
        *,
        page_events: int = PAGE_EVENTS_MAX,
        adopting: bool = False,
        shows: bool = True,
    ) -> None:
        """`connections`, in autocommit mode and in the projector's role, share the writing. Unless `shows` is false, views are
        switched to newer versions made by projectors as soon as these have caught up.

        Raises StoreWentBack, and FedElsewhere where a topic feeds the tables; with `adopting` it advances those that the store
        still feeds.
        """
        self._projections = tuple(projections)
        self._log = log
        self._connections = connections
        self._page_events = page_events
        self._adopting = adopting
        self._shown = not shows
        self._tracks: list[Track] = []
        self._known_life = -1
        self._find_tracks()

    def catch_up(self, report: Callable[[int, int], None] | None = None, *, events_max: int | None = None) -> int:
        """Advance all projections to the present head of the log; returns that position.

        `report(position, head)` is called after each page with the lowest position. With `events_max` they advance at most that
        many positions beyond the lowest, and the position reached is returned.
        """
        self._find_tracks()
        self._try_again()
        head, _ = self._log.head()
        if any(track.position > head for track in self._tracks):
            refuse_tables_ahead(self._connections[0])
        if events_max is not None:
            goal = min((track.position for track in self._running()), default=head) + events_max
            if goal < head:
                self._go(goal, report)
                return goal
        self._go(head, report)
        if not self._shown:
            show_newer(self._connections[0], [type(track.projection) for track in self._running()])
            self._shown = True
        return head

    def _go(self, head: int, report: Callable[[int, int], None] | None) -> None:
        while group := self._hindmost(head):
            ahead = [track.position for track in self._running() if track.position > group[0].position]
            self._carry(group, min([head, *ahead]), lambda position: report(position, head) if report else None)
        waiting = [track for track in self._tracks if track.retries.error is not None]
        if waiting and not self._running():
            # What nobody gets past is no matter of one table: it is for whoever runs us to wait.
            error = waiting[0].retries.error
            for track in waiting:
                track.retries.end()
            assert error is not None  # noqa: S101 - they wait
            raise error

    def _try_again(self) -> None:
        """Retry the projections whose retry is due."""
        again = [track for track in self._tracks if not track.failed and track.retries.is_over]
        for track in again:
            track.retries.end()
        find_positions(again)

    def step(self) -> None:
        """Advance projections by some pages; at the head of the log wait a moment for events."""
        self._log.wait(self.catch_up(events_max=STEP_EVENTS), WAIT_S)

    def follow(self, stop: threading.Event) -> None:
        """Keep up with the log until `stop` is set."""
        while not stop.is_set():
            self.step()

    def unnoted(self) -> list[Failure]:
        """The tables whose error ended the connection, so that it could not be recorded."""
        return [track.retries.unnoted for track in self._tracks if track.retries.unnoted is not None]

    def _find_tracks(self) -> None:
        """Read which tables are in use: operators build and drop some meanwhile."""
        connection = self._connections[0]
        if self._known_life >= 0 and last_transition(connection) == self._known_life:
            return
        with connection.transaction():  # nobody brings a table into another state in between
            followed = prepare(connection, self._projections)
            refuse_tables_ahead(connection)
            if not self._adopting:
                refuse_unless_store(connection, list(map(build_of, followed)))
            self._known_life = last_transition(connection)
        known = {track.name: track for track in self._tracks}
        self._tracks = [
            known.get((one.place(), one.version)) or Track(one, connection)
            for one, connection in zip(followed, cycle(self._connections), strict=False)
        ]
        find_positions(self._tracks)

    def _running(self) -> list[Track]:
        return [track for track in self._tracks if track.goes_on]

    def _hindmost(self, head: int) -> list[Track]:
        behind = [track for track in self._running() if track.position < head]
        lowest = min((track.position for track in behind), default=0)
        return [track for track in behind if track.position == lowest]

    def _carry(self, group: list[Track], upto: int, report: Callable[[int], None]) -> None:
        """Advance a group at one position to `upto`; while one page is written, the next is prepared."""
        types = sorted({name for track in group for name in track.projection.types})
        after, epoch = group[0].position, group[0].epoch  # what is read from now on is of no earlier one
        with ThreadPoolExecutor(max_workers=len(self._connections), thread_name_prefix="ltc-write") as writers, self._cut_short():
            writing: list[Future[None]] = []
            unreadable: UnreadableEvent | None = None
            try:
                for records, position in pages(self._log, after, upto, types, self._page_events):
                    shares = _share_out([track for track in group if track.goes_on], records)
                    _finish(writing)
                    report(after)
                    move = Move(PARTITION, after, position, epoch=epoch, last=Taken.last_of(records))
                    writing = [writers.submit(_take_in, connection, shares, move) for connection in self._connections]
                    after = position
            except UnreadableEvent as error:
                # Not the one that was raised: it holds on to the read that it broke off, and with it to the connection.
                unreadable = type(error)(**error.details)
            _finish(writing)
            report(after)
        if unreadable:
            self._pass_by(group, unreadable, epoch, report)

    @contextmanager
    def _cut_short(self) -> Iterator[None]:
        """On an interruption cancel the writes in progress instead of waiting; they are rolled back and repeated later."""
        try:
            yield
        except KeyboardInterrupt:
            for track in self._tracks:
                track.interrupted = True
            for connection in self._connections:
                connection.cancel()
            raise

    def _pass_by(self, group: list[Track], error: UnreadableEvent, epoch: str, report: Callable[[int], None]) -> None:
        """Tables that may handle an undecodable event stop before it or leave it out; the others continue."""
        position, kind = error.details["position"], error.details["type"]
        for track in group:
            if track.projection.concerns(kind) and track.goes_on:
                if track.position < position - 1:
                    self._carry([track], position - 1, report)
                if track.position == position - 1 and track.goes_on:
                    track.leave_out(position, kind, error, epoch)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect garbage rarely: records are many and have no cycles, so a collection would find nothing to free."""
    before = gc.get_threshold()
    gc.set_threshold(GARBAGE_OBJECTS_MIN, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def open_runner(database: Database, projections: Iterable[type[Projection]], *, shows: bool = True) -> Iterator[Runner]:
    """A runner on the database's event store, with its own connections."""
    store = EventStore(database, Role.PROJECTOR)
    try:
        with ExitStack() as stack:
            stack.enter_context(rare_collections())
            connect = partial(database.connect, Role.PROJECTOR, autocommit=True)
            runner = Runner(store, [stack.enter_context(connect()) for _ in range(WRITERS)], projections, shows=shows)
            with recording_failures(database, runner.unnoted):
                yield runner
    finally:
        store.close()


def _share_out(tracks: list[Track], records: list[Record]) -> list[_Share]:
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
        share.prepared = share.track.applier.prepare(share.records)
    return shares


def _take_in(connection: Connection, shares: list[_Share], move: Move) -> None:
    """Write the shares of this connection."""
    # One that failed, or that another projector took on, no longer stands where this page begins.
    present = [
        share
        for share in shares
        if share.track.connection is connection and share.track.position == move.expected and share.track.goes_on
    ]
    for share in present:
        if share.records:
            share.track.take_in(share.records, move, share.prepared)
    idle = [share.track for share in present if not share.records]
    try:
        advance(idle, move)
    except psycopg.Error as error:
        if not waits(error) or is_connection_gone(error, connection):
            raise
        for track in idle:  # which of them is held up?
            track.pass_by(move)


def _finish(writing: Iterable[Future[None]]) -> None:
    for written in writing:
        written.result()
