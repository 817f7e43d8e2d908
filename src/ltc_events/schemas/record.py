"""An event as the store holds it: what happened, with when, where, why and by whom."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from ltc_events.schemas.base import Event


class Record(NamedTuple):
    """One stored event, as it is told today.

    `position` counts all events of the store from 1 without a gap; `version` counts those of one stream likewise.
    `occurred_at` is when it happened, `effective_on` its business date, `recorded_at` when the store learnt of it.
    `part` is 1; where one stored event is told as several today, they have all else in common and it counts them.
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


class RawRecord(NamedTuple):
    """A stored event as its exact bytes (JSON), for those who pass it on; the rest is as in Record."""

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
    """Whose events keep their order among each other: the customer's; of the company's own streams, the stream's."""
    return record.customer_id or record.subject


def routing_key(record: Record | RawRecord) -> bytes:
    """What keeps events in order on Kafka."""
    return str(ordered_with(record)).encode()
