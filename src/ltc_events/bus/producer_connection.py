"""A producer's connection to the brokers: record batches in order, sent again until each is acknowledged.

The client's own producer takes messages one at a time, which is most of the cost of publishing. This one uses the client's
lower layer (connections, metadata, requests) and has at most one page in flight: a batch that is sent again is never overtaken
by a later one, so there is no gap before an acknowledged message.
"""

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any

from kafka.errors import (
    ClusterAuthorizationFailedError,
    DuplicateSequenceNumberError,
    KafkaError,
    RetriableError,
    UnknownTopicIdError,
    UnknownTopicOrPartitionError,
    for_code,
)
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.protocol.consumer import ListOffsetsRequest
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest
from kafka.structs import TopicPartition

from ltc_events.bus.connection_check import CONNECT_TIMEOUT_MS, BusForbidden, reach, trouble
from ltc_events.bus.records import Batch, Producer
from ltc_events.bus.topics import RECONNECT_MAX_MS, Bus
from ltc_events.kernel.errors import Kind, LtcError

REQUEST_TIMEOUT_MS = 10_000
# Brokers take requests of 100 MiB (socket.request.max.bytes), and end the connection of who sends a larger one.
REQUEST_BYTES_MAX = 64 * 1024 * 1024
RETRY_S = 0.1
_ACKS_ALL = -1
# Versions of the request: the newest that knows topics by name, and the first that knows them by id.
_BY_NAME, _BY_ID = 12, 13
_LATEST = -1


class TopicReplaced(LtcError):
    """{topic} is not the topic that was published to before: {what}"""

    kind = Kind.DEFECT
    remedy = (
        "find out who made it anew; if that was meant: stop the relay, delete the topic, run `ltc init --kafka`, and remove the "
        "row of {topic} from ltc.offsets. All events are then published again"
    )


class ProducerConnection:
    """An idempotent producer. All its work runs in one thread of the client, one request after another."""

    def __init__(self, bus: Bus) -> None:
        """Connect and get a producer id from the brokers. Raises BusUnreachable."""
        self.bus = bus
        reach(bus)
        self._net = NetworkSelector(client_id=f"{bus.prefix}-publisher", slow_task_threshold_secs=0)
        self._manager = KafkaConnectionManager(
            self._net,
            **bus.client_settings(),
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            reconnect_backoff_max_ms=RECONNECT_MAX_MS,
            client_id=f"{bus.prefix}-publisher",
        )
        self._cluster = self._manager.cluster
        self._cluster.config["allow_auto_create_topics"] = False
        self._ends: dict[tuple[str, int], int] = {}
        """By topic and partition, the offset behind the last message that was acknowledged."""
        self._others: dict[tuple[str, int], tuple[int, int] | None] = {}
        """By topic and partition that is watched, where others wrote; None: nowhere."""
        self._ids: dict[str, Any] = {}
        """By topic, its id when we first met it. Brokers before Kafka 4.1 go by the name."""
        self._net.start()
        try:
            self._manager.bootstrap(CONNECT_TIMEOUT_MS)
            self.producer: Producer = self._run(self._introduce())
        except ClusterAuthorizationFailedError as error:
            self.close()
            # A producer needs no right of the cluster; it needs to be allowed to write anywhere.
            raise BusForbidden(bootstrap=bus.bootstrap, who=bus.security.who, what="to write to a topic, whichever") from error
        except KafkaError as error:
            self.close()
            raise trouble(bus, error) from error

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises KafkaError when there is none, or none that can be reached."""
        return int(self._run(self._count(topic)))

    def ends(self, topic: str) -> dict[int, int]:
        """By partition, the offset that the next message will have. Raises KafkaError."""
        found: dict[int, int] = self._run(self._fetch_end_offsets(topic))
        return found

    def begin(self, topic: str, rounds: Sequence[Sequence[Batch]]) -> Any:
        """Send batches, those of a round (at most one for each partition) before those of the next.

        The future is done when all are acknowledged; it fails with a KafkaError that cannot be retried, or with TopicReplaced.
        Call it only when the previous one is done.
        """
        return self._manager.call_soon(self._deliver(topic, rounds))

    def watch(self, topic: str, ends: Mapping[int, int]) -> None:
        """From now on track where other producers write after these end offsets."""
        for partition, end in ends.items():
            self._ends[topic, partition], self._others[topic, partition] = end, None

    def others(self, topic: str, ends: Mapping[int, int]) -> dict[int, tuple[int, int]]:
        """Where other producers wrote before these end offsets. Call it only when nothing is in flight."""
        for partition, end in ends.items():
            self._arrived((topic, partition), end, end)
        return {partition: stretch for (where, partition), stretch in self._others.items() if where == topic and stretch}

    def forget_others(self, topic: str) -> None:
        """Forget what other producers wrote so far."""
        self._others |= dict.fromkeys(place for place in self._others if place[0] == topic)

    def _arrived(self, place: tuple[str, int], first: int, following: int) -> None:
        """Record that our messages have these offsets; a gap before them was written by another producer."""
        known = self._ends.get(place, 0)
        if place in self._others and first > known:
            earlier = self._others[place]
            self._others[place] = (known if earlier is None else earlier[0], first)
        self._ends[place] = max(known, following)

    def close(self) -> None:
        """Close the connections and abandon unacknowledged messages."""
        self._manager.call_soon(self._manager.close)
        self._net.stop(timeout_ms=CONNECT_TIMEOUT_MS)
        self._net.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._manager.run(self._manager.wait_for, self._manager.call_soon(work), CONNECT_TIMEOUT_MS)

    async def _introduce(self) -> Producer:
        while True:
            try:
                request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=REQUEST_TIMEOUT_MS)
                response = await self._manager.send(request)
                error = for_code(response.error_code)
                if response.error_code == 0:
                    return Producer(response.producer_id, response.producer_epoch)
                if not issubclass(error, RetriableError):
                    raise error
            except RetriableError:
                pass
            await self._net.sleep(RETRY_S)

    async def _count(self, topic: str) -> int:
        while not (known := self._cluster.partitions_for_topic(topic)):
            await self._cluster.add_topic(topic)
            if not (known := self._cluster.partitions_for_topic(topic)):
                raise UnknownTopicOrPartitionError(topic)
        self._ids.setdefault(topic, self._cluster.topic_id(topic))
        return len(known)

    async def _fetch_end_offsets(self, topic: str) -> dict[int, int]:
        count = await self._count(topic)
        ends: dict[int, int] = {}
        while len(ends) < count:
            for node, partitions in self._leaders(topic, [one for one in range(count) if one not in ends]).items():
                ends |= await self._ask_ends(node, topic, partitions)
            if len(ends) < count:
                await self._pause()
        return ends

    async def _ask_ends(self, node: int, topic: str, partitions: Sequence[int]) -> dict[int, int]:
        asked = ListOffsetsRequest.ListOffsetsTopic
        wanted = [
            asked.ListOffsetsPartition(partition_index=one, current_leader_epoch=-1, timestamp=_LATEST) for one in partitions
        ]
        request = ListOffsetsRequest(
            replica_id=-1, isolation_level=0, topics=[asked(name=topic, partitions=wanted)], min_version=1, max_version=5
        )
        try:
            response = await self._manager.send(request, node_id=node)
        except RetriableError:
            return {}
        answers = [one for answered in response.topics for one in answered.partitions]
        return {one.partition_index: one.offset for one in answers if one.error_code == 0}

    async def _deliver(self, topic: str, rounds: Sequence[Sequence[Batch]]) -> None:
        for batches in rounds:
            left = {batch.partition: batch for batch in batches}
            while True:
                for batch in await self._send(topic, left):
                    del left[batch.partition]
                if not left:
                    break
                await self._pause()

    async def _send(self, topic: str, batches: dict[int, Batch]) -> list[Batch]:
        """Send each batch once; returns those acknowledged. Raises errors that cannot be retried."""
        sent = [
            self._manager.send(self._request(topic, [batches[one] for one in partitions]), node_id=node)
            for node, led in self._leaders(topic, batches).items()
            for partitions in _in_requests(led, batches)
        ]
        done: list[Batch] = []
        for future in sent:
            try:
                response = await future
            except RetriableError:
                continue
            answers = [(batches[one.index], one) for answered in response.responses for one in answered.partition_responses]
            done += [batch for batch, answer in answers if self._is_acknowledged(topic, batch, answer)]
        return done

    def _is_acknowledged(self, topic: str, batch: Batch, answer: Any) -> bool:
        error = for_code(answer.error_code)
        if error is UnknownTopicIdError and self._cluster.topic_id(topic) not in (None, self._ids[topic]):
            raise TopicReplaced(topic=topic, what="its id has changed")
        if error is DuplicateSequenceNumberError:
            return True  # it had come, and so had what followed it: only the answer was lost
        if issubclass(error, RetriableError):
            return False
        if answer.error_code:
            raise error(answer.error_message or f"partition {batch.partition}")
        # Not known: a repetition that the broker recognised, but no longer knows where the first one is.
        if answer.base_offset >= 0:
            place = (topic, batch.partition)
            known = self._ends.get(place, 0)
            if answer.base_offset < known:
                what = f"a message on partition {batch.partition} has the offset {answer.base_offset} after {known - 1}"
                raise TopicReplaced(topic=topic, what=what)
            self._arrived(place, answer.base_offset, answer.base_offset + batch.messages)
        return True

    def _request(self, topic: str, batches: Sequence[Batch]) -> ProduceRequest:
        data = ProduceRequest.TopicProduceData
        partitions = [data.PartitionProduceData(index=batch.partition, records=batch.data) for batch in batches]
        id = self._ids[topic]
        which = {"name": topic} if id is None else {"name": topic, "topic_id": id}
        return ProduceRequest(
            transactional_id=None,
            acks=_ACKS_ALL,
            timeout_ms=REQUEST_TIMEOUT_MS,
            topic_data=[data(**which, partition_data=partitions)],
            min_version=3,
            max_version=_BY_NAME if id is None else _BY_ID,
        )

    def _leaders(self, topic: str, partitions: Any) -> dict[int, list[int]]:
        """The partitions by their leader; partitions without a leader are left out."""
        led: dict[int, list[int]] = {}
        for partition in partitions:
            node = self._cluster.leader_for_partition(TopicPartition(topic, partition))
            if node is not None and node >= 0:
                led.setdefault(node, []).append(partition)
        return led

    async def _pause(self) -> None:
        self._cluster.request_update()
        await self._net.sleep(RETRY_S)


def _in_requests(partitions: Sequence[int], batches: Mapping[int, Batch]) -> Iterator[list[int]]:
    """The batches of one broker in requests of at most the allowed size; usually one request."""
    together: list[int] = []
    size = 0
    for one in partitions:
        more = len(batches[one].data)
        if together and size + more > REQUEST_BYTES_MAX:
            yield together
            together, size = [], 0
        together.append(one)
        size += more
    if together:
        yield together
