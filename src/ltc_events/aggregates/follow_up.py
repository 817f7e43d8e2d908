"""Follow-ups of a lead: scheduled, done or missed (R-18). One that was missed can still be done, late."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple, assert_never
from uuid import UUID

from ltc_events.kernel.errors import Refused
from ltc_events.schemas.follow_up import (
    CompleteFollowUp,
    FollowUpCompleted,
    FollowUpMissed,
    FollowUpScheduled,
    MissFollowUp,
    ScheduleFollowUp,
)

FollowUpCommand = ScheduleFollowUp | CompleteFollowUp | MissFollowUp
FollowUpEvent = FollowUpScheduled | FollowUpCompleted | FollowUpMissed
FOLLOW_UPS_MAX = 1000


class Status(StrEnum):
    """The status of a follow-up."""

    SCHEDULED = "scheduled"
    DONE = "done"
    MISSED = "missed"


class FollowUp(NamedTuple):
    """A follow-up: when it is due and what became of it."""

    due_at: datetime
    status: Status = Status.SCHEDULED
    scheduled_on: date = date.min


FollowUps = Mapping[UUID, FollowUp]


class FollowUpExists(Refused):
    """follow-up {follow_up_id} was scheduled before"""

    field = "follow_up_id"
    remedy = "give another follow-up an id of its own"


class TooManyFollowUps(Refused):
    """the lead has {limit} follow-ups, which is the most that one can have"""

    field = "follow_up_id"
    remedy = "decide about the lead: send lead.qualify.v1 or lead.disqualify.v1"


class FollowUpNotScheduled(Refused):
    """follow-up {follow_up_id} was never scheduled"""

    field = "follow_up_id"
    remedy = "send lead.schedule_follow_up.v1 first, or use one of: {known}"


class FollowUpClosed(Refused):
    """follow-up {follow_up_id} is {status} already"""

    field = "follow_up_id"
    remedy = "schedule another follow-up, with an id of its own"


class FollowUpNotDue(Refused):
    """follow-up {follow_up_id} is due at {due_at}, which has not passed at {now}"""

    field = "follow_up_id"
    remedy = "send lead.miss_follow_up.v1 with a time after {due_at}"


def decide(follow_ups: FollowUps, command: FollowUpCommand, owner: str | None) -> FollowUpEvent:
    """Decide a command on a follow-up. `owner` is the lead's owner. Raises Refused."""
    if isinstance(command, ScheduleFollowUp):
        return _schedule(follow_ups, command, owner)
    id = command.follow_up_id
    known = follow_ups.get(id)
    if known is None:
        still_open = [str(other) for other, item in follow_ups.items() if item.status is not Status.DONE]
        raise FollowUpNotScheduled(follow_up_id=id, known=", ".join(still_open[:5]) or "(none is open)")
    if known.status is Status.DONE or (known.status is Status.MISSED and isinstance(command, MissFollowUp)):
        raise FollowUpClosed(follow_up_id=id, status=known.status)
    match command:
        case CompleteFollowUp():
            return FollowUpCompleted(follow_up_id=id, result=command.result)
        case MissFollowUp():
            if command.occurred_at <= known.due_at:
                raise FollowUpNotDue(follow_up_id=id, due_at=known.due_at.isoformat(), now=command.occurred_at.isoformat())
            return FollowUpMissed(follow_up_id=id)
        case _:
            assert_never(command)


def _schedule(follow_ups: FollowUps, command: ScheduleFollowUp, owner: str | None) -> FollowUpScheduled:
    if command.follow_up_id in follow_ups:
        raise FollowUpExists(follow_up_id=command.follow_up_id)
    if len(follow_ups) >= FOLLOW_UPS_MAX:
        raise TooManyFollowUps(limit=FOLLOW_UPS_MAX)
    return FollowUpScheduled(
        follow_up_id=command.follow_up_id,
        due_at=command.due_at.astimezone(UTC),
        medium=command.medium,
        note=command.note,
        owner=owner,
    )


def evolve(follow_ups: FollowUps, event: FollowUpEvent, effective_on: date) -> FollowUps:
    """The lead's follow-ups after an event."""
    id = event.follow_up_id
    match event:
        case FollowUpScheduled():
            return {**follow_ups, id: FollowUp(event.due_at, scheduled_on=effective_on)}
        case FollowUpCompleted():
            known = follow_ups[id]
            return {**follow_ups, id: FollowUp(known.due_at, Status.DONE, known.scheduled_on)}
        case FollowUpMissed():
            known = follow_ups[id]
            return {**follow_ups, id: FollowUp(known.due_at, Status.MISSED, known.scheduled_on)}
        case _:
            assert_never(event)
