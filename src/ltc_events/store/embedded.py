"""The embedded PostgreSQL: a real server from a wheel, in a folder of the user's, shared by their processes."""

import os
import sys
import threading
import warnings
from pathlib import Path

import platformdirs

from ltc_events.store.database import Database
from ltc_events.store.errors import NoEmbeddedServer

_starting = threading.Lock()


def default_home() -> Path:
    """Where the embedded server keeps its data: the user's data folder; for root, the place of the machine's services.

    Root's server runs as a user of its own, who must be able to reach the folder: so it cannot be in root's home. And
    the wheel cannot handle a space in its path, which the data folder has on macOS.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/ltc-events")
    if sys.platform == "darwin":
        return Path("~/.local/share/ltc-events").expanduser()
    return Path(platformdirs.user_data_dir("ltc-events", appauthor=False))


def open_database(url: str | None, home: Path | None) -> Database:
    """The database at `url`, or else the embedded one in the folder `home`, started if it is not running yet.

    Raises EmbeddedServerFailed, NoEmbeddedServer. A database at `url` is looked at when it is first connected to.
    """
    if url:
        return Database(url)
    with warnings.catch_warnings():
        # Without a login session there is no runtime folder, of which the wheel warns. We need none.
        warnings.simplefilter("ignore")
        try:
            from ltc_events.store.embedded_server import join_server
        except ModuleNotFoundError as error:
            raise NoEmbeddedServer from error
    with _starting:
        return Database(join_server((home or default_home()).expanduser().resolve()))
