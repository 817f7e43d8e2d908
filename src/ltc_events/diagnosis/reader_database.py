"""Checks of a separate database for reports and queries, usually a streaming standby."""

import psycopg
from psycopg.rows import scalar_row

from ltc_events.diagnosis.check import Check
from ltc_events.diagnosis.statements import statement
from ltc_events.kernel.errors import LtcError
from ltc_events.reports.as_of import log_head
from ltc_events.store import Database, Role, diagnose
from ltc_events.store.error_text import error_text

NAME = "reader's database"


def examine_reading(reading: Database, database: Database) -> Check:
    """Check that it can be read, and the lag of its log; a log ahead of the database belongs to another ledger."""
    try:
        with reading.connect(Role.READER, autocommit=True) as connection:
            position = log_head(connection)
            is_standby = connection.cursor(row_factory=scalar_row).execute(statement("in-recovery")).fetchone()
        with database.connect(Role.READER, autocommit=True) as connection:
            head = log_head(connection)
    except LtcError as error:
        return Check(NAME, False, error.message, error.fix)
    except psycopg.Error as error:
        return Check(NAME, False, error_text(error), diagnose(error).fix)
    what = "a standby" if is_standby else "no standby: it takes writes"
    fix = "see that LTC_READER_URL names a standby of the database, and that LTC_DATABASE_URL names the primary"
    return Check(NAME, position <= head, f"{what}, at position {position} of {head}", fix)
