"""Moving money to the customer that it is from: out of one payment, in transit, and in as another (R-69). Pure."""

from uuid import UUID

from ltc_events.aggregates.base import require_minor_units, require_not_before
from ltc_events.aggregates.dated_balance import require_available
from ltc_events.aggregates.payment import CALLED, Move, Payment
from ltc_events.aggregates.receivable import require_unapplied
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.payment import (
    CancelMove,
    MoveOutPayment,
    PaymentMoveCancelled,
    PaymentMovedIn,
    PaymentMovedOut,
    PaymentMoveRecalled,
    ReturnPayment,
)

THE_MOVE = "the move"
"""How a refusal names it."""


class MovedToItself(Refused):
    """the payment is of customer {customer_id} already"""

    field = "to_customer_id"
    remedy = "name another customer; to use it for another invoice of this one, un-allocate and allocate it"


class TargetTaken(Refused):
    """{id} is the id of something else already"""

    field = "to_payment_id"
    remedy = "choose a new id for the payment that it becomes"


class NotMovedHere(Refused):
    """nothing of payment {id} is on its way to this payment of this customer"""

    field = "from_payment_id"
    remedy = "send payment.move_out.v1 for that payment first, with this subject and this customer, or correct the ids"


class NotMoved(Refused):
    """nothing of the payment is on its way to payment {id}"""

    field = "to_payment_id"
    remedy = "name one of the payments it was moved to: {known}"


class MovedInAlready(Refused):
    """payment {id} has taken over what was moved"""

    field = "to_payment_id"
    remedy = "move it back from there, by payment.move_out.v1 of payment {id}"


class NotRecalled(Refused):
    """the bank did not take back payment {id}, from which this one was moved"""

    field = "subject"
    remedy = "return payment {id} first; to give back what was moved by mistake send payment.move_out.v1"


def move_out(payment: Payment, command: MoveOutPayment, customer_id: UUID | None) -> PaymentMovedOut:
    """Let go of unapplied cash. Raises MovedToItself, TargetTaken and what using unapplied cash does."""
    if command.to_customer_id == customer_id:
        raise MovedToItself(customer_id=customer_id)
    if command.to_payment_id in payment.transit.moves or command.to_payment_id in payment.transit.recalled:
        raise TargetTaken(id=command.to_payment_id)
    amount = payment.unapplied if command.amount is None else command.amount
    require_minor_units(amount, payment.currency, "amount")
    require_unapplied("payment", payment.unapplied, amount, "amount")
    require_available([payment.dated_unapplied], command.effective_on, amount, CALLED)
    return PaymentMovedOut(
        to_payment_id=command.to_payment_id,
        to_customer_id=command.to_customer_id,
        amount=amount,
        currency=payment.currency,
        unapplied=payment.unapplied - amount,
        reason=command.reason,
        not_before=payment.received_on,
    )


def move_in(source: Payment, source_id: UUID, source_customer_id: UUID, move: Move) -> PaymentMovedIn:
    """Take over what was moved, with what the bank said of it."""
    first = source.first
    return PaymentMovedIn(
        from_payment_id=source_id,
        from_customer_id=source_customer_id,
        amount=move.amount,
        currency=source.currency,
        method=first.method,
        received_on=first.received_on if isinstance(first, PaymentMovedIn) else source.received_on,
        reference=first.reference,
        payer=first.payer,
        references=first.references,
        not_before=move.on,
    )


def cancel(payment: Payment, command: CancelMove, *, is_in: bool) -> PaymentMoveCancelled:
    """Take back what was moved out, unless it `is_in` there. Raises NotMoved, MovedInAlready and DatedTooEarly."""
    move = payment.transit.moves.get(command.to_payment_id)
    if move is None:
        raise NotMoved(id=command.to_payment_id, known=", ".join(map(str, payment.transit.moves)) or "none")
    if is_in:
        raise MovedInAlready(id=command.to_payment_id)
    require_not_before(command.effective_on, move.on, THE_MOVE)
    return _cancelled(payment, command.to_payment_id, move, command.reason)


def give_up(
    payment: Payment, to_payment_id: UUID, taken_over: Payment | None, command: ReturnPayment
) -> PaymentMoveCancelled | PaymentMoveRecalled:
    """End a move as the bank took the money back: cancelled where nobody has `taken_over`, else recalled from there.

    Raises DatedTooEarly for a day before the move.
    """
    move = payment.transit.moves[to_payment_id]
    if taken_over is None:
        require_not_before(command.effective_on, move.on, THE_MOVE)
        return _cancelled(payment, to_payment_id, move, command.reason)
    require_not_before(command.effective_on, taken_over.received_on, THE_MOVE)
    return PaymentMoveRecalled(
        to_payment_id=to_payment_id,
        amount=move.amount,
        currency=payment.currency,
        unapplied=payment.unapplied + move.amount,
        reason=command.reason,
        not_before=taken_over.received_on,
    )


def _cancelled(payment: Payment, to_payment_id: UUID, move: Move, reason: str) -> PaymentMoveCancelled:
    return PaymentMoveCancelled(
        to_payment_id=to_payment_id,
        amount=move.amount,
        currency=payment.currency,
        unapplied=payment.unapplied + move.amount,
        reason=reason,
        not_before=move.on,
    )
