"""How fresh a report is: read tables that the store feeds are brought up to the log; those that Kafka feeds are waited for."""

import time
from collections.abc import Set

import structlog

from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.following.catch_up import Report, catch_up, is_fed_by_topic
from ltc_events.reports.as_of import log_head, lowest_checkpoint
from ltc_events.reports.registry import report as find_report
from ltc_events.store import Database, NotInitialised, Role, RoleDenied

log = structlog.get_logger()

# Who has just sent a command wants to see it; a projector at work needs less than half of this, also where a
# partition is quiet.
WAIT_S = 2.0
_LOOK_AGAIN_S = 0.02


def freshen(database: Database, report: str, progress: Report | None = None) -> None:
    """See that a report knows what the log holds at this moment; where it will not, a log line says so.

    `progress` is told as `catch_up` tells it.
    """
    freshen_tables(database, find_report(report).tables, progress)


def freshen_tables(database: Database, tables: Set[str], progress: Report | None = None, *, role: Role = Role.READER) -> None:
    """See that these read tables know what the log holds at this moment, looking at them as `role`; as `freshen`."""
    try:
        if is_fed_by_topic(database, role):
            _await_tables(database, tables, role)
            return
        from ltc_events.projections.tables.registry import PROJECTIONS

        catch_up(database, PROJECTIONS, progress)
    except (NotInitialised, CheckpointMoved) as error:
        # Beside a running worker the tables are as they are.
        log.info("not_caught_up", reason=error.message)
    except RoleDenied:
        _await_tables(database, tables, role)  # who may only read waits for those who write


def _await_tables(database: Database, tables: Set[str], role: Role) -> None:
    """Wait a moment until these tables are where the log is now. We only look: projectors on Kafka write them."""
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
            time.sleep(_LOOK_AGAIN_S)
