"""Lead: captured, screened, scored, assigned, qualified, converted or disqualified (R-1 … R-4, R-6, R-14 … R-18, R-21)."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple, assert_never
from uuid import UUID

from ltc_events.aggregates import first_response, follow_up
from ltc_events.aggregates.assignment import assign
from ltc_events.aggregates.base import Aggregate, AlreadyExists, BrokenStream, DoesNotExist, require_minor_units
from ltc_events.aggregates.business_dates import in_order
from ltc_events.aggregates.first_response import FirstResponse
from ltc_events.aggregates.follow_up import FollowUps
from ltc_events.aggregates.phone import e164_of
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.required_fields import require_lead_fields
from ltc_events.aggregates.scoring import score
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.schemas.base import Event
from ltc_events.schemas.follow_up import (
    CompleteFollowUp,
    FirstResponseRecorded,
    FollowUpCompleted,
    FollowUpMissed,
    FollowUpScheduled,
    MissFollowUp,
    RecordFirstResponse,
    RecordResponseBreach,
    ResponseBreached,
    ScheduleFollowUp,
)
from ltc_events.schemas.lead import (
    AssignLead,
    CaptureLead,
    ChangeTemperature,
    Channel,
    ConvertLead,
    DisqualifyLead,
    LeadAccepted,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDetailRecorded,
    LeadDisqualified,
    LeadQualified,
    LeadRejected,
    LeadScored,
    QualifyLead,
    RecordLeadDetail,
    ScoreLead,
    ScreenLead,
    Temperature,
    TemperatureChanged,
)

LeadCommand = (
    CaptureLead
    | ScreenLead
    | RecordLeadDetail
    | ChangeTemperature
    | ScoreLead
    | AssignLead
    | RecordFirstResponse
    | RecordResponseBreach
    | ScheduleFollowUp
    | CompleteFollowUp
    | MissFollowUp
    | QualifyLead
    | DisqualifyLead
)
"""All commands of a lead but `ConvertLead`, which opens an opportunity too and is decided by a rule."""
LeadEvent = (
    LeadCaptured
    | LeadAccepted
    | LeadRejected
    | LeadDetailRecorded
    | TemperatureChanged
    | LeadScored
    | LeadAssigned
    | FirstResponseRecorded
    | ResponseBreached
    | FollowUpScheduled
    | FollowUpCompleted
    | FollowUpMissed
    | LeadQualified
    | LeadConverted
    | LeadDisqualified
)


class Status(StrEnum):
    """The status of a lead. The last three are final."""

    CAPTURED = "captured"
    ACCEPTED = "accepted"
    QUALIFIED = "qualified"
    CONVERTED = "converted"
    REJECTED = "rejected"
    DISQUALIFIED = "disqualified"


_FINAL = frozenset({Status.CONVERTED, Status.REJECTED, Status.DISQUALIFIED})


class Source(NamedTuple):
    """The source of a lead; its opportunity inherits it."""

    channel: Channel
    origin: str | None
    campaign_id: UUID | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Lead:
    """The state of a lead. `opportunity_id` is the opportunity that it was converted into."""

    status: Status
    source: Source
    response: FirstResponse
    captured_on: date
    status_on: date
    """Since when it has its status; where policy has dates recorded that are not in order, the latest of its steps."""
    temperature_on: date
    owner_on: date
    """When it could first be assigned, then when it was last."""
    temperature: Temperature = Temperature.COLD
    owner: str | None = None
    opportunity_id: UUID | None = None
    follow_ups: FollowUps = field(default_factory=dict)


class LeadClosed(Refused):
    """the lead is {status}, which is final"""

    remedy = "capture the new interest as a lead of its own, with another subject"


class LeadFrozen(Refused):
    """the lead was converted into opportunity {opportunity_id} and is frozen since"""

    remedy = "send commands about the deal to opportunity {opportunity_id}"


class LeadAlreadyScreened(Refused):
    """the lead was screened before; it is {status}"""

    remedy = "go on with lead.assign.v1 or lead.qualify.v1, or close it with lead.disqualify.v1"


class RejectionUnexplained(Refused):
    """the lead fails {failed}, but no reason is given"""

    field = "reason"
    remedy = "give the reason why the lead fails {failed}"


class LeadNotAccepted(Refused):
    """the lead was not accepted yet; it is {status}"""

    remedy = "send lead.screen.v1 with all three tests passed first"


class LeadAlreadyQualified(Refused):
    """the lead was qualified before"""

    remedy = "send lead.record_detail.v1 for what is new, or lead.convert.v1"


class BudgetWithoutCurrency(Refused):
    """a budget of {budget} without a currency"""

    field = "currency"
    remedy = "give the currency of the budget, for example EUR"


class Unexplained(Refused):
    """{what} is blank"""

    remedy = "say in words what {what} is"


class LeadNotQualified(Refused):
    """the lead was not qualified yet; it is {status}"""

    remedy = "send lead.qualify.v1 first (and lead.screen.v1 before it, where the lead was only captured)"


class CannotTakePart(Refused):
    """a lead becomes an opportunity only where we can take part"""

    field = "can_take_part"
    remedy = "set can_take_part to true once we can, or close the lead with lead.disqualify.v1"


def decide(state: Lead | None, command: LeadCommand, policies: Policies) -> list[Event]:
    """Decide a command on a lead. Raises Refused."""
    if isinstance(command, CaptureLead):
        return [capture(state, command, policies, None)]
    state = require_open(state)
    events = _decide(state, command, policies)
    return in_order(events, command.effective_on, *_acted_on(state, command), policies)


def _decide(state: Lead, command: LeadCommand, policies: Policies) -> list[Event]:
    match command:  # the most frequent ones first
        case ScheduleFollowUp() | CompleteFollowUp() | MissFollowUp():
            return [follow_up.decide(state.follow_ups, command, state.owner)]
        case CaptureLead():
            raise AlreadyExists(noun="lead")
        case ScreenLead():
            return [_screen(state, command)]
        case RecordLeadDetail():
            return [LeadDetailRecorded(detail=command.detail)]
        case ChangeTemperature():
            if command.temperature is state.temperature:
                return []
            return [TemperatureChanged(was=state.temperature, temperature=command.temperature, reason=command.reason)]
        case ScoreLead():
            return [score(command.inputs, policies.score_model)]
        case AssignLead():
            return _assign(state, command, policies)
        case RecordFirstResponse() | RecordResponseBreach():
            return [first_response.decide(state.response, command)]
        case QualifyLead():
            return [_qualify(state, command)]
        case DisqualifyLead():
            return [LeadDisqualified(reason=command.reason)]
        case _:
            assert_never(command)


def _acted_on(state: Lead, command: LeadCommand) -> tuple[date, str]:
    """What a command acts on, and its date: the last status for a step, the last change of its kind for a change."""
    match command:
        case AssignLead():
            return state.owner_on, "the lead's acceptance" if state.owner is None else "its last assignment"
        case ChangeTemperature():
            return state.temperature_on, "the lead's capture or its last change of temperature"
        case QualifyLead() | DisqualifyLead():
            return state.status_on, f"the step that made the lead {state.status}"
        case CompleteFollowUp() | MissFollowUp():
            return state.follow_ups[command.follow_up_id].scheduled_on, "the scheduling of the follow-up"
        case _:
            return state.captured_on, "the lead's capture"


def require_open(state: Lead | None) -> Lead:
    """The lead; refuses one that does not exist or is closed."""
    if state is None:
        raise DoesNotExist(noun="lead", first=CaptureLead.type)
    if state.status in _FINAL:
        if state.status is Status.CONVERTED:
            raise LeadFrozen(opportunity_id=state.opportunity_id)
        raise LeadClosed(status=state.status)
    return state


def qualified_on(state: Lead) -> tuple[date, str]:
    """What a conversion acts on, and its date."""
    return state.status_on, "the lead's qualification"


def convert(state: Lead | None, command: ConvertLead) -> LeadConverted:
    """Freeze a qualified lead, with the evidence; the rule that calls this opens the opportunity (R-21)."""
    state = require_open(state)
    if state.status is not Status.QUALIFIED:
        raise LeadNotQualified(status=state.status)
    if not command.can_take_part:
        raise CannotTakePart
    if not command.evidence_note.strip():
        raise Unexplained(what="the evidence", at="evidence_note")
    return LeadConverted(opportunity_id=command.opportunity_id, evidence=command.evidence, evidence_note=command.evidence_note)


def capture(state: Lead | None, command: CaptureLead, policies: Policies, country: str | None) -> LeadCaptured:
    """Record a lead; its telephone number is parsed for the customer's `country`, where that is known."""
    if state is not None:
        raise AlreadyExists(noun="lead")
    required, levels = policies.required_fields, policies.response_levels
    require_lead_fields(command, required)
    return LeadCaptured(
        contact_name=command.contact_name,
        company=command.company,
        phone=command.phone,
        email=command.email,
        industry=command.industry,
        need=command.need,
        channel=command.channel,
        origin=command.origin,
        campaign_id=command.campaign_id,
        source_activity=command.source_activity,
        captured_by=command.captured_by,
        region=command.region,
        priority=command.priority,
        detail=command.detail,
        references=command.references,
        response_due_at=command.occurred_at + timedelta(minutes=levels.content.minutes[command.priority]),
        policy_version=required.version,
        response_policy_version=levels.version,
        phone_e164=e164_of(command.phone, country, "phone"),
    )


def _screen(state: Lead, command: ScreenLead) -> LeadAccepted | LeadRejected:
    if state.status is not Status.CAPTURED:
        raise LeadAlreadyScreened(status=state.status)
    tests = ("specific_customer", "potential_intent", "can_take_part")
    failed = tuple(test for test in tests if not getattr(command, test))
    if not failed:
        return LeadAccepted()
    if command.reason is None or not command.reason.strip():
        raise RejectionUnexplained(failed=", ".join(failed))
    return LeadRejected(failed=failed, reason=command.reason)


def _assign(state: Lead, command: AssignLead, policies: Policies) -> list[Event]:
    if state.status is Status.CAPTURED:
        raise LeadNotAccepted(status=state.status)
    assigned = assign(command, state.source.region, policies.assignment_rule)
    return [] if assigned.owner == state.owner else [assigned]


def _qualify(state: Lead, command: QualifyLead) -> LeadQualified:
    if state.status is Status.CAPTURED:
        raise LeadNotAccepted(status=state.status)
    if state.status is Status.QUALIFIED:
        raise LeadAlreadyQualified
    if not command.need.strip():
        raise Unexplained(what="the need", at="need")
    if command.budget is not None and command.currency is None:
        raise BudgetWithoutCurrency(budget=command.budget)
    if command.budget is not None and command.currency is not None:
        require_minor_units(command.budget, command.currency, "budget")
    return LeadQualified(
        need=command.need,
        budget=command.budget,
        currency=command.currency,
        authority=command.authority,
        time_frame=command.time_frame,
    )


def evolve(state: Lead | None, event: LeadEvent, effective_on: date) -> Lead:
    """A lead after an event."""
    if isinstance(event, LeadCaptured):
        source = Source(event.channel, event.origin, event.campaign_id, event.region)
        on = effective_on
        return Lead(Status.CAPTURED, source, FirstResponse(event.response_due_at), on, on, on, on)
    if state is None:
        raise BrokenStream(noun="lead", event=event.type)
    match event:  # the most frequent ones first: each that does not fit costs some time
        case FollowUpScheduled() | FollowUpCompleted() | FollowUpMissed():
            return replace(state, follow_ups=follow_up.evolve(state.follow_ups, event, effective_on))
        case LeadAccepted():
            since = max(state.status_on, effective_on)
            return replace(state, status=Status.ACCEPTED, status_on=since, owner_on=since)
        case LeadRejected():
            return replace(state, status=Status.REJECTED)
        case LeadDetailRecorded() | LeadScored():
            return state
        case TemperatureChanged():
            return replace(state, temperature=event.temperature, temperature_on=max(state.temperature_on, effective_on))
        case LeadAssigned():
            return replace(state, owner=event.owner, owner_on=max(state.owner_on, effective_on))
        case FirstResponseRecorded() | ResponseBreached():
            return replace(state, response=first_response.evolve(state.response, event))
        case LeadQualified():
            return replace(state, status=Status.QUALIFIED, status_on=max(state.status_on, effective_on))
        case LeadConverted():
            return replace(state, status=Status.CONVERTED, opportunity_id=event.opportunity_id)
        case LeadDisqualified():
            return replace(state, status=Status.DISQUALIFIED)
        case _:
            assert_never(event)


LEAD = Aggregate("lead", decide, evolve)
