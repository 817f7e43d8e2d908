"""Planned follow-ups of leads, and whether they were done."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import TIMES, times
from ltc_events.schemas.follow_up import FollowUpCompleted, FollowUpMissed, FollowUpScheduled
from ltc_events.schemas.record import Record


class FollowUps(Projection):
    """Follow-ups of leads, one row each (R-18). The times are those of its planning; being missed and being done happen at
    most once, each with its date and position, so a row says what it was by any date and position."""

    table, version, key = "follow_ups", 1, ("lead_id", "follow_up_id")
    columns = {
        "lead_id": column("uuid", "the lead"),
        "follow_up_id": column("uuid", "the follow-up"),
        "position": column("int8", "position of its planning in the log"),
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "due_at": column("timestamptz", "when somebody shall get in touch again"),
        "medium": column("text", "how"),
        "note": column("text", "what about"),
        "owner": column("text", "who owned the lead when it was planned"),
        "missed_position": column("int8", "position of being missed in the log"),
        "missed_on": column("date", "business date of being missed"),
        "done_position": column("int8", "position of being done in the log"),
        "done_on": column("date", "business date of being done"),
        "result": column("text", "what came of it"),
    }
    indexes = (("due_at",),)

    @on(FollowUpScheduled)
    def scheduled(self, event: FollowUpScheduled, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            event.follow_up_id,
            position=record.position,
            **times(record),
            customer_id=record.customer_id,
            due_at=event.due_at,
            medium=event.medium,
            note=event.note,
            owner=event.owner,
        )

    @on(FollowUpMissed)
    def missed(self, event: FollowUpMissed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, event.follow_up_id, missed_position=record.position, missed_on=record.effective_on)

    @on(FollowUpCompleted)
    def done(self, event: FollowUpCompleted, record: Record) -> Iterator[Operation]:
        key = (record.subject, event.follow_up_id)
        yield Put(*key, done_position=record.position, done_on=record.effective_on, result=event.result)
