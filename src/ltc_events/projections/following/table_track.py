"""The progress of one projection along the log: it applies its part of a page, or stops before an event that fails."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ltc_events.projections.catalog.event_source import STORE
from ltc_events.projections.catalog.skipped_events import NOBODY, held_by
from ltc_events.projections.catalog.tables_ahead import refuse_tables_ahead
from ltc_events.projections.declaration.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.event_applier import EventApplier, Prepared
from ltc_events.projections.following.failures import Failure, RetrySchedule, first_of
from ltc_events.projections.writing.checkpoints import Move, in_its_epoch, is_stored, mark, still_true
from ltc_events.schemas.record import Record
from ltc_events.store import TROUBLE, waits
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
SOURCE = STORE
PARTITION = 0

_FENCES = {"in_its_epoch": in_its_epoch("%s"), "still_true": still_true("o"), "is_stored": is_stored("%s::int8", "%s", "%s")}
_ADVANCE = _SQL.compose("advance", mark=mark("%s"), **_FENCES).as_bytes()


class Track:
    """A projection with its checkpoint in the store's log and a connection that it may share."""

    __slots__ = ("applier", "connection", "epoch", "failed", "interrupted", "position", "projection", "retries")

    def __init__(self, projection: type[Projection], connection: Connection) -> None:
        self.projection = projection()
        self.connection = connection
        self.applier = EventApplier(connection, self.projection, source=SOURCE, partition=PARTITION, moved=self._moved)
        self.position = 0
        self.epoch = ""
        """That of the store when its position was read."""
        self.failed = False
        self.interrupted = False
        """Whether what is being written is cancelled, by us: no trouble of the table."""
        self.retries = RetrySchedule()

    @property
    def name(self) -> tuple[str, int]:
        """The name and version under which its checkpoint is stored."""
        return self.projection.place(), self.projection.version

    @property
    def goes_on(self) -> bool:
        """Whether it is neither stopped at an event nor waiting for a retry."""
        return not self.failed and self.retries.error is None

    def take_in(self, records: Sequence[Record], move: Move, prepared: Prepared | None = None) -> None:
        """Write the operations of the records and move the checkpoint; `prepared` has the operations where they are known."""
        with self._standing(records, move.position):
            self.applier.take(records, [move], prepared)

    def leave_out(self, position: int, event_type: str, error: Exception, epoch: str) -> None:
        """Leave out the next event, which cannot be decoded, or stop before it, by the failure policy."""
        with self._standing((), position):
            self.applier.leave_out(position, event_type, error, [Move(PARTITION, self.position, position, epoch=epoch)])

    def pass_by(self, move: Move) -> None:
        """Move the checkpoint past events that are not handled."""
        with self._standing((), move.position):
            advance([self], move)

    @contextmanager
    def _standing(self, records: Sequence[Record], position: int) -> Iterator[None]:
        """Stop the table at a failing event, or let it wait after a transient error; other tables continue."""
        try:
            yield
        except CheckpointMoved:
            _read_positions_again([self])
        except FoldStopped as stopped:
            self.failed = True
            at, event = stopped.details["position"], stopped.details["event"]
            Failure(self.name, SOURCE, PARTITION, at, event, stopped).note(self.connection)
        except TROUBLE as error:
            if self.interrupted or not waits(error):
                raise
            left = [record for record in records if record.position > self.position]
            failure = Failure(self.name, SOURCE, PARTITION, *first_of(left, position), error)
            self.retries.begin(self.connection, failure)
        else:
            self.retries.got_on()

    def _moved(self, move: Move) -> None:
        self.position = move.position


def advance(tracks: Sequence[Track], move: Move) -> None:
    """Move the checkpoints of tracks at one position past events that they do not handle.

    Raises StoreWentBack.
    """
    if not tracks:
        return
    *_, epoch, position, command, recorded = move.columns()
    fences = epoch, position, position, command, recorded
    place = (SOURCE, PARTITION, move.expected, *_columns(tracks), *fences, move.position, move.position)
    moved = set(tracks[0].connection.execute(_ADVANCE, place).fetchall())
    for track in tracks:
        if track.name in moved:
            track.position = move.position
    if left := [track for track in tracks if track.name not in moved]:
        _read_positions_again(left)


def _read_positions_again(tracks: Sequence[Track]) -> None:
    """Read checkpoints that were not as expected: another projector moved them, or the store went back."""
    refuse_tables_ahead(tracks[0].connection)
    find_positions(tracks)


def find_positions(tracks: Sequence[Track]) -> None:
    """Read the checkpoints again, and the epoch: at the start, and when they were moved, or an epoch began."""
    if not tracks:
        return
    rows = tracks[0].connection.execute(_SQL["positions"], (SOURCE, PARTITION, *_columns(tracks)))
    found = {(name, version): (position, epoch) for name, version, position, epoch in rows}
    held = held_by(tracks[0].connection, SOURCE, found)
    for track in tracks:
        if track.name in found:
            track.position, track.epoch = found[track.name]
            track.applier.held = held.get(track.name, NOBODY)
        else:
            track.failed = True  # its table was dropped, or handed over to another source


def _columns(tracks: Iterable[Track]) -> tuple[list[str], list[int]]:
    names = [track.name for track in tracks]
    return [table for table, _ in names], [version for _, version in names]
