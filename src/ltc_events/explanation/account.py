"""Explains a payment and a customer's balance, document by document."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from ltc_events.explanation.cash import balance_of
from ltc_events.explanation.chain import Lens, event_of, is_whole
from ltc_events.explanation.claims import left_of
from ltc_events.explanation.story import Node, NotThere, Story
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.claim import ClaimRaised
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
from ltc_events.schemas.record import Record
from ltc_events.store import EventStore

KINDS = (InvoiceIssued, ClaimRaised, PaymentReceived, PaymentMovedIn, CreditNoteIssued)


def explain_payment(store: EventStore, id: UUID, as_of: date, position: int) -> Story:
    """The story of a payment; its figure is what of it is unapplied. Reads the store alone. Raises NotThere. R-69."""
    lens = Lens(store, as_of, store.command_end(position))
    records = lens.stream(id)
    begun = event_of(records[:1], PaymentReceived) or event_of(records[:1], PaymentMovedIn)
    if begun is None:
        raise NotThere(kind="payment", id=id, as_of=as_of, known_at=lens.position)
    called = begun.reference or str(id)
    root = Node(f"Payment {called}", amount=begun.amount, currency=begun.currency)
    left = ZERO
    for record in records:
        left += unapplied_change(record)
        node = root.add(_words(lens, record), record, amount=unapplied_change(record), currency=begun.currency)
        stated = getattr(record.event, "unapplied", None)
        if stated is not None and is_whole(records, record.version):
            node.check("what is left of it unapplied", left, stated)
    root.add(f"Unapplied as of {as_of}", amount=left, currency=begun.currency)
    return Story(called, as_of, lens.position, left, begun.currency, root, "payment")


def explain_customer(store: EventStore, id: UUID, currency: str | None, as_of: date, position: int) -> Story:
    """The story of a customer's balance in a currency, document by document; its figure is the balance of `receivables-aging`:
    invoices and claims less unapplied cash and credit. The default currency is that of the first document. Raises NotThere.
    """
    lens = Lens(store, as_of, store.command_end(position))
    streams = [lens.stream(one) for kind in KINDS for one in store.streams_of([id], kind.type).get(id, [])]
    documents = [(records, _balance(records)) for records in streams if records and isinstance(records[0].event, KINDS)]
    documents.sort(key=lambda one: one[0][0].position)
    if not documents:
        raise NotThere(kind="document of customer", id=id, as_of=as_of, known_at=lens.position)
    chosen = currency or str(getattr(documents[0][0][0].event, "currency", ""))
    root = Node(f"Balance of customer {id}", currency=chosen)
    total = ZERO
    for title, kinds in _SECTIONS.items():
        mine = [(records, left) for records, left in documents if isinstance(records[0].event, kinds)]
        mine = [(records, left) for records, left in mine if getattr(records[0].event, "currency", "") == chosen]
        if not mine:
            continue
        section = root.add(title, amount=sum((left for _, left in mine), ZERO), currency=chosen)
        total += section.amount or ZERO
        for records, left in mine:
            if left != ZERO:
                section.add(_called(records[0]), records[0], amount=left, currency=chosen)
        settled = sum(left == ZERO for _, left in mine)
        if settled:
            section.add(f"{settled} of them with nothing left")
    root.amount = total
    return Story(str(id), as_of, lens.position, total, chosen, root, "customer")


_SECTIONS = {
    "Invoices": (InvoiceIssued,),
    "Claims": (ClaimRaised,),
    "Unapplied cash": (PaymentReceived, PaymentMovedIn),
    "Credit": (CreditNoteIssued,),
}


def unapplied_change(record: Record) -> Decimal:
    """The change of a payment's unapplied amount by an event."""
    match record.event:
        case PaymentReceived(amount=amount) | PaymentMovedIn(amount=amount):
            return amount
        case PaymentUnallocated(amount=amount) | PaymentRefundFailed(amount=amount) | PaymentUnallocatedFromClaim(amount=amount):
            return amount
        case PaymentMoveCancelled(amount=amount) | PaymentMoveRecalled(amount=amount):
            return amount
        case PaymentAllocated(amount=amount) | PaymentAllocatedToClaim(amount=amount) | PaymentRefunded(amount=amount):
            return -amount
        case PaymentMovedOut(amount=amount):
            return -amount
        case PaymentReturned(amount=amount, claimed=claimed) | PaymentMovedBack(amount=amount, claimed=claimed):
            return claimed - amount
        case _:
            return ZERO


def _balance(records: list[Record]) -> Decimal:
    """The open amount of a document; positive: the customer owes it."""
    match records[0].event:
        case InvoiceIssued():
            return balance_of(records)
        case ClaimRaised():
            return left_of(records)
        case CreditNoteIssued():
            return -sum((_credit_change(one) for one in records), ZERO)
        case _:
            return -sum((unapplied_change(one) for one in records), ZERO)


def _credit_change(record: Record) -> Decimal:
    match record.event:
        case CreditNoteIssued(unapplied=amount):
            return amount
        case CreditNoteApplicationReversed(amount=amount) | CreditNoteRefundFailed(amount=amount):
            return amount
        case CreditNoteApplied(amount=amount) | CreditNoteRefunded(amount=amount):
            return -amount
        case _:
            return ZERO


def _called(record: Record) -> str:
    match record.event:
        case InvoiceIssued(number=number):
            return f"Invoice {number}"
        case CreditNoteIssued(number=number):
            return f"Credit note {number}"
        case ClaimRaised(reference=reference):
            return f"Claim {reference}"
        case PaymentReceived(reference=reference) | PaymentMovedIn(reference=reference):
            return f"Payment {reference or record.subject}"
        case _:
            return str(record.subject)


def _words(lens: Lens, record: Record) -> str:
    match record.event:
        case PaymentReceived(method=method):
            return f"Received by {method}"
        case PaymentMovedIn(from_payment_id=payment, from_customer_id=customer):
            return f"Moved here from payment {payment} of customer {customer}"
        case PaymentAllocated(invoice_id=invoice):
            return f"Put against invoice {_number(lens, invoice)}"
        case PaymentUnallocated(invoice_id=invoice, reason=reason):
            return f"Taken back from invoice {_number(lens, invoice)}: {reason}"
        case event:
            return event.in_words()[:1].upper() + event.in_words()[1:]


def _number(lens: Lens, invoice_id: UUID) -> str:
    issued = event_of(lens.store.event(invoice_id, 1), InvoiceIssued)
    return issued.number if issued else str(invoice_id)
