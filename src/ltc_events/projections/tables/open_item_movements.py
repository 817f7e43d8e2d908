"""What changed what customers owe and are owed, event by event."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ltc_events.kernel.money import ZERO
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import DATED_IN_ORDER, LINE_NO, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.claim import ClaimRaised, ClaimWaived
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
)
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.payment import (
    PaymentAllocated,
    PaymentAllocatedToClaim,
    PaymentMoveCancelled,
    PaymentMovedBack,
    PaymentMovedIn,
    PaymentMovedOut,
    PaymentMoveRecalled,
    PaymentReceived,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentReturned,
    PaymentUnallocated,
    PaymentUnallocatedFromClaim,
)
from ltc_events.schemas.receivable import InvoiceWrittenOff, WriteOffReversed
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

    table, version, key = "open_item_movements", 3, ("position", "line_no")
    append_only = True
    checks = DATED_IN_ORDER
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **ORDERED,
        "item_id": column("uuid", "the invoice, payment, credit note or claim"),
        "instalment": column("int4", "number of the instalment of an invoice, from 1; else 0"),
        "item": column("text", "what the item is: invoice, payment, credit_note, claim"),
        "kind": column(
            "text",
            "of an invoice: invoiced, paid, unpaid (the bank took it back), unallocated (it was put there by mistake), credited,"
            " credit_applied (paid by the credit note of another invoice), credit_removed (that taken back), written_off"
            " (positive: owed again, or credited instead);"
            " of a payment: received, allocated, unallocated, returned, refunded, refund_failed, moved_out, moved_in,"
            " move_cancelled, move_recalled, moved_back;"
            " of a credit note: issued, applied, unapplied, refunded, refund_failed;"
            " of a claim: claimed, paid, unpaid, written_off (waived)",
        ),
        "amount": column("numeric", "change of what is outstanding: positive when the customer owes more"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "document_id": column(
            "uuid",
            "the other side: the payment or credit note of an invoice's row, the invoice or claim of theirs; the payment it was"
            " moved to or from",
        ),
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
        kind = "unallocated" if event.is_correction else "unpaid"
        moves += [_Movement(invoice, part.instalment, "invoice", kind, part.amount, payment) for part in event.parts]
        return _rows(record, event.currency, moves)

    @on(PaymentReturned)
    def returned(self, event: PaymentReturned, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "payment", "returned", event.amount - event.claimed)])

    @on(PaymentMovedOut)
    def moved_out(self, event: PaymentMovedOut, record: Record) -> Iterator[Operation]:
        return _payment(record, event.currency, "moved_out", event.amount, event.to_payment_id)

    @on(PaymentMovedIn)
    def moved_in(self, event: PaymentMovedIn, record: Record) -> Iterator[Operation]:
        return _payment(record, event.currency, "moved_in", -event.amount, event.from_payment_id)

    @on(PaymentMoveCancelled)
    def move_cancelled(self, event: PaymentMoveCancelled, record: Record) -> Iterator[Operation]:
        return _payment(record, event.currency, "move_cancelled", -event.amount, event.to_payment_id)

    @on(PaymentMoveRecalled)
    def move_recalled(self, event: PaymentMoveRecalled, record: Record) -> Iterator[Operation]:
        return _payment(record, event.currency, "move_recalled", -event.amount, event.to_payment_id)

    @on(PaymentMovedBack)
    def moved_back(self, event: PaymentMovedBack, record: Record) -> Iterator[Operation]:
        return _payment(record, event.currency, "moved_back", event.amount - event.claimed, event.from_payment_id)

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

    @on(WriteOffReversed)
    def write_off_reversed(self, event: WriteOffReversed, record: Record) -> Iterator[Operation]:
        return _rows(
            record,
            event.currency,
            (
                _Movement(record.subject, part.instalment, "invoice", "written_off", part.amount, event.payment_id)
                for part in event.parts
            ),
        )

    @on(PaymentRefundFailed)
    def refund_failed(self, event: PaymentRefundFailed, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "payment", "refund_failed", -event.amount)])

    @on(CreditNoteApplicationReversed)
    def credit_unapplied(self, event: CreditNoteApplicationReversed, record: Record) -> Iterator[Operation]:
        invoice, note = event.invoice_id, record.subject
        moves = [_Movement(note, 0, "credit_note", "unapplied", -event.amount, invoice)]
        moves += [_Movement(invoice, part.instalment, "invoice", "credit_removed", part.amount, note) for part in event.parts]
        return _rows(record, event.currency, moves)

    @on(CreditNoteRefundFailed)
    def credit_refund_failed(self, event: CreditNoteRefundFailed, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "credit_note", "refund_failed", -event.amount)])

    @on(ClaimRaised)
    def claimed(self, event: ClaimRaised, record: Record) -> Iterator[Operation]:
        document = event.invoice_id or event.payment_id
        return _rows(record, event.currency, [_Movement(record.subject, 0, "claim", "claimed", event.amount, document)])

    @on(ClaimWaived)
    def waived(self, event: ClaimWaived, record: Record) -> Iterator[Operation]:
        return _rows(record, event.currency, [_Movement(record.subject, 0, "claim", "written_off", -event.amount)])

    @on(PaymentAllocatedToClaim)
    def claim_paid(self, event: PaymentAllocatedToClaim, record: Record) -> Iterator[Operation]:
        claim, payment = event.claim_id, record.subject
        moves = [_Movement(payment, 0, "payment", "allocated", event.amount, claim)]
        moves.append(_Movement(claim, 0, "claim", "paid", -event.amount, payment))
        return _rows(record, event.currency, moves)

    @on(PaymentUnallocatedFromClaim)
    def claim_unpaid(self, event: PaymentUnallocatedFromClaim, record: Record) -> Iterator[Operation]:
        claim, payment = event.claim_id, record.subject
        moves = [_Movement(payment, 0, "payment", "unallocated", -event.amount, claim)]
        moves.append(_Movement(claim, 0, "claim", "unpaid", event.amount, payment))
        return _rows(record, event.currency, moves)


def _payment(record: Record, currency: str, kind: str, amount: Decimal, document_id: UUID) -> Iterator[Operation]:
    return _rows(record, currency, [_Movement(record.subject, 0, "payment", kind, amount, document_id)])


def _rows(record: Record, currency: str, moves: Iterable[_Movement]) -> Iterator[Operation]:
    for line_no, (item_id, instalment, item, kind, amount, document_id) in enumerate(moves, 1):
        yield Put(
            record.position,
            line_no,
            **ordered(record),
            item_id=item_id,
            instalment=instalment,
            item=item,
            kind=kind,
            amount=amount,
            currency=currency,
            document_id=document_id,
        )
