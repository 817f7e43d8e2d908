"""The topics: what they hold, for how long, and making them."""

from typing import NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from ltc_events.kernel.errors import LtcError

PARTITIONS = 8
_DAY_MS = 24 * 60 * 60 * 1000


class Topic(NamedTuple):
    """A topic. `retention_ms` -1: messages are kept for ever."""

    name: str
    retention_ms: int
    meaning: str


COMMANDS = Topic("ltc.commands", 7 * _DAY_MS, "commands, keyed by customer; read by the command workers")
EVENTS = Topic("ltc.events", -1, "every stored event in the order of positions, keyed by customer")
RESULTS = Topic("ltc.command-results", 7 * _DAY_MS, "the outcome of every command, keyed by customer")
DEAD_LETTERS = Topic("ltc.dead-letters", 30 * _DAY_MS, "what came over ltc.commands and could not be decoded")
TOPICS = (COMMANDS, EVENTS, RESULTS, DEAD_LETTERS)


class BusUnreachable(LtcError):
    """no connection to Kafka at {bootstrap}: {reason}"""

    remedy = "check LTC_KAFKA_BOOTSTRAP and that the broker is running"


def create_topics(bootstrap: str, partitions: int = PARTITIONS) -> list[str]:
    """Make the topics that are missing; their names. Raises BusUnreachable."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=10_000)
    except KafkaError as error:
        raise BusUnreachable(bootstrap=bootstrap, reason=error) from error
    try:
        present = set(admin.list_topics())
        wanted = {
            topic.name: {"num_partitions": partitions, "configs": {"retention.ms": str(topic.retention_ms)}}
            for topic in TOPICS
            if topic.name not in present
        }
        if wanted:
            try:
                admin.create_topics(wanted, wait_for_metadata=True)
            except TopicAlreadyExistsError:
                return []  # somebody else was quicker
        return sorted(wanted)
    except KafkaError as error:
        raise BusUnreachable(bootstrap=bootstrap, reason=error) from error
    finally:
        admin.close()
