"""Campaign: planned, launched, paid for, closed (R-11). It belongs to the company."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import (
    Aggregate,
    AlreadyExists,
    BrokenStream,
    DoesNotExist,
    require_minor_units,
    require_not_before,
    require_order,
)
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.schemas.base import Event
from ltc_events.schemas.campaign import (
    CampaignClosed,
    CampaignCostRecorded,
    CampaignLaunched,
    CampaignPlanned,
    CloseCampaign,
    LaunchCampaign,
    PlanCampaign,
    RecordCampaignCost,
)
from ltc_events.schemas.lead import Channel

CampaignCommand = PlanCampaign | LaunchCampaign | RecordCampaignCost | CloseCampaign
CampaignEvent = CampaignPlanned | CampaignLaunched | CampaignCostRecorded | CampaignClosed
COSTS_MAX = 10_000


class Status(StrEnum):
    """The status of a campaign."""

    PLANNED = "planned"
    LAUNCHED = "launched"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Campaign:
    """The state of a campaign."""

    status: Status
    currency: str
    channel: Channel
    planned_on: date
    status_on: date
    """Since when it has its status."""
    costs: frozenset[UUID] = frozenset()


class WrongCampaignStatus(Refused):
    """the campaign cannot be {action}: it is {status}"""

    remedy = "plan another campaign, with a subject of its own"


class CostAlreadyRecorded(Refused):
    """cost {cost_id} was recorded before"""

    field = "cost_id"
    remedy = "give another cost an id of its own"


class TooManyCosts(Refused):
    """the campaign has {limit} costs, which is the most that one can have"""

    field = "cost_id"
    remedy = "record several payments as one cost, or plan another campaign for the rest"


def decide(state: Campaign | None, command: CampaignCommand, _policies: Policies) -> list[Event]:
    """Decide a command on a campaign. Raises Refused."""
    if isinstance(command, PlanCampaign):
        if state is not None:
            raise AlreadyExists(noun="campaign")
        return [_plan(command)]
    if state is None:
        raise DoesNotExist(noun="campaign", first=PlanCampaign.type)
    match command:
        case LaunchCampaign():
            if state.status is not Status.PLANNED:
                raise WrongCampaignStatus(action="launched", status=state.status)
            require_not_before(command.effective_on, state.planned_on, "the campaign's planning")
            return [CampaignLaunched()]
        case RecordCampaignCost():
            require_not_before(command.effective_on, state.planned_on, "the campaign's planning")
            return [_record_cost(state, command)]
        case CloseCampaign():
            if state.status is Status.CLOSED:
                raise WrongCampaignStatus(action="closed", status=state.status)
            require_not_before(command.effective_on, state.status_on, f"the step that made the campaign {state.status}")
            return [CampaignClosed(reason=command.reason)]
        case _:
            assert_never(command)


def _plan(command: PlanCampaign) -> CampaignPlanned:
    require_order(command.starts_on, command.ends_on)
    require_minor_units(command.budget, command.currency, "budget")
    return CampaignPlanned(
        title=command.title,
        channel=command.channel,
        budget=command.budget,
        expected_revenue=command.expected_revenue,
        currency=command.currency,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        references=command.references,
    )


def _record_cost(state: Campaign, command: RecordCampaignCost) -> CampaignCostRecorded:
    if command.cost_id in state.costs:
        raise CostAlreadyRecorded(cost_id=command.cost_id)
    if len(state.costs) >= COSTS_MAX:
        raise TooManyCosts(limit=COSTS_MAX)
    require_minor_units(command.amount, state.currency, "amount")
    return CampaignCostRecorded(
        cost_id=command.cost_id,
        amount=command.amount,
        currency=state.currency,
        channel=state.channel,
        note=command.note,
    )


def evolve(state: Campaign | None, event: CampaignEvent, effective_on: date) -> Campaign:
    """A campaign after an event."""
    if isinstance(event, CampaignPlanned):
        return Campaign(Status.PLANNED, event.currency, event.channel, effective_on, effective_on)
    if state is None:
        raise BrokenStream(noun="campaign", event=event.type)
    match event:
        case CampaignLaunched():
            return replace(state, status=Status.LAUNCHED, status_on=effective_on)
        case CampaignCostRecorded():
            return replace(state, costs=state.costs | {event.cost_id})
        case CampaignClosed():
            return replace(state, status=Status.CLOSED)
        case _:
            assert_never(event)


CAMPAIGN = Aggregate("campaign", decide, evolve)
