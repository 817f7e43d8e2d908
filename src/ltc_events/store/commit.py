"""The content of one transaction of the ledger."""

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
    """A document that is no command: the bytes received, their source, and the reason.

    `origin`, where there is one, is JSON: the place in the feed, and the key and headers of the message.
    """

    source: str
    raw: bytes
    reason: str
    origin: bytes | None = None


class Reads(NamedTuple):
    """The reads that a batch was decided on, as of the position `since`; it is stored only if nobody has written them since.

    `streams` that were read, and `customers` whose streams were listed and who must have no new one; by the `int` of the UUID.
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
    """Check that each encoded event is small enough to be published.

    Raises OversizedEvent for the first one that is not: later events may have been decided on it.
    """
    if max(map(len, encoded), default=0) > EVENT_BYTES_MAX:
        one, size = next((one, len(data)) for one, data in zip(events, encoded, strict=True) if len(data) > EVENT_BYTES_MAX)
        raise OversizedEvent(command=one.command_id, type=one.event.type, size=size, limit=EVENT_BYTES_MAX)


@dataclass(slots=True)
class Commit:
    """The events, outcomes, dead letters and consumed offsets of a batch, stored together or not at all.

    `first_position` and `last_position` of an outcome count from 1 within `events` (0: none); the store adds the base
    position.
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
