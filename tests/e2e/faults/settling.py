"""Has everything come to rest: are all commands answered, all events published, all read tables at the head of the log?"""

from contextlib import suppress
from typing import Any

import psycopg
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from tests.e2e.faults.servers import Place

from ltc_events.bus.topics import COMMANDS, EVENTS
from ltc_events.store import Role

_OFFSETS = "SELECT partition, next_offset FROM ltc.offsets WHERE feed = %s"
_HEAD = "SELECT position FROM ltc.head"
_BEHIND = (
    "SELECT name, source, partition, position FROM ltc_read.projection_status WHERE position < %s AND state = 'live' LIMIT 1"
)


class Settling:
    """Looks in past the wires; while a server is away nothing is at rest."""

    def __init__(self, place: Place, partitions: int) -> None:
        self._place = place
        self._commands = place.bus_inside.topic(COMMANDS)
        self._events = place.bus_inside.topic(EVENTS)
        self._places = [TopicPartition(self._commands, number) for number in range(partitions)]
        self._connection: psycopg.Connection[Any] | None = None
        self._consumer: KafkaConsumer | None = None

    def unanswered(self) -> str:
        """Which messages of commands are not answered; empty: all are."""
        try:
            if self._consumer is None:
                self._consumer = KafkaConsumer(bootstrap_servers=self._place.bus_inside.bootstrap, enable_auto_commit=False)
            ends = {place.partition: end for place, end in self._consumer.end_offsets(self._places).items()}
        except KafkaError as error:
            return f"Kafka is away: {error!r}"
        answered = dict(self._ask(_OFFSETS, f"{self._commands}/answers"))
        missing = {number: (answered.get(number, 0), end) for number, end in ends.items() if answered.get(number, 0) < end}
        return f"commands are answered only up to (partition: answered, sent) {missing}" if missing else ""

    def unfinished(self) -> str:
        """What is not at rest; empty: all is."""
        if wrong := self.unanswered():
            return wrong
        ((head,),) = self._ask(_HEAD) or [(0,)]
        published = dict(self._ask(_OFFSETS, self._events)).get(0, 0)
        if published != head:
            return f"events are published only up to {published} of {head}"
        behind = self._ask(_BEHIND, head)
        for name, source, partition, position in behind:
            return f"{len(behind)} checkpoints are behind; {name} is only at {position} of {head} in {source} {partition}"
        return ""

    def close(self) -> None:
        """Leave the servers."""
        if self._connection is not None:
            self._connection.close()
        if self._consumer is not None:
            with suppress(KafkaError):
                self._consumer.close(autocommit=False)

    def _ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._connection = self._place.database_inside.connect(Role.OWNER, autocommit=True)
        return self._connection.execute(statement, values).fetchall()
