"""When a worker is unwell: behind AND not moving, and nothing else."""

from types import SimpleNamespace
from typing import Any

import pytest

from ltc_events.workers import health
from ltc_events.workers.health import Checkup, Measure, Watch

PATIENCE_S = 60.0


class Time:
    """A clock that stands until it is moved on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=time.monotonic))
    return time


class Bench:
    """A worker and who watches it, with what was measured put in by hand."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.watch = Watch("relay")
        self.checkup = Checkup(self.watch, None, unhealthy_after_s=PATIENCE_S)

    def after(self, seconds: float, lag: int | None = None, place: int = 0, oldest_s: float = 0.0) -> bool:
        """Whether it is well so many seconds later, having been measured then if a lag is given."""
        self.time.now += seconds
        if lag is not None:
            self.checkup._take(Measure(lag, oldest_s, place))
        return self.checkup.verdict().healthy


@pytest.fixture
def bench(time: Time) -> Bench:
    return Bench(time)


def test_behind_and_moving_is_well(bench: Bench) -> None:
    assert all(bench.after(50, lag=1_000, place=step) for step in range(20))


def test_behind_and_not_moving_is_unwell_until_it_moves(bench: Bench) -> None:
    assert bench.after(0, lag=3, place=7)
    assert bench.after(59, lag=3, place=7)
    assert not bench.after(2, lag=4, place=7), "that more comes is no movement"
    assert bench.checkup.verdict().why.startswith("4 behind, has not moved for 61 s")
    assert bench.after(1, lag=3, place=8)


def test_at_the_end_of_its_work_it_may_stand_for_ever(bench: Bench) -> None:
    assert all(bench.after(1_000, lag=0, place=7) for _ in range(5))


def test_what_comes_after_a_long_rest_is_not_held_against_it(bench: Bench) -> None:
    """It is measured every few seconds: the rest ended at the last measurement without a lag."""
    bench.after(1_000, lag=0, place=7)
    assert bench.after(5, lag=9, place=7)
    assert not bench.after(61, lag=9, place=7)


def test_where_we_cannot_look_a_long_step_says_that_there_is_something(bench: Bench) -> None:
    bench.watch.step_begins(object())
    assert bench.after(59)
    assert not bench.after(2)
    bench.watch.step_ended()
    assert bench.after(0)


def test_a_long_step_with_nothing_waiting_is_well(bench: Bench) -> None:
    bench.watch.step_begins(object())
    assert all(bench.after(30, lag=0) for _ in range(10))


def test_what_was_known_last_counts_while_it_cannot_be_measured(bench: Bench) -> None:
    bench.after(0, lag=2, place=1)
    bench.watch.waits("bus_unreachable", "down")
    assert bench.after(59)
    assert not bench.after(2)
    told = bench.checkup.verdict()
    assert (told.lag, told.state, told.measured_seconds_ago) == (2, "bus_unreachable", 61.0)
    assert "bus_unreachable: down" in told.why


def test_waiting_with_nothing_to_do_is_well(bench: Bench) -> None:
    bench.after(0, lag=0, place=1)
    bench.watch.waits("bus_unreachable", "down")
    assert bench.after(10_000)


def test_the_age_of_the_oldest_goes_on_while_it_cannot_be_measured(bench: Bench) -> None:
    bench.after(0, lag=2, place=1, oldest_s=5.0)
    bench.after(10)
    assert bench.checkup.verdict().oldest_seconds == 15.0
    told: dict[str, Any] = bench.checkup.verdict().document()
    assert told["worker"] == "relay"
