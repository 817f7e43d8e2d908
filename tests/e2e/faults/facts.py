"""All that can be seen after a run, read past our own code: Kafka's client and plain SQL."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from psycopg import Cursor
from psycopg.rows import namedtuple_row

from ltc_events.bus.topics import COMMANDS, DEAD_LETTERS, EVENTS, RESULTS, Bus, Topic
from ltc_events.projections.catalog.installed_tables import describe
from ltc_events.projections.declaration.projection import Projection, build_of
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.digest import digest_rows
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role

STORED_EVENTS = """
    SELECT position, stream_id::text, version, type, customer_id::text, command_id::text, data FROM ltc.events ORDER BY position
"""
_OUTCOMES = "SELECT command_id::text, status, first_position, last_position, reasons FROM ltc.outcomes"
_DEAD_LETTERS = """
    SELECT (origin->>'partition')::int AS partition, (origin->>'offset')::bigint AS offset, raw FROM ltc.dead_letters
"""
_EPOCHS = "SELECT epoch, after FROM ltc.epochs ORDER BY number, begun_at"
_OFFSETS = "SELECT feed, partition, next_offset FROM ltc.offsets"
_FAILURES = "SELECT name, failed_position, failed_event, error FROM ltc_read.projection_status WHERE state = 'failed'"


class Seen(NamedTuple):
    """A message on a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        """The text of a header."""
        return dict(self.headers)[name].decode()


class Facts(NamedTuple):
    """What is there after a run. Rows have the columns of the queries above."""

    commands: list[Seen]
    results: list[Seen]
    events: list[Seen]
    dead_letters: list[Seen]
    stored_events: list[Any]
    outcomes: list[Any]
    kept_letters: list[Any]
    offsets: dict[tuple[str, int], int]
    head: int
    failures: list[str]
    expired: list[Seen]
    """Messages of commands that Kafka dropped before they were taken: they are not among those above."""
    epochs: list[Any]
    """Oldest first."""
    tables: dict[str, str]
    """What is wrong with those read tables that are not what the store says."""


def gather(bus: Bus, database: Database, afresh: Database, archive: Sequence[Seen] = (), expired: Sequence[Seen] = ()) -> Facts:
    """See all of it; `afresh` is an empty ledger to fold the store in. `archive`: commands that were on the topic once."""
    with database.connect(Role.OWNER, autocommit=True) as connection:
        cursor: Cursor[Any] = connection.cursor(row_factory=namedtuple_row)
        offsets = {(one.feed, one.partition): one.next_offset for one in cursor.execute(_OFFSETS)}
        ((head,),) = connection.execute("SELECT position FROM ltc.head").fetchall()
        rows = [cursor.execute(query).fetchall() for query in (STORED_EVENTS, _OUTCOMES, _DEAD_LETTERS, _EPOCHS)]
        epochs = rows.pop()
        failures = [
            f"{one.name} stopped before {one.failed_event} at {one.failed_position}: {one.error}"
            for one in cursor.execute(_FAILURES)
        ]
    topics = [read_topic(bus, topic) for topic in (COMMANDS, RESULTS, EVENTS, DEAD_LETTERS)]
    places = {(one.partition, one.offset): one for one in (*archive, *topics[0])}
    gone = {(one.partition, one.offset) for one in expired}
    topics[0] = [one for place, one in sorted(places.items()) if place not in gone]
    return Facts._make([*topics, *rows, offsets, head, failures, list(expired), epochs, _tables(database, afresh)])


def read_topic(bus: Bus, topic: Topic) -> list[Seen]:
    """All that is on a topic, in the order of each partition."""
    name = bus.topic(topic)
    consumer = KafkaConsumer(bootstrap_servers=bus.bootstrap, enable_auto_commit=False)
    try:
        places = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        seen: list[Seen] = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for messages in consumer.poll(timeout_ms=200).values():
                seen += [Seen(one.partition, one.offset, one.key, one.value, tuple(one.headers)) for one in messages]
        return sorted(seen, key=lambda one: one[:2])
    finally:
        consumer.close(autocommit=False)


def _tables(database: Database, afresh: Database) -> dict[str, str]:
    """The store is copied into an empty ledger, all of whose read tables are folded from it in one go, by one projector."""
    with database.connect(Role.OWNER) as source, afresh.connect(Role.OWNER) as target:
        ((head,),) = source.execute("SELECT position FROM ltc.head").fetchall()
        target.execute("UPDATE ltc.head SET position = %s", (head,))
        with (
            source.cursor().copy("COPY ltc.events TO STDOUT (FORMAT binary)") as rows,
            target.cursor().copy("COPY ltc.events FROM STDIN (FORMAT binary)") as copied,
        ):
            for row in rows:
                copied.write(row)
    with open_runner(afresh, PROJECTIONS) as runner:
        runner.catch_up()
    wrong = {}
    with database.connect(Role.PROJECTOR) as live, afresh.connect(Role.PROJECTOR) as fresh:
        for projection in PROJECTIONS:
            build = build_of(projection)
            if digest_rows(live, describe(live, build)) != digest_rows(fresh, describe(fresh, build)):
                wrong[projection.table] = _difference(database, projection)
    return wrong


def _difference(database: Database, projection: type[Projection]) -> str:
    found = verify(database, projection)
    count = found.comparison
    shown = "; ".join(
        f"{dict(one.difference.key)} {one.difference.only_in} {one.difference.columns}" for one in found.findings[:2]
    )
    rows = f"{count.changed} rows differ, {count.only_left} are too many, {count.only_right} are missing"
    return f"at {found.position}, {rows}: {shown[:500]}"
