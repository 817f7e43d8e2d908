"""Fixtures that several modules share: a whole company, and what tests of read tables and of other releases look at."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.broker import bootstrap, broker, bus  # noqa: F401 - fixtures
from tests.builds import head  # noqa: F401 - a fixture
from tests.company import found_company
from tests.evolution import second, written  # noqa: F401 - fixtures
from tests.projection_samples import known_events
from tests.secured_broker import secured, secured_or_none  # noqa: F401 - fixtures

from ltc_events.projections.declaration.names import Connection
from ltc_events.store import Database, EventStore, Role


@pytest.fixture(scope="session")
def company(server: Any) -> Iterator[Database]:
    """A simulated company, shared by all tests that only read it."""
    name = server.create()
    database = server.at(name)
    found_company(database)
    yield database
    server.drop(name)


@pytest.fixture
def sample_events() -> Iterator[None]:
    """The store knows the sample events while a test runs."""
    with known_events():
        yield


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    """A connection that may do what analysts may."""
    with database.connect(Role.READER, autocommit=True) as connection:
        yield connection


@pytest.fixture
def projector(database: Database) -> Iterator[Connection]:
    """A connection that may write read tables."""
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        yield connection


@pytest.fixture
def log(database: Database) -> Iterator[EventStore]:
    """The event store as the projector sees it."""
    with EventStore(database, Role.PROJECTOR) as store:
        yield store
