"""The notary as a worker, and its probe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ltc_events.audit.keys import EVENTS, NotaryKeys, read_keys
from ltc_events.audit.notary import Notary, open_notary
from ltc_events.bootstrap.services import open_store
from ltc_events.store import Database, Role
from ltc_events.store.transparency import TransparencyStore
from ltc_events.workers.health import Measure
from ltc_events.workers.metrics import LOG_POSITION, NOTARY_AGE, NOTARY_LAG, NOTARY_POSITION, Reading


@contextmanager
def open_notary_worker(database: Database, key_file: Path) -> Iterator[Notary]:
    """A notary with its own connections; it reads its keys each time it is opened. Raises NoNotaryKey, NotaryKeyUnreadable."""
    with open_notary(database, key_file) as notary:
        yield notary


class NotaryProbe:
    """Measures a notary: the events after the last signed one. A standby has no backlog."""

    def __init__(self, database: Database, key_file: Path) -> None:
        self._keys: NotaryKeys = read_keys(key_file)
        self._events = open_store(database, Role.NOTARY)
        self._store = TransparencyStore(database)
        self._stands_by = False

    def measure(self, worker: Any) -> Measure:
        """The unsigned events of the log."""
        if worker is not None:
            self._stands_by = worker.is_standing_by
        head, _ = self._events.head()
        last = self._store.last(self._keys.origin(EVENTS))
        size = 0 if last is None else last.size
        next_at = self._events.recorded_at(size + 1) if head > size else None
        age = max(time.time() - next_at.timestamp(), 0.0) if next_at else 0.0
        readings = (
            Reading(LOG_POSITION, head),
            Reading(NOTARY_POSITION, size),
            Reading(NOTARY_LAG, max(head - size, 0)),
            Reading(NOTARY_AGE, age),
        )
        return Measure(0, 0.0, size) if self._stands_by else Measure(max(head - size, 0), age, size, readings)

    def close(self) -> None:
        """Close the connections."""
        self._events.close()
        self._store.close()
