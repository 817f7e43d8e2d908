"""Records why a read table does not advance: the event, the cause, and the fix.

A table stopped at an event is resumed by an operator. After an error that is not the event's, the table is retried
automatically; the error and the number of attempts are recorded, since the table would otherwise look idle.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
import structlog

from ltc_events.kernel.errors import LtcError
from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.following.event_applier import cause_of
from ltc_events.schemas.record import Record
from ltc_events.store import TROUBLE, Database, Fault, Role, diagnose, is_connection_gone, waits
from ltc_events.store.error_text import error_text
from ltc_events.store.sql_files import Statements

log = structlog.get_logger()
_SQL = Statements(__name__)

PAUSE_MIN_S = 1.0
PAUSE_MAX_S = 30.0


class Failure(NamedTuple):
    """A table (place and version) that does not get past an event of a partition."""

    table: tuple[str, int]
    source: str
    partition: int
    position: int
    event: str
    error: BaseException

    def note(self, connection: Connection) -> None:
        """Record the failure."""
        stopped = isinstance(self.error, FoldStopped)
        cause = self.error.details["cause"] if isinstance(self.error, FoldStopped) else cause_of(self.error)
        told = diagnose(self.error.__cause__ or self.error if stopped else self.error)
        fix = told.fix
        if stopped:
            look = f"look at it with `ltc events show {self.position}`, mend the cause"
            fix = f"{look if told.fault is Fault.EVENT else fix}, then `ltc projections catch-up`"
        values = (cause, told.fault, fix, not stopped)
        connection.execute(_SQL["record_failure"], (*self.table, self.source, self.partition, self.position, self.event, *values))
        name, version = self.table
        if not stopped:
            log.warning("projection_waits", table=name, version=version, position=self.position, type=self.event, cause=cause)
            return
        found = connection.execute(_SQL["ids_of"], (self.position,)).fetchone() or ()
        ids = dict(zip(("command_id", "correlation_id", "causation_id"), map(str, found), strict=False))
        log.error("projection_stopped", table=name, version=version, position=self.position, type=self.event, cause=cause, **ids)


class RetrySchedule:
    """The retry schedule of a table after transient errors: a growing wait, reset when it advances."""

    __slots__ = ("_pause", "_until", "error", "unnoted")

    def __init__(self) -> None:
        self._pause = PAUSE_MIN_S
        self._until = 0.0
        self.error: Exception | None = None
        """What keeps the table waiting; None: nothing does."""
        self.unnoted: Failure | None = None
        """What could not be told, as the connection had ended."""

    @property
    def is_over(self) -> bool:
        """Whether the retry is due."""
        return self.error is not None and time.monotonic() >= self._until

    def begin(self, connection: Connection, failure: Failure) -> None:
        """Start waiting and record the failure. Raises the error itself where it ended the connection."""
        error = failure.error
        assert isinstance(error, Exception)  # noqa: S101 - nothing else is caught
        if is_connection_gone(error, connection):
            self.unnoted = failure
            raise error
        self.error = error
        self._until = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, PAUSE_MAX_S)
        failure.note(connection)

    def end(self) -> None:
        """Retry now."""
        self.error = None

    def got_on(self) -> None:
        """Reset the schedule after an advance."""
        self.error, self._pause = None, PAUSE_MIN_S


def record_failure(database: Database, failures: Callable[[], list[Failure]]) -> None:
    """Record a failure that ended the connection over a new one; without a connection nothing is recorded."""
    told = failures()
    if not told:
        return
    try:
        with database.connect(Role.PROJECTOR, autocommit=True) as connection:
            for failure in told:
                failure.note(connection)
    except (LtcError, psycopg.Error) as error:
        log.info("failure_not_noted", reason=error_text(error))


@contextmanager
def waiting_out(wait: Callable[[Exception], None]) -> Iterator[None]:
    """Pass transient errors to `wait`; any other error leaves the block."""
    try:
        yield
    except TROUBLE as error:
        if not waits(error):
            raise
        wait(error)


@contextmanager
def recording_failures(database: Database, failures: Callable[[], list[Failure]]) -> Iterator[None]:
    """Record a failure, as `record_failure`, when an error leaves the block."""
    try:
        yield
    except BaseException:  # an interrupt, too, may have ended the connection first; the error goes on
        record_failure(database, failures)
        raise


def first_of(records: Sequence[Record], position: int) -> tuple[int, str]:
    """The position and type of the first event after these moves; the position alone where there is none."""
    return (records[0].position, records[0].event.type) if records else (position, "")
