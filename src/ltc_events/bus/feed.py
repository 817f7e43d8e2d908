"""Reading a topic as a member of a consumer group, with offsets that are kept elsewhere than in Kafka."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition

Assigned = Callable[[list[int]], Mapping[int, int]]
"""Given partitions just assigned, the offset at which to begin each; a partition without one begins at its start."""
Revoked = Callable[[list[int]], None]


class Polled(NamedTuple):
    """A message as it came."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Feed:
    """One member of a consumer group on one topic. Not to be shared by threads."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        group: str,
        *,
        assigned: Assigned,
        revoked: Revoked,
        batch_max: int = 500,
        session_timeout_ms: int = 10_000,
    ) -> None:
        self._topic = topic
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=batch_max,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 3,
            allow_auto_create_topics=False,
        )
        self._consumer.subscribe([topic], listener=_Listener(self, assigned, revoked))

    def poll(self, timeout_s: float) -> list[Polled]:
        """What came, in the order of each partition; waits at most `timeout_s`."""
        polled = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        return [
            Polled(one.partition, one.offset, one.key, one.value, tuple(one.headers))
            for messages in polled.values()
            for one in messages
        ]

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on reading each partition at its offset."""
        for partition, offset in offsets.items():
            self._consumer.seek(TopicPartition(self._topic, partition), offset)

    def hint(self, offsets: Mapping[int, int]) -> None:
        """Tell Kafka how far we are, for those who watch the lag there. It decides nothing."""
        self._consumer.commit_async(
            {TopicPartition(self._topic, partition): OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()}
        )

    def partitions(self) -> list[int]:
        """The partitions that are this member's now."""
        return sorted(one.partition for one in self._consumer.assignment())

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close(autocommit=False)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, feed: Feed, assigned: Assigned, revoked: Revoked) -> None:
        self._feed = feed
        self._assigned = assigned
        self._revoked = revoked

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        partitions = sorted(one.partition for one in assigned)
        begins = self._assigned(partitions)
        self._feed.seek({partition: begins.get(partition, 0) for partition in partitions})

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self._revoked(sorted(one.partition for one in revoked))

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self._revoked(sorted(one.partition for one in lost))
