"""Opportunity: a deal on its way through the stages that policy `stages` sets, until it is won or lost (R-37 … R-43)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist, require_minor_units
from ltc_events.aggregates.business_dates import in_order
from ltc_events.aggregates.policies import Policies, Versioned
from ltc_events.aggregates.quote import Quote
from ltc_events.aggregates.quote import Status as QuoteStatus
from ltc_events.aggregates.stages import advance, first_stage, move_back, stage_or_first
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.kernel.money import minor_unit
from ltc_events.schemas.base import Event
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    AmountChanged,
    ChangeAmount,
    ChangeCloseDate,
    CloseDateChanged,
    DecisionMakerMapped,
    InteractionLogged,
    LogInteraction,
    LoseOpportunity,
    MapDecisionMaker,
    MoveStageBack,
    OpenOpportunity,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
    ReopenOpportunity,
    StageChanged,
    WinOpportunity,
)
from ltc_events.schemas.policy import Stages

OpportunityCommand = (
    OpenOpportunity
    | AdvanceStage
    | MoveStageBack
    | ChangeAmount
    | ChangeCloseDate
    | MapDecisionMaker
    | LogInteraction
    | LoseOpportunity
    | ReopenOpportunity
)
"""All commands of an opportunity but `WinOpportunity`, which looks at the accepted quote and is decided by a rule."""
OpportunityEvent = (
    OpportunityOpened
    | StageChanged
    | AmountChanged
    | CloseDateChanged
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
    stage: str
    amount: Decimal
    currency: str
    expected_close_on: date | None
    opened_on: date
    stage_on: date
    """Since when it is in its stage; where policy has dates recorded that are not in order, the latest of its steps."""
    amount_on: date
    close_date_on: date
    closed_on: date | None = None
    won_by: UUID | None = None
    """The quote that the deal was won by."""
    lost_periods: tuple[tuple[date, date | None], ...] = ()
    """From the day of a loss to the day from which the deal is open again."""

    def lost_since(self, day: date) -> date | None:
        """The date of loss of a deal that is lost on the given day; None: it is not lost then."""
        return next((since for since, until in self.lost_periods if since <= day and (until is None or day < until)), None)


class OpportunityClosed(Refused):
    """the opportunity is {status}"""

    remedy = (
        "open another opportunity for new business, with a subject of its own; if this one goes on after all, send "
        "opportunity.reopen.v1 first"
    )


class OpportunityNotClosed(Refused):
    """the opportunity is open"""

    remedy = "go on with it: only a deal that was won or lost can be opened again"


class WonWithoutGrounds(Refused):
    """a deal is won by an accepted quote or for a stated reason, and neither is given"""

    field = "quote_id"
    remedy = "give the quote_id of the accepted quote, or the reason why there is none"


class WorthFinerThanMinorUnit(Refused):
    """the opportunity is worth {amount}, which is finer than the smallest amount of {currency}, {unit}"""

    remedy = "send opportunity.change_amount.v1 with a multiple of {unit} first"


class QuoteOfAnotherDeal(Refused):
    """the quote was not made for this opportunity, but for {other}"""

    field = "quote_id"
    remedy = "give a quote of this opportunity; or leave quote_id out and state a reason"


class QuoteNotAccepted(Refused):
    """the customer has not accepted the quote; it is {status}"""

    field = "quote_id"
    remedy = "send quote.accept.v1 for the quote first; or leave quote_id out and state a reason"


def decide(state: Opportunity | None, command: OpportunityCommand, policies: Policies) -> list[Event]:
    """Decide a command on an opportunity. Raises Refused."""
    if isinstance(command, OpenOpportunity):
        if state is not None:
            raise AlreadyExists(noun="opportunity")
        return [_open(command, policies.stages)]
    if state is None:
        raise DoesNotExist(noun="opportunity", first=OpenOpportunity.type)
    events = _decide(state, command, policies)
    return in_order(events, command.effective_on, *_acted_on(state, command), policies)


def _decide(state: Opportunity, command: OpportunityCommand, policies: Policies) -> list[Event]:
    match command:
        case OpenOpportunity():
            raise AlreadyExists(noun="opportunity")
        case MapDecisionMaker():
            return [DecisionMakerMapped(contact_name=command.contact_name, role=command.role, influence=command.influence)]
        case LogInteraction():
            return [InteractionLogged(kind=command.kind, summary=command.summary, by=command.by)]
        case AdvanceStage():
            return [advance(require_open(state).stage, command, policies.stages)]
        case MoveStageBack():
            return [move_back(require_open(state).stage, command, policies.stages)]
        case ChangeAmount():
            return _change_amount(require_open(state), command)
        case ChangeCloseDate():
            return _change_close_date(require_open(state), command)
        case LoseOpportunity():
            return [_lose(require_open(state), command)]
        case ReopenOpportunity():
            return [_reopen(state, command, policies.stages)]
        case _:
            assert_never(command)


def _acted_on(state: Opportunity, command: OpportunityCommand) -> tuple[date, str]:
    """What a command acts on, and its date: the last change of its kind, or for closing the stage and the amount."""
    match command:
        case AdvanceStage() | MoveStageBack():
            return state.stage_on, f"the step that brought the opportunity to {state.stage}"
        case ChangeAmount():
            return state.amount_on, "the last word on the opportunity's amount"
        case ChangeCloseDate():
            return state.close_date_on, "the last word on the opportunity's close date"
        case LoseOpportunity():
            return closable_on(state)
        case ReopenOpportunity():
            return state.closed_on or state.opened_on, f"the day on which the opportunity was {state.status}"
        case _:
            return opening(state)


def opening(state: Opportunity) -> tuple[date, str]:
    """What a reference to the deal acts on, and its date."""
    return state.opened_on, "the opening of the opportunity"


def closable_on(state: Opportunity) -> tuple[date, str]:
    """What closing a deal acts on, and its date: its stage and its amount."""
    return max(state.stage_on, state.amount_on), "the last word on the opportunity's stage and amount"


def require_open(state: Opportunity | None) -> Opportunity:
    """The opportunity; refuses one that does not exist or is closed."""
    if state is None:
        raise DoesNotExist(noun="opportunity", first=OpenOpportunity.type)
    if state.status is not Status.OPEN:
        raise OpportunityClosed(status=state.status)
    return state


def win(state: Opportunity, id: UUID, command: WinOpportunity, quote: Quote | None) -> OpportunityWon:
    """Close the deal `id` as won with its last estimated amount; `quote` is the one that the command names.

    The order's amount may differ; report revenue-vs-opportunity explains the difference (R-70).
    """
    if quote is None:
        if command.reason is None or not command.reason.strip():
            raise WonWithoutGrounds
    elif quote.opportunity_id != id:
        raise QuoteOfAnotherDeal(other=quote.opportunity_id or "none")
    elif quote.status is not QuoteStatus.ACCEPTED:
        raise QuoteNotAccepted(status=quote.status)
    unit = minor_unit(state.currency)
    if state.amount % unit:
        raise WorthFinerThanMinorUnit(amount=state.amount, currency=state.currency, unit=unit)
    return OpportunityWon(
        from_stage=state.stage,
        amount=state.amount,
        currency=state.currency,
        quote_id=command.quote_id,
        reason=command.reason,
    )


def _open(command: OpenOpportunity, stages: Versioned[Stages]) -> OpportunityOpened:
    require_minor_units(command.amount, command.currency, "amount")
    stage, probability = first_stage(stages)
    return OpportunityOpened(
        title=command.title,
        amount=command.amount,
        currency=command.currency,
        stage=stage,
        probability=probability,
        expected_close_on=command.expected_close_on,
        channel=command.channel,
        campaign_id=command.campaign_id,
        owner=command.owner,
        references=command.references,
        policy_version=stages.version,
    )


def _change_amount(state: Opportunity, command: ChangeAmount) -> list[Event]:
    if command.amount == state.amount:
        return []
    require_minor_units(command.amount, state.currency, "amount")
    return [AmountChanged(was=state.amount, amount=command.amount, currency=state.currency, reason=command.reason)]


def _change_close_date(state: Opportunity, command: ChangeCloseDate) -> list[Event]:
    if command.expected_close_on == state.expected_close_on:
        return []
    return [CloseDateChanged(was=state.expected_close_on, expected_close_on=command.expected_close_on, reason=command.reason)]


def _lose(state: Opportunity, command: LoseOpportunity) -> OpportunityLost:
    return OpportunityLost(
        from_stage=state.stage,
        amount=state.amount,
        currency=state.currency,
        reason=command.reason,
        competitor=command.competitor,
        note=command.note,
    )


def _reopen(state: Opportunity, command: ReopenOpportunity, policy: Versioned[Stages]) -> OpportunityReopened:
    if state.status is Status.OPEN:
        raise OpportunityNotClosed
    stage, probability = stage_or_first(state.stage, policy)
    return OpportunityReopened(
        was="won" if state.status is Status.WON else "lost",
        stage=stage,
        probability=probability,
        amount=state.amount,
        currency=state.currency,
        quote_id=state.won_by,
        reason=command.reason,
        policy_version=policy.version,
    )


def evolve(state: Opportunity | None, event: OpportunityEvent, effective_on: date) -> Opportunity:
    """An opportunity after an event."""
    if isinstance(event, OpportunityOpened):
        return Opportunity(
            status=Status.OPEN,
            stage=event.stage,
            amount=event.amount,
            currency=event.currency,
            expected_close_on=event.expected_close_on,
            opened_on=effective_on,
            stage_on=effective_on,
            amount_on=effective_on,
            close_date_on=effective_on,
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


OPPORTUNITY = Aggregate("opportunity", decide, evolve)
