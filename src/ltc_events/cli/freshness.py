"""How fresh a report is: read tables that the store feeds are brought up to the log; those that Kafka feeds are waited for."""

import time

from ltc_events.cli.output import log
from ltc_events.cli.projections import catch_up, is_fed_by_topic
from ltc_events.cli.session import Session
from ltc_events.projections.errors import CheckpointMoved
from ltc_events.reports.catalogue import report as find_report
from ltc_events.reports.knowledge import lowest_checkpoint
from ltc_events.store import NotInitialised, Role

# Who has just sent a command wants to see it; a projector at work needs less than half of this, also where a
# partition is quiet.
WAIT_S = 2.0
_LOOK_AGAIN_S = 0.02


def freshen(session: Session, report: str) -> None:
    """See that a report knows what the log holds at this moment; where it will not, say so."""
    try:
        if is_fed_by_topic(session):
            _await_tables(session, report)
        else:
            catch_up(session)
    except (NotInitialised, CheckpointMoved) as error:
        # Without a projector's rights, or beside a running worker, the tables are as they are.
        log.info("not_caught_up", reason=error.message)


def _await_tables(session: Session, report: str) -> None:
    """Wait a moment until the tables of a report are where the log is now. We only look: projectors on Kafka write them."""
    head, _ = session.store(Role.PROJECTOR).head()
    tables = find_report(report).tables
    deadline = time.monotonic() + WAIT_S
    with session.database.connect(Role.READER, autocommit=True) as connection:
        while (position := lowest_checkpoint(connection, report, tables)) < head:
            if time.monotonic() > deadline:
                log.warning(
                    "report_is_behind",
                    position=position,
                    events=head - position,
                    fix="see `ltc projections status`; is `ltc worker projector` running? `ltc projections catch-up` needs none",
                )
                return
            time.sleep(_LOOK_AGAIN_S)
