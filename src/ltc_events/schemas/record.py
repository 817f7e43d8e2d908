"""An event as the store holds it: its data with times, position, cause and actor."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.kernel.time_zones import utc_text
from ltc_events.schemas.base import WIRE_PREFIX, Event
from ltc_events.schemas.decimal_json import values


class Record(NamedTuple):
    """One stored event in its current form, after upcasting.

    `position` counts all events of the store from 1 without a gap; `version` counts those of one stream likewise.
    `occurred_at` is when it happened, `effective_on` its business date, `recorded_at` when the store recorded it.
    `part` is 1; where an upcaster splits one stored event into several, it numbers them, and all else is equal.
    """

    position: int
    subject: UUID
    version: int
    event: Event
    customer_id: UUID | None
    occurred_at: datetime
    effective_on: date
    recorded_at: datetime
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID
    actor: str
    part: int = 1

    def document(self) -> dict[str, Any]:
        """The event as JSON, with the names of the wire: amounts as text, dates ISO 8601, times in UTC."""
        return {
            "position": self.position,
            "type": f"{WIRE_PREFIX}{self.event.type}",
            "subject": str(self.subject),
            "version": self.version,
            "part": self.part,
            "customer_id": None if self.customer_id is None else str(self.customer_id),
            "occurred_at": utc_text(self.occurred_at),
            "effective_on": self.effective_on.isoformat(),
            "recorded_at": utc_text(self.recorded_at),
            "command_id": str(self.command_id),
            "correlation_id": str(self.correlation_id),
            "causation_id": str(self.causation_id),
            "actor": self.actor,
            "data": values(self.event, exclude_none=True),
        }


class RawRecord(NamedTuple):
    """A stored event with its exact bytes (JSON), for publishing; the other fields are as in Record."""

    position: int
    subject: UUID
    version: int
    type: str
    data: bytes
    customer_id: UUID | None
    occurred_at: datetime
    effective_on: date
    recorded_at: datetime
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID
    actor: str


def ordered_with(record: Record | RawRecord) -> UUID:
    """The id within which events are totally ordered: the customer; for the company's own streams, the stream."""
    return record.customer_id or record.subject


def routing_key(record: Record | RawRecord) -> bytes:
    """The Kafka key, which keeps the events of one customer (or company stream) in order."""
    return str(ordered_with(record)).encode()
