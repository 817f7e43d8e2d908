"""Fixtures for tests that look at a whole company."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.broker import bootstrap, broker, bus  # noqa: F401 - fixtures
from tests.company import found_company

from ltc_events.store import Database


@pytest.fixture(scope="session")
def company(server: Any) -> Iterator[Database]:
    """A simulated company, shared by all tests that only read it."""
    name = server.create()
    database = server.at(name)
    found_company(database)
    yield database
    server.drop(name)
