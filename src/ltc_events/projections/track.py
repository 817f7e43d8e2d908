"""One projection on its way along the log: it takes in its share of a page, or stops before an event it cannot take in."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from ltc_events.projections.base import Projection
from ltc_events.projections.checkpoints import Move
from ltc_events.projections.errors import CheckpointMoved, FoldStopped
from ltc_events.projections.intake import Intake, Prepared
from ltc_events.projections.letters import NOBODY, held_by
from ltc_events.projections.naming import Connection
from ltc_events.projections.source import STORE
from ltc_events.schemas.record import Record

log = structlog.get_logger()

SOURCE = STORE
PARTITION = 0

# In the order of the key, so that two projectors never wait for each other.
_ADVANCE = b"""
    WITH own AS (
        SELECT * FROM ltc_read.checkpoints WHERE source = %s AND partition = %s AND position = %s
        AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))
        ORDER BY projection, version FOR UPDATE
    )
    UPDATE ltc_read.checkpoints c SET position = %s, moved_at = clock_timestamp() FROM own
    WHERE (c.projection, c.version, c.source, c.partition) = (own.projection, own.version, own.source, own.partition)
    RETURNING c.projection, c.version
"""
_POSITIONS = b"""
    SELECT projection, version, position FROM ltc_read.checkpoints WHERE source = %s AND partition = %s
    AND (projection, version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))
"""
_IDS = b"SELECT command_id, correlation_id, causation_id FROM ltc.events WHERE position = %s"
_STOP = b"""
    INSERT INTO ltc_read.projection_failures VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp())
    ON CONFLICT (projection, version, source, partition) DO UPDATE SET failed_position = excluded.failed_position,
    failed_event = excluded.failed_event, error = excluded.error, failed_at = excluded.failed_at
"""


class Track:
    """A projection with its checkpoint in the store's log, writing through a connection that it may share."""

    __slots__ = ("connection", "failed", "intake", "position", "projection")

    def __init__(self, projection: type[Projection], connection: Connection) -> None:
        self.projection = projection()
        self.connection = connection
        self.intake = Intake(connection, self.projection, source=SOURCE, partition=PARTITION, moved=self._moved)
        self.position = 0
        self.failed = False

    @property
    def name(self) -> tuple[str, int]:
        """Under which name and version its checkpoint is kept."""
        return self.projection.place(), self.projection.version

    def take_in(self, records: Sequence[Record], position: int, prepared: Prepared | None = None) -> None:
        """Write what the records mean, up to `position`; `prepared` is that, where it is known already."""
        with self._standing():
            self.intake.take(records, [Move(PARTITION, self.position, position)], prepared)

    def leave_out(self, position: int, event_type: str, error: Exception) -> None:
        """Go on behind the next event, which cannot be decoded, or stop before it, as the projection says."""
        with self._standing():
            self.intake.leave_out(position, event_type, error, [Move(PARTITION, self.position, position)])

    @contextmanager
    def _standing(self) -> Iterator[None]:
        try:
            yield
        except CheckpointMoved:
            find_positions([self])
        except FoldStopped as stopped:
            self.failed = True
            stop(self.connection, self.name, (SOURCE, PARTITION), stopped)

    def _moved(self, move: Move) -> None:
        self.position = move.position


def stop(connection: Connection, name: tuple[str, int], place: tuple[str, int], stopped: FoldStopped) -> None:
    """Leave word at which event a table stopped, and why. `name`: that and its version; `place`: source and partition."""
    position, event_type, cause = (stopped.details[one] for one in ("position", "event", "cause"))
    connection.execute(_STOP, (*name, *place, position, event_type, cause))
    found = connection.execute(_IDS, (position,)).fetchone() or ()
    ids = dict(zip(("command_id", "correlation_id", "causation_id"), map(str, found), strict=False))
    log.error("projection_stopped", table=name[0], version=name[1], position=position, type=event_type, cause=cause, **ids)


def advance(tracks: Sequence[Track], position: int) -> None:
    """Move the checkpoints of tracks that stand together and to which the events up to `position` mean nothing."""
    if not tracks:
        return
    place = (SOURCE, PARTITION, tracks[0].position, *_columns(tracks), position)
    moved = set(tracks[0].connection.execute(_ADVANCE, place).fetchall())
    for track in tracks:
        if track.name in moved:
            track.position = position
    find_positions([track for track in tracks if track.name not in moved])


def find_positions(tracks: Sequence[Track]) -> None:
    """Read the checkpoints again: at the start, and when another projector has moved them."""
    if not tracks:
        return
    rows = tracks[0].connection.execute(_POSITIONS, (SOURCE, PARTITION, *_columns(tracks)))
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
