"""Explains the receivable of an invoice: payments, credits, write-offs, dunning notices, down to the balance."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from ltc_events.explanation.chain import Chain, event_of, is_whole
from ltc_events.explanation.claims import add_claims
from ltc_events.explanation.origin import add_origin, reference
from ltc_events.explanation.story import Node
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
)
from ltc_events.schemas.invoice import InvoiceIssued, TaxSubtotal
from ltc_events.schemas.payment import PaymentAllocated
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    DisputeResolved,
    DunningNoticeSent,
    InvoiceClaimed,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
    WriteOffReversed,
)
from ltc_events.schemas.record import Record

Movement = (
    PaymentApplied | PaymentRemoved | InvoiceCredited | CreditApplied | CreditRemoved | InvoiceWrittenOff | WriteOffReversed
)


def add_cash(root: Node, chain: Chain, issued: InvoiceIssued) -> Decimal:
    """Add the events after the invoice was issued; returns the balance."""
    balance = issued.payable
    for record in chain.invoice[1:]:
        event = record.event
        if isinstance(event, Movement):
            change = _change(event)
            balance += change
            node = root.add(_movement(event, chain), record, amount=change, currency=issued.currency)
            node.check("its parts per instalment", sum((part.amount for part in event.parts), ZERO), event.amount)
            _add_write_off(node, event)
            if is_whole(chain.invoice, record.version):
                node.check("balance after it", balance, event.balance)
            _add_source(node, chain, event)
        else:
            _add_other(root, chain, record, issued.currency)
    return balance


def balance_of(records: list[Record]) -> Decimal:
    """The balance of an invoice after these of its events."""
    issued = event_of(records, InvoiceIssued)
    moved = (_change(one.event) for one in records if isinstance(one.event, Movement))
    return sum(moved, ZERO if issued is None else issued.payable)


def _change(event: Movement) -> Decimal:
    return event.amount if isinstance(event, PaymentRemoved | CreditRemoved | WriteOffReversed) else -event.amount


def _add_write_off(node: Node, event: Movement) -> None:
    """Add a write-off or its reversal, with the tax in it."""
    match event:
        case InvoiceCredited():
            if event.write_off_reversed:
                parts = sum((part.amount for part in event.write_off_parts), ZERO)
                part = node.add("Beside it: credited of what had been written off", amount=-parts, currency=event.currency)
                part.check("its parts per instalment", parts, event.write_off_reversed)
            if event.prepaid_credited:
                text = "Beside it: credited of what was paid outside of this ledger"
                node.add(text, amount=-event.prepaid_credited, currency=event.currency)
            _add_taxes(node, "owed again", event.write_off_taxes, event.currency)
        case InvoiceWrittenOff():
            _add_taxes(node, "relieved", event.taxes, event.currency)
            node.check("the tax that is relieved", sum((one.tax for one in event.taxes), ZERO), event.tax)
        case WriteOffReversed():
            _add_taxes(node, "owed again", event.taxes, event.currency)
            node.check("the tax that is owed again", sum((one.tax for one in event.taxes), ZERO), event.tax)
        case _:
            pass


def _add_taxes(node: Node, what: str, taxes: tuple[TaxSubtotal, ...], currency: str) -> None:
    for one in taxes:
        node.add(f"Tax {one.category} {one.rate} % on {one.taxable} {what}", amount=one.tax, currency=currency)


def _movement(event: Movement, chain: Chain) -> str:
    match event:
        case PaymentApplied():
            return f"Payment {reference(chain, event.payment_id)} applied"
        case PaymentRemoved():
            return f"Payment {reference(chain, event.payment_id)} taken back: {event.reason}"
        case InvoiceCredited():
            return f"Credit note {_number(chain, event.credit_note_id)}"
        case CreditApplied():
            return f"Credit note {_number(chain, event.credit_note_id)}, of another invoice, applied"
        case CreditRemoved():
            return f"Credit note {_number(chain, event.credit_note_id)}, of another invoice, taken back: {event.reason}"
        case InvoiceWrittenOff():
            return f"Written off: {event.reason}"
        case WriteOffReversed(payment_id=None):
            return f"Write-off taken back: {event.reason}"
        case WriteOffReversed():
            return "Write-off taken back: paid after all"


def _number(chain: Chain, credit_note_id: UUID) -> str:
    note = event_of(chain.credit_notes.get(credit_note_id, []), CreditNoteIssued)
    return note.number if note else str(credit_note_id)


def _add_source(node: Node, chain: Chain, event: Movement) -> None:
    """Add the source of a movement: the payment or the credit note."""
    if isinstance(event, PaymentApplied):
        records = chain.payments.get(event.payment_id, [])
        add_origin(node, chain, event.payment_id)
        allocated = sum(_allocations(records, chain), ZERO)
        node.check("what the payment says went to this invoice", allocated, sum(_applied(chain, event.payment_id), ZERO))
    if isinstance(event, InvoiceCredited):
        records = chain.credit_notes.get(event.credit_note_id, [])
        for record in records:
            if isinstance(record.event, CreditNoteIssued):
                _add_credit_note(node, record, record.event)
        _add_use(node, records)
    if isinstance(event, CreditApplied):
        _add_credit_applied(node, chain, event)


def _add_use(node: Node, records: list[Record]) -> None:
    """Add the uses of a credit note's unapplied amount."""
    left = ZERO
    for record in records:
        match record.event:
            case CreditNoteIssued(unapplied=unapplied):
                left = unapplied
                continue
            case CreditNoteApplied() as event:
                part = node.add("Put against another invoice", record, amount=event.amount, currency=event.currency)
                part.check("its parts per instalment", sum((one.amount for one in event.parts), ZERO), event.amount)
            case CreditNoteRefunded() as event:
                part = node.add(f"Refunded: {event.reason}", record, amount=event.amount, currency=event.currency)
            case CreditNoteApplicationReversed() | CreditNoteRefundFailed() as event:
                what = "Refund came back" if isinstance(event, CreditNoteRefundFailed) else "Taken back from another invoice"
                part = node.add(f"{what}: {event.reason}", record, amount=-event.amount, currency=event.currency)
                left += 2 * event.amount
            case _:
                continue
        left -= event.amount
        if is_whole(records, record.version):
            part.check("what is left of the credit note", left, event.unapplied)


def _add_credit_applied(node: Node, chain: Chain, event: CreditApplied) -> None:
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


def _add_credit_note(node: Node, record: Record, note: CreditNoteIssued) -> None:
    part = node.add(f"{note.number}, {note.reason}", record, amount=-note.payable, currency=note.currency)
    for line in note.lines:
        part.add(f"Line {line.line}: {line.description}", amount=-line.net, currency=note.currency)
    if note.adjustment:
        part.add("Share of the invoice's allowances and charges", amount=-note.adjustment, currency=note.currency)
    part.check("its lines and their share", sum((line.net for line in note.lines), note.adjustment), note.net)
    part.check("its tax", sum((tax.tax for tax in note.taxes), ZERO), note.tax)
    part.check("its total", note.net + note.tax + note.rounding, note.payable)
    used = note.applied + note.write_off_reversed + note.prepaid_credited + note.unapplied
    part.check("what was applied, had been written off or prepaid, and was not applied", used, note.payable)


def _add_other(root: Node, chain: Chain, record: Record, currency: str) -> None:
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
            add_claims(node, chain, record, notice.fee_claimed + notice.interest_claimed)
        case InvoiceClaimed() as claim:
            text = f"{claim.kind.replace('_', ' ').capitalize()} claimed for instalment {claim.instalment}"
            node = root.add(text, record, amount=claim.amount, currency=currency)
            add_claims(node, chain, record, claim.amount)
        case _:
            root.add(record.event.type, record)
