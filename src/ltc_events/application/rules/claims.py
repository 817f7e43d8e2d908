"""Rules of claims: dunning notices and returned payments raise them, payments are allocated to them."""

from datetime import date
from decimal import Decimal
from itertools import count
from uuid import UUID

from ltc_events.aggregates import payment
from ltc_events.aggregates.base import AlreadyExists, require_minor_units, require_not_before
from ltc_events.aggregates.claim import CLAIM, Claim, MoreThanClaimed, existing
from ltc_events.aggregates.dated_balance import require_available
from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.payment import CALLED, PAYMENT, Payment
from ltc_events.aggregates.receivable import UnknownInstalment, require_unapplied
from ltc_events.application.errors import IdTaken, OtherCustomers
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.claim import ClaimKind, ClaimPaid, ClaimRaised, ClaimUnpaid, RaiseClaim, derived_claim_id
from ltc_events.schemas.payment import (
    AllocateToClaim,
    PaymentAllocatedToClaim,
    PaymentMovedBack,
    PaymentReturned,
    UnallocateFromClaim,
)
from ltc_events.schemas.receivable import DunningNoticeSent, InvoiceClaimed, SendDunningNotice

# § 367 (1) of the German civil code: costs, interest, then what is owed itself.
_RANKS = {ClaimKind.DUNNING_FEE: 0, ClaimKind.INTEREST: 1, ClaimKind.RETURNED_PAYMENT: 2}


class ClaimInAnotherCurrency(Refused):
    """the payment is in {currency}, but claim {reference} is in {other}"""

    field = "claim_id"
    remedy = "put a payment in {other} against claim {reference}"


def send_dunning_notice(command: SendDunningNotice, work: UnitOfWork) -> None:
    """Send a dunning notice for an instalment; the fee and interest that policy `dunning` posts become claims (R-66)."""
    invoice = work.find(INVOICE, work.subject)
    (sent,) = (event for event in INVOICE.decide(invoice, command, work.policies) if isinstance(event, DunningNoticeSent))
    number = "" if invoice is None else invoice.document.number
    amounts = {ClaimKind.DUNNING_FEE: sent.fee_claimed, ClaimKind.INTEREST: sent.interest_claimed}
    path = (work.subject, sent.instalment, sent.level)
    ids = {kind: free_id(work, *path, kind) if amount else None for kind, amount in amounts.items()}
    named = {"fee_claim_id": ids[ClaimKind.DUNNING_FEE], "interest_claim_id": ids[ClaimKind.INTEREST]}
    work.emit(INVOICE, work.subject, sent.model_copy(update=named))
    for kind, claim_id in ids.items():
        if claim_id is not None:
            raised = ClaimRaised(
                kind=kind,
                reference=f"{number}/{sent.instalment} reminder {sent.level}",
                currency=sent.currency,
                amount=amounts[kind],
                due_on=work.effective_on,
                invoice_id=work.subject,
                instalment=sent.instalment,
                not_before=sent.not_before,
            )
            work.emit(CLAIM, claim_id, raised)


def raise_claim(command: RaiseClaim, work: UnitOfWork) -> None:
    """Raise a claim for a fee or interest on an instalment, whether or not it is paid by now."""
    if work.find(CLAIM, work.subject) is not None:
        raise AlreadyExists(noun="claim")
    invoice = work.get(INVOICE, command.invoice_id, "invoice_id")
    document = invoice.document
    require_not_before(work.effective_on, document.issued_on, invoice.called)
    require_minor_units(command.amount, document.currency, "amount")
    numbers = sorted(item.number for item in invoice.items)
    if command.instalment not in numbers:
        known = ", ".join(map(str, numbers))
        raise UnknownInstalment(number=document.number, instalment=command.instalment, known=known, at="instalment")
    raised = ClaimRaised(
        kind=command.kind,
        reference=f"{document.number}/{command.instalment} {command.reason}",
        currency=document.currency,
        amount=command.amount,
        due_on=work.effective_on,
        invoice_id=command.invoice_id,
        instalment=command.instalment,
        not_before=document.issued_on,
    )
    claimed = InvoiceClaimed(
        claim_id=work.subject,
        kind=command.kind,
        instalment=command.instalment,
        amount=command.amount,
        currency=document.currency,
        not_before=document.issued_on,
    )
    work.emit(CLAIM, work.subject, raised)
    work.emit(INVOICE, command.invoice_id, claimed)


def claim_returned(returned: PaymentReturned | PaymentMovedBack, work: UnitOfWork) -> None:
    """Raise a claim for the refunded part of a payment that the bank took back."""
    if returned.claim_id is None:
        return
    raised = ClaimRaised(
        kind=ClaimKind.RETURNED_PAYMENT,
        reference=f"returned payment {work.subject}",
        currency=returned.currency,
        amount=returned.claimed,
        due_on=work.effective_on,
        payment_id=work.subject,
        not_before=returned.not_before,
    )
    work.emit(CLAIM, returned.claim_id, raised)


def allocate_to_claim(command: AllocateToClaim, work: UnitOfWork) -> None:
    """Allocate money to a claim."""
    current = payment.usable(work.find(PAYMENT, work.subject), work.effective_on)
    claim = existing(work.get(CLAIM, command.claim_id, "claim_id"), work.effective_on, "claim_id")
    if claim.currency != current.currency:
        raise ClaimInAnotherCurrency(currency=current.currency, reference=claim.reference, other=claim.currency)
    amount = min(claim.open, current.unapplied) if command.amount is None else command.amount
    require_minor_units(amount, claim.currency, "amount")
    require_unapplied("payment", current.unapplied, amount, "amount")
    if amount > claim.open:
        raise MoreThanClaimed(asked=amount, open=claim.open, reference=claim.reference)
    require_available([claim.dated_open], work.effective_on, amount, claim.called)
    require_available([current.dated_unapplied], work.effective_on, amount, CALLED)
    _put(current, command.claim_id, claim, amount, work)


def allocate_to_claims(work: UnitOfWork) -> bool:
    """Allocate the payment to the customer's open claims: fees, then interest, then returned payments, each by date.

    Each takes at most what is open on the date of the command and on every later day. Returns whether there was an open claim.
    """
    current: Payment = work.get(PAYMENT, work.subject, "subject")
    on = work.effective_on
    due: list[tuple[int, date, str, UUID]] = []
    for claim_id in work.streams_of_customer(CLAIM):
        claim: Claim = work.get(CLAIM, claim_id, "subject")
        if claim.currency == current.currency:
            due.append((_RANKS[claim.kind], claim.raised_on, claim.reference, claim_id))
    is_any = False
    for *_, claim_id in sorted(due):
        current, claim = work.get(PAYMENT, work.subject, "subject"), work.get(CLAIM, claim_id, "subject")
        amount = min(current.dated_unapplied.available(on), claim.dated_open.available(on))
        if amount:
            _put(current, claim_id, claim, amount, work)
            is_any = True
    return is_any


def _put(current: Payment, claim_id: UUID, claim: Claim, amount: Decimal, work: UnitOfWork) -> None:
    not_before = max(claim.raised_on, current.received_on)
    allocated = PaymentAllocatedToClaim(
        claim_id=claim_id,
        currency=claim.currency,
        amount=amount,
        unapplied=current.unapplied - amount,
        not_before=not_before,
    )
    paid = ClaimPaid(
        payment_id=work.subject,
        currency=claim.currency,
        amount=amount,
        balance=claim.open - amount,
        not_before=not_before,
    )
    work.emit(PAYMENT, work.subject, allocated)
    work.emit(CLAIM, claim_id, paid)


def unallocate_from_claim(command: UnallocateFromClaim, work: UnitOfWork) -> None:
    """Reverse the allocation to a claim."""
    current = payment.usable(work.find(PAYMENT, work.subject), work.effective_on)
    take_back(current, command.claim_id, command.reason, work)


def take_back(current: Payment, claim_id: UUID, reason: str, work: UnitOfWork) -> None:
    """Reverse all that is allocated to a claim: the money is unapplied again, and the claim open."""
    taken = payment.unallocate_from_claim(current, claim_id, reason, work.effective_on)
    claim: Claim = work.get(CLAIM, claim_id, "claim_id")
    unpaid = ClaimUnpaid(
        payment_id=work.subject,
        currency=claim.currency,
        amount=taken.amount,
        balance=claim.open + taken.amount,
        reason=reason,
        not_before=taken.not_before,
    )
    work.emit(PAYMENT, work.subject, taken)
    work.emit(CLAIM, claim_id, unpaid)


def free_id(work: UnitOfWork, *path: object) -> UUID:
    """The id derived from what the claim is for; the next derived one where that id is already in use."""
    for attempt in count():
        id = derived_claim_id(*path, attempt=attempt)
        try:
            if work.find(CLAIM, id) is None:
                return id
        except (IdTaken, OtherCustomers):
            continue
    raise AssertionError("there are more ids than anybody can take")
