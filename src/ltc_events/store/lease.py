"""A lease on a feed: only its holder moves the feed's offset."""

from typing import Any

import psycopg
from psycopg.rows import scalar_row

from ltc_events.store.commit import Offset
from ltc_events.store.database import Database, Role
from ltc_events.store.error_text import error_text
from ltc_events.store.errors import ConnectionLost, OffsetMoved
from ltc_events.store.event_store import OFFSET_MOVED
from ltc_events.store.queries import query
from ltc_events.store.sqlstate import is_connection_gone

# A holder that is asleep for longer has lost it.
IDLE_TIMEOUT_S = 20

_TAKE = query("take_lease").as_bytes()
_OFFSET = query("offset").as_bytes()
_ADVANCE = query("advance_published").as_bytes()


class Lease:
    """An exclusive lock on `feed` that lasts as long as its connection.

    The offset (partition 0) is moved over the same connection, so that a holder who lost the lease cannot move it.
    """

    def __init__(self, database: Database, feed: str) -> None:
        """Raises DatabaseUnreachable, NotInitialised."""
        self.feed = feed
        self._connection = database.connect(Role.RELAY, autocommit=True)
        self._connection.execute("SELECT set_config('idle_session_timeout', %s, false)", (f"{IDLE_TIMEOUT_S}s",))

    def take(self) -> bool:
        """Try to take the lease; whether it is held now. Raises ConnectionLost."""
        return bool(self._ask(_TAKE, (self.feed,)))

    def offset(self) -> int:
        """The offset to be read next; 0 when nothing was read yet. Raises ConnectionLost, also where the lease is lost."""
        return int(self._ask(_OFFSET, (self.feed,)) or 0)

    def advance(self, expected: int, next_offset: int) -> None:
        """Move the offset. Raises ConnectionLost, OffsetMoved."""
        self._ask(_ADVANCE, Offset(self.feed, 0, expected, next_offset))

    def close(self) -> None:
        """Release the lease."""
        self._connection.close()

    def _ask(self, statement: bytes, values: tuple[Any, ...]) -> Any:
        try:
            return self._connection.cursor(row_factory=scalar_row).execute(statement, values).fetchone()
        except psycopg.Error as error:
            if is_connection_gone(error, self._connection):
                raise ConnectionLost(reason=error_text(error)) from error
            if error.sqlstate == OFFSET_MOVED:
                raise OffsetMoved(detail=error.diag.message_primary) from error
            raise
