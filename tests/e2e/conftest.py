"""Fixtures for tests that start whole programs."""

from tests.broker import bootstrap, broker  # noqa: F401 - fixtures
