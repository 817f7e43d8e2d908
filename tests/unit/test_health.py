"""When a worker is unwell: behind and not moving, waiting for long, or not measured for long; and nothing else."""

from types import SimpleNamespace
from typing import Any

import pytest

from ltc_events.workers import health
from ltc_events.workers.health import MEASURE_EVERY_S, MISSED_MAX, Checkup, Measure, Watch
from ltc_events.workers.metrics import LOG_POSITION, Reading

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


class Unused:
    """The measurements are put in by hand."""

    def measure(self, _: object) -> Measure:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


class Bench:
    """A worker and who watches it, with what was measured put in by hand."""

    def __init__(self, time: Time, probe: type[Unused] | None = Unused) -> None:
        self.time = time
        self.watch = Watch("relay")
        self.checkup = Checkup(self.watch, probe, unhealthy_after_s=PATIENCE_S)

    def after(self, seconds: float, lag: int | None = None, place: int = 0, oldest_s: float = 0.0) -> bool:
        """Whether it is well so many seconds later, having been measured then if a lag is given."""
        self.time.now += seconds
        if lag is not None:
            self.checkup._take(Measure(lag, oldest_s, place, (Reading(LOG_POSITION, place),)), self.time.now)
        return self.checkup.verdict().healthy

    def told(self) -> dict[str, float]:
        """What Prometheus is told."""
        return {gauge.name: value for gauge, value, _ in self.checkup.readings()}


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


def test_where_nobody_looks_a_long_step_says_that_there_is_something(time: Time) -> None:
    bench = Bench(time, None)
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
    assert (told.lag, told.state, told.measured_seconds_ago) == (None, "bus_unreachable", 61.0)
    assert told.why.startswith("2 behind, has not moved for 61 s; waiting for 61 s; not measured for 61 s")
    assert "bus_unreachable: down" in told.why


def test_waiting_is_a_state_of_its_own_that_is_unwell_when_it_lasts(bench: Bench) -> None:
    bench.after(0, lag=0, place=1)
    bench.watch.waits("bus_unreachable", "down")
    assert bench.after(30, lag=0)
    assert bench.told()["ltc_worker_waiting_seconds"] == bench.checkup.verdict().waiting_seconds == 30
    bench.watch.waits("bus_unreachable", "down")
    bench.watch.step_begins(object())  # what it waited for is there, and away again before anything is done
    bench.watch.waits("database", "down")
    assert not bench.after(31, lag=0), "though nothing is known to wait for it"
    assert bench.checkup.verdict().why == "waiting for 61 s, waiting (database: down)"
    bench.watch.step_begins(object())
    bench.watch.step_ended()
    assert bench.after(0)
    assert "ltc_worker_waiting_seconds" not in bench.told()


def test_a_measurement_that_is_old_is_unwell_and_what_it_found_is_not_told(bench: Bench) -> None:
    """Whether it fails or hangs, and whatever the worker itself says."""
    bench.watch.step_ended()
    bench.after(0, lag=0, place=7)
    assert bench.told()["ltc_log_position"] == 7
    assert bench.told()["ltc_oldest_unprocessed_seconds"] == 0
    bench.after(MISSED_MAX * MEASURE_EVERY_S + 1)
    told = bench.told()
    assert not {"ltc_log_position", "ltc_oldest_unprocessed_seconds"} & told.keys()
    assert told["ltc_measurement_age_seconds"] == 16
    assert told["ltc_worker_healthy"] == 1
    assert bench.checkup.verdict().lag is None
    assert not bench.after(45)
    assert bench.checkup.verdict().why.startswith("not measured for 61 s")
    assert bench.told()["ltc_worker_healthy"] == 0
    assert bench.after(1, lag=0, place=7)
    assert bench.told()["ltc_log_position"] == 7


def test_what_was_never_measured_grows_old_from_the_start(bench: Bench) -> None:
    bench.watch.step_ended()
    assert bench.after(59)
    assert not bench.after(2)
    assert bench.told()["ltc_measurement_age_seconds"] == 61


def test_the_age_of_the_oldest_goes_on_between_measurements(bench: Bench) -> None:
    bench.after(0, lag=2, place=1, oldest_s=5.0)
    bench.after(10)
    assert bench.checkup.verdict().oldest_seconds == bench.told()["ltc_oldest_unprocessed_seconds"] == 15.0
    told: dict[str, Any] = bench.checkup.verdict().document()
    assert told["worker"] == "relay"


def test_no_secret_is_told(bench: Bench) -> None:
    bench.watch.waits("database_unreachable", "postgresql://u:CANARY@h/d is away")
    bench.checkup._trouble = "password=CANARY"
    assert "CANARY" not in str(bench.checkup.verdict().document())
