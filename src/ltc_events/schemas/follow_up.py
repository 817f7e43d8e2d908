"""First response to a lead and its follow-ups, commands and events of the lead (R-17, R-18)."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from ltc_events.schemas.base import (
    Code,
    Command,
    Id,
    Moment,
    Name,
    OrderedEvent,
    Text,
)
from ltc_events.schemas.summary_text import because, by


class RecordFirstResponse(Command):
    """Record the first response to the lead, at the envelope's time (R-17)."""

    type: ClassVar[str] = "lead.record_first_response.v1"
    by: Name
    medium: Code | None = None


class RecordResponseBreach(Command):
    """Record that the time for a first response passed without one (R-17); sent by a clock."""

    type: ClassVar[str] = "lead.record_response_breach.v1"


class ScheduleFollowUp(Command):
    """Schedule the next contact (R-18)."""

    type: ClassVar[str] = "lead.schedule_follow_up.v1"
    follow_up_id: Id
    due_at: Moment
    medium: Code | None = None
    note: Text | None = None


class CompleteFollowUp(Command):
    """Record that a scheduled follow-up was done."""

    type: ClassVar[str] = "lead.complete_follow_up.v1"
    follow_up_id: Id
    result: Text | None = None


class MissFollowUp(Command):
    """Record that a scheduled follow-up was not done in time; sent by a clock."""

    type: ClassVar[str] = "lead.miss_follow_up.v1"
    follow_up_id: Id


class FirstResponseRecorded(OrderedEvent):
    """The first response to the lead was recorded; `in_time` is whether it met the service level."""

    type: ClassVar[str] = "lead.first_response_recorded.v1"
    by: str
    medium: str | None = None
    in_time: bool

    def in_words(self) -> str:
        return f"first response{by(self.by)}, {'in time' if self.in_time else 'late'}"


class ResponseBreached(OrderedEvent):
    """The time for a first response passed without one."""

    type: ClassVar[str] = "lead.response_sla_breached.v1"
    due_at: datetime

    def in_words(self) -> str:
        return f"no response by {self.due_at:%Y-%m-%d %H:%M}"


class FollowUpScheduled(OrderedEvent):
    """A follow-up was scheduled."""

    type: ClassVar[str] = "lead.follow_up_scheduled.v1"
    follow_up_id: UUID
    due_at: datetime
    medium: str | None = None
    note: str | None = None
    owner: str | None = None

    def in_words(self) -> str:
        return f"follow-up planned for {self.due_at:%Y-%m-%d %H:%M}{because(self.note)}"


class FollowUpCompleted(OrderedEvent):
    """A scheduled follow-up was done."""

    type: ClassVar[str] = "lead.follow_up_completed.v1"
    follow_up_id: UUID
    result: str | None = None

    def in_words(self) -> str:
        return f"follow-up done{because(self.result)}"


class FollowUpMissed(OrderedEvent):
    """A scheduled follow-up was not done in time."""

    type: ClassVar[str] = "lead.follow_up_missed.v1"
    follow_up_id: UUID

    def in_words(self) -> str:
        return "follow-up missed"
