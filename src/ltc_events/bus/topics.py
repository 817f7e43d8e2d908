"""The topics: what they hold, for how long, and making them."""

import socket
from contextlib import suppress
from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from ltc_events.kernel.errors import LtcError

PARTITIONS = 8
# Short enough for a worker to notice that it shall stop.
CONNECT_TIMEOUT_MS = 5_000
# How long after a broker is back its guests may take to notice. The client's own limit is half a minute.
RECONNECT_MAX_MS = 1_000
# What we send holds what we got, and some more: so it may be larger than Kafka's usual limit, which holds for commands.
MESSAGE_BYTES_MAX = 4 * 1024 * 1024
_DAY_MS = 24 * 60 * 60 * 1000


class Topic(NamedTuple):
    """A topic of ours, by its name without the prefix. `retention_ms` -1: messages are kept for ever."""

    name: str
    retention_ms: int
    meaning: str


COMMANDS = Topic("commands", 7 * _DAY_MS, "commands, keyed by customer; read by the command workers")
EVENTS = Topic("events", -1, "every stored event in the order of positions, keyed by customer")
RESULTS = Topic("command-results", 7 * _DAY_MS, "the outcome of every command, keyed by customer")
DEAD_LETTERS = Topic("dead-letters", 30 * _DAY_MS, "what came as a command and could not be decoded")
TOPICS = (COMMANDS, EVENTS, RESULTS, DEAD_LETTERS)


class Bus(NamedTuple):
    """A Kafka cluster, and what the names of our topics and groups on it begin with: ledgers may share a cluster."""

    bootstrap: str
    prefix: str = "ltc"

    def topic(self, topic: Topic) -> str:
        """The full name of a topic, e.g. `ltc.commands`."""
        return f"{self.prefix}.{topic.name}"


class BusUnreachable(LtcError):
    """no connection to Kafka at {bootstrap}: {reason}"""

    remedy = "check LTC_KAFKA_BOOTSTRAP and that the broker is running"


def reach(bus: Bus) -> None:
    """See that somebody listens: a client that finds nobody leaves threads behind. Raises BusUnreachable."""
    trouble: OSError | ValueError = ValueError("no host:port in it")
    for server in bus.bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT_MS / 1000).close()
        except (OSError, ValueError) as error:
            trouble = error
        else:
            return
    raise BusUnreachable(bootstrap=bus.bootstrap, reason=trouble)


class TopicMissing(LtcError):
    """Kafka has no topic {topic}"""

    remedy = "run `ltc init --kafka`"


def create_topics(bus: Bus, partitions: int = PARTITIONS) -> list[str]:
    """Make the topics that are missing; their names. Those that are there stay as they are. Raises BusUnreachable."""
    made = []
    reach(bus)
    try:
        admin = KafkaAdminClient(bootstrap_servers=bus.bootstrap, bootstrap_timeout_ms=CONNECT_TIMEOUT_MS)
    except KafkaError as error:
        raise BusUnreachable(bootstrap=bus.bootstrap, reason=error) from error
    try:
        present = set(admin.list_topics())
        for topic in TOPICS:
            name = bus.topic(topic)
            if name not in present:
                # Whatever producers compress with, no reader needs a library for it.
                configs = {"retention.ms": str(topic.retention_ms), "compression.type": "uncompressed"}
                if topic is not COMMANDS:
                    configs["max.message.bytes"] = str(MESSAGE_BYTES_MAX)
                options = {"num_partitions": partitions, "configs": configs}
                with suppress(TopicAlreadyExistsError):  # somebody else was quicker
                    admin.create_topics({name: options}, wait_for_metadata=True)
                    made.append(name)
    except KafkaError as error:
        raise BusUnreachable(bootstrap=bus.bootstrap, reason=error) from error
    finally:
        admin.close()
    return made
