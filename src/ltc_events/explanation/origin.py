"""Where money comes from: what the bank brought, and by which payments of other customers it came here."""

from collections.abc import Iterator
from uuid import UUID

from ltc_events.explanation.chain import Chain
from ltc_events.explanation.story import Node
from ltc_events.schemas.payment import PaymentMovedIn, PaymentMovedOut, PaymentReceived
from ltc_events.schemas.record import Record


def reference(chain: Chain, payment_id: UUID) -> str:
    """What the payer wrote, or the payment's id."""
    for record in chain.payments.get(payment_id, []):
        if isinstance(record.event, PaymentReceived | PaymentMovedIn) and record.event.reference:
            return record.event.reference
    return str(payment_id)


def add_origin(node: Node, chain: Chain, payment_id: UUID) -> None:
    """Tell how the money of a payment came, back to the payment that the bank knows."""
    for record in chain.payments.get(payment_id, []):
        match record.event:
            case PaymentReceived() as event:
                node.add(f"Received by {event.method}", record, amount=event.amount, currency=event.currency)
            case PaymentMovedIn() as event:
                text = f"Moved here from payment {event.from_payment_id} of customer {event.from_customer_id}"
                part = node.add(text, record, amount=event.amount, currency=event.currency)
                for left, out in _moves(chain, event.from_payment_id, payment_id):
                    below = part.add(f"Moved out there: {out.reason}", left, amount=out.amount, currency=out.currency)
                    below.check("what left there", event.amount, out.amount)
                add_origin(part, chain, event.from_payment_id)
            case _:
                pass


def _moves(chain: Chain, payment_id: UUID, to_payment_id: UUID) -> Iterator[tuple[Record, PaymentMovedOut]]:
    """The last move from one payment to the other: those before it were cancelled."""
    found = [
        (record, record.event)
        for record in chain.payments.get(payment_id, [])
        if isinstance(record.event, PaymentMovedOut) and record.event.to_payment_id == to_payment_id
    ]
    yield from found[-1:]
