"""Maps our records to the library's stored events. Topics are stable names, never module paths."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    AggregateRecorder,
    EventStore,
    JSONTranscoder,
    Mapper,
    MapperDeserialisationError,
    Notification,
    StoredEvent,
)

from ltc_events.schemas.decimal_json import dump
from ltc_events.schemas.record import Record
from ltc_events.store.decoding import decode
from ltc_events.store.errors import UnreadableEvent

_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class LedgerEvent(Notification):
    """A stored event of the library with the ledger's additional columns; `id` is its position (0: not stored yet)."""

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
        """Wrap an event that our mapper did not make: without a customer and without a command."""
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
    """The library's mapper for our records."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID] | Record) -> StoredEvent:
        """A record as a stored event; the topic is the event's stable name."""
        if not isinstance(domain_event, Record):
            raise TypeError(f"the ledger stores records, not {type(domain_event).__name__}")
        if domain_event.part > 1:
            raise ValueError("a part of a stored event cannot be stored again")
        position, subject, version, event, customer_id, occurred_at, effective_on, recorded_at, *causes, _ = domain_event
        facts: Any = (position, recorded_at, customer_id, occurred_at, effective_on, *causes)
        return LedgerEvent(subject, version, event.type, dump(event), *facts)

    def to_records(self, stored_event: StoredEvent) -> list[Record]:
        """The records of a stored event after upcasting; raises MapperDeserialisationError."""
        one = LedgerEvent.around(stored_event, datetime.now(UTC))
        try:
            events = decode(one.topic, one.state, one.id)
        except UnreadableEvent as error:
            raise MapperDeserialisationError(f"{error.message}; {error.fix}") from error
        return [
            Record(
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
                part,
            )
            for part, event in enumerate(events, 1)
        ]

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The record of a stored event; raises MapperDeserialisationError, also for an event that is upcast to several."""
        records = self.to_records(stored_event)
        if len(records) > 1:
            raise MapperDeserialisationError(f"{stored_event.topic} is told as {len(records)} events today: use to_records")
        return records[0]


class LedgerStream(EventStore[UUID]):
    """The library's event store, extended so that one stored event may be upcast to several."""

    def __init__(self, mapper: LedgerMapper, recorder: AggregateRecorder) -> None:
        super().__init__(mapper, recorder)
        self._to_records = mapper.to_records

    def get(self, originator_id: UUID, **bounds: Any) -> Iterator[Any]:
        """The records of a stream within the versions and limit that the library asks for."""
        for stored in self.recorder.select_events(originator_id, **bounds):
            records = self._to_records(stored)
            yield from reversed(records) if bounds.get("desc") else records
