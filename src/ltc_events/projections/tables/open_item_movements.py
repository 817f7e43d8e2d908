"""What changed what customers owe and are owed, event by event."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ltc_events.kernel.money import ZERO
from ltc_events.projections.base import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import LINE_NO, WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.credit_note import CreditNoteApplied, CreditNoteIssued, CreditNoteRefunded
from ltc_events.schemas.invoice import InvoiceIssued, InvoiceWrittenOff
from ltc_events.schemas.payment import PaymentAllocated, PaymentReceived, PaymentRefunded, PaymentReturned, PaymentUnallocated
from ltc_events.schemas.record import Record


class _Movement(NamedTuple):
    item_id: UUID
    instalment: int
    item: str
    kind: str
    amount: Decimal
    document_id: UUID | None = None


class OpenItemMovements(Projection):
    """What changed what customers owe and are owed: one row per item and event, never changed. Adding up the amounts of an
    item up to a date and a position gives what was outstanding by then, as it was known then (R-66 … R-69)."""

    table, version, key = "open_item_movements", 1, ("position", "line_no")
    append_only = True
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **WHEN,
        "item_id": column("uuid", "the invoice, payment or credit note"),
        "instalment": column("int4", "number of the instalment of an invoice, from 1; else 0"),
        "item": column("text", "what the item is: invoice, payment, credit_note"),
        "kind": column(
            "text",
            "of an invoice: invoiced, paid, unpaid (a payment taken back), credited, credit_applied (paid by the credit note of"
            " another invoice), written_off (positive: credited instead);"
            " of a payment: received, allocated, unallocated, returned, refunded;"
            " of a credit note: issued, applied, refunded",
        ),
        "amount": column("numeric", "change of what is outstanding: positive when the customer owes more"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "document_id": column("uuid", "the other side: the payment or credit note of an invoice's row, the invoice of theirs"),
    }
    indexes = (("item_id", "instalment"), ("effective_on",), ("customer_id",))

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        return _rows(
            record,
            event.currency,
            (_Movement(record.subject, part.number, "invoice", "invoiced", part.amount) for part in event.instalments),
        )

    @on(PaymentReceived)
    def received(self, event: PaymentReceived, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "payment", "received", -event.amount)])

    @on(PaymentAllocated)
    def allocated(self, event: PaymentAllocated, record: Record) -> Iterator[Operation]:
        invoice, payment = event.invoice_id, record.subject
        moves = [_Movement(payment, 0, "payment", "allocated", event.amount, invoice)]
        moves += [_Movement(invoice, part.instalment, "invoice", "paid", -part.amount, payment) for part in event.parts]
        return _rows(record, event.currency, moves)

    @on(PaymentUnallocated)
    def unallocated(self, event: PaymentUnallocated, record: Record) -> Iterator[Operation]:
        invoice, payment = event.invoice_id, record.subject
        moves = [_Movement(payment, 0, "payment", "unallocated", -event.amount, invoice)]
        moves += [_Movement(invoice, part.instalment, "invoice", "unpaid", part.amount, payment) for part in event.parts]
        return _rows(record, event.currency, moves)

    @on(PaymentReturned)
    def returned(self, event: PaymentReturned, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "payment", "returned", event.amount)])

    @on(PaymentRefunded)
    def refunded(self, event: PaymentRefunded, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "payment", "refunded", event.amount)])

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        invoice, note = event.invoice_id, record.subject
        moves = [_Movement(invoice, part.instalment, "invoice", "credited", -part.amount, note) for part in event.parts]
        # Outstanding stays as it is: what was given up is credited now instead.
        for part in event.write_off_parts:
            moves.append(_Movement(invoice, part.instalment, "invoice", "credited", -part.amount, note))
            moves.append(_Movement(invoice, part.instalment, "invoice", "written_off", part.amount, note))
        if event.unapplied != ZERO:
            moves.append(_Movement(note, 0, "credit_note", "issued", -event.unapplied, invoice))
        return _rows(record, event.currency, moves)

    @on(CreditNoteApplied)
    def credit_applied(self, event: CreditNoteApplied, record: Record) -> Iterator[Operation]:
        invoice, note = event.invoice_id, record.subject
        moves = [_Movement(note, 0, "credit_note", "applied", event.amount, invoice)]
        moves += [_Movement(invoice, part.instalment, "invoice", "credit_applied", -part.amount, note) for part in event.parts]
        return _rows(record, event.currency, moves)

    @on(CreditNoteRefunded)
    def credit_refunded(self, event: CreditNoteRefunded, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "credit_note", "refunded", event.amount)])

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        return _rows(
            record,
            event.currency,
            (_Movement(record.subject, part.instalment, "invoice", "written_off", -part.amount) for part in event.parts),
        )


def _rows(record: Record, currency: str, moves: Iterable[_Movement]) -> Iterator[Operation]:
    for line_no, (item_id, instalment, item, kind, amount, document_id) in enumerate(moves, 1):
        yield Put(
            record.position,
            line_no,
            **when(record),
            item_id=item_id,
            instalment=instalment,
            item=item,
            kind=kind,
            amount=amount,
            currency=currency,
            document_id=document_id,
        )
