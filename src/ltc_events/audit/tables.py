"""Verifies the read tables of money: each is folded again from the events and compared row by row."""

from collections.abc import Callable, Iterator

from ltc_events.audit.findings import Finding, Kind
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database

MONEY = (
    "invoices",
    "invoice_lines",
    "invoice_taxes",
    "credit_notes",
    "payments",
    "payment_movements",
    "open_items",
    "open_item_movements",
    "claims",
    "journal",
    "revenue_bridge",
)
ROWS_MAX = 20


def verify_tables(database: Database, report: Callable[[str], None] | None = None) -> Iterator[tuple[str, list[Finding]]]:
    """The findings of each table of money: the differing rows, and the event that touched each last."""
    known = {projection.table: projection for projection in PROJECTIONS}
    for table in MONEY:
        if report:
            report(table)
        found = verify(database, known[table], limit=ROWS_MAX)
        findings = []
        for difference, last in found.findings:
            key = ", ".join(f"{name} {value}" for name, value in difference.key.items())
            columns = ", ".join(difference.columns) or f"only in {difference.only_in}"
            touched = f"; the last event of it is {last.type} at position {last.position}" if last else "; no event is of it"
            findings.append(Finding(Kind.TABLE, table, key, f"not what the events say: {columns}{touched}"))
        if not found.equal and not findings:
            findings.append(Finding(Kind.TABLE, table, "digest", "its rows are not what the events say"))
        yield table, findings
