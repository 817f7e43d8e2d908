"""The first response to a lead: when it is due, and whether it came in time (R-17)."""

from datetime import datetime
from typing import NamedTuple, assert_never

from ltc_events.kernel.errors import Refused
from ltc_events.schemas.follow_up import FirstResponseRecorded, RecordFirstResponse, RecordResponseBreach, ResponseBreached


class FirstResponse(NamedTuple):
    """When the first response is due, whether it was given, and whether its breach is recorded."""

    due_at: datetime
    is_given: bool = False
    is_breached: bool = False


class AlreadyResponded(Refused):
    """a first response was recorded before"""

    remedy = "send lead.complete_follow_up.v1 for what came after the first response"


class AlreadyBreached(Refused):
    """the breach of the response time was recorded before"""

    remedy = "send lead.record_first_response.v1 when somebody has answered"


class ResponseNotDue(Refused):
    """the first response is due at {due_at}, which has not passed at {now}"""

    remedy = "send lead.record_response_breach.v1 with a time after {due_at}"


def decide(state: FirstResponse, command: RecordFirstResponse | RecordResponseBreach) -> FirstResponseRecorded | ResponseBreached:
    """Record the response or its absence. Raises AlreadyResponded, AlreadyBreached and ResponseNotDue."""
    if state.is_given:
        raise AlreadyResponded
    match command:
        case RecordFirstResponse():
            return FirstResponseRecorded(by=command.by, medium=command.medium, in_time=command.occurred_at <= state.due_at)
        case RecordResponseBreach():
            if state.is_breached:
                raise AlreadyBreached
            if command.occurred_at <= state.due_at:
                raise ResponseNotDue(due_at=state.due_at.isoformat(), now=command.occurred_at.isoformat())
            return ResponseBreached(due_at=state.due_at)
        case _:
            assert_never(command)


def evolve(state: FirstResponse, event: FirstResponseRecorded | ResponseBreached) -> FirstResponse:
    """The first response after an event."""
    match event:
        case FirstResponseRecorded():
            return state._replace(is_given=True)
        case ResponseBreached():
            return state._replace(is_breached=True)
        case _:
            assert_never(event)
