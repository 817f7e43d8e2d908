"""Builds of read tables, for tests that follow the log, build anew and switch: how they stand, and waiting for that."""

import time
from collections.abc import Callable

import pytest
from tests.projection_samples import ALL, append, bill, chatter, payment, void

from ltc_events.projections.catalog.lifecycle import State, states_of
from ltc_events.projections.catalog.status import ProjectionStatus, projection_status
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.store import Database, EventStore, Role

V1, V2 = Build("bills", 1, 0), Build("bills", 2, 0)
B1 = Build("bills", 1, 1)
WHO = {"by": "ann", "reason": "test"}


@pytest.fixture
def head(database: Database, event_store: EventStore) -> int:
    """Thirty bills with what happened to them, and read tables that show it."""
    bills = [bill(n, f"{n}.50", "x" if n % 3 == 0 else None) for n in range(1, 31)]
    more = [chatter(), payment(1, "1.00"), payment(2, "0.50"), payment(2, "2.00"), void(3), chatter()]
    head = append(event_store, *bills, *more)
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    return head


def status(database: Database, name: str) -> ProjectionStatus:
    """How the table of this name stands."""
    return next(one for one in projection_status(database) if one.name == name)


def state(database: Database, build: Build) -> State:
    """How far a build has come in its life."""
    with database.connect(Role.PROJECTOR) as connection:
        return states_of(connection, build.name)[build]


def until(done: Callable[[], bool], seconds: float = 90) -> float:
    """Wait for something; how long it took."""
    started = time.monotonic()
    while not done():
        assert time.monotonic() - started < seconds
        time.sleep(0.005)
    return time.monotonic() - started
