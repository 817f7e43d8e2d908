"""The progress of one projection along the log: it applies its part of a page, or stops before an event that fails."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ltc_events.projections.catalog.event_source import STORE
from ltc_events.projections.catalog.skipped_events import NOBODY, held_by
from ltc_events.projections.declaration.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.event_applier import EventApplier, Prepared
from ltc_events.projections.following.failures import Failure, Patience, first_of
from ltc_events.projections.writing.checkpoints import Move, mark
from ltc_events.schemas.record import Record
from ltc_events.store import TROUBLE, waits
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
SOURCE = STORE
PARTITION = 0

_ADVANCE = _SQL.compose("advance", mark=mark("%s")).as_bytes()


class Track:
    """A projection with its checkpoint in the store's log, writing through a connection that it may share."""

    __slots__ = ("connection", "failed", "intake", "interrupted", "patience", "position", "projection")

    def __init__(self, projection: type[Projection], connection: Connection) -> None:
        self.projection = projection()
        self.connection = connection
        self.intake = EventApplier(connection, self.projection, source=SOURCE, partition=PARTITION, moved=self._moved)
        self.position = 0
        self.failed = False
        self.interrupted = False
        """Whether what is being written is cancelled, by us: no trouble of the table."""
        self.patience = Patience()

    @property
    def name(self) -> tuple[str, int]:
        """Under which name and version its checkpoint is kept."""
        return self.projection.place(), self.projection.version

    @property
    def goes_on(self) -> bool:
        """Whether it has neither stopped at an event, nor waits for trouble to pass."""
        return not self.failed and self.patience.error is None

    def take_in(self, records: Sequence[Record], position: int, prepared: Prepared | None = None) -> None:
        """Write what the records mean, up to `position`; `prepared` is that, where it is known already."""
        with self._standing(records, position):
            self.intake.take(records, [Move(PARTITION, self.position, position)], prepared)

    def leave_out(self, position: int, event_type: str, error: Exception) -> None:
        """Go on behind the next event, which cannot be decoded, or stop before it, as the projection says."""
        with self._standing((), position):
            self.intake.leave_out(position, event_type, error, [Move(PARTITION, self.position, position)])

    def pass_by(self, position: int) -> None:
        """Move the checkpoint past events that mean nothing here."""
        with self._standing((), position):
            advance([self], position)

    @contextmanager
    def _standing(self, records: Sequence[Record], position: int) -> Iterator[None]:
        """Where an event is in the way the table stops; where something else is that passes, it waits. Others go on."""
        try:
            yield
        except CheckpointMoved:
            find_positions([self])
        except FoldStopped as stopped:
            self.failed = True
            at, event = stopped.details["position"], stopped.details["event"]
            Failure(self.name, SOURCE, PARTITION, at, event, stopped).note(self.connection)
        except TROUBLE as error:
            if self.interrupted or not waits(error):
                raise
            left = [record for record in records if record.position > self.position]
            failure = Failure(self.name, SOURCE, PARTITION, *first_of(left, position), error)
            self.patience.begin(self.connection, failure)
        else:
            self.patience.got_on()

    def _moved(self, move: Move) -> None:
        self.position = move.position


def advance(tracks: Sequence[Track], position: int) -> None:
    """Move the checkpoints of tracks that stand together and to which the events up to `position` mean nothing."""
    if not tracks:
        return
    place = (SOURCE, PARTITION, tracks[0].position, *_columns(tracks), position, position)
    moved = set(tracks[0].connection.execute(_ADVANCE, place).fetchall())
    for track in tracks:
        if track.name in moved:
            track.position = position
    find_positions([track for track in tracks if track.name not in moved])


def find_positions(tracks: Sequence[Track]) -> None:
    """Read the checkpoints again: at the start, and when another projector has moved them."""
    if not tracks:
        return
    rows = tracks[0].connection.execute(_SQL["positions"], (SOURCE, PARTITION, *_columns(tracks)))
    positions = {(name, version): position for name, version, position in rows}
    held = held_by(tracks[0].connection, SOURCE, positions)
    for track in tracks:
        if track.name in positions:
            track.position = positions[track.name]
            track.intake.held = held.get(track.name, NOBODY)
        else:
            track.failed = True  # its table was dropped, or handed over to another source


def _columns(tracks: Iterable[Track]) -> tuple[list[str], list[int]]:
    names = [track.name for track in tracks]
    return [table for table, _ in names], [version for _, version in names]
