"""Rules for moving money between customers: each writes one customer's payment and reads the other's (adr 15)."""

from uuid import UUID

from ltc_events.aggregates import payment, payment_move
from ltc_events.aggregates.base import AlreadyExists, DoesNotExist, require_not_before
from ltc_events.aggregates.customer import CUSTOMER
from ltc_events.aggregates.payment import PAYMENT, Payment
from ltc_events.application.errors import UnregisteredCustomer
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.schemas.payment import CancelMove, MoveInPayment, MoveOutPayment, ReturnPayment


def move_out(command: MoveOutPayment, work: UnitOfWork) -> None:
    """Move unapplied cash out, to a payment that does not exist yet."""
    current = payment.usable(work.find(PAYMENT, work.subject), work.effective_on)
    moved = payment_move.move_out(current, command, work.customer_id)
    if not work.is_free(command.to_payment_id):
        raise payment_move.TargetTaken(id=command.to_payment_id)
    is_asked = work.policies.require_registered_customer.content.mode == "refuse"
    if is_asked and work.find_any(CUSTOMER, command.to_customer_id) is None:
        raise UnregisteredCustomer(id=command.to_customer_id, noun="payment", at="to_customer_id")
    work.emit(PAYMENT, work.subject, moved)


def move_in(command: MoveInPayment, work: UnitOfWork) -> None:
    """Take over, once, the money in transit to this payment of this customer; the payment begins with it."""
    if work.find(PAYMENT, work.subject) is not None:
        raise AlreadyExists(noun="payment")
    owner, source = work.owner_of(command.from_payment_id), work.find_any(PAYMENT, command.from_payment_id)
    move = None if source is None else source.transit.moves.get(work.subject)
    if source is None or owner is None or move is None or move.to_customer_id != work.customer_id:
        raise payment_move.NotMovedHere(id=command.from_payment_id)
    require_not_before(work.effective_on, move.on, payment_move.THE_MOVE)
    work.emit(PAYMENT, work.subject, payment_move.move_in(source, command.from_payment_id, owner, move))


def cancel_move(command: CancelMove, work: UnitOfWork) -> None:
    """Cancel a move that has not been taken over: the money is unapplied again."""
    current = work.find(PAYMENT, work.subject)
    if current is None:
        raise DoesNotExist(noun="payment", first="payment.receive.v1")
    is_in = _taken_over(command.to_payment_id, work) is not None
    work.emit(PAYMENT, work.subject, payment_move.cancel(current, command, is_in=is_in))


def recall_moves(command: ReturnPayment, work: UnitOfWork) -> None:
    """End the moves of a payment that the bank took back: those in transit are cancelled, the others recalled."""
    for to_payment_id in work.get(PAYMENT, work.subject, "subject").transit.moves:
        current = work.get(PAYMENT, work.subject, "subject")
        ended = payment_move.give_up(current, to_payment_id, _taken_over(to_payment_id, work), command)
        work.emit(PAYMENT, work.subject, ended)


def require_recalled(current: Payment, work: UnitOfWork) -> None:
    """Refuse to return a moved payment unless the payment it came from was returned. Raises NotRecalled, DatedTooEarly."""
    source_id = current.transit.moved_from
    if source_id is None:
        return
    source = work.find_any(PAYMENT, source_id)
    recalled = None if source is None else source.transit.recalled.get(work.subject)
    if recalled is None:
        raise payment_move.NotRecalled(id=source_id)
    require_not_before(work.effective_on, recalled.on, "the return")


def _taken_over(to_payment_id: UUID, work: UnitOfWork) -> Payment | None:
    """The payment that took over the move, or None; its id may belong to something else."""
    target = work.find_any(PAYMENT, to_payment_id)
    return target if target is not None and target.transit.moved_from == work.subject else None
