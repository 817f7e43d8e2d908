"""Tax per category of invoices, credit notes and write-offs."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import LINE_NO, WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.credit_note import CreditNoteIssued
from ltc_events.schemas.invoice import InvoiceIssued, TaxSubtotal
from ltc_events.schemas.receivable import InvoiceWrittenOff, WriteOffReversed
from ltc_events.schemas.record import Record

_OWED, _NOT_OWED = Decimal(1), Decimal(-1)
_INVOICE, _CREDIT_NOTE, _WRITE_OFF, _REVERSAL = "invoice", "credit_note", "write_off", "write_off_reversal"


class _Tax(NamedTuple):
    document: str
    sign: Decimal
    parts: tuple[TaxSubtotal, ...]


class InvoiceTaxes(Projection):
    """Tax per document, category and rate (EN 16931 BG-23); that of credit notes, and what write-offs relieve, is negative, so
    that a period adds up to what is owed to the tax office: the VAT report, and account `tax_payable` of the journal."""

    table, version, key = "invoice_taxes", 2, ("position", "line_no")
    append_only = True
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **WHEN,
        "document": column("text", "invoice, credit_note, write_off (relieved), write_off_reversal (owed again)"),
        "document_id": column("uuid", "the invoice, or the credit note"),
        "invoice_id": column("uuid", "the invoice, or the one that is credited or was written off"),
        "category": column("text", "tax category (BT-118)"),
        "rate": column("numeric", "tax rate in percent (BT-119)"),
        "taxable": column("numeric", "amount that is taxed (BT-116)"),
        "tax": column("numeric", "the tax on it (BT-117)"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
    }
    indexes = (("invoice_id",), ("effective_on",))

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, record.subject, [_Tax(_INVOICE, _OWED, event.taxes)])

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        taxes = [_Tax(_CREDIT_NOTE, _NOT_OWED, event.taxes), _Tax(_REVERSAL, _OWED, event.write_off_taxes)]
        return _rows(record, event.currency, event.invoice_id, taxes)

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, record.subject, [_Tax(_WRITE_OFF, _NOT_OWED, event.taxes)])

    @on(WriteOffReversed)
    def write_off_reversed(self, event: WriteOffReversed, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, record.subject, [_Tax(_REVERSAL, _OWED, event.taxes)])


def _rows(record: Record, currency: str, invoice_id: UUID, taxes: Iterable[_Tax]) -> Iterator[Operation]:
    rows = ((document, sign, part) for document, sign, parts in taxes for part in parts)
    for line_no, (document, sign, part) in enumerate(rows, 1):
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
            currency=currency,
        )
