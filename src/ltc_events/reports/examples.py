"""What of a ledger is worth showing to somebody who sees it for the first time."""

from ltc_events.store import Database, Role

# One with a whole history: from a lead, with a credit note beside the payment if there is one, and settled.
_INVOICE = """
SELECT i.number FROM ltc_read.invoices i LEFT JOIN ltc_read.opportunities o USING (opportunity_id)
ORDER BY (o.lead_id IS NOT NULL) DESC, (i.credited > 0 AND i.paid > 0) DESC, (i.status = 'settled') DESC, i.number LIMIT 1
"""


def eventful_invoice(database: Database) -> str | None:
    """The number of an invoice to which as much as possible happened; None: no invoice was issued."""
    with database.connect(Role.READER) as connection:
        row = connection.execute(_INVOICE).fetchone()
    return None if row is None else str(row[0])
