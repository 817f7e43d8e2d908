"""Payment: what came in, and where it is: against invoices, unapplied, moved, refunded or returned (R-63 … R-69)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple, assert_never
from uuid import UUID

from ltc_events.aggregates.allocation import Parts, taken_back, together, without
from ltc_events.aggregates.base import (
    Aggregate,
    AlreadyExists,
    BrokenStream,
    DoesNotExist,
    require_minor_units,
    require_not_before,
)
from ltc_events.aggregates.dated_balance import NOTHING, DatedBalance, require_available
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.receivable import require_unapplied
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.kernel.money import ZERO, add_up
from ltc_events.schemas.base import Event
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
    ReceivePayment,
    RefundPayment,
    ReportFailedRefund,
    UnallocatePayment,
)

PaymentCommand = ReceivePayment | RefundPayment | ReportFailedRefund
PaymentEvent = (
    PaymentReceived
    | PaymentAllocated
    | PaymentUnallocated
    | PaymentReturned
    | PaymentRefunded
    | PaymentRefundFailed
    | PaymentAllocatedToClaim
    | PaymentUnallocatedFromClaim
    | PaymentMovedOut
    | PaymentMovedIn
    | PaymentMoveCancelled
    | PaymentMoveRecalled
    | PaymentMovedBack
)
CALLED = "the payment"
"""How a refusal names it."""


class Move(NamedTuple):
    """What went from a payment to one of another customer, and when; of a recalled one, when it was recalled."""

    amount: Decimal
    on: date
    to_customer_id: UUID


class Transit(NamedTuple):
    """Where money of a payment went, by the payment that it becomes: `moves` that stand and those the bank `recalled`.

    `moved_from` is the payment that it was itself moved from.
    """

    moves: Mapping[UUID, Move] = {}
    recalled: Mapping[UUID, Move] = {}
    moved_from: UUID | None = None


_NOWHERE = Transit()


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment: what is unapplied is free to use, by date; `allocated` is against instalments of invoices.

    `allocated_on` is the last date on which something was put against an invoice; `claims` and `claims_on` say the same of
    claims. `received_on` is the date since when it is this customer's; `first` is the event that it began with, which says
    what the bank said.
    """

    currency: str
    received_on: date
    first: PaymentReceived | PaymentMovedIn
    dated_unapplied: DatedBalance
    allocated: Mapping[UUID, Parts]
    allocated_on: Mapping[UUID, date]
    dated_refunded: DatedBalance = NOTHING
    returned: bool = False
    claims: Mapping[UUID, Decimal] = field(default_factory=dict)
    claims_on: Mapping[UUID, date] = field(default_factory=dict)
    transit: Transit = _NOWHERE

    @property
    def unapplied(self) -> Decimal:
        """What is free to use by now."""
        return self.dated_unapplied.amount


class PaymentIsReturned(Refused):
    """the bank took this payment back"""

    field = "subject"
    remedy = "record the money that came in its place as a payment of its own"


class NotAllocatedToClaim(Refused):
    """nothing of the payment is put against claim {claim_id}"""

    field = "claim_id"
    remedy = "name one of the claims it is put against: {known}"


class NothingRefunded(Refused):
    """nothing of the {noun} was refunded"""

    field = "subject"
    remedy = "name the {noun} whose refund came back"


class MoreThanRefunded(Refused):
    """{asked} is more than the {refunded} of the {noun} that was refunded"""

    field = "amount"
    remedy = "state at most {refunded}"


def decide(state: Payment | None, command: PaymentCommand, _policies: Policies) -> list[Event]:
    """Receive a payment, or refund what is unapplied of it."""
    match command:
        case ReceivePayment():
            if state is not None:
                raise AlreadyExists(noun="payment")
            return [_receive(command)]
        case RefundPayment(amount=asked, reason=reason, effective_on=effective_on):
            payment = usable(state, effective_on)
            amount = payment.unapplied if asked is None else asked
            require_minor_units(amount, payment.currency, "amount")
            require_unapplied("payment", payment.unapplied, amount, "amount")
            require_available([payment.dated_unapplied], effective_on, amount, CALLED)
            left = payment.unapplied - amount
            return [
                PaymentRefunded(
                    amount=amount, currency=payment.currency, unapplied=left, reason=reason, not_before=payment.received_on
                )
            ]
        case ReportFailedRefund(amount=asked, reason=reason, effective_on=effective_on):
            if state is None:
                raise DoesNotExist(noun="payment", first="payment.receive.v1")
            amount = failed_refund("payment", state.dated_refunded, asked, state.currency, effective_on)
            left = state.unapplied + amount
            return [
                PaymentRefundFailed(
                    amount=amount, currency=state.currency, unapplied=left, reason=reason, not_before=state.received_on
                )
            ]
        case _:
            assert_never(command)


def failed_refund(noun: str, refunded: DatedBalance, asked: Decimal | None, currency: str, on: date) -> Decimal:
    """How much of what was refunded by that day came back. Raises NothingRefunded, MoreThanRefunded and AvailableLater."""
    if not refunded.amount:
        raise NothingRefunded(noun=noun)
    amount = refunded.amount if asked is None else asked
    require_minor_units(amount, currency, "amount")
    if amount > refunded.amount:
        raise MoreThanRefunded(noun=noun, asked=amount, refunded=refunded.amount)
    require_available([refunded], on, amount, f"what was refunded of the {noun}")
    return amount


def evolve(state: Payment | None, event: PaymentEvent, effective_on: date) -> Payment:
    """The payment after an event."""
    if isinstance(event, PaymentReceived | PaymentMovedIn):
        transit = Transit(moved_from=event.from_payment_id) if isinstance(event, PaymentMovedIn) else _NOWHERE
        dated = DatedBalance(((effective_on, event.amount),))
        return Payment(event.currency, effective_on, event, dated, {}, {}, transit=transit)
    if state is None:
        raise BrokenStream(noun="payment", event=event.type)
    match event:
        case PaymentAllocated(invoice_id=invoice_id, amount=amount):
            parts = together(state.allocated.get(invoice_id, ()), event.parts)
            last_on = max(effective_on, state.allocated_on.get(invoice_id, effective_on))
            return Payment(
                state.currency,
                state.received_on,
                state.first,
                state.dated_unapplied.moved(effective_on, -amount),
                {**state.allocated, invoice_id: parts},
                {**state.allocated_on, invoice_id: last_on},
                state.dated_refunded,
                state.returned,
                state.claims,
                state.claims_on,
                state.transit,
            )
        case PaymentUnallocated(invoice_id=invoice_id, amount=amount):
            left = without(state.allocated, invoice_id, event.parts)
            return replace(
                state,
                dated_unapplied=state.dated_unapplied.moved(effective_on, amount),
                allocated=left,
                allocated_on={id: last_on for id, last_on in state.allocated_on.items() if id in left},
            )
        case PaymentReturned(amount=amount, claimed=claimed) | PaymentMovedBack(amount=amount, claimed=claimed):
            return replace(state, dated_unapplied=state.dated_unapplied.moved(effective_on, claimed - amount), returned=True)
        case PaymentRefunded(amount=amount):
            return _refunded(state, effective_on, amount)
        case PaymentRefundFailed(amount=amount):
            return _refunded(state, effective_on, -amount)
        case PaymentAllocatedToClaim() | PaymentUnallocatedFromClaim():
            return _claimed(state, effective_on, event)
        case PaymentMovedOut() | PaymentMoveCancelled() | PaymentMoveRecalled():
            return _moved(state, effective_on, event)
        case _:
            assert_never(event)


def _claimed(state: Payment, on: date, event: PaymentAllocatedToClaim | PaymentUnallocatedFromClaim) -> Payment:
    """The payment after something of it was put against a claim, or all of that was taken back."""
    id = event.claim_id
    if isinstance(event, PaymentUnallocatedFromClaim):
        return replace(
            state,
            dated_unapplied=state.dated_unapplied.moved(on, event.amount),
            claims={claim: amount for claim, amount in state.claims.items() if claim != id},
        )
    return replace(
        state,
        dated_unapplied=state.dated_unapplied.moved(on, -event.amount),
        claims={**state.claims, id: state.claims.get(id, ZERO) + event.amount},
        claims_on={**state.claims_on, id: max(on, state.claims_on.get(id, on))},
    )


def _moved(state: Payment, on: date, event: PaymentMovedOut | PaymentMoveCancelled | PaymentMoveRecalled) -> Payment:
    """The payment after something of it went to another customer, or a move of it was taken back."""
    to, (moves, recalled, _) = event.to_payment_id, state.transit
    if isinstance(event, PaymentMovedOut):
        moves = {**moves, to: Move(event.amount, on, event.to_customer_id)}
        return replace(
            state,
            dated_unapplied=state.dated_unapplied.moved(on, -event.amount),
            transit=state.transit._replace(moves=moves),
        )
    if isinstance(event, PaymentMoveRecalled):
        recalled = {**recalled, to: moves[to]._replace(on=on)}
    moves = {id: move for id, move in moves.items() if id != to}
    return replace(
        state,
        dated_unapplied=state.dated_unapplied.moved(on, event.amount),
        transit=state.transit._replace(moves=moves, recalled=recalled),
    )


def _refunded(state: Payment, on: date, amount: Decimal) -> Payment:
    """The payment after `amount` more of it went back to the customer; negative: came back from there."""
    return replace(
        state,
        dated_unapplied=state.dated_unapplied.moved(on, -amount),
        dated_refunded=state.dated_refunded.moved(on, amount),
    )


def usable(state: Payment | None, effective_on: date) -> Payment:
    """The payment, unless there is none (yet) or the bank took it back and nothing of it has come again.

    Raises DatedTooEarly for a day before its receipt.
    """
    if state is None:
        raise DoesNotExist(noun="payment", first="payment.receive.v1")
    if state.returned and not state.unapplied:
        raise PaymentIsReturned
    require_not_before(effective_on, state.received_on, CALLED)
    return state


def allocate(payment: Payment, invoice_id: UUID, issued_on: date, parts: Parts) -> PaymentAllocated:
    """Put `parts`, which are no more than is unapplied, against instalments of an invoice."""
    amount = add_up(part.amount for part in parts)
    return PaymentAllocated(
        invoice_id=invoice_id,
        currency=payment.currency,
        parts=parts,
        amount=amount,
        unapplied=payment.unapplied - amount,
        not_before=max(payment.received_on, issued_on),
    )


def unallocate(payment: Payment, command: UnallocatePayment, *, is_correction: bool) -> PaymentUnallocated:
    """Take back what the command says. Raises what `taken_back` does, and DatedTooEarly for a day before it was put there."""
    parts = taken_back(payment.allocated, command.invoice_id, command.instalment, command.amount, "payment", payment.currency)
    allocated_on = payment.allocated_on[command.invoice_id]
    require_not_before(command.effective_on, allocated_on, "the allocation")
    amount = add_up(part.amount for part in parts)
    return PaymentUnallocated(
        invoice_id=command.invoice_id,
        currency=payment.currency,
        parts=parts,
        amount=amount,
        unapplied=payment.unapplied + amount,
        reason=command.reason,
        is_correction=is_correction,
        not_before=allocated_on,
    )


def unallocate_from_claim(payment: Payment, claim_id: UUID, reason: str, on: date) -> PaymentUnallocatedFromClaim:
    """Take back all that is against a claim. Raises NotAllocatedToClaim, and DatedTooEarly for a day before it was put there."""
    amount = payment.claims.get(claim_id)
    if amount is None:
        raise NotAllocatedToClaim(claim_id=claim_id, known=", ".join(map(str, payment.claims)) or "none")
    allocated_on = payment.claims_on[claim_id]
    require_not_before(on, allocated_on, "the allocation")
    return PaymentUnallocatedFromClaim(
        claim_id=claim_id,
        currency=payment.currency,
        amount=amount,
        unapplied=payment.unapplied + amount,
        reason=reason,
        not_before=allocated_on,
    )


def give_back(payment: Payment, reason: str, effective_on: date, claim_id: UUID) -> PaymentReturned | PaymentMovedBack:
    """The bank takes back all that came in; what had been refunded of it is claimed. Nothing may be allocated any more.

    What was moved here is given back to the payment that it was moved from.
    """
    if payment.returned:
        raise PaymentIsReturned
    require_available([payment.dated_unapplied], effective_on, payment.unapplied, CALLED)
    refunded = payment.dated_refunded.amount
    if refunded:
        require_available([payment.dated_refunded], effective_on, refunded, "what was refunded of the payment")
    amount, claimed = payment.unapplied + refunded, claim_id if refunded else None
    if payment.transit.moved_from is not None:
        return PaymentMovedBack(
            from_payment_id=payment.transit.moved_from,
            amount=amount,
            currency=payment.currency,
            reason=reason,
            claimed=refunded,
            claim_id=claimed,
            not_before=payment.received_on,
        )
    return PaymentReturned(
        amount=amount,
        currency=payment.currency,
        reason=reason,
        claimed=refunded,
        claim_id=claimed,
        not_before=payment.received_on,
    )


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
