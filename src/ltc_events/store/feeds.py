"""Feeds: what was read of them, and locks on work that one process at a time does."""

from abc import ABC, abstractmethod
from typing import Any

import psycopg
from psycopg.rows import scalar_row

from ltc_events.store.database import Database, Role
from ltc_events.store.error_text import error_text
from ltc_events.store.errors import ConnectionLost
from ltc_events.store.queries import query
from ltc_events.store.sqlstate import is_connection_gone

_OFFSETS = query("offsets").as_bytes()
_FEEDS = query("feeds").as_bytes()
_TAKE = query("take_lease").as_bytes()


class Feeds(ABC):
    """The part of the event store that knows of feeds."""

    @abstractmethod
    def _query(self, statement: bytes, **params: Any) -> list[tuple[Any, ...]]: ...

    def offsets(self, *feeds: str) -> dict[tuple[str, int], int]:
        """The next offset to read per partition of these feeds; partitions never read are absent."""
        return {(feed, partition): next_offset for feed, partition, next_offset in self._query(_OFFSETS, feeds=list(feeds))}

    def feeds(self, prefix: str) -> set[str]:
        """The feeds that begin with `prefix` and were read."""
        return {feed for (feed,) in self._query(_FEEDS, prefix=prefix)}


class SessionLock:
    """A lock by name that one process has, as long as its connection lasts; `take` asks the server, also whoever has it."""

    def __init__(self, database: Database, name: str) -> None:
        """Raises DatabaseUnreachable, NotInitialised, RoleDenied."""
        self._name = name
        self._connection = database.connect(Role.WRITER, autocommit=True)

    def take(self) -> bool:
        """Try to take the lock; whether it is held now. Raises ConnectionLost, also where it was held and is lost."""
        try:
            return bool(self._connection.cursor(row_factory=scalar_row).execute(_TAKE, (self._name,)).fetchone())
        except psycopg.Error as error:
            if is_connection_gone(error, self._connection):
                raise ConnectionLost(reason=error_text(error)) from error
            raise

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()
