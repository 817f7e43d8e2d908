"""Looking at topics from outside: how far they go, and when a message was sent."""

from collections.abc import Mapping
from typing import Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ltc_events.bus import records
from ltc_events.bus.topics import CONNECT_TIMEOUT_MS, Bus, BusUnreachable, TopicMissing, reach

records.install()

LOOK_MS = 1_000


class Survey:
    """A reader that belongs to no group and moves no offset. Not to be shared by threads."""

    def __init__(self, bus: Bus) -> None:
        """Raises BusUnreachable."""
        self._bus = bus
        reach(bus)
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=bus.bootstrap,
                bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                request_timeout_ms=CONNECT_TIMEOUT_MS,
                max_partition_fetch_bytes=64 * 1024,
            )
        except KafkaError as error:
            raise BusUnreachable(bootstrap=bus.bootstrap, reason=error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ends(self, topic: str) -> dict[int, int]:
        """By partition the offset that its next message gets. Raises TopicMissing, BusUnreachable."""
        try:
            places = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
            if not places:
                raise TopicMissing(topic=topic)
            return {place.partition: end for place, end in self._consumer.end_offsets(places).items()}
        except KafkaError as error:
            raise BusUnreachable(bootstrap=self._bus.bootstrap, reason=error) from error

    def sent_at(self, topic: str, offsets: Mapping[int, int]) -> dict[int, float]:
        """By partition when the message at that offset (or the next that is kept) was sent, in seconds since 1970.

        Partitions whose message did not come within a second are absent. Raises BusUnreachable.
        """
        found: dict[int, float] = {}
        try:
            for partition, offset in offsets.items():
                place = TopicPartition(topic, partition)
                self._consumer.assign([place])
                self._consumer.seek(place, max(offset, self._consumer.beginning_offsets([place])[place]))
                for messages in self._consumer.poll(timeout_ms=LOOK_MS, max_records=1).values():
                    found[partition] = messages[0].timestamp / 1000
        except KafkaError as error:
            raise BusUnreachable(bootstrap=self._bus.bootstrap, reason=error) from error
        return found

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close(autocommit=False)
