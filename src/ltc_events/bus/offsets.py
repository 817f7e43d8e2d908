"""Beginning and end offsets of topics, and single messages at given offsets."""

import time
from collections.abc import Mapping
from typing import Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ltc_events.bus import records
from ltc_events.bus.connection_check import CONNECT_TIMEOUT_MS, BusUnreachable, reach, trouble
from ltc_events.bus.consumer import Polled
from ltc_events.bus.topic_creation import absent
from ltc_events.bus.topics import Bus

records.install()

LOOK_MS = 1_000
# Without a message for so long, reading is given up.
READ_S = 30.0


class OffsetReader:
    """A reader outside any consumer group, which commits no offset. Not thread-safe."""

    def __init__(self, bus: Bus) -> None:
        """Raises BusUnreachable."""
        self._bus = bus
        reach(bus)
        try:
            self._consumer = KafkaConsumer(
                **bus.client_settings(),
                bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                request_timeout_ms=CONNECT_TIMEOUT_MS,
                max_partition_fetch_bytes=64 * 1024,
            )
        except KafkaError as error:
            raise trouble(bus, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ends(self, topic: str) -> dict[int, int]:
        """The end offset (that of the next message), by partition. Raises TopicMissing, BusUnreachable."""
        try:
            return {place.partition: end for place, end in self._consumer.end_offsets(self._places(topic)).items()}
        except KafkaError as error:
            raise trouble(self._bus, error) from error

    def beginnings(self, topic: str) -> dict[int, int]:
        """The first available offset, by partition. Raises TopicMissing, BusUnreachable."""
        try:
            return {place.partition: begin for place, begin in self._consumer.beginning_offsets(self._places(topic)).items()}
        except KafkaError as error:
            raise trouble(self._bus, error) from error

    def offsets_at(self, topic: str, moment: float) -> dict[int, int]:
        """The first offset of messages sent at or after a time (seconds since 1970), by partition; else the end offset.

        Raises TopicMissing, BusUnreachable.
        """
        ends = self.ends(topic)
        try:
            asked = {place: max(int(moment * 1000), 0) for place in self._places(topic)}
            found = self._consumer.offsets_for_times(asked)
        except KafkaError as error:
            raise trouble(self._bus, error) from error
        return ends | {place.partition: one.offset for place, one in found.items() if one is not None}

    def last(self, topic: str, count: int) -> dict[int, list[Polled]]:
        """The last messages, at most `count` per partition, oldest first. Raises TopicMissing, BusUnreachable."""
        ends = self.ends(topic)
        return self.read(topic, {number: max(end - count, 0) for number, end in ends.items()}, ends)

    def read(self, topic: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, list[Polled]]:
        """The available messages of partitions from one offset up to another, oldest first. Raises BusUnreachable."""
        found: dict[int, list[Polled]] = {number: [] for number in begins}
        deadline = time.monotonic() + READ_S
        try:
            places = [TopicPartition(topic, number) for number in begins]
            self._consumer.assign(places)
            for place, first in self._consumer.beginning_offsets(places).items():
                self._consumer.seek(place, max(first, begins[place.partition]))
            while any(self._consumer.position(place) < ends[place.partition] for place in places):
                if time.monotonic() > deadline:
                    raise BusUnreachable(bootstrap=self._bus.bootstrap, reason=f"{topic} could not be read to its end in time")
                for messages in self._consumer.poll(timeout_ms=LOOK_MS).values():
                    for one in messages:
                        found[one.partition].append(Polled(one.partition, one.offset, one.key, one.value, one.headers))
                    deadline = time.monotonic() + READ_S
        except KafkaError as error:
            raise trouble(self._bus, error) from error
        return {number: [one for one in messages if one.offset < ends[number]] for number, messages in found.items()}

    def sent_at(self, topic: str, offsets: Mapping[int, int]) -> dict[int, float]:
        """The send time (seconds since 1970) of the message at an offset, or of the next available one, by partition.

        Partitions whose message does not arrive within a second are absent. Raises BusUnreachable.
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
            raise trouble(self._bus, error) from error
        return found

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close(autocommit=False)

    def _places(self, topic: str) -> list[TopicPartition]:
        places = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
        if not places:
            raise absent(self._bus, topic)
        return places
