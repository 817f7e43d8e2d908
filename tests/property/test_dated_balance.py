"""A dated balance says what the sum of its movements says on each day, however their dates jump."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_events.aggregates.dated_balance import NOTHING, AvailableLater, require_any, require_available

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(8)]
days = st.sampled_from(DAYS)
amounts = st.integers(1, 9).map(Decimal)
movements = st.lists(st.tuples(days, st.integers(-9, 9).map(Decimal)), max_size=8)


@given(moves=movements)
def test_the_balance_of_each_day_is_the_sum_of_the_movements_up_to_it(moves: list[tuple[date, Decimal]]) -> None:
    balance = NOTHING
    for on, change in moves:
        balance = balance.moved(on, change)
    sums = {day: sum((change for on, change in moves if on <= day), Decimal(0)) for day in DAYS}
    assert {day: balance.at(day) for day in DAYS} == sums
    assert balance.amount == sums[DAYS[-1]]
    for day in DAYS:
        least = min(amount for later, amount in sums.items() if later >= day)
        assert balance.available(day) == max(Decimal(0), least)


@given(wishes=st.lists(st.tuples(days, amounts, st.booleans()), max_size=12))
def test_what_is_taken_as_far_as_it_is_available_leaves_no_day_negative(wishes: list[tuple[date, Decimal, bool]]) -> None:
    """And what is refused is refused because it would: on the day that is named it is there, the day before it is not."""
    balance = NOTHING
    for on, amount, comes in wishes:
        if comes:
            balance = balance.moved(on, amount)
        elif amount <= balance.amount:
            refused = None
            try:
                require_available([balance], on, amount, "the payment")
                balance = balance.moved(on, -amount)
            except AvailableLater as refusal:
                refused = on, refusal.details["earliest"]
            if refused is not None:
                assert refused[0] < refused[1]
                assert balance.available(refused[1]) >= amount > balance.available(refused[1] - timedelta(days=1))
        assert all(balance.at(day) >= 0 for day in DAYS)


@given(several=st.lists(st.tuples(days, amounts), min_size=1, max_size=4), on=days)
def test_of_several_balances_something_is_there_from_the_day_on_that_is_named(
    several: list[tuple[date, Decimal]], on: date
) -> None:
    first = min(day for day, _ in several)
    balances = [NOTHING.moved(day, amount) for day, amount in several]
    if first <= on:
        require_any(balances, on, "what the customer owes")
        return
    with pytest.raises(AvailableLater) as refusal:
        require_any(balances, on, "what the customer owes")
    assert refusal.value.details["earliest"] == first
    assert refusal.value.details["asked"] == sum(amount for day, amount in several if day == first)
