"""Messages on our topics from other producers: stored as dead letters, each once."""

from collections.abc import Sequence
from contextlib import closing

from ltc_events.store.commit import DeadLetter
from ltc_events.store.database import Database, Role
from ltc_events.store.queries import query

_LOCK = query("lock_foreign_messages").as_bytes()
_KEEP = query("keep_foreign_message").as_bytes()


def store_foreign(database: Database, letters: Sequence[DeadLetter]) -> None:
    """Store messages, except those already stored; opens a connection of its own, as this is rare. Raises DatabaseUnreachable."""
    with closing(database.connect(Role.PROJECTOR, autocommit=True)) as connection, connection.transaction():
        connection.execute(_LOCK)  # two workers may read the same at one time
        for letter in letters:
            origin = None if letter.origin is None else letter.origin.decode()
            values = {"source": letter.source, "raw": letter.raw, "reason": letter.reason, "origin": origin}
            connection.execute(_KEEP, values)
