"""Quote: drafted, priced with a trace, approved where policy wants it, sent, answered, revised (R-48 … R-51)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist
from ltc_events.aggregates.business_dates import in_order
from ltc_events.aggregates.policies import Policies, Versioned
from ltc_events.aggregates.price_book import PriceList
from ltc_events.aggregates.pricing import price
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.kernel.money import ZERO
from ltc_events.kernel.person_names import same_person
from ltc_events.schemas.base import Event
from ltc_events.schemas.policy import DiscountMatrix
from ltc_events.schemas.quote import (
    AcceptQuote,
    ApproveDiscount,
    DiscountApproved,
    DiscountRejected,
    DraftQuote,
    ExpireQuote,
    PriceQuote,
    QuoteAccepted,
    QuoteDrafted,
    QuoteExpired,
    QuoteOrdered,
    QuotePriced,
    QuoteRejected,
    QuoteRevised,
    QuoteSent,
    RejectDiscount,
    RejectQuote,
    ReviseQuote,
    SendQuote,
)

QuoteCommand = ApproveDiscount | RejectDiscount | SendQuote | AcceptQuote | RejectQuote | ExpireQuote | ReviseQuote
"""All commands of a quote but `DraftQuote` and `PriceQuote`, which look at other aggregates and are decided by rules."""
QuoteEvent = (
    QuoteDrafted
    | QuotePriced
    | DiscountApproved
    | DiscountRejected
    | QuoteSent
    | QuoteAccepted
    | QuoteOrdered
    | QuoteRejected
    | QuoteExpired
    | QuoteRevised
)


class Status(StrEnum):
    """How far the current revision of a quote has come."""

    DRAFT = "draft"
    WAITING = "waiting for approval"
    PRICED = "priced"
    SENT = "sent"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Quote:
    """What later commands of a quote, and the order made from it, are held against. `priced` is of the current revision.

    `order_id` is the order that was last placed from it.
    """

    status: Status
    revision: int
    currency: str
    valid_until: date
    opportunity_id: UUID | None
    price_book_id: UUID | None
    drafted_on: date
    step_on: date
    """When its last step was; where policy has dates recorded that are not in order, the latest of its steps."""
    priced: QuotePriced | None = None
    order_id: UUID | None = None


_REPRICE = "price it again with quote.price.v1"
_REVISE = "begin the next revision with quote.revise.v1"
_NEXT = {
    Status.DRAFT: "price it with quote.price.v1",
    Status.WAITING: f"have the discount decided with quote.approve_discount.v1 or quote.reject_discount.v1, or {_REPRICE}",
    Status.PRICED: f"send it with quote.send.v1, or {_REPRICE}",
    Status.SENT: f"wait for the customer's answer, or {_REVISE}",
    Status.ACCEPTED: "place the order with order.place.v1; changes are made by order.amend.v1, or by another quote",
    Status.REJECTED: _REVISE,
    Status.EXPIRED: _REVISE,
}


def _next_step(state: Quote) -> str:
    """What can be done with the quote as it is."""
    if state.order_id is None:
        return _NEXT[state.status]
    return f"it is ordered by order {state.order_id}: changes are made by order.amend.v1, or by another quote"


class WrongQuoteStatus(Refused):
    """the quote cannot be {action}: it is {status}"""

    remedy = "{next_step}"


class NothingToApprove(Refused):
    """no discount of the quote waits for a decision: the quote is {status}"""

    remedy = "{next_step}"


class DiscountNotApproved(Refused):
    """a discount of {percent} percent, asked for by {requested_by} as {role}, waits for approval"""

    remedy = "send quote.approve_discount.v1 by somebody else, as {approvers}; or price the quote with less discount"


class UnknownRole(Refused):
    """{role} is no role of the discount matrix, version {version}"""

    field = "role"
    remedy = "use one of {known}, or publish a discount_matrix policy that knows {role}"


class ApproverIsRequester(Refused):
    """{approver} asked for the discount, and cannot decide about it too"""

    field = "approver"
    remedy = "let somebody other than {approver} decide"


class BeyondApproversLimit(Refused):
    """the role {role} may approve up to {limit} percent, not {percent} percent (discount matrix, version {version})"""

    field = "role"
    remedy = "let somebody approve it as {approvers}; or price the quote with at most {limit} percent discount"


class ValidityEnded(Refused):
    """the quote was valid until {valid_until}, and was accepted on {effective_on}"""

    field = "effective_on"
    remedy = "begin the next revision with quote.revise.v1 and a later valid_until, and send it"


class StillValid(Refused):
    """the quote is valid until {valid_until}, so it has not expired on {effective_on}"""

    field = "effective_on"
    remedy = "send quote.expire.v1 with an effective_on after {valid_until}"


class ValidityMissing(Refused):
    """the quote expired after {valid_until}, and the revision does not say until when it shall be valid"""

    field = "valid_until"
    remedy = "give a valid_until after {valid_until}"


def draft(state: Quote | None, command: DraftQuote) -> QuoteDrafted:
    """Begin a quote; the rule that calls this has looked at the opportunity and the price book."""
    if state is not None:
        raise AlreadyExists(noun="quote")
    return QuoteDrafted(
        opportunity_id=command.opportunity_id,
        price_book_id=command.price_book_id,
        currency=command.currency,
        valid_until=command.valid_until,
        title=command.title,
        requested_on=command.requested_on or command.effective_on,
        references=command.references,
    )


def require_unsent(state: Quote | None) -> Quote:
    """The quote, or a refusal where there is none or where its current revision has left the house."""
    if state is None:
        raise DoesNotExist(noun="quote", first=DraftQuote.type)
    if state.status not in (Status.DRAFT, Status.WAITING, Status.PRICED):
        raise WrongQuoteStatus(action="priced", status=state.status, next_step=_next_step(state))
    return state


def price_quote(state: Quote, command: PriceQuote, prices: PriceList | None, matrix: Versioned[DiscountMatrix]) -> QuotePriced:
    """Work out the prices; what is beyond the limit of the requester's role needs approval (R-49, R-51)."""
    limit = _limit(command.role, matrix)
    version = 0 if prices is None else prices.version
    priced = price(command.lines, state.currency, None if prices is None else prices.items, version)
    return QuotePriced(
        revision=state.revision,
        opportunity_id=state.opportunity_id,
        currency=state.currency,
        lines=priced.lines,
        list_total=priced.list_total,
        discount_total=priced.discount_total,
        net=priced.net,
        tax=priced.tax,
        gross=priced.gross,
        discount_percent=priced.discount_percent,
        approval_needed=priced.discount_percent > limit,
        requested_by=command.requested_by,
        role=command.role,
        price_book_id=state.price_book_id,
        price_book_version=version,
        matrix_version=matrix.version,
    )


def decide(state: Quote | None, command: QuoteCommand, policies: Policies) -> list[Event]:
    """What a quote's command leads to."""
    if state is None:
        raise DoesNotExist(noun="quote", first=DraftQuote.type)
    return in_order(_decide(state, command, policies), command.effective_on, *last_step(state), policies)


def last_step(state: Quote) -> tuple[date, str]:
    """What every step of a quote acts on, with its date: the step before."""
    return state.step_on, f"the step that made the quote {state.status}"


def _decide(state: Quote, command: QuoteCommand, policies: Policies) -> list[Event]:
    match command:
        case ApproveDiscount():
            return [_approve(state, command, policies.discount_matrix)]
        case RejectDiscount():
            _waiting(state, command.approver)
            return [DiscountRejected(approver=command.approver, reason=command.reason)]
        case SendQuote():
            return [_send(state, command, policies.discount_matrix)]
        case AcceptQuote():
            return [_accept(state, command)]
        case RejectQuote():
            _require_sent(state, "rejected")
            return [QuoteRejected(revision=state.revision, reason=command.reason)]
        case ExpireQuote():
            _require_sent(state, "expired")
            if command.effective_on <= state.valid_until:
                raise StillValid(valid_until=state.valid_until, effective_on=command.effective_on)
            return [QuoteExpired(revision=state.revision)]
        case ReviseQuote():
            return [_revise(state, command)]
        case _:
            assert_never(command)


def _limit(role: str, matrix: Versioned[DiscountMatrix]) -> Decimal:
    limit = matrix.content.limits.get(role)
    if limit is None:
        raise UnknownRole(role=role, version=matrix.version, known=", ".join(matrix.content.limits))
    return limit


def _approvers(percent: Decimal, matrix: Versioned[DiscountMatrix]) -> str:
    """The roles that may approve a discount, in words."""
    roles = [role for role, limit in matrix.content.limits.items() if limit >= percent]
    return " or ".join(roles) or "a role that a discount_matrix policy gives a limit that high"


def _waiting(state: Quote, approver: str) -> QuotePriced:
    """What waits for a decision that this approver may take (R-51)."""
    if state.status is not Status.WAITING or state.priced is None:
        raise NothingToApprove(status=state.status, next_step=_next_step(state))
    if same_person(approver, state.priced.requested_by):
        raise ApproverIsRequester(approver=approver)
    return state.priced


def _approve(state: Quote, command: ApproveDiscount, matrix: Versioned[DiscountMatrix]) -> DiscountApproved:
    percent = _waiting(state, command.approver).discount_percent
    limit = _limit(command.role, matrix)
    if percent > limit:
        raise BeyondApproversLimit(
            role=command.role,
            limit=limit,
            percent=percent,
            version=matrix.version,
            approvers=_approvers(percent, matrix),
        )
    return DiscountApproved(approver=command.approver, role=command.role, discount_percent=percent, matrix_version=matrix.version)


def _send(state: Quote, command: SendQuote, matrix: Versioned[DiscountMatrix]) -> QuoteSent:
    if state.status is Status.WAITING and state.priced is not None:
        percent = state.priced.discount_percent
        raise DiscountNotApproved(
            percent=percent,
            requested_by=state.priced.requested_by,
            role=state.priced.role,
            approvers=_approvers(percent, matrix),
        )
    if state.status is not Status.PRICED:
        raise WrongQuoteStatus(action="sent", status=state.status, next_step=_next_step(state))
    return QuoteSent(revision=state.revision, to=command.to)


def _require_sent(state: Quote, action: str) -> None:
    if state.status is not Status.SENT:
        raise WrongQuoteStatus(action=action, status=state.status, next_step=_next_step(state))


def _accept(state: Quote, command: AcceptQuote) -> QuoteAccepted:
    _require_sent(state, "accepted")
    if command.effective_on > state.valid_until:
        raise ValidityEnded(valid_until=state.valid_until, effective_on=command.effective_on)
    return QuoteAccepted(
        revision=state.revision,
        opportunity_id=state.opportunity_id,
        net=ZERO if state.priced is None else state.priced.net,
        currency=state.currency,
        accepted_by=command.accepted_by,
    )


def _revise(state: Quote, command: ReviseQuote) -> QuoteRevised:
    """A draft is priced as it is, and an accepted quote stands: neither is revised."""
    if state.status in (Status.DRAFT, Status.ACCEPTED):
        raise WrongQuoteStatus(action="revised", status=state.status, next_step=_next_step(state))
    if command.valid_until is None and state.status is Status.EXPIRED:
        raise ValidityMissing(valid_until=state.valid_until)
    valid_until = command.valid_until or state.valid_until
    return QuoteRevised(revision=state.revision + 1, reason=command.reason, valid_until=valid_until)


def evolve(state: Quote | None, event: QuoteEvent, effective_on: date) -> Quote:
    """A quote after an event."""
    if isinstance(event, QuoteDrafted):
        about = (event.opportunity_id, event.price_book_id)
        return Quote(Status.DRAFT, 1, event.currency, event.valid_until, *about, effective_on, effective_on)
    if state is None:
        raise BrokenStream(noun="quote", event=event.type)
    if isinstance(event, QuoteOrdered):
        return replace(state, order_id=event.order_id)
    on = max(state.step_on, effective_on)
    match event:
        case QuotePriced():
            status = Status.WAITING if event.approval_needed else Status.PRICED
            return replace(state, status=status, priced=event, step_on=on)
        case DiscountApproved():
            return replace(state, status=Status.PRICED, step_on=on)
        case DiscountRejected():
            return replace(state, status=Status.DRAFT, priced=None, step_on=on)
        case QuoteSent():
            return replace(state, status=Status.SENT, step_on=on)
        case QuoteAccepted():
            # Its own date: no step of the quote follows, and what does, the order, is not dated before the acceptance.
            return replace(state, status=Status.ACCEPTED, step_on=effective_on)
        case QuoteRejected():
            return replace(state, status=Status.REJECTED, step_on=on)
        case QuoteExpired():
            return replace(state, status=Status.EXPIRED, step_on=on)
        case QuoteRevised(revision=revision, valid_until=valid_until):
            return replace(state, status=Status.DRAFT, revision=revision, valid_until=valid_until, priced=None, step_on=on)
        case _:
            assert_never(event)


QUOTE = Aggregate("quote", decide, evolve)
