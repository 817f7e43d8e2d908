"""Examples from a ledger for a first look, as `ltc demo` shows them."""

from ltc_events.store import Database, Role
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__, "queries")


def eventful_invoice(database: Database) -> str | None:
    """The number of the invoice with the most kinds of events; None: no invoice was issued."""
    with database.connect(Role.READER) as connection:
        row = connection.execute(_SQL["eventful_invoice"]).fetchone()
    return None if row is None else str(row[0])
