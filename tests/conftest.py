"""A real PostgreSQL for the tests: the embedded one in a temporary folder, or that of LTC_TEST_DATABASE_URL.

The ledger is laid out once, in a template; each test gets a copy of it, which takes some ten milliseconds.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from shutil import disk_usage

import psycopg
import pytest
import structlog
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.kafka_sockets import close_all_sockets

from ltc_events.store import Database, EventStore, Role, open_database
from ltc_events.store.embedded_server import leave_server

_numbers = count(1)
MEMORY_BYTES = 6 * 1024**3
"""So much room the servers of several workers need."""
close_all_sockets()


def pytest_configure() -> None:
    """A `.env` where the tests run would set what the commands that they start have as default, the database for one."""
    if Path(".env").exists():
        pytest.exit("there is a .env in this folder: the commands that tests start would take their settings from it", 4)


class TestServer:
    """Makes databases on one server, and removes them."""

    __test__ = False

    def __init__(self, url: str) -> None:
        self._url = url
        self._mark = f"ltc_test_{os.getpid()}"
        self._template = f"{self._mark}_template"

    @property
    def url(self) -> str:
        """Where it is."""
        return self._url

    def prepare(self) -> None:
        """Lay out the template."""
        self._create(self._template, "template1")
        self.template.initialise()

    @property
    def template(self) -> Database:
        """What new databases are copies of. Nobody may be connected to it when one is made."""
        return self.at(self._template)

    def at(self, name: str) -> Database:
        """The database of this name, existing or not."""
        return Database(make_conninfo(self._url, dbname=name))

    def create(self) -> str:
        """A new database with an empty ledger; its name."""
        name = f"{self._mark}_{next(_numbers)}"
        self._create(name, self._template)
        return name

    def create_bare(self) -> str:
        """A new database without a ledger; its name."""
        name = f"{self._mark}_{next(_numbers)}"
        self._create(name, "template1")
        return name

    def create_from(self, original: Database) -> str:
        """A new database that holds what `original` holds; its name. Nobody may be connected to the original."""
        name = f"{self._mark}_{next(_numbers)}"
        self._create(name, str(conninfo_to_dict(original.conninfo)["dbname"]))
        return name

    def put_in_place_of(self, name: str, other: str) -> None:
        """Give a database the name of another one, which is removed with all its connections."""
        old, new, gone = sql.Identifier(other), sql.Identifier(name), sql.Identifier(f"{other}_gone")
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(old))
            connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (other,))
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, gone))
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(new, old))
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(gone))

    def drop(self, name: str) -> None:
        """Remove a database, even one that somebody forgot to leave."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Remove the template."""
        self.drop(self._template)

    def _create(self, name: str, template: str) -> None:
        query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log")
        self._run(query.format(sql.Identifier(name), sql.Identifier(template)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """What a command that ran in this process said of logging ends with its test: later ones want to hear what is logged.

    Loggers that it made final look at the configuration again.
    """
    before = structlog.get_config()
    yield
    if structlog.get_config() != before:
        structlog.configure(**before)
        for name, module in list(sys.modules.items()):
            if name.startswith("ltc_events.") and hasattr(module, "log"):
                vars(module.log).pop("bind", None)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for an embedded server: as root it runs as another user, whom pytest's own folders do not let in."""
    with tempfile.TemporaryDirectory(prefix="ltc-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _in_memory() -> Path | None:
    """A file system in memory with room for a server's files, which waits for no disk; None: there is none."""
    folder, memory = Path("/dev/shm"), Path("/proc/meminfo")
    if not os.access(folder, os.W_OK) or not memory.exists():
        return None
    # The file system is as large as it says, whether or not the machine has as much to give.
    words = memory.read_text(encoding="ascii").split()
    available = int(words[words.index("MemAvailable:") + 1]) * 1024
    return folder if min(disk_usage(folder).free, available // 2) >= MEMORY_BYTES else None


@pytest.fixture(scope="session")
def server() -> Iterator[TestServer]:
    """The server that all tests of a session share."""
    url = os.environ.get("LTC_TEST_DATABASE_URL")
    with tempfile.TemporaryDirectory(prefix="ltc-", dir=_in_memory()) as folder:
        home = Path(folder).resolve()
        tests = TestServer(url or open_database(None, home).conninfo)
        tests.prepare()
        yield tests
        tests.close()
        leave_server(home)


@pytest.fixture
def database(server: TestServer) -> Iterator[Database]:
    """A database of this test's own with an empty ledger."""
    name = server.create()
    yield server.at(name)
    server.drop(name)


@pytest.fixture
def bare_database(server: TestServer) -> Iterator[Database]:
    """A database of this test's own in which nothing was laid out."""
    name = server.create_bare()
    yield server.at(name)
    server.drop(name)


@pytest.fixture
def event_store(database: Database) -> Iterator[EventStore]:
    """The writer's event store on `database`."""
    store = EventStore(database, Role.WRITER)
    yield store
    store.close()
