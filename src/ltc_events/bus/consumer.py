"""Consumes a topic as a member of a consumer group, with offsets kept outside Kafka."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple, Self

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from ltc_events.bus import records
from ltc_events.bus.connection_check import CONNECT_TIMEOUT_MS, reach, trouble
from ltc_events.bus.headers import Wire
from ltc_events.bus.topic_creation import absent
from ltc_events.bus.topics import MESSAGE_BYTES_MAX, RECONNECT_MAX_MS, Bus, Topic
from ltc_events.kernel.errors import Kind, LtcError

records.install()

SESSION_TIMEOUT_MS = 10_000
CLOSE_TIMEOUT_MS = 3_000
# As long as workers wait for messages: nobody stops any later for it.
JOINING_MS = 500
Assigned = Callable[[list[int]], Mapping[int, int]]
"""Given the partitions that are ours now, the offset at which to begin each."""


class FeedReplaced(LtcError):
    """{topic} partition {partition} ends at {end}, but was read up to {offset} before: it is another topic of that name"""

    kind = Kind.DEFECT
    remedy = "find out who made the topic anew; if that was meant, remove the rows of {topic} from ltc.offsets"


class FeedExpired(LtcError):
    """{topic} partition {partition} begins at {begin} by now, and was read up to {offset}: what lay between expired unread"""

    kind = Kind.DEFECT
    remedy = "raise the topic's retention, and see what is lost: `ltc expired`"


class Polled(NamedTuple):
    """A message as received."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Wire


class PartitionConsumer:
    """One member of a consumer group on one topic. Not to be shared by threads.

    Offsets committed to Kafka are not used: whenever the assignment changes, `poll` calls `assigned`, in its own thread, for the
    offsets to begin at.
    """

    def __init__(
        self,
        bus: Bus,
        topic: Topic,
        group: str,
        *,
        assigned: Assigned,
        batch_max: int = 500,
        session_timeout_ms: int = SESSION_TIMEOUT_MS,
    ) -> None:
        """Join the group `prefix.group`. Raises BusUnreachable, TopicMissing."""
        self.topic = bus.topic(topic)
        self._bus = bus
        self._assigned = assigned
        reach(bus)
        try:
            self._consumer = KafkaConsumer(
                **bus.client_settings(),
                bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
                reconnect_backoff_max_ms=RECONNECT_MAX_MS,
                group_id=f"{bus.prefix}.{group}",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_records=batch_max,
                max_partition_fetch_bytes=MESSAGE_BYTES_MAX,
                session_timeout_ms=session_timeout_ms,
                heartbeat_interval_ms=session_timeout_ms // 4,
                allow_auto_create_topics=False,
            )
        except KafkaError as error:
            raise trouble(bus, error, topic=self.topic) from error
        self._notes = _Notes()
        self._next: dict[int, int] = {}
        """By partition the offset of the message that comes next."""
        try:
            # In this order: what is known of the topic counts from the first joining on, which else is followed by a second.
            self._consumer.subscribe([self.topic], listener=self._notes)
            self.partitions = len(self._consumer.partitions_for_topic(self.topic) or ())
        except KafkaError as error:
            self.close()
            raise trouble(bus, error, topic=self.topic) from error
        if not self.partitions:
            self.close()
            raise absent(bus, self.topic)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def poll(self, timeout_s: float) -> list[Polled]:
        """The next messages, in order per partition; waits at most `timeout_s`, and a little longer while the group forms.

        Raises FeedReplaced, FeedExpired, BusUnreachable.
        """
        try:
            self._finish_joining()
            polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        except KafkaError as error:
            raise trouble(self._bus, error, topic=self.topic) from error
        if self._notes.take():
            # What came of a partition before it was told where to begin came from anywhere.
            self.rewind()
            return []
        for place, messages in polled.items():
            self._follow(place.partition, [one.offset for one in messages])
        return [
            Polled(one.partition, one.offset, one.key, one.value, one.headers) for messages in polled.values() for one in messages
        ]

    def rewind(self) -> None:
        """Call `assigned` again and seek to its offsets. Raises FeedReplaced."""
        begins = self._assigned(sorted(self._notes.owned))
        self._check(begins)
        self._next = dict(begins)
        for partition, offset in begins.items():
            with suppress(ValueError):  # no longer ours, of which we shall be told
                self._consumer.seek(TopicPartition(self.topic, partition), offset)

    def reached(self, partition: int) -> int | None:
        """The offset up to which `poll` has returned everything of a partition; None: it is not assigned, or not begun."""
        place = TopicPartition(self.topic, partition)
        if partition not in self._notes.owned or place not in self._consumer.assignment():
            return None
        reached = self._consumer.position(place, timeout_ms=0)
        return None if reached is None else int(reached)

    def beginnings(self, partitions: Iterable[int]) -> dict[int, int]:
        """The first available offset, by partition. Raises BusUnreachable."""
        try:
            places = [TopicPartition(self.topic, partition) for partition in partitions]
            found = self._consumer.beginning_offsets(places, timeout_ms=CONNECT_TIMEOUT_MS)
        except KafkaError as error:
            raise trouble(self._bus, error, topic=self.topic) from error
        return {place.partition: int(begin) for place, begin in found.items()}

    def partitions_now(self) -> int:
        """The present number of partitions of the topic, asked of the broker. Raises BusUnreachable."""
        try:
            self._consumer.topics()
            return len(self._consumer.partitions_for_topic(self.topic) or ())
        except KafkaError as error:
            raise trouble(self._bus, error, topic=self.topic) from error

    def ends(self, partitions: Iterable[int] | None = None) -> dict[int, int]:
        """The present end offsets of the given partitions, by default of all of the topic. Raises BusUnreachable."""
        try:
            wanted = sorted(self._consumer.partitions_for_topic(self.topic) or ()) if partitions is None else partitions
            places = [TopicPartition(self.topic, partition) for partition in wanted]
            found = self._consumer.end_offsets(places, timeout_ms=CONNECT_TIMEOUT_MS)
        except KafkaError as error:
            raise trouble(self._bus, error, topic=self.topic) from error
        return {place.partition: int(end) for place, end in found.items()}

    def hint(self, offsets: Mapping[int, int]) -> None:
        """Commit offsets to Kafka for lag monitoring alone; they are never read back."""
        self._consumer.commit_async(
            {TopicPartition(self.topic, partition): OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()}
        )

    def close(self) -> None:
        """Leave the group."""
        with suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=CLOSE_TIMEOUT_MS)

    def _finish_joining(self) -> None:
        """Let the client complete a join that outlasted a poll.

        A group leader that rejoins because the topic changed no longer needs to rejoin when the answer comes: kafka-python
        3.0.12 then never takes its assignment and reads nothing ever again (the Java client had this as KAFKA-9815). It also
        discards an answer that comes between two polls and joins again, so that a consumer with short polls may never join. So
        the answer is waited for here.
        """
        coordinator = self._consumer._coordinator  # noqa: SLF001
        if coordinator.rejoining:
            coordinator.request_rejoin()
            coordinator.poll(timeout_ms=JOINING_MS)

    def _follow(self, partition: int, offsets: list[int]) -> None:
        """Check that no message is missing before or between these offsets: where an offset has expired, the client silently
        continues at the beginning. Offsets of control records, such as the end of a transaction, may be missing."""
        expected = self._next.get(partition)
        if expected is not None and offsets[-1] - expected + 1 != len(offsets):
            missing = next(at for at, offset in enumerate(offsets, expected) if at != offset)
            begin = self.beginnings([partition])[partition]
            if begin > missing:
                raise FeedExpired(topic=self.topic, partition=partition, begin=begin, offset=missing)
        self._next[partition] = offsets[-1] + 1

    def _check(self, begins: Mapping[int, int]) -> None:
        for partition, end in self.ends(begins).items():
            if begins[partition] > end:
                raise FeedReplaced(topic=self.topic, partition=partition, end=end, offset=begins[partition])


class _Notes(ConsumerRebalanceListener):  # type: ignore[misc]
    """The assigned partitions. The client calls this listener from its own thread at any moment, so it only records them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owned: frozenset[int] = frozenset()
        self._changed = False

    @property
    def owned(self) -> frozenset[int]:
        """The assigned partitions."""
        return self._owned

    def take(self) -> bool:
        """Whether they have changed since the last call."""
        with self._lock:
            changed, self._changed = self._changed, False
            return changed

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._change(self._owned | {one.partition for one in assigned})

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._change(self._owned - {one.partition for one in revoked})

    def _change(self, owned: frozenset[int]) -> None:
        with self._lock:
            self._owned = owned
            self._changed = True

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self.on_partitions_revoked(lost)
