"""What the simulation draws from and reckons with: repeatable chance, and the hours in which people work."""

from collections import Counter
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from ltc_events.simulation.chance import Chance, Weighted
from ltc_events.simulation.working_time import DAY, at_work, moment, seconds, weekday, workday

MOMENTS = st.integers(0, 4_000_000_000)


def test_a_path_draws_the_same_numbers_for_ever() -> None:
    chance = Chance("seed", "customer", "17")
    assert [chance.below(1000) for _ in range(12)] == [60, 234, 804, 323, 957, 114, 615, 889, 946, 501, 908, 720]


def test_other_paths_draw_other_numbers() -> None:
    one, other = Chance("1", "11"), Chance("11", "1")
    assert [one.below(10**6) for _ in range(3)] != [other.below(10**6) for _ in range(3)]


@given(st.integers(1, 10**9), st.text())
def test_draws_stay_within_their_bounds(bound: int, name: str) -> None:
    chance = Chance(name)
    assert all(0 <= chance.below(bound) < bound for _ in range(40))
    assert all(-3 <= chance.between(-3, bound) <= bound for _ in range(40))


def test_options_come_by_their_weights() -> None:
    chance, options = Chance("weights"), Weighted(("often", 70), ("never", 0), ("seldom", 30))
    drawn = Counter(chance.choose(options) for _ in range(10_000))
    assert set(drawn) == {"often", "seldom"}
    assert 6_700 < drawn["often"] < 7_300
    assert options.items() == [("often", 70), ("never", 0), ("seldom", 30)]


@given(st.integers(0, 12), st.text())
def test_several_are_different_and_in_order(count: int, name: str) -> None:
    chosen = Chance(name).several(range(10), count)
    assert len(chosen) == min(count, 10)
    assert chosen == sorted(set(chosen))


@given(MOMENTS)
def test_people_begin_no_earlier_than_asked_and_only_while_they_work(at: int) -> None:
    begun = at_work(at)
    assert at <= begun < at + 4 * DAY
    assert moment(begun).weekday() < 5
    assert 8 <= moment(begun).hour < 18
    assert at_work(begun) == begun


@given(MOMENTS)
def test_days_and_seconds_agree_with_the_calendar(at: int) -> None:
    assert moment(at) == datetime.fromtimestamp(at, UTC)
    assert weekday(at) == moment(at).weekday()
    assert seconds(moment(at).date()) == at - at % DAY
    assert moment(workday(at)).weekday() < 5
    assert 0 <= workday(at) - seconds(moment(at).date()) <= 2 * DAY


def test_a_saturday_is_made_up_for_on_monday() -> None:
    saturday = seconds(date(2026, 6, 27))
    assert moment(at_work(saturday)).date() == date(2026, 6, 29)
    assert moment(workday(saturday)).date() == date(2026, 6, 29)
