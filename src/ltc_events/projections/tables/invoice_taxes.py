"""Tax per category of invoices and credit notes."""

from collections.abc import Iterator
from decimal import Decimal

from ltc_events.projections.base import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import LINE_NO, WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.credit_note import CreditNoteIssued
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.record import Record

_CREDIT = Decimal(-1)


class InvoiceTaxes(Projection):
    """Tax per document, category and rate (EN 16931 BG-23); that of credit notes is negative, so that a period adds up to
    what is owed to the tax office."""

    table, version, key = "invoice_taxes", 1, ("position", "line_no")
    append_only = True
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **WHEN,
        "document": column("text", "invoice or credit_note"),
        "document_id": column("uuid", "the invoice or credit note"),
        "invoice_id": column("uuid", "the invoice, or the one that is credited"),
        "category": column("text", "tax category (BT-118)"),
        "rate": column("numeric", "tax rate in percent (BT-119)"),
        "taxable": column("numeric", "amount that is taxed (BT-116)"),
        "tax": column("numeric", "the tax on it (BT-117)"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
    }
    indexes = (("invoice_id",), ("effective_on",))

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        return _taxes(event, record, "invoice", Decimal(1))

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        return _taxes(event, record, "credit_note", _CREDIT)


def _taxes(event: InvoiceIssued | CreditNoteIssued, record: Record, document: str, sign: Decimal) -> Iterator[Operation]:
    invoice_id = event.invoice_id if isinstance(event, CreditNoteIssued) else record.subject
    for line_no, part in enumerate(event.taxes, 1):
        yield Put(
            record.position,
            line_no,
            **when(record),
            document=document,
            document_id=record.subject,
            invoice_id=invoice_id,
            category=part.category,
            rate=part.rate,
            taxable=sign * part.taxable,
            tax=sign * part.tax,
            currency=event.currency,
        )
