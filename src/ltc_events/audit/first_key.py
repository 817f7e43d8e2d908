"""Creates the notary's first key where no operator does."""

from pathlib import Path

from ltc_events.audit.keys import make_key
from ltc_events.store.database import Database
from ltc_events.store.transparency import TransparencyStore


def ensure_key(database: Database, file: Path) -> bool:
    """Create a key where there is none and nothing is signed yet; returns whether there is one now.

    If anything is signed, its key is elsewhere or lost, and a new one would begin another history.
    """
    if not file.exists():
        with TransparencyStore(database) as store:
            if store.logs():
                return False
        make_key(file)
    return True
