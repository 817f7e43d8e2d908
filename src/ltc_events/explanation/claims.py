"""What a customer owes beside an invoice for its reminders, and what became of it."""

from decimal import Decimal

from ltc_events.explanation.chain import Chain, claims_of, is_whole
from ltc_events.explanation.origin import add_origin, reference
from ltc_events.explanation.story import Node
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.claim import ClaimPaid, ClaimRaised, ClaimUnpaid, ClaimWaived
from ltc_events.schemas.record import Record


def add_claims(node: Node, chain: Chain, record: Record, claimed: Decimal) -> None:
    """Tell of the claims of an event of the invoice, which says that they come to `claimed`."""
    ids = claims_of(record.event)
    raised = ZERO
    for id in ids:
        raised += _add_claim(node, chain, chain.claims.get(id, []))
    if ids:
        node.check("what was claimed", claimed, raised)


def open_claims(chain: Chain) -> Decimal:
    """What is left of the claims for the invoice's reminders."""
    return sum((_change(record) for records in chain.claims.values() for record in records), ZERO)


def left_of(records: list[Record]) -> Decimal:
    """What is left of one claim."""
    return sum(map(_change, records), ZERO)


def _add_claim(node: Node, chain: Chain, records: list[Record]) -> Decimal:
    """The story of one claim; the amount that it was raised for."""
    raised = left = ZERO
    part = node
    for record in records:
        change = _change(record)
        left += change
        match record.event:
            case ClaimRaised() as event:
                raised = event.amount
                text = f"Claimed beside the invoice: {event.kind.replace('_', ' ')}, {event.reference}"
                part = node.add(text, record, amount=change, currency=event.currency)
                continue
            case ClaimPaid() as event:
                below = part.add(f"Paid by payment {reference(chain, event.payment_id)}", record, amount=change)
                add_origin(below, chain, event.payment_id)
            case ClaimUnpaid() as event:
                text = f"Payment {reference(chain, event.payment_id)} taken back: {event.reason}"
                below = part.add(text, record, amount=change)
            case ClaimWaived() as event:
                below = part.add(f"Waived: {event.reason}", record, amount=change)
            case _:
                continue
        below.currency = event.currency
        if is_whole(records, record.version):
            below.check("what is left of the claim", left, event.balance)
    return raised


def _change(record: Record) -> Decimal:
    """What an event of a claim changes of what is left of it."""
    match record.event:
        case ClaimRaised(amount=amount) | ClaimUnpaid(amount=amount):
            return amount
        case ClaimPaid(amount=amount) | ClaimWaived(amount=amount):
            return -amount
        case _:
            return ZERO
