"""Creates topics, and says why the client does not find one."""

from contextlib import suppress
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError

from ltc_events.bus.connection_check import CONNECT_TIMEOUT_MS, reach, trouble
from ltc_events.bus.topics import MESSAGE_BYTES_MAX, PARTITIONS, TOPICS, Bus
from ltc_events.kernel.errors import Kind, LtcError

# Where there are three brokers: one may fail without loss, and without anybody waiting for it.
REPLICAS, IN_SYNC = 3, 2


class TopicMissing(LtcError):
    """Kafka has no topic {topic}"""

    kind = Kind.DEFECT
    remedy = "run `ltc init --kafka`"


def absent(bus: Bus, topic: str) -> LtcError:
    """The error for a topic that the client does not find: it does not exist, or we may not see it. Raises BusUnreachable."""
    try:
        admin = KafkaAdminClient(**bus.client_settings(), bootstrap_timeout_ms=CONNECT_TIMEOUT_MS)
        try:
            (described,) = admin.describe_topics([topic])
        finally:
            admin.close()
    except KafkaError as error:
        raise trouble(bus, error, topic=topic) from error
    if described["error_code"] == TopicAuthorizationFailedError.errno:
        return trouble(bus, TopicAuthorizationFailedError(), topic=topic)
    return TopicMissing(topic=topic)


class Safety(NamedTuple):
    """The number of replicas of each message, and of in-sync replicas needed to acknowledge it."""

    replicas: int
    in_sync: int


class TooFewBrokers(LtcError):
    """{replicas} replicas were asked for, and {in_sync} of them in sync, with {brokers} brokers"""

    remedy = "ask for at most as many replicas as there are brokers, and for at most as many in sync as there are replicas"


def safety_of(brokers: int) -> Safety:
    """The default for a number of brokers: with three, one may fail without loss or waiting."""
    replicas = min(REPLICAS, max(brokers, 1))
    return Safety(replicas, IN_SYNC if replicas >= REPLICAS else 1)


def create_topics(
    bus: Bus, partitions: int = PARTITIONS, *, replicas: int | None = None, in_sync: int | None = None
) -> list[str]:
    """Create the missing topics; returns their names. Existing topics are not changed.

    Replicas and in-sync replicas are by default those of `safety_of`. Raises BusUnreachable, TooFewBrokers.
    """
    made = []
    reach(bus)
    try:
        admin = KafkaAdminClient(**bus.client_settings(), bootstrap_timeout_ms=CONNECT_TIMEOUT_MS)
    except KafkaError as error:
        raise trouble(bus, error) from error
    try:
        brokers = len(admin.describe_cluster()["brokers"])
        usual = safety_of(brokers if replicas is None else min(replicas, brokers))
        safety = Safety(replicas or usual.replicas, in_sync or usual.in_sync)
        if not safety.in_sync <= safety.replicas <= brokers:
            raise TooFewBrokers(**safety._asdict(), brokers=brokers)
        present = set(admin.list_topics())
        for topic in TOPICS:
            name = bus.topic(topic)
            if name not in present:
                # Whatever producers compress with, no reader needs a library for it.
                # And what is kept for a time is not dropped before it because it is much.
                configs = {
                    "retention.ms": str(topic.retention_ms),
                    "retention.bytes": "-1",
                    "compression.type": "uncompressed",
                    "min.insync.replicas": str(safety.in_sync),
                    "max.message.bytes": str(MESSAGE_BYTES_MAX),
                }
                options = {"num_partitions": partitions, "replication_factor": safety.replicas, "configs": configs}
                with suppress(TopicAlreadyExistsError):  # somebody else was quicker
                    admin.create_topics({name: options}, wait_for_metadata=True)
                    made.append(name)
    except KafkaError as error:
        raise trouble(bus, error) from error
    finally:
        admin.close()
    return made
