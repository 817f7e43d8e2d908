"""Freshness of reads: brings read tables up to the log, or waits for them where other processes write them."""

import time
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.projections.catalog.event_source import fed_by_topic
from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.following.catch_up import Report, catch_up
from ltc_events.reports.as_of import log_head, lowest_checkpoint
from ltc_events.reports.errors import ReadTablesMissing
from ltc_events.store import Database, NotInitialised, Role, RoleDenied

log = structlog.get_logger()

# Who has just sent a command wants to see it; a projector at work needs less than half of this, also where a
# partition is quiet.
WAIT_S = 2.0
POSITION_WAIT_S = 30.0
_POLL_S = 0.02


class PositionNotReached(LtcError):
    """position {wanted} is not there after {seconds} seconds: the log read is at {head}, the read tables at {tables}"""

    kind = Kind.UNAVAILABLE
    remedy = (
        "see that the standby (LTC_READER_URL) receives and that `ltc worker projector` runs; then ask again, wait longer with "
        "--wait, or leave out --min-position"
    )


@dataclass(frozen=True)
class Freshness:
    """The freshness requested: the present (`current`), and at least `min_position`, waited for up to `wait_s` seconds."""

    current: bool = True
    min_position: int | None = None
    wait_s: float = POSITION_WAIT_S

    def reach(self, database: Database, tables: Set[str], progress: Report | None = None, *, role: Role = Role.READER) -> None:
        """Bring these read tables of `database` to the requested position; without tables, wait for its log.

        They are read in `role`, the log as the projector. Tables fed by the store are caught up here, if the login may and the
        server takes writes. Those fed by Kafka, and those of a standby, are waited for: up to `min_position`, or else up to the
        head of the server's log for at most 2 seconds, then a log line names the lag. `progress` is called as `catch_up` calls
        it. Raises PositionNotReached, and the errors of the store.
        """
        if not tables:
            if self.min_position is not None:
                _await_log(database, self.min_position, self.wait_s)
            return
        others_write = self.current and not _catch_up(database, progress, role)
        if self.min_position is not None:
            _await_position(database, tables, role, self.min_position, self.wait_s)
        elif others_write:
            _await_head(database, tables, role)


def _catch_up(database: Database, progress: Report | None, role: Role) -> bool:
    """Bring the read tables up to the log as far as that goes. Returns False where that is for others to do."""
    try:
        with database.connect(role, autocommit=True) as connection:
            if fed_by_topic(connection) or _is_read_only(connection):
                return False
        from ltc_events.projections.tables.registry import PROJECTIONS

        catch_up(database, PROJECTIONS, progress)
    except (NotInitialised, CheckpointMoved) as error:
        # Beside a running worker the tables are as they are.
        log.info("not_caught_up", reason=error.message)
    except RoleDenied:
        return False  # who may only read waits for those who write
    return True


def _is_read_only(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server is read-only: a standby, or a database set to read-only."""
    row = connection.execute("SHOW transaction_read_only").fetchone()
    return row is not None and row[0] == "on"


def _await_head(database: Database, tables: Set[str], role: Role) -> None:
    """Wait up to WAIT_S until these tables have reached the present head of the log that `database` has; then warn."""
    deadline = time.monotonic() + WAIT_S
    with database.connect(role, autocommit=True) as connection:
        head = log_head(connection)
        while (position := lowest_checkpoint(connection, "the query", tables)) < head:
            if time.monotonic() > deadline:
                log.warning(
                    "report_is_behind",
                    position=position,
                    events=head - position,
                    fix="see `ltc projections status`; is `ltc worker projector` running? `ltc projections catch-up` needs none",
                )
                return
            time.sleep(_POLL_S)


def _await_position(database: Database, tables: Set[str], role: Role, wanted: int, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    with database.connect(role, autocommit=True) as connection:
        while True:
            head = log_head(connection)
            reached = _lowest(connection, tables)
            if min(head, reached) >= wanted:
                return
            if time.monotonic() > deadline:
                raise PositionNotReached(wanted=wanted, seconds=f"{wait_s:g}", head=head, tables=reached)
            time.sleep(_POLL_S)


def _lowest(connection: psycopg.Connection[Any], tables: Set[str]) -> int:
    """The lowest position of these tables; 0 where one does not exist yet, which a standby may still receive."""
    try:
        return lowest_checkpoint(connection, "the query", tables)
    except ReadTablesMissing:
        return 0


def _await_log(database: Database, wanted: int, wait_s: float) -> None:
    """Wait until the log has this position, as a login that may read events sees it."""
    from ltc_events.store import EventStore

    deadline = time.monotonic() + wait_s
    with EventStore(database, Role.PROJECTOR) as store:
        while (head := store.head()[0]) < wanted:
            if time.monotonic() > deadline:
                raise PositionNotReached(wanted=wanted, seconds=f"{wait_s:g}", head=head, tables=head)
            time.sleep(_POLL_S)
