"""Opportunity: a deal on its way through the stages that policy `stages` sets, until it is won or lost (R-37 … R-43)."""

from datetime import date
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, AlreadyExists, DoesNotExist, require_minor_units
from ltc_events.aggregates.business_dates import in_order
from ltc_events.aggregates.opportunity_state import Opportunity, Status, closable_on, evolve, opening
from ltc_events.aggregates.policies import Policies, Versioned
from ltc_events.aggregates.quote import Quote
from ltc_events.aggregates.quote import Status as QuoteStatus
from ltc_events.aggregates.stages import advance, first_stage, move_back, stage_or_first
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import minor_unit
from ltc_events.schemas.base import Event
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    AmountChanged,
    ChangeAmount,
    ChangeCloseDate,
    ChangeOwner,
    ChangeTitle,
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
    OwnerChanged,
    ReopenOpportunity,
    TitleChanged,
    WinOpportunity,
)
from ltc_events.schemas.policy import Stages

OpportunityCommand = (
    OpenOpportunity
    | AdvanceStage
    | MoveStageBack
    | ChangeAmount
    | ChangeCloseDate
    | ChangeTitle
    | ChangeOwner
    | MapDecisionMaker
    | LogInteraction
    | LoseOpportunity
    | ReopenOpportunity
)
"""All commands of an opportunity but `WinOpportunity`, which looks at the accepted quote and is decided by a rule."""


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
        case ChangeTitle():
            return _change_title(state, command)
        case ChangeOwner():
            return _change_owner(state, command)
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
        case ChangeTitle():
            return state.title_on, "the last word on the opportunity's title"
        case ChangeOwner():
            return state.owner_on, "the last word on the opportunity's owner"
        case LoseOpportunity():
            return closable_on(state)
        case ReopenOpportunity():
            return state.closed_on or state.opened_on, f"the day on which the opportunity was {state.status}"
        case _:
            return opening(state)


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


def _change_title(state: Opportunity, command: ChangeTitle) -> list[Event]:
    if command.title == state.title:
        return []
    return [TitleChanged(was=state.title, title=command.title, reason=command.reason)]


def _change_owner(state: Opportunity, command: ChangeOwner) -> list[Event]:
    if command.owner == state.owner:
        return []
    return [OwnerChanged(was=state.owner, owner=command.owner, reason=command.reason)]


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


OPPORTUNITY = Aggregate("opportunity", decide, evolve)
