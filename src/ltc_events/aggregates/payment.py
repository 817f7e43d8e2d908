"""Payment: what came in, and where it is: against invoices, unapplied, refunded or returned (R-63 … R-69)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist, require_minor_units
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.receivable import require_unapplied
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.base import Event
from ltc_events.schemas.invoice import Part
from ltc_events.schemas.payment import (
    PaymentAllocated,
    PaymentReceived,
    PaymentRefunded,
    PaymentReturned,
    PaymentUnallocated,
    ReceivePayment,
    RefundPayment,
)

PaymentCommand = ReceivePayment | RefundPayment
PaymentEvent = PaymentReceived | PaymentAllocated | PaymentUnallocated | PaymentReturned | PaymentRefunded
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment: `unapplied` is free to use, `allocated` is against instalments of invoices."""

    currency: str
    unapplied: Decimal
    allocated: Mapping[UUID, Parts]
    returned: bool = False


class PaymentIsReturned(Refused):
    """the bank took this payment back"""

    field = "subject"
    remedy = "record the money that came in its place as a payment of its own"


class NothingToReturn(Refused):
    """all of the payment was refunded"""

    field = "subject"
    remedy = "nothing of it is left to be returned"


class NotAllocated(Refused):
    """nothing of the payment is put against invoice {invoice_id}"""

    field = "invoice_id"
    remedy = "name one of the invoices it is put against: {known}"


def decide(state: Payment | None, command: PaymentCommand, _policies: Policies) -> list[Event]:
    """Receive a payment, or refund what is unapplied of it."""
    match command:
        case ReceivePayment():
            if state is not None:
                raise AlreadyExists(noun="payment")
            return [_receive(command)]
        case RefundPayment(amount=asked, reason=reason):
            payment = usable(state)
            amount = payment.unapplied if asked is None else asked
            require_minor_units(amount, payment.currency, "amount")
            require_unapplied("payment", payment.unapplied, amount, "amount")
            left = payment.unapplied - amount
            return [PaymentRefunded(amount=amount, currency=payment.currency, unapplied=left, reason=reason)]
        case _:
            assert_never(command)


def evolve(state: Payment | None, event: PaymentEvent) -> Payment:
    """The payment after an event."""
    if isinstance(event, PaymentReceived):
        return Payment(event.currency, event.amount, {})
    if state is None:
        raise BrokenStream(noun="payment", event=event.type)
    match event:
        case PaymentAllocated(invoice_id=invoice_id):
            parts = together(state.allocated.get(invoice_id, ()), event.parts)
            return Payment(state.currency, event.unapplied, {**state.allocated, invoice_id: parts})
        case PaymentUnallocated(invoice_id=invoice_id):
            left = {id: parts for id, parts in state.allocated.items() if id != invoice_id}
            return Payment(state.currency, event.unapplied, left)
        case PaymentReturned():
            return Payment(state.currency, ZERO, state.allocated, returned=True)
        case PaymentRefunded(unapplied=unapplied):
            return Payment(state.currency, unapplied, state.allocated)
        case _:
            assert_never(event)


def usable(state: Payment | None) -> Payment:
    """The payment, unless there is none or the bank took it back."""
    if state is None:
        raise DoesNotExist(noun="payment", first="payment.receive.v1")
    if state.returned:
        raise PaymentIsReturned
    return state


def allocate(payment: Payment, invoice_id: UUID, parts: Parts) -> PaymentAllocated:
    """Put `parts`, which are no more than is unapplied, against instalments of an invoice."""
    amount = sum((part.amount for part in parts), ZERO)
    return PaymentAllocated(
        invoice_id=invoice_id, currency=payment.currency, parts=parts, amount=amount, unapplied=payment.unapplied - amount
    )


def unallocate(payment: Payment, invoice_id: UUID, reason: str) -> PaymentUnallocated:
    """Take back all that is against an invoice. Raises NotAllocated."""
    parts = payment.allocated.get(invoice_id)
    if parts is None:
        known = ", ".join(map(str, payment.allocated)) or "none"
        raise NotAllocated(invoice_id=invoice_id, known=known)
    amount = sum((part.amount for part in parts), ZERO)
    return PaymentUnallocated(
        invoice_id=invoice_id,
        currency=payment.currency,
        parts=parts,
        amount=amount,
        unapplied=payment.unapplied + amount,
        reason=reason,
    )


def give_back(payment: Payment, reason: str) -> PaymentReturned:
    """The bank takes back all that was not refunded before. Nothing may be allocated any more. Raises NothingToReturn."""
    if not payment.unapplied:
        raise NothingToReturn
    return PaymentReturned(amount=payment.unapplied, currency=payment.currency, reason=reason)


def together(parts: Parts, more: Parts) -> Parts:
    """Both as one part for each instalment."""
    if not parts:
        return more
    amounts = {part.instalment: part.amount for part in parts}
    for part in more:
        amounts[part.instalment] = amounts.get(part.instalment, ZERO) + part.amount
    return tuple(Part(instalment=instalment, amount=amount) for instalment, amount in amounts.items())


def _receive(command: ReceivePayment) -> PaymentReceived:
    require_minor_units(command.amount, command.currency, "amount")
    return PaymentReceived(
        amount=command.amount,
        currency=command.currency,
        method=command.method,
        reference=command.reference,
        payer=command.payer,
        references=command.references,
    )


PAYMENT = Aggregate("payment", decide, evolve)
