"""Records why a read table does not advance: at which event, whose fault it is, and what mends it.

One that stopped at an event is tried again when somebody says so. Of trouble that is not the event's own the table is tried
again unasked; that leaves word too, and how often it was, as nobody else can tell it from a table that has nothing to do.
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
from ltc_events.store.sql_files import Statements

log = structlog.get_logger()
_SQL = Statements(__name__)

PAUSE_MIN_S = 1.0
PAUSE_MAX_S = 30.0


class Failure(NamedTuple):
    """A table (its place and version) does not get past an event of a partition."""

    table: tuple[str, int]
    source: str
    partition: int
    position: int
    event: str
    error: BaseException

    def note(self, connection: Connection) -> None:
        """Leave word."""
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


class Patience:
    """When a table that met passing trouble is tried again: later each time, until it gets on."""

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
        """Whether it is to be tried again now."""
        return self.error is not None and time.monotonic() >= self._until

    def begin(self, connection: Connection, failure: Failure) -> None:
        """Let the table wait, and leave word. Raises the trouble itself where the connection ended with it."""
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
        """Try it again now."""
        self.error = None

    def got_on(self) -> None:
        """It was no use to wait any longer."""
        self.error, self._pause = None, PAUSE_MIN_S


def record_failure(database: Database, failures: Callable[[], list[Failure]]) -> None:
    """Leave word of trouble that ended the connection, over another one; where there is none, nobody could read it either."""
    told = failures()
    if not told:
        return
    try:
        with database.connect(Role.PROJECTOR, autocommit=True) as connection:
            for failure in told:
                failure.note(connection)
    except (LtcError, psycopg.Error) as error:
        log.info("failure_not_noted", reason=str(error).strip())


@contextmanager
def waiting_out(wait: Callable[[Exception], None]) -> Iterator[None]:
    """Hand trouble that passes to `wait`, which lets the table wait for it; anything else leaves the block."""
    try:
        yield
    except TROUBLE as error:
        if not waits(error):
            raise
        wait(error)


@contextmanager
def recording_failures(database: Database, failures: Callable[[], list[Failure]]) -> Iterator[None]:
    """Leave word as `record_failure` when anything ends the block."""
    try:
        yield
    except BaseException:  # an interrupt, too, may have ended the connection first; the error goes on
        record_failure(database, failures)
        raise


def first_of(records: Sequence[Record], position: int) -> tuple[int, str]:
    """The event at which trouble with these begins: its position and type; where there is none, the position alone."""
    return (records[0].position, records[0].event.type) if records else (position, "")
