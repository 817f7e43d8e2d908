"""Everything that happened, readable: one row per event."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, STEPPED, stepped
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.schemas.registry import EVENTS
from ltc_events.schemas.summary_text import summarise


class Timeline(Projection):
    """Everything that happened, in words: one row per event of the log as it is told today, never changed (R-24, R-25).
    Because it has them all, it also says when each position was recorded, which is how `--known-at` with a time finds its
    position."""

    table, version, key = "timeline", 3, ("position", "part")
    append_only = True
    columns = {
        **POSITION,
        "part": column("int4", "1; where one stored event is told as several today, which of them"),
        **STEPPED,
        "customer_id": column("uuid", "the customer; null for what belongs to the company"),
        "subject": column("uuid", "the lead, quote, invoice … that it happened to"),
        "type": column("text", "what happened, by its stable name"),
        "summary": column("text", "what happened, in a few words"),
        "actor": column("text", "who did it"),
    }
    indexes = (("customer_id", "position"),)

    @on(*EVENTS.values())
    def happened(self, event: Event, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            record.part,
            **stepped(record),
            customer_id=record.customer_id,
            subject=record.subject,
            type=event.type,
            summary=summarise(event),
            actor=record.actor,
        )
