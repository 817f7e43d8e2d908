"""Storage of rolls: the last version of every stream, kept up to the last roll, and the leaves of the log of rolls."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from ltc_events.proofs.hashing import leaf_hash
from ltc_events.proofs.roll import StreamHead, shard_of
from ltc_events.schemas.record import RawRecord
from ltc_events.store.reading import EVENT_COLUMNS, to_raw_records
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)
_HEADS = _SQL.compose("heads", event_columns=EVENT_COLUMNS).as_bytes()
_PAGE_ROWS = 2_000


class LastEvent(NamedTuple):
    """The last event of a stream among some."""

    stream: UUID
    customer: UUID | None
    type: str
    version: int
    position: int


class Member(NamedTuple):
    """A stream in its shard: `leaf` is the hash of its leaf there."""

    owner: UUID
    stream: UUID
    is_customers: bool
    version: int
    leaf: bytes


class Shard(NamedTuple):
    """A shard: the root over its streams, how many streams and customers there are, and the sum of their versions."""

    number: int
    root: bytes
    streams: int
    customers: int
    events: int


class RollStore:
    """What rolls are made from, over the connection of the transparency logs. Writing is to be in a transaction of the caller."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def state(self, log: str) -> int:
        """Up to which position the heads are kept for a log of rolls; 0: they are not."""
        row = self._connection.execute(_SQL["state"], {"log": log}).fetchone()
        return int(row[0]) if row else 0

    def clear(self) -> None:
        """Forget the heads of all streams."""
        for statement in (_SQL["clear_streams"], _SQL["clear_shards"], _SQL["clear_state"]):
            self._connection.execute(statement)

    def last_events(self, after: int, upto: int) -> list[LastEvent]:
        """The last event of each stream that has events behind `after`, up to the position `upto`."""
        rows = self._connection.execute(_SQL["last_events"], {"after": after, "upto": upto})
        return [LastEvent(*row) for row in rows]

    def heads(self, upto: int) -> Iterator[RawRecord]:
        """The last event of every stream up to a position, in no order."""
        with self._connection.transaction(), self._connection.cursor(name="ltc_heads") as cursor:
            cursor.itersize = _PAGE_ROWS
            cursor.execute(_HEADS, {"upto": upto})
            while rows := cursor.fetchmany(_PAGE_ROWS):
                yield from to_raw_records(rows)

    def keep_streams(self, heads: Iterable[StreamHead]) -> set[int]:
        """Keep the heads of these streams; returns their shards."""
        rows = [
            (
                shard_of(one.owner), one.owner, one.stream, one.customer is not None, one.kind, one.version, one.head,
                leaf_hash(one.leaf()),
            )
            for one in heads
        ]  # fmt: skip
        if rows:
            self._connection.execute(_SQL["keep_streams"], [list(column) for column in zip(*rows, strict=True)])
        return {row[0] for row in rows}

    def members(self, shards: Collection[int]) -> Iterator[tuple[int, list[Member]]]:
        """The streams of each of these shards that has any, in the order of its leaves."""
        rows = self._connection.execute(_SQL["members"], {"shards": list(shards)}, binary=True)
        for shard, those in groupby(rows, key=lambda row: row[0]):
            yield shard, [Member(*row[1:]) for row in those]

    def keep_shards(self, shards: Sequence[Shard]) -> None:
        """Keep what shards have now."""
        if shards:
            self._connection.execute(_SQL["keep_shards"], [list(column) for column in zip(*shards, strict=True)])

    def shards(self) -> dict[int, Shard]:
        """The shards that have any streams, by number."""
        return {row[0]: Shard(*row) for row in self._connection.execute(_SQL["shards"])}

    def keep_state(self, log: str, size: int) -> None:
        """Keep up to which position the heads are."""
        self._connection.execute(_SQL["keep_state"], {"log": log, "size": size})

    def leaves(self, log: str, first: int, limit: int) -> list[tuple[int, int, bytes]]:
        """The leaves of a log of rolls from an index on: index, size of the log of events, bytes."""
        return list(self._connection.execute(_SQL["leaves"], {"log": log, "first": first, "limit": limit}))
