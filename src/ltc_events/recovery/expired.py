"""Commands that Kafka has acknowledged and dropped before they were taken: who goes on without them does so by a word that is
kept."""

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
    """Messages of a partition that are no longer there and were never taken: from the first, up to the next that is there."""

    partition: int
    first: int
    next: int

    @property
    def messages(self) -> int:
        """How many these are."""
        return self.next - self.first

    def document(self) -> dict[str, int]:
        """The partition, its first and last offset that are lost, and how many messages."""
        return {"partition": self.partition, "first": self.first, "last": self.next - 1, "messages": self.messages}


def expired_of(taken: Mapping[int, int], beginnings: Mapping[int, int]) -> list[Expired]:
    """By partition: up to where it is taken, and the first message that there still is."""
    return [
        Expired(partition, taken[partition], first)
        for partition, first in sorted(beginnings.items())
        if first > taken.get(partition, first)
    ]


def expired_error(topic: str, expired: Sequence[Expired]) -> CommandsExpired:
    """What to say of them."""
    ranges = ", ".join(f"partition {one.partition} offsets {one.first} to {one.next - 1}" for one in expired)
    return CommandsExpired(topic=topic, count=sum(one.messages for one in expired), ranges=ranges)


def find_expired(bus: Bus, store: EventStore, offset_reader: OffsetReader) -> list[Expired]:
    """Commands that are lost by now. Raises BusUnreachable, TopicMissing."""
    topic = bus.topic(COMMANDS)
    beginnings = offset_reader.beginnings(topic)
    offsets = store.offsets(topic)
    return expired_of({number: offsets.get((topic, number), 0) for number in beginnings}, beginnings)


def go_on_without(database: Database, bus: Bus, *, by: str, reason: str) -> list[Expired]:
    """Let the command workers go on behind what is lost, and keep who said so, when and why; what that was.

    As the owner of the ledger. Raises OffsetMoved where a worker has gone on meanwhile.
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
