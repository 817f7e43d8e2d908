"""Queries of the event log: one event in full, and one aggregate's events with the changes of each."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from ltc_events.application.state_history import Changes, states
from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.record import RawRecord, Record
from ltc_events.store import EventStore


class NoSuchStream(LtcError):
    """no event has the subject {id}"""

    remedy = "`ltc events tail` shows subjects"


class NoSuchPosition(LtcError):
    """there is no event at position {position}; the last one is {head}"""

    remedy = "give a position between 1 and {head}"


class Step(NamedTuple):
    """An event of an aggregate, and its changes to the aggregate's state."""

    record: Record
    changes: Changes

    def document(self) -> dict[str, Any]:
        """The event as `Record.document`, with `changes`: the value before and after, by path in the state."""
        return {**self.record.document(), "changes": self.changes}


class StoredEvent(NamedTuple):
    """An event as this release reads it (several, where an older one was split), and as it is stored."""

    told: Sequence[Record]
    raw: RawRecord
    principal: str | None
    """Who sent its command, as he was authenticated; None: nobody was, or it was stored before this was kept."""

    def document(self) -> dict[str, Any]:
        """The event as `Record.document`, with its `principal`; of one stored as another type also `more_parts`, `stored`."""
        documents = [{**record.document(), "principal": self.principal} for record in self.told]
        as_stored = {"type": f"{WIRE_PREFIX}{self.raw.type}", "data": orjson.loads(self.raw.data)}
        if [one["type"] for one in documents] == [as_stored["type"]]:
            return documents[0]
        return {**documents[0], "more_parts": documents[1:], "stored": as_stored}


def history(store: EventStore, subject: UUID) -> Iterator[Step]:
    """All events of one aggregate, oldest first. Raises NoSuchStream before the first."""
    records = store.stream(subject)
    if not records:
        raise NoSuchStream(id=subject)
    return (Step(record, changes) for record, changes in states(records))


def event_at(store: EventStore, position: int) -> StoredEvent:
    """The event at a position. Raises NoSuchPosition."""
    stored = store.read_raw(position - 1, 1)
    if not stored:
        raise NoSuchPosition(position=position, head=store.head()[0])
    outcome = store.outcomes([stored[0].command_id]).get(stored[0].command_id)
    return StoredEvent(store.read(position - 1, 1), stored[0], outcome and outcome.principal)
