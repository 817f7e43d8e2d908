"""One import of a mapping at a time: of two at once, the one that read an older export could take the ledger back to it."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ltc_events.importing.mapping import MAPPING_FILE, read_folder
from ltc_events.importing.runs import owner_of
from ltc_events.store.event_store import EventStore
from ltc_events.store.feeds import SessionLock

LOOK_AGAIN_S = 0.5


def lock_of(store: EventStore, owner: str) -> SessionLock:
    """The lock of the mapping that is known as `owner`, not taken yet."""
    return store.lock(f"import/{owner}")


@contextmanager
def only_import(store: EventStore, mapping: Path, tell_waiting: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Wait until no other import of this mapping runs, and keep others out; `tell_waiting` is called once where it takes time.

    What it gives is to be called from time to time, and raises ConnectionLost where another import may have begun. A mapping that
    cannot be read keeps nobody out.
    """
    read, _ = read_folder(mapping.parent if mapping.name == MAPPING_FILE else mapping)
    if read is None:
        yield lambda: None
        return
    with closing(lock_of(store, owner_of(read.mapping))) as lock:
        if not lock.take():
            tell_waiting()
            while not lock.take():
                time.sleep(LOOK_AGAIN_S)

        def require_held() -> None:
            lock.take()

        yield require_held
