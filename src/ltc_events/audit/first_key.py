"""The notary's first key, made where nobody administers one."""

from pathlib import Path

from ltc_events.audit.keys import make_key
from ltc_events.store.database import Database
from ltc_events.store.transparency import TransparencyStore


def ensure_key(database: Database, file: Path) -> bool:
    """Make a key where there is none and nothing was signed yet; whether there is one now.

    Where something was signed, its key is elsewhere, or lost: another one in its place would begin another history.
    """
    if not file.exists():
        with TransparencyStore(database) as store:
            if store.logs():
                return False
        make_key(file)
    return True
