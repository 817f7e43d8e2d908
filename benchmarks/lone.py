"""A lone command, nobody else writing: from `submit` to the durable answer, against one bare transaction."""

from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

import orjson
import psycopg

from benchmarks.figure import Figure, Target, against_peer
from benchmarks.place import Place, company, fill
from ltc_events.bootstrap.services import open_pipeline
from ltc_events.store import Database

_TABLE = """
    CREATE TABLE comparable (position bigint GENERATED ALWAYS AS IDENTITY UNIQUE, stream_id uuid, version bigint, type text,
    data bytea, recorded_at timestamptz, command_id uuid, actor text, PRIMARY KEY (stream_id, version))
"""
_INSERT = b"""
    INSERT INTO comparable (stream_id, version, type, data, recorded_at, command_id, actor) VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def measure(place: Place) -> Iterator[Figure]:
    """Commands of aggregates that exist, one at a time, taking turns with one row in a transaction of its own (BEGIN, INSERT,
    COMMIT) and with the same row as a single statement."""
    documents = company(place.sizes.customers // 8 or 1)
    lone = documents[-place.sizes.lone_commands :]
    database = place.database()
    fill(database, documents[: -place.sizes.lone_commands])
    bare = _Bare(place.bare_database())
    ours, transactions, statements = [], [], []
    with open_pipeline(database) as pipeline:
        pipeline.submit(documents[:1])  # the connections are open, as those of a worker are
        for document in lone:
            transactions.append(_milliseconds(bare.transaction))
            ours.append(_milliseconds(lambda: pipeline.submit([document])))  # noqa: B023 - called at once
            statements.append(_milliseconds(bare.statement))
    bare.close()
    name, unit = "a lone command, median", "ms"
    yield against_peer(name, unit, median(ours), "BEGIN, INSERT, COMMIT", median(transactions), Target(ratio_max=2))
    yield against_peer(f"{name} (single)", unit, median(ours), "INSERT by itself", median(statements), is_detail=True)


class _Bare:
    """A row like an event's, by a prepared statement."""

    def __init__(self, database: Database) -> None:
        self._connection: psycopg.Connection[Any] = database_connection(database)
        self._connection.execute(_TABLE)
        self._data = orjson.dumps({"name": "x" * 40, "amount": "1250.00", "at": "2026-01-01T00:00:00Z", "text": "y" * 140})
        for _ in range(10):
            self.statement()

    def statement(self) -> None:
        """In one round trip."""
        row = (uuid4(), 1, "invoice.issued.v1", self._data, datetime.now(UTC), uuid4(), "somebody@example.com")
        self._connection.execute(_INSERT, row, prepare=True)

    def transaction(self) -> None:
        """In three."""
        with self._connection.transaction():
            self.statement()

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()


def database_connection(database: Database) -> psycopg.Connection[Any]:
    """A connection as anybody would open it."""
    return psycopg.connect(database.conninfo, autocommit=True)


def _milliseconds(work: Any) -> float:
    began = perf_counter()
    work()
    return (perf_counter() - began) * 1000
