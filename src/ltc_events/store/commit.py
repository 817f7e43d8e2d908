"""What one transaction of the ledger brings in."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from ltc_events.schemas.base import Event
from ltc_events.schemas.limits import EVENT_BYTES_MAX
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.tracing import Trace
from ltc_events.store.errors import OversizedEvent


class NewEvent(NamedTuple):
    """An event to be stored: version `version` (from 1) of the stream `subject`."""

    subject: UUID
    version: int
    event: Event
    customer_id: UUID | None
    occurred_at: datetime
    effective_on: date
    command_id: UUID
    correlation_id: UUID
    causation_id: UUID
    actor: str


class Offset(NamedTuple):
    """One partition of a feed was consumed from `expected` to `next` (both are the offset to be read next)."""

    feed: str
    partition: int
    expected: int
    next: int


class DeadLetter(NamedTuple):
    """What came in and is no command: the bytes as they came, where from, and what is wrong with them.

    `origin`, where there is more to say than the source: the place in its feed and what came beside the bytes, as JSON.
    """

    source: str
    raw: bytes
    reason: str
    origin: bytes | None = None


class Reads(NamedTuple):
    """What a batch was decided on without writing it, true up to the position `since`: nobody else may have written it since.

    `streams`, and for the `customers` whose streams were listed that they have no new one. Both as the `int` of the UUID.
    """

    since: int
    streams: Collection[int]
    customers: Collection[int] = ()


class StoredTrace(NamedTuple):
    """The trace to which events belong: those from `first_position` to `last_position`."""

    first_position: int
    last_position: int
    trace: Trace


# Up to here one statement with a parameter for each value is quicker than COPY with its two more round trips.
LONE_EVENTS_MAX = 8


def require_sizes(events: Sequence[NewEvent], encoded: Sequence[bytes]) -> None:
    """See that each event, as it is encoded, is no larger than what can be sent to others.

    Raises OversizedEvent for the first one alone: those behind it may have been decided on it.
    """
    if max(map(len, encoded), default=0) > EVENT_BYTES_MAX:
        one, size = next((one, len(data)) for one, data in zip(events, encoded, strict=True) if len(data) > EVENT_BYTES_MAX)
        raise OversizedEvent(command=one.command_id, type=one.event.type, size=size, limit=EVENT_BYTES_MAX)


@dataclass(slots=True)
class Commit:
    """All that a batch of commands brings in, and how far its feed is consumed by it: stored together or not at all.

    `first_position` and `last_position` of an outcome count from 1 within `events` (0: none); the store adds what
    positions begin at.
    """

    events: list[NewEvent] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    offsets: list[Offset] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    traces: list[StoredTrace] = field(default_factory=list)
    """Of commands that came with one; positions count as those of outcomes do."""
    expected: int | None = None
    """Store it only if this is still the last position of the log. For lone commands alone."""
    reads: Reads | None = None
    """Store it only if these are still true; needless where `expected` is given."""

    @property
    def is_lone(self) -> bool:
        """Whether it is one command with few events and nothing else."""
        is_one = len(self.outcomes) == 1 and len(self.events) <= LONE_EVENTS_MAX
        return is_one and not (self.offsets or self.dead_letters or self.traces)
