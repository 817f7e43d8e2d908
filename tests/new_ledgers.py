"""Empty ledgers for what is made outside of the tests, each on an embedded server that goes away in the end."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ltc_events.store import Database, open_database
from ltc_events.store.embedded_server import leave_server


@contextmanager
def new_ledgers() -> Iterator[Callable[[], Database]]:
    """What makes a new ledger at every call."""
    homes: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="ltc-new-") as folder:

        def new_ledger() -> Database:
            homes.append(Path(folder).resolve() / str(len(homes) + 1))
            database = open_database(None, homes[-1])
            database.initialise()
            return database

        yield new_ledger
        for home in homes:
            leave_server(home)
