"""Commands that expired on Kafka before they were processed, and the recorded decision to continue without them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ltc_events.bootstrap.services import open_store
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topics import COMMANDS, Bus
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.store import Database, EventStore, Offset, Role
from ltc_events.store.restoration import pass_expired


class CommandsExpired(LtcError):
    """{topic} has dropped {count} messages that were never taken: {ranges}"""

    kind = Kind.DEFECT
    remedy = (
        "they are lost: ask their senders for what they sent and got no answer to, and raise retention.ms and retention.bytes of "
        '{topic}. `ltc expired` shows them; `ltc expired --yes --reason "…"` lets the command workers go on without them'
    )


class Expired(NamedTuple):
    """Expired messages of a partition: from the first unprocessed offset up to the first available one."""

    partition: int
    first: int
    next: int

    @property
    def messages(self) -> int:
        """Their number."""
        return self.next - self.first

    def document(self) -> dict[str, int]:
        """The partition, the first and last lost offset, and the number of messages, as JSON-ready values."""
        return {"partition": self.partition, "first": self.first, "last": self.next - 1, "messages": self.messages}


def expired_of(taken: Mapping[int, int], beginnings: Mapping[int, int]) -> list[Expired]:
    """The expired messages per partition, from the processed and the first available offsets."""
    return [
        Expired(partition, taken[partition], first)
        for partition, first in sorted(beginnings.items())
        if first > taken.get(partition, first)
    ]


def expired_error(topic: str, expired: Sequence[Expired]) -> CommandsExpired:
    """The error that names them."""
    ranges = ", ".join(f"partition {one.partition} offsets {one.first} to {one.next - 1}" for one in expired)
    return CommandsExpired(topic=topic, count=sum(one.messages for one in expired), ranges=ranges)


def find_expired(bus: Bus, store: EventStore, offset_reader: OffsetReader) -> list[Expired]:
    """Find expired commands. Raises BusUnreachable, TopicMissing."""
    topic = bus.topic(COMMANDS)
    beginnings = offset_reader.beginnings(topic)
    offsets = store.offsets(topic)
    return expired_of({number: offsets.get((topic, number), 0) for number in beginnings}, beginnings)


def go_on_without(database: Database, bus: Bus, *, by: str, reason: str) -> list[Expired]:
    """Move the command workers' offsets past expired messages, and record who decided so, when and why; returns them.

    In the owner's role. Raises OffsetMoved where a worker has advanced meanwhile.
    """
    topic = bus.topic(COMMANDS)
    with open_store(database, Role.WRITER) as store, OffsetReader(bus) as offset_reader:
        expired = find_expired(bus, store, offset_reader)
        offsets = store.offsets(f"{topic}/answers")
    with database.connect(Role.OWNER) as connection:
        for partition, first, following in expired:
            answered = offsets.get((f"{topic}/answers", partition), 0)
            moves = [Offset(topic, partition, first, following)]
            if answered < following:
                moves.append(Offset(f"{topic}/answers", partition, answered, following))
            pass_expired(connection, moves, by=by, reason=reason)
    return expired
