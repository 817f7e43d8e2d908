"""What an opportunity knows of itself, and how events change it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import BrokenStream
from ltc_events.kernel.frozen import replace
from ltc_events.schemas.opportunity import (
    AmountChanged,
    CloseDateChanged,
    DecisionMakerMapped,
    InteractionLogged,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
    OwnerChanged,
    StageChanged,
    TitleChanged,
)

OpportunityEvent = (
    OpportunityOpened
    | StageChanged
    | AmountChanged
    | CloseDateChanged
    | TitleChanged
    | OwnerChanged
    | DecisionMakerMapped
    | InteractionLogged
    | OpportunityWon
    | OpportunityLost
    | OpportunityReopened
)


class Status(StrEnum):
    """Whether the deal is still open."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Opportunity:
    """The state of an opportunity. `amount` is its estimated value."""

    status: Status
    title: str
    owner: str | None
    stage: str
    amount: Decimal
    currency: str
    expected_close_on: date | None
    opened_on: date
    stage_on: date
    """Since when it is in its stage; where policy has dates recorded that are not in order, the latest of its steps."""
    amount_on: date
    close_date_on: date
    title_on: date
    owner_on: date
    closed_on: date | None = None
    won_by: UUID | None = None
    """The quote that the deal was won by."""
    lost_periods: tuple[tuple[date, date | None], ...] = ()
    """From the day of a loss to the day from which the deal is open again."""

    def lost_since(self, day: date) -> date | None:
        """The date of loss of a deal that is lost on the given day; None: it is not lost then."""
        return next((since for since, until in self.lost_periods if since <= day and (until is None or day < until)), None)


def opening(state: Opportunity) -> tuple[date, str]:
    """What a reference to the deal acts on, and its date."""
    return state.opened_on, "the opening of the opportunity"


def closable_on(state: Opportunity) -> tuple[date, str]:
    """What closing a deal acts on, and its date: its stage and its amount."""
    return max(state.stage_on, state.amount_on), "the last word on the opportunity's stage and amount"


def evolve(state: Opportunity | None, event: OpportunityEvent, effective_on: date) -> Opportunity:
    """An opportunity after an event."""
    if isinstance(event, OpportunityOpened):
        return Opportunity(
            status=Status.OPEN,
            title=event.title,
            owner=event.owner,
            stage=event.stage,
            amount=event.amount,
            currency=event.currency,
            expected_close_on=event.expected_close_on,
            opened_on=effective_on,
            stage_on=effective_on,
            amount_on=effective_on,
            close_date_on=effective_on,
            title_on=effective_on,
            owner_on=effective_on,
        )
    if state is None:
        raise BrokenStream(noun="opportunity", event=event.type)
    match event:  # the most frequent ones first: each that does not fit costs some time
        case InteractionLogged() | DecisionMakerMapped():
            return state
        case StageChanged():
            return replace(state, stage=event.stage, stage_on=max(state.stage_on, effective_on))
        case AmountChanged():
            return replace(state, amount=event.amount, amount_on=max(state.amount_on, effective_on))
        case CloseDateChanged():
            changed_on = max(state.close_date_on, effective_on)
            return replace(state, expected_close_on=event.expected_close_on, close_date_on=changed_on)
        case TitleChanged():
            return replace(state, title=event.title, title_on=max(state.title_on, effective_on))
        case OwnerChanged():
            return replace(state, owner=event.owner, owner_on=max(state.owner_on, effective_on))
        case OpportunityWon():
            return replace(state, status=Status.WON, closed_on=_closed_on(state, effective_on), won_by=event.quote_id)
        case OpportunityLost():
            closed_on = _closed_on(state, effective_on)
            periods = (*state.lost_periods, (closed_on, None))
            return replace(state, status=Status.LOST, closed_on=closed_on, lost_periods=periods)
        case OpportunityReopened():
            return _opened_again(state, event, effective_on)
        case _:
            assert_never(event)


def _closed_on(state: Opportunity, effective_on: date) -> date:
    """The closing date; where policy records dates out of order, not before the steps that closing acts on."""
    return max(effective_on, closable_on(state)[0])


def _opened_again(state: Opportunity, event: OpportunityReopened, effective_on: date) -> Opportunity:
    """The reopened deal: later events are not dated in the period in which it was closed."""
    on = effective_on if state.closed_on is None else max(effective_on, state.closed_on)
    periods = state.lost_periods
    if event.was == "lost" and periods:
        periods = (*periods[:-1], (periods[-1][0], on))
    return replace(
        state,
        status=Status.OPEN,
        stage=event.stage,
        stage_on=on,
        amount_on=on,
        close_date_on=on,
        closed_on=None,
        won_by=None,
        lost_periods=periods,
    )
