"""Opportunity: a deal on its way through the stages that policy `stages` sets, until it is won or lost (R-37 … R-43)."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist
from ltc_events.aggregates.policies import Policies, Versioned
from ltc_events.aggregates.quote import Quote
from ltc_events.aggregates.quote import Status as QuoteStatus
from ltc_events.kernel.errors import Refused
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
    OpportunityWon,
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
)


class Status(StrEnum):
    """Whether the deal is still open."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Opportunity:
    """What later commands of an opportunity are held against. `amount` is what it is believed to be worth."""

    status: Status
    stage: str
    amount: Decimal
    currency: str
    expected_close_on: date | None


class OpportunityClosed(Refused):
    """the opportunity is {status}"""

    remedy = "open another opportunity for new business, with a subject of its own"


class UnknownStage(Refused):
    """{stage} is no stage of policy stages, version {version}"""

    field = "stage"
    remedy = "use one of {known}; a deal is closed by opportunity.win.v1 or opportunity.lose.v1"


class StageNotAhead(Refused):
    """{stage} is not after {current}, where the opportunity is"""

    field = "stage"
    remedy = "advance to one of: {ahead}; to go back, send opportunity.move_stage_back.v1"


class StageNotBehind(Refused):
    """{stage} is not before {current}, where the opportunity is"""

    field = "stage"
    remedy = "go back to one of: {behind}; to go on, send opportunity.advance_stage.v1"


class ExitCriteriaOpen(Refused):
    """{stage} cannot be left before {missing} (policy stages, version {version})"""

    field = "criteria_met"
    remedy = "meet {missing}, and list all that is met in criteria_met: {required}"


class WonWithoutGrounds(Refused):
    """a deal is won by an accepted quote or for a stated reason, and neither is given"""

    field = "quote_id"
    remedy = "give the quote_id of the accepted quote, or the reason why there is none"


class QuoteOfAnotherDeal(Refused):
    """the quote was not made for this opportunity, but for {other}"""

    field = "quote_id"
    remedy = "give a quote of this opportunity; or leave quote_id out and state a reason"


class QuoteNotAccepted(Refused):
    """the customer has not accepted the quote; it is {status}"""

    field = "quote_id"
    remedy = "send quote.accept.v1 for the quote first; or leave quote_id out and state a reason"


def decide(state: Opportunity | None, command: OpportunityCommand, policies: Policies) -> list[Event]:
    """What an opportunity's command leads to."""
    if isinstance(command, OpenOpportunity):
        if state is not None:
            raise AlreadyExists(noun="opportunity")
        return [_open(command, policies.stages)]
    if state is None:
        raise DoesNotExist(noun="opportunity", first=OpenOpportunity.type)
    match command:
        case MapDecisionMaker():
            return [DecisionMakerMapped(contact_name=command.contact_name, role=command.role, influence=command.influence)]
        case LogInteraction():
            return [InteractionLogged(kind=command.kind, summary=command.summary, by=command.by)]
        case AdvanceStage():
            return [_advance(require_open(state), command, policies.stages)]
        case MoveStageBack():
            return [_move_back(require_open(state), command, policies.stages)]
        case ChangeAmount():
            return _change_amount(require_open(state), command)
        case ChangeCloseDate():
            return _change_close_date(require_open(state), command)
        case LoseOpportunity():
            return [_lose(require_open(state), command)]
        case _:
            assert_never(command)


def require_open(state: Opportunity | None) -> Opportunity:
    """The opportunity, or a refusal where there is none or where it is closed."""
    if state is None:
        raise DoesNotExist(noun="opportunity", first=OpenOpportunity.type)
    if state.status is not Status.OPEN:
        raise OpportunityClosed(status=state.status)
    return state


def first_stage(stages: Versioned[Stages]) -> tuple[str, Decimal]:
    """Where every deal begins: the first stage and its probability in percent."""
    stage = stages.content.stages[0]
    return stage.name, stage.probability


def win(state: Opportunity, id: UUID, command: WinOpportunity, quote: Quote | None) -> OpportunityWon:
    """Close the deal `id` as won, worth what it was last believed to be; `quote` is the one that the command names.

    What was sold may be worth less or more: the order tells, and the difference is explained, not hidden (R-70).
    """
    if quote is None:
        if command.reason is None or not command.reason.strip():
            raise WonWithoutGrounds
    elif quote.opportunity_id != id:
        raise QuoteOfAnotherDeal(other=quote.opportunity_id or "none")
    elif quote.status is not QuoteStatus.ACCEPTED:
        raise QuoteNotAccepted(status=quote.status)
    return OpportunityWon(
        from_stage=state.stage,
        amount=state.amount,
        currency=state.currency,
        quote_id=command.quote_id,
        reason=command.reason,
    )


def _open(command: OpenOpportunity, stages: Versioned[Stages]) -> OpportunityOpened:
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


def _advance(state: Opportunity, command: AdvanceStage, policy: Versioned[Stages]) -> StageChanged:
    stages = policy.content.stages
    here, there = _places(state.stage, command.stage, policy)
    if there <= here:
        ahead = ", ".join(stage.name for stage in stages[here + 1 :]) or "(none: it is the last)"
        raise StageNotAhead(stage=command.stage, current=state.stage, ahead=ahead)
    passed = stages[max(here, 0) : there]
    required = [criterion for stage in passed for criterion in stage.exit_criteria]
    if required:
        met = set(command.criteria_met)
        for stage in passed:
            missing = [criterion for criterion in stage.exit_criteria if criterion not in met]
            if missing:
                raise ExitCriteriaOpen(
                    stage=stage.name,
                    missing=", ".join(missing),
                    required=", ".join(required),
                    version=policy.version,
                )
    return StageChanged(
        from_stage=state.stage,
        stage=command.stage,
        probability=stages[there].probability,
        backward=False,
        criteria_met=command.criteria_met,
        policy_version=policy.version,
    )


def _move_back(state: Opportunity, command: MoveStageBack, policy: Versioned[Stages]) -> StageChanged:
    stages = policy.content.stages
    here, there = _places(state.stage, command.stage, policy)
    if there >= here:
        behind = ", ".join(stage.name for stage in stages[: max(here, 0)]) or "(none: it is the first)"
        raise StageNotBehind(stage=command.stage, current=state.stage, behind=behind)
    return StageChanged(
        from_stage=state.stage,
        stage=command.stage,
        probability=stages[there].probability,
        backward=True,
        reason=command.reason,
        policy_version=policy.version,
    )


def _places(current: str, wanted: str, policy: Versioned[Stages]) -> tuple[int, int]:
    """Where two stages stand in the order. A current stage that the policy has dropped stands before the first."""
    names = [stage.name for stage in policy.content.stages]
    if wanted not in names:
        raise UnknownStage(stage=wanted, version=policy.version, known=", ".join(names))
    return names.index(current) if current in names else -1, names.index(wanted)


def _change_amount(state: Opportunity, command: ChangeAmount) -> list[Event]:
    if command.amount == state.amount:
        return []
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


def evolve(state: Opportunity | None, event: OpportunityEvent) -> Opportunity:
    """An opportunity after an event."""
    if isinstance(event, OpportunityOpened):
        return Opportunity(Status.OPEN, event.stage, event.amount, event.currency, event.expected_close_on)
    if state is None:
        raise BrokenStream(noun="opportunity", event=event.type)
    match event:
        case StageChanged():
            return replace(state, stage=event.stage)
        case AmountChanged():
            return replace(state, amount=event.amount)
        case CloseDateChanged():
            return replace(state, expected_close_on=event.expected_close_on)
        case DecisionMakerMapped() | InteractionLogged():
            return state
        case OpportunityWon():
            return replace(state, status=Status.WON)
        case OpportunityLost():
            return replace(state, status=Status.LOST)
        case _:
            assert_never(event)


OPPORTUNITY = Aggregate("opportunity", decide, evolve)
