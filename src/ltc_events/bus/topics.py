"""The topics: their content, their retention, and their creation."""

from contextlib import suppress
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError

from ltc_events.bus.connection_check import CONNECT_TIMEOUT_MS, reach, trouble
from ltc_events.bus.security import Security
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.kernel.principals import Principal, PrincipalKind
from ltc_events.schemas.limits import COMMAND_BYTES_MAX, EVENT_BYTES_MAX

PARTITIONS = 8
# Where there are three brokers: one may fail without loss, and without anybody waiting for it.
REPLICAS, IN_SYNC = 3, 2
# How long after a broker is back its guests may take to notice. The client's own limit is half a minute.
RECONNECT_MAX_MS = 1_000
# Of all topics: the largest command or event with its headers, and as much again, for commands come with white space and
# escapes, and one that is a little too large is to come in, and be refused with its size.
MESSAGE_BYTES_MAX = 2 * max(COMMAND_BYTES_MAX, EVENT_BYTES_MAX)
# Of an answer's value: more would be reasons that nobody reads to the end, and all of them are kept in the database.
ANSWER_BYTES_MAX = 4 * 1024 * 1024
# Of key, value and headers as they came; what we add to them is small.
LETTER_BYTES_MAX = MESSAGE_BYTES_MAX - 1024 * 1024
_DAY_MS = 24 * 60 * 60 * 1000


class Topic(NamedTuple):
    """A topic, by its name without the prefix. `retention_ms` -1: messages are kept forever."""

    name: str
    retention_ms: int
    meaning: str


COMMANDS = Topic("commands", 7 * _DAY_MS, "commands, keyed by customer; read by the command workers")
EVENTS = Topic("events", -1, "every stored event in the order of positions, keyed by customer")
RESULTS = Topic("command-results", 7 * _DAY_MS, "the outcome of every command, keyed by customer")
DEAD_LETTERS = Topic("dead-letters", 30 * _DAY_MS, "what came as a command and could not be decoded")
TOPICS = (COMMANDS, EVENTS, RESULTS, DEAD_LETTERS)


class Bus(NamedTuple):
    """A Kafka cluster, the prefix of our topics and groups (ledgers may share a cluster), and the connection's security.

    With a `source`, its topic of commands is the one to which Kafka lets that source alone write.
    """

    bootstrap: str
    prefix: str = "ltc"
    security: Security = Security()
    source: str = ""

    def topic(self, topic: Topic) -> str:
        """The full name of a topic, e.g. `ltc.commands`; with a source `ltc.commands.webshop`."""
        name = f"{self.prefix}.{topic.name}"
        return f"{name}.{self.source}" if self.source and topic is COMMANDS else name

    @property
    def sender(self) -> Principal:
        """Who has sent what comes on the topic of commands: Kafka lets nobody else write there, and tells no reader who did."""
        return Principal(PrincipalKind.SOURCE, self.source or f"kafka:{self.topic(COMMANDS)}")

    @property
    def of_everybody(self) -> "Bus":
        """The bus with the topic of commands that is no source's alone: to it the clock writes."""
        return self._replace(source="")

    def client_settings(self) -> dict[str, Any]:
        """The settings of every client, with the present secrets. Raises CertificateUnusable, and the errors of the secrets."""
        return {"bootstrap_servers": self.bootstrap, **self.security.client_settings()}


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
