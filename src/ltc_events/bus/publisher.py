"""Reliable publishing: messages acknowledged by all replicas, in order, without duplicates from retries."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from typing import Any, Self

from kafka.errors import AuthorizationError, KafkaError

from ltc_events.bus.connection_check import trouble
from ltc_events.bus.producer_connection import ProducerConnection
from ltc_events.bus.records import SEQUENCES, Batch, Outgoing, packed, sealed
from ltc_events.bus.topics import MESSAGE_BYTES_MAX, Bus
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.kernel.partitioning import partition_of

PATIENCE_S = 30.0
# Whoever is told to stop waits so long for what it has sent.
FAREWELL_S = 3.0
LOOK_UP_S = 0.5
BATCH_BYTES = 512 * 1024


class NotPublished(LtcError):
    """Kafka did not take all of {count} messages for {topic}: {reason}"""

    kind = Kind.UNAVAILABLE
    remedy = "they are sent again when the broker is back; nothing is lost. If it is there, see what `ltc doctor` says"


class MessageTooLarge(LtcError):
    """a message for {topic} has {size} bytes on the wire, and {limit} are allowed: nothing of its page was sent"""

    remedy = "divide what is in it into several messages"


class _Page:
    """Messages in flight."""

    def __init__(self, topic: str, count: int, future: Any) -> None:
        self.topic, self.count, self.future = topic, count, future
        self.done = threading.Event()
        future.add_both(lambda _: self.done.set())


class Publisher:
    """An idempotent producer of pages. Not thread-safe; unusable after it has raised one of its errors.

    Abandoning a single message would leave a gap before those that follow it. So either a whole page is acknowledged, or the
    publisher as a whole fails; what it has sent is then a prefix of what it was given, on each partition.
    """

    def __init__(self, bus: Bus, *, stopping: Callable[[], bool] = lambda: False) -> None:
        """Raises BusUnreachable. While `stopping` returns true, publishing does not wait for an unreachable broker."""
        self._stopping = stopping
        self._link = ProducerConnection(bus)
        self._partitions: dict[str, int] = {}
        self._sequences: dict[tuple[str, int], int] = {}
        self._keyless = 0
        self._under_way: _Page | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, topic: str, messages: Iterable[Outgoing]) -> int:
        """Send messages and wait until all are acknowledged; how many. Raises NotPublished, TopicReplaced."""
        given = list(messages)
        self.send(topic, given)
        self.settle()
        return len(given)

    @property
    def bus(self) -> Bus:
        """The bus that it publishes to."""
        return self._link.bus

    def publish_everywhere(self, topic: str, message: Outgoing) -> None:
        """Send a message without a key to each partition, and wait until all are acknowledged. Raises as `publish`."""
        try:
            count = self._count(topic)
        except KafkaError as error:
            raise self._trouble(topic, 1, error) from error
        self.publish(topic, [message] * count)  # those without a key take turns

    def send(self, topic: str, messages: Iterable[Outgoing], *, before_send: Callable[[], object] = lambda: None) -> None:
        """Send messages in the background; first wait until those of the last `send` are acknowledged.

        `before_send` is called right before the first byte is sent; if it raises, nothing is sent. Raises NotPublished and
        TopicReplaced, or MessageTooLarge before anything is sent.
        """
        given = list(messages)
        if not given:
            return
        try:
            count = self._count(topic)
            rounds = self._packed(topic, given, count)
            self.settle()
            before_send()
            self._under_way = _Page(topic, len(given), self._link.begin(topic, rounds))
        except KafkaError as error:
            raise self._trouble(topic, len(given), error) from error

    def settle(self) -> None:
        """Wait until all that was sent is acknowledged. Raises NotPublished, TopicReplaced."""
        page, begun = self._under_way, time.monotonic()
        if page is None:
            return
        while not page.done.wait(LOOK_UP_S):
            if time.monotonic() - begun > (FAREWELL_S if self._stopping() else PATIENCE_S):
                raise NotPublished(count=page.count, topic=page.topic, reason="no acknowledgement in time")
        error = page.future.exception
        if isinstance(error, LtcError):
            raise error
        if error is not None:
            raise self._trouble(page.topic, page.count, error) from error
        self._under_way = None  # only now: whoever asks again after a failure must not hear that all is well

    def close(self) -> None:
        """Close the connections and abandon unacknowledged messages."""
        self._link.close()

    def ends(self, topic: str) -> dict[int, int]:
        """By partition, the offset that the next message will have. Raises NotPublished."""
        try:
            return self._link.ends(topic)
        except KafkaError as error:
            raise self._trouble(topic, 0, error) from error

    def _trouble(self, topic: str, count: int, error: BaseException) -> LtcError:
        if isinstance(error, AuthorizationError):
            return trouble(self.bus, error, topic=topic)
        return NotPublished(count=count, topic=topic, reason=str(error) or type(error).__name__)

    def watch(self, topic: str, ends: Mapping[int, int]) -> None:
        """From now on track what other producers write to a topic after these end offsets, by partition."""
        self._link.watch(topic, ends)

    def others(self, topic: str, ends: Mapping[int, int] | None = None) -> dict[int, tuple[int, int]]:
        """Where other producers wrote since `watch` or `forget_others`: half-open ranges of offsets, by partition.

        Known up to our last message, or up to `ends` where given. Nothing may be in flight.
        """
        return self._link.others(topic, ends or {})

    def forget_others(self, topic: str) -> None:
        """Forget the ranges returned by `others`."""
        self._link.forget_others(topic)

    def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            self._partitions[topic] = self._link.partitions(topic)
        return self._partitions[topic]

    def _packed(self, topic: str, messages: list[Outgoing], partitions: int) -> list[list[Batch]]:
        """Batches in rounds of at most one per partition."""
        by_partition: dict[int, list[Batch]] = {}
        records: dict[int, list[bytes]] = {}
        sizes: dict[int, int] = {}
        for message in messages:
            key = message[0]
            partition = self._anywhere(partitions) if key is None else partition_of(key, partitions)
            here = records.setdefault(partition, [])
            record = packed(message, len(here))
            if here and sizes[partition] + len(record) > BATCH_BYTES:
                self._seal(topic, partition, here, by_partition)
                here = records[partition] = []
                record = packed(message, 0)
            sizes[partition] = len(record) + (sizes[partition] if here else 0)
            here.append(record)
        for partition, packed_records in records.items():
            self._seal(topic, partition, packed_records, by_partition)
        return [[one for one in batches if one is not None] for batches in zip_longest(*by_partition.values())]

    def _seal(self, topic: str, partition: int, records: list[bytes], into: dict[int, list[Batch]]) -> None:
        place = (topic, partition)
        sequence = self._sequences.get(place, 0)
        batch = sealed(partition, records, self._link.producer, sequence)
        if len(batch.data) > MESSAGE_BYTES_MAX:  # one message: those with others end far below
            raise MessageTooLarge(topic=topic, size=len(batch.data), limit=MESSAGE_BYTES_MAX)
        self._sequences[place] = (sequence + len(records)) % SEQUENCES
        into.setdefault(partition, []).append(batch)

    def _anywhere(self, partitions: int) -> int:
        self._keyless += 1
        return self._keyless % partitions
