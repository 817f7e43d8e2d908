"""Follow-ups of a lead (R-18)."""

from datetime import UTC, datetime, timedelta, timezone

from tests.unit.selling_examples import captured
from tests.unit.specification import given

from ltc_events.aggregates.base import DoesNotExist
from ltc_events.aggregates.follow_up import (
    FOLLOW_UPS_MAX,
    FollowUpClosed,
    FollowUpExists,
    FollowUpNotDue,
    FollowUpNotScheduled,
    TooManyFollowUps,
)
from ltc_events.aggregates.lead import LeadClosed
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.follow_up import (
    CompleteFollowUp,
    FollowUpCompleted,
    FollowUpMissed,
    FollowUpScheduled,
    MissFollowUp,
    ScheduleFollowUp,
)
from ltc_events.schemas.lead import LeadAccepted, LeadAssigned, LeadDisqualified

CALL = derive_id("test", "call")
OTHER = derive_id("test", "another call")
DUE = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
LATE = DUE + timedelta(seconds=1)
SCHEDULE = ScheduleFollowUp(follow_up_id=CALL, due_at=DUE, medium="phone", note="ask for the plan")
SCHEDULED = FollowUpScheduled(follow_up_id=CALL, due_at=DUE, medium="phone", note="ask for the plan")
COMPLETE = CompleteFollowUp(follow_up_id=CALL, result="sent the plan")
DONE = FollowUpCompleted(follow_up_id=CALL, result="sent the plan")
MISS = MissFollowUp(follow_up_id=CALL)
MISSED = FollowUpMissed(follow_up_id=CALL)


def test_a_follow_up_is_scheduled_for_the_leads_owner() -> None:
    given(captured()).when(SCHEDULE).then(SCHEDULED)
    sam = LeadAssigned(owner="Sam", rule="manual", rule_version=0)
    given(captured(), LeadAccepted(), sam).when(SCHEDULE).then(SCHEDULED.model_copy(update={"owner": "Sam"}))


def test_the_due_time_is_recorded_in_utc() -> None:
    berlin = datetime(2026, 3, 9, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    event = given(captured()).when(SCHEDULE.model_copy(update={"due_at": berlin})).events[0]
    assert (event.due_at, event.due_at.tzinfo) == (DUE, UTC)


def test_a_follow_up_is_scheduled_once() -> None:
    given(captured(), SCHEDULED).when(SCHEDULE).then(FollowUpExists, field="follow_up_id", message=str(CALL))
    given(captured(), SCHEDULED, DONE).when(SCHEDULE).then(FollowUpExists)


def test_follow_ups_are_limited() -> None:
    ids = [derive_id("follow-up", str(number)) for number in range(FOLLOW_UPS_MAX)]
    many = [SCHEDULED.model_copy(update={"follow_up_id": id}) for id in ids]
    given(captured(), *many).when(SCHEDULE).then(TooManyFollowUps, field="follow_up_id")


def test_a_follow_up_is_done_once() -> None:
    given(captured(), SCHEDULED).when(COMPLETE).then(DONE)
    given(captured(), SCHEDULED, DONE).when(COMPLETE).then(FollowUpClosed, message="done")


def test_a_follow_up_is_missed_once_and_only_after_it_was_due() -> None:
    given(captured(), SCHEDULED).when(MISS, now=LATE).then(MISSED)
    given(captured(), SCHEDULED).when(MISS, now=DUE).then(FollowUpNotDue, message=DUE.isoformat())
    given(captured(), SCHEDULED, MISSED).when(MISS, now=LATE).then(FollowUpClosed, message="missed")
    given(captured(), SCHEDULED, DONE).when(MISS, now=LATE).then(FollowUpClosed, message="done")


def test_a_missed_follow_up_can_still_be_done() -> None:
    given(captured(), SCHEDULED, MISSED).when(COMPLETE).then(DONE)


def test_a_follow_up_that_was_never_scheduled_is_refused_with_those_that_are_open() -> None:
    given(captured(), SCHEDULED).when(CompleteFollowUp(follow_up_id=OTHER)).then(
        FollowUpNotScheduled, field="follow_up_id", message=str(OTHER), fix=str(CALL)
    )
    given(captured()).when(MISS).then(FollowUpNotScheduled, fix="(none is open)")


def test_a_closed_lead_has_no_follow_ups_any_more() -> None:
    for command in (SCHEDULE, COMPLETE, MISS):
        given(captured(), SCHEDULED, LeadDisqualified(reason="r")).when(command).then(LeadClosed)


def test_follow_ups_of_an_unknown_lead_say_what_comes_first() -> None:
    for command in (SCHEDULE, COMPLETE, MISS):
        given().when(command).then(DoesNotExist, fix="lead.capture.v1")
