"""Fixtures for tests that start whole programs."""

from tests.broker import bootstrap, broker  # noqa: F401 - fixtures
from tests.e2e.test_cli import company_cli  # noqa: F401 - a fixture
