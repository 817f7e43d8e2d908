"""The embedded PostgreSQL: a real server from a wheel, in a folder of the user's, shared by their processes."""

import threading
import warnings
from functools import partial
from pathlib import Path

from ltc_events.store.database import Database
from ltc_events.store.errors import NoEmbeddedServer
from ltc_events.store.home import default_home

_starting = threading.Lock()


def open_database(url: str | None, home: Path | None, password_file: Path | None = None) -> Database:
    """The database at `url`, or else the embedded one in the folder `home`, started if it is not running yet.

    Raises DatabaseUrlMalformed, EmbeddedServerFailed, NoEmbeddedServer. A database at `url` is looked at when it is first
    connected to, with the password that `password_file` then holds, if there is such a file.
    """
    if url:
        return Database(url, password_file)
    with warnings.catch_warnings():
        # Without a login session there is no runtime folder, of which the wheel warns. We need none.
        warnings.simplefilter("ignore")
        try:
            from ltc_events.store.embedded_server import full_disk, join_server
        except ModuleNotFoundError as error:
            raise NoEmbeddedServer from error
    with _starting:
        folder = (home or default_home()).expanduser().resolve()
        return Database(join_server(folder), cause_of_failure=partial(full_disk, folder))
