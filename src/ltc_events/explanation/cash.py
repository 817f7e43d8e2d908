"""What became of what was owed: payments, credits, write-offs, reminders, down to the balance."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from ltc_events.explanation.chain import Chain, event_of
from ltc_events.explanation.story import Node
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.credit_note import CreditNoteApplied, CreditNoteIssued, CreditNoteRefunded
from ltc_events.schemas.invoice import (
    CreditApplied,
    DisputeResolved,
    DunningNoticeSent,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceIssued,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
)
from ltc_events.schemas.payment import PaymentAllocated, PaymentReceived
from ltc_events.schemas.record import Record

Movement = PaymentApplied | PaymentRemoved | InvoiceCredited | CreditApplied | InvoiceWrittenOff


def tell_cash(root: Node, chain: Chain, issued: InvoiceIssued) -> Decimal:
    """Tell what happened after the invoice was issued; returns the balance that this leaves."""
    balance = issued.payable
    for record in chain.invoice[1:]:
        event = record.event
        if isinstance(event, Movement):
            change = _change(event)
            balance += change
            node = root.add(_movement(event, chain), record, amount=change, currency=issued.currency)
            node.check("its parts per instalment", sum((part.amount for part in event.parts), ZERO), event.amount)
            if isinstance(event, InvoiceCredited) and event.write_off_reversed:
                parts = sum((part.amount for part in event.write_off_parts), ZERO)
                part = node.add("Beside it: credited of what had been written off", amount=-parts, currency=issued.currency)
                part.check("its parts per instalment", parts, event.write_off_reversed)
            if chain_is_whole(chain, record):
                node.check("balance after it", balance, event.balance)
            _tell_source(node, chain, event)
        else:
            _tell_other(root, record, issued.currency)
    return balance


def chain_is_whole(chain: Chain, record: Record) -> bool:
    """Whether nothing before this event was left out: back-dated events stand in another order than business dates do."""
    return [one.version for one in chain.invoice if one.version <= record.version] == list(range(1, record.version + 1))


def _change(event: Movement) -> Decimal:
    return event.amount if isinstance(event, PaymentRemoved) else -event.amount


def _movement(event: Movement, chain: Chain) -> str:
    match event:
        case PaymentApplied():
            return f"Payment {_reference(chain, event.payment_id)} applied"
        case PaymentRemoved():
            return f"Payment {_reference(chain, event.payment_id)} taken back: {event.reason}"
        case InvoiceCredited():
            return f"Credit note {_number(chain, event.credit_note_id)}"
        case CreditApplied():
            return f"Credit note {_number(chain, event.credit_note_id)}, of another invoice, applied"
        case InvoiceWrittenOff():
            return f"Written off: {event.reason}"


def _number(chain: Chain, credit_note_id: UUID) -> str:
    note = event_of(chain.credit_notes.get(credit_note_id, []), CreditNoteIssued)
    return note.number if note else str(credit_note_id)


def _reference(chain: Chain, payment_id: UUID) -> str:
    received = event_of(chain.payments.get(payment_id, []), PaymentReceived)
    return received.reference if received and received.reference else str(payment_id)


def _tell_source(node: Node, chain: Chain, event: Movement) -> None:
    """The other side of a movement: the payment or the credit note it comes from."""
    if isinstance(event, PaymentApplied):
        records = chain.payments.get(event.payment_id, [])
        for record in records:
            if isinstance(record.event, PaymentReceived):
                text = f"Received by {record.event.method}"
                node.add(text, record, amount=record.event.amount, currency=record.event.currency)
        allocated = sum(_allocations(records, chain), ZERO)
        node.check("what the payment says went to this invoice", allocated, sum(_applied(chain, event.payment_id), ZERO))
    if isinstance(event, InvoiceCredited):
        records = chain.credit_notes.get(event.credit_note_id, [])
        for record in records:
            if isinstance(record.event, CreditNoteIssued):
                _tell_credit_note(node, record, record.event)
        _tell_use(node, records)
    if isinstance(event, CreditApplied):
        _tell_credit_applied(node, chain, event)


def _tell_use(node: Node, records: list[Record]) -> None:
    """What became of the part of a credit note that its invoice did not owe."""
    left = ZERO
    for version, record in enumerate(records, 1):
        match record.event:
            case CreditNoteIssued(unapplied=unapplied):
                left = unapplied
                continue
            case CreditNoteApplied() as event:
                part = node.add("Put against another invoice", record, amount=event.amount, currency=event.currency)
                part.check("its parts per instalment", sum((one.amount for one in event.parts), ZERO), event.amount)
            case CreditNoteRefunded() as event:
                part = node.add(f"Refunded: {event.reason}", record, amount=event.amount, currency=event.currency)
            case _:
                continue
        left -= event.amount
        if version == record.version:  # nothing before it was left out
            part.check("what is left of the credit note", left, event.unapplied)


def _tell_credit_applied(node: Node, chain: Chain, event: CreditApplied) -> None:
    """The credit note of another invoice, and what it says went to this one."""
    records, mine = chain.credit_notes.get(event.credit_note_id, []), chain.invoice[0].subject
    said = [one.event for one in records if isinstance(one.event, CreditNoteApplied)]
    allocated = sum((one.amount for one in said if one.invoice_id == mine), ZERO)
    node.check("what the credit note says went to this invoice", allocated, sum(_credits(chain, event.credit_note_id), ZERO))
    for record in records:
        if isinstance(record.event, CreditNoteIssued):
            note = record.event
            text = f"{note.number}, {note.reason}, unapplied"
            node.add(text, record, amount=-note.unapplied, currency=note.currency)


def _credits(chain: Chain, credit_note_id: UUID) -> Iterator[Decimal]:
    for record in chain.invoice:
        if isinstance(record.event, CreditApplied) and record.event.credit_note_id == credit_note_id:
            yield record.event.amount


def _applied(chain: Chain, payment_id: UUID) -> Iterator[Decimal]:
    for record in chain.invoice:
        if isinstance(record.event, PaymentApplied) and record.event.payment_id == payment_id:
            yield record.event.amount


def _allocations(records: list[Record], chain: Chain) -> Iterator[Decimal]:
    invoice_id = chain.invoice[0].subject
    for record in records:
        if isinstance(record.event, PaymentAllocated) and record.event.invoice_id == invoice_id:
            yield record.event.amount


def _tell_credit_note(node: Node, record: Record, note: CreditNoteIssued) -> None:
    part = node.add(f"{note.number}, {note.reason}", record, amount=-note.payable, currency=note.currency)
    for line in note.lines:
        part.add(f"Line {line.line}: {line.description}", amount=-line.net, currency=note.currency)
    if note.adjustment:
        part.add("Share of the invoice's allowances and charges", amount=-note.adjustment, currency=note.currency)
    part.check("its lines and their share", sum((line.net for line in note.lines), note.adjustment), note.net)
    part.check("its tax", sum((tax.tax for tax in note.taxes), ZERO), note.tax)
    part.check("its total", note.net + note.tax + note.rounding, note.payable)
    used = note.applied + note.write_off_reversed + note.unapplied
    part.check("what was applied, had been written off, and was not applied", used, note.payable)


def _tell_other(root: Node, record: Record, currency: str) -> None:
    match record.event:
        case InvoiceSettled():
            root.add("Settled", record)
        case InvoiceReopened():
            root.add("Open again", record)
        case InvoiceDisputed(reason=reason):
            root.add(f"Disputed: {reason}", record)
        case DisputeResolved(resolution=resolution):
            root.add(f"Dispute settled: {resolution}", record)
        case PaymentPromised(promised_on=day, amount=amount):
            root.add(f"Payment promised for {day}", record, amount=amount, currency=currency)
        case DunningNoticeSent() as notice:
            text = f"Reminder {notice.level} for instalment {notice.instalment}, {notice.days_overdue} days overdue"
            node = root.add(text, record, amount=notice.total, currency=currency, policies={"dunning": notice.policy_version})
            node.check("outstanding + interest + fee", notice.outstanding + notice.interest + notice.fee, notice.total)
        case _:
            root.add(record.event.type, record)
