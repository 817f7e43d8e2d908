"""Events to bytes and back, by their stable names. Bytes are decoded exactly once; names never lead to a module path."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, Notification, StoredEvent
from pydantic import ValidationError

from ltc_events.schemas.base import EVENTS, Event
from ltc_events.schemas.record import Record

Decoder = Callable[[bytes], Event]


class Decoders(dict[str, Decoder]):
    """What turns the bytes of an event type into the event, by the type's stable name; KeyError for a foreign name."""

    def __missing__(self, name: str) -> Decoder:
        decoder: Decoder = EVENTS[name].__pydantic_validator__.validate_json
        self[name] = decoder
        return decoder


DECODERS = Decoders()


def encode(event: Event) -> bytes:
    """The exact JSON bytes under which an event is stored."""
    return event.__pydantic_serializer__.to_json(event)


_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class LedgerEvent(Notification):
    """A stored event of the library with what the ledger keeps beside it; `id` is its position (0: not stored yet)."""

    recorded_at: datetime
    customer_id: UUID | None
    occurred_at: datetime
    effective_on: date
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID
    actor: str

    @classmethod
    def around(cls, stored: StoredEvent, now: datetime) -> "LedgerEvent":
        """An event that was not made by our mapper: nobody's, and nobody's command."""
        if isinstance(stored, cls):
            return stored
        return cls(
            stored.originator_id,
            stored.originator_version,
            stored.topic,
            stored.state,
            0,
            now,
            None,
            now,
            now.date(),
            _NOBODY,
            _NOBODY,
            _NOBODY,
            "",
        )


class LedgerMapper(Mapper[UUID]):
    """Between our records and the library's stored events."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID] | Record) -> StoredEvent:
        """A record as a stored event; the topic is the event's stable name."""
        if not isinstance(domain_event, Record):
            raise TypeError(f"the ledger stores records, not {type(domain_event).__name__}")
        position, subject, version, event, customer_id, occurred_at, effective_on, recorded_at, *causes = domain_event
        facts: Any = (position, recorded_at, customer_id, occurred_at, effective_on, *causes)
        return LedgerEvent(subject, version, event.type, encode(event), *facts)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """A record from a stored event; raises MapperDeserialisationError."""
        one = LedgerEvent.around(stored_event, datetime.now(UTC))
        try:
            event = DECODERS[one.topic](one.state)
        except (KeyError, ValidationError) as error:
            raise MapperDeserialisationError(f"{one.topic} at position {one.id}: {error}") from error
        return Record(
            one.id,
            UUID(str(one.originator_id)),
            one.originator_version,
            event,
            one.customer_id,
            one.occurred_at,
            one.effective_on,
            one.recorded_at,
            one.command_id,
            one.correlation_id,
            one.causation_id,
            one.actor,
        )
