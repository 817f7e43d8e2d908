"""A simulated company's commands on a real store: accepted as meant, refused as meant, and the books come out."""

from collections import Counter
from itertools import islice

import pytest

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.projections.registry import PROJECTIONS
from ltc_events.projections.runner import open_runner
from ltc_events.reports.runner import run
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.simulation import ENDS_ON, Simulation
from ltc_events.store import Database, EventStore

CUSTOMERS, DAYS = 250, 365


@pytest.fixture
def simulation() -> Simulation:
    """A company that is large enough for nearly everything to happen."""
    return Simulation(20, CUSTOMERS, DAYS)


@pytest.fixture
def outcomes(simulation: Simulation, event_store: EventStore) -> list[Outcome]:
    """What became of each of its commands."""
    pipeline = CommandPipeline(event_store, SystemClock())
    answers: list[Outcome] = []
    while batch := list(islice(simulation, 500)):
        for answer in pipeline.submit(batch):
            assert isinstance(answer, Outcome), answer
            answers.append(answer)
    return answers


def test_the_store_decides_as_the_simulation_foresaw(
    simulation: Simulation, outcomes: list[Outcome], event_store: EventStore
) -> None:
    summary = simulation.summary
    accepted = sum(outcome.status is Status.ACCEPTED for outcome in outcomes)
    refusals = Counter(outcome.reasons[0].code for outcome in outcomes if outcome.status is Status.REFUSED)
    assert len(outcomes) == summary.total
    assert refusals == summary.refused
    assert refusals
    assert accepted >= len(outcomes) * 99 // 100
    assert not summary.unforeseen
    assert sum(outcome.duplicate for outcome in outcomes) == summary.repeated
    assert event_store.head()[0] == summary.events


def test_the_same_commands_again_change_nothing(outcomes: list[Outcome], event_store: EventStore) -> None:
    events = event_store.head()[0]
    pipeline = CommandPipeline(event_store, SystemClock())
    again = pipeline.submit(list(islice(Simulation(20, CUSTOMERS, DAYS), 500)))
    assert all(isinstance(answer, Outcome) and answer.duplicate for answer in again)
    assert event_store.head()[0] == events


def test_the_books_balance_and_every_difference_has_a_name(outcomes: list[Outcome], database: Database) -> None:
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    balance = run(database, "trial-balance", as_of=ENDS_ON)
    bridge = run(database, "revenue-vs-opportunity", as_of=ENDS_ON)
    assert balance.rows
    assert bridge.rows
    assert bridge.totals["residual"] == {"EUR": 0}
