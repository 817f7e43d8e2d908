"""Claim: what a customer owes beside invoices, until it is paid or waived."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import assert_never

from ltc_events.aggregates.base import Aggregate, BrokenStream, DoesNotExist, require_minor_units, require_not_before
from ltc_events.aggregates.dated_balance import DatedBalance, require_available
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.schemas.base import Event
from ltc_events.schemas.claim import ClaimKind, ClaimPaid, ClaimRaised, ClaimUnpaid, ClaimWaived, WaiveClaim

ClaimEvent = ClaimRaised | ClaimPaid | ClaimUnpaid | ClaimWaived


@dataclass(frozen=True, slots=True)
class Claim:
    """The state of a claim, with its open amount by date."""

    kind: ClaimKind
    reference: str
    currency: str
    raised_on: date
    dated_open: DatedBalance

    @property
    def open(self) -> Decimal:
        """The open amount after all movements."""
        return self.dated_open.amount

    @property
    def called(self) -> str:
        """The claim's name in refusals."""
        return f"claim {self.reference}"


class NothingClaimed(Refused):
    """nothing is left of claim {reference}"""

    field = "subject"
    remedy = "choose a claim that is neither paid nor waived"


class MoreThanClaimed(Refused):
    """{asked} is more than the {open} that is left of claim {reference}"""

    field = "amount"
    remedy = "state at most {open}"


def decide(state: Claim | None, command: WaiveClaim, _policies: Policies) -> list[Event]:
    """Decide a waiver: of the open amount of a claim, or of part of it. Raises Refused."""
    claim = existing(state, command.effective_on, "subject")
    amount = within(claim, command.amount, command.effective_on)
    return [
        ClaimWaived(
            kind=claim.kind,
            currency=claim.currency,
            amount=amount,
            balance=claim.open - amount,
            reason=command.reason,
            not_before=claim.raised_on,
        )
    ]


def existing(state: Claim | None, effective_on: date, at: str) -> Claim:
    """The claim; refuses a claim that does not exist, or not yet on that day, or of which nothing is open."""
    if state is None:
        raise DoesNotExist(noun="claim", first="claim.raise.v1", at=at)
    require_not_before(effective_on, state.raised_on, state.called)
    if not state.open:
        raise NothingClaimed(reference=state.reference, at=at)
    return state


def within(claim: Claim, asked: Decimal | None, on: date) -> Decimal:
    """The requested amount, or by default the open amount. Raises MoreThanClaimed, FinerThanMinorUnit and AvailableLater."""
    amount = claim.open if asked is None else asked
    require_minor_units(amount, claim.currency, "amount")
    if amount > claim.open:
        raise MoreThanClaimed(asked=amount, open=claim.open, reference=claim.reference)
    require_available([claim.dated_open], on, amount, claim.called)
    return amount


def evolve(state: Claim | None, event: ClaimEvent, effective_on: date) -> Claim:
    """The claim after an event."""
    if isinstance(event, ClaimRaised):
        opened = DatedBalance(((effective_on, event.amount),))
        return Claim(event.kind, event.reference, event.currency, effective_on, opened)
    if state is None:
        raise BrokenStream(noun="claim", event=event.type)
    match event:
        case ClaimPaid() | ClaimWaived():
            return replace(state, dated_open=state.dated_open.moved(effective_on, -event.amount))
        case ClaimUnpaid():
            return replace(state, dated_open=state.dated_open.moved(effective_on, event.amount))
        case _:
            assert_never(event)


CLAIM = Aggregate("claim", decide, evolve, begins_with=ClaimRaised.type)
