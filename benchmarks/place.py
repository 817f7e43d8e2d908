"""Where benchmarks run: an embedded server of their own, databases on it, and simulated companies to fill them with."""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ltc_events.bootstrap.services import open_pipeline
from ltc_events.simulation import simulate
from ltc_events.store import Database, Role, open_database

SEED = 7
DAYS = 365
BATCH = 500
"""Commands a transaction, as the command line has it."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    customers: int
    """Of the company whose commands and events are measured."""
    customers_larger: int
    """Of the larger company that is reported on."""
    rounds: int
    """How often ours and theirs take turns; the median counts."""
    peer_commands: int
    peer_events: int
    peer_receivables: int
    lone_commands: int
    invoices: int
    """How many are explained."""

    @property
    def is_quick(self) -> bool:
        """Whether it only shows that it runs."""
        return self.rounds == 1


FULL = Sizes(
    customers=1_200,
    customers_larger=2_000,
    rounds=3,
    peer_commands=480,
    peer_events=20_000,
    peer_receivables=300,
    lone_commands=300,
    invoices=200,
)
QUICK = Sizes(
    customers=8,
    customers_larger=12,
    rounds=1,
    peer_commands=12,
    peer_events=300,
    peer_receivables=10,
    lone_commands=5,
    invoices=3,
)


@dataclass
class Place:
    """What a run of the benchmarks works on. Everything is made when it is first asked for, and gone at the end."""

    home: Path
    sizes: Sizes
    is_large: bool = False
    held: ExitStack = field(default_factory=ExitStack)
    """What several benchmarks share; closed at the end."""
    broker: str | None = None
    """The address of the broker that they share, if they do."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _ledgers: dict[int, Database] = field(default_factory=dict)

    @property
    def server(self) -> str:
        """The connection string of the server."""
        return open_database(None, self.home).conninfo

    def forgo_durability(self) -> None:
        """Let the server not wait for the disk."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")

    def bare_database(self) -> Database:
        """A new, empty database."""
        name = f"bench_{next(self._numbers)}"
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return Database(make_conninfo(self.server, dbname=name))

    def database(self) -> Database:
        """A new database with an empty ledger."""
        database = self.bare_database()
        database.initialise()
        return database

    def copy_of(self, database: Database) -> Database:
        """A copy of a database to which nobody is connected."""
        name = f"bench_{next(self._numbers)}"
        original = psycopg.conninfo.conninfo_to_dict(database.conninfo)["dbname"]
        with psycopg.connect(self.server, autocommit=True) as connection:
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            connection.execute(copy.format(sql.Identifier(name), sql.Identifier(str(original))))
        return Database(make_conninfo(self.server, dbname=name))

    def drop(self, database: Database) -> None:
        """Remove a database: its dirty pages shall not be written while something else is measured."""
        name = str(psycopg.conninfo.conninfo_to_dict(database.conninfo)["dbname"])
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self) -> None:
        """Write out what earlier work has left dirty, so that no benchmark pays for another one's pages."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def ledger(self, customers: int) -> Database:
        """A ledger with the year of a company of so many customers; shared, so only to be read."""
        if customers not in self._ledgers:
            say(f"a year of {customers:,} customers goes through the pipeline …")
            self._ledgers[customers] = self.database()
            fill(self._ledgers[customers], simulate(SEED, customers, DAYS))
        return self._ledgers[customers]


@contextmanager
def open_place(sizes: Sizes, *, is_large: bool = False) -> Iterator[Place]:
    """A server in a temporary folder; fsync and synchronous_commit are on, as PostgreSQL has them, unless it is to be quick."""
    with tempfile.TemporaryDirectory(prefix="ltc-bench-") as folder:
        home = Path(folder).resolve()
        place = Place(home, sizes, is_large)
        try:
            with place.held:
                if sizes.is_quick:
                    place.forgo_durability()
                yield place
        finally:
            # Importing it before the server was opened would warn of a missing login session.
            from ltc_events.store.embedded_server import leave_server

            leave_server(home)


def company(customers: int, *, seed_more: int = 0) -> list[bytes]:
    """The commands of a company's year, in the order of time. Another seed makes another company."""
    return list(simulate(SEED + seed_more, customers, DAYS))


def fill(database: Database, documents: Iterable[bytes]) -> None:
    """Submit commands as a feed would."""
    with open_pipeline(database) as pipeline:
        for batch in in_batches(documents, BATCH):
            pipeline.submit(batch)
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE ltc.events, ltc.outcomes")


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, `size` at a time."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def say(text: str) -> None:
    """Tell whoever waits what is being done."""
    sys.stderr.write(f"  {text}\n")
