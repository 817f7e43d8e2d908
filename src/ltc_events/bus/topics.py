"""The topics, with their content, retention and size limits, and the cluster that holds them."""

from typing import Any, NamedTuple

from ltc_events.bus.client_settings import client_settings
from ltc_events.bus.security import Security
from ltc_events.kernel.principals import Principal, PrincipalKind
from ltc_events.schemas.limits import COMMAND_BYTES_MAX, EVENT_BYTES_MAX

PARTITIONS = 8
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
        return {"bootstrap_servers": self.bootstrap, **client_settings(self.security)}
