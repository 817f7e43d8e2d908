"""Laws of the net effect: it is what the operations do one by one, wherever a batch ends."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ltc_events.projections.declaration.projection import Add, Delete, Operation, Put
from ltc_events.projections.writing.net_effect import Change, fold

DEFAULTS = {"name": None, "paid": Decimal(0), "count": 0, "open": None}
Row = dict[str, Any]
Table = dict[tuple[Any, ...], Row]

amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e24"), max_value=Decimal("1e24"), places=9)
numbers = st.fixed_dictionaries({}, optional={"paid": amounts, "open": amounts, "count": st.integers(-5, 5)})
columns = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["a", "b", None]),
        "paid": amounts,
        "open": amounts | st.none(),
        "count": st.integers(-5, 5),
    },
)
keys = st.integers(1, 3)
operations = st.one_of(
    st.builds(lambda key, values: Put(key, **values), keys, columns),
    st.builds(lambda key, values: Add(key, **values), keys, numbers),
    st.builds(Delete, keys),
)


def one_by_one(table: Table, batch: Iterable[Operation]) -> Table:
    """What the operations are defined to do."""
    table = {key: dict(row) for key, row in table.items()}
    for operation in batch:
        if isinstance(operation, Delete):
            table.pop(operation.key, None)
            continue
        row = table.setdefault(operation.key, dict(DEFAULTS))
        if isinstance(operation, Put):
            row.update(operation.values)
        else:
            for name, amount in operation.values.items():
                row[name] = (row[name] or 0) + amount if name == "count" else exact(row[name], amount)
    return table


def exact(left: Decimal | None, right: Decimal) -> Fraction:
    return Fraction(left or 0) + Fraction(right)


def write(table: Table, net: dict[tuple[Any, ...], Change]) -> Table:
    """What the writer makes the database do with a net effect."""
    table = {key: dict(row) for key, row in table.items()}
    for key, (removed, sets, adds) in net.items():
        if removed:
            table.pop(key, None)
        if sets is None:
            continue
        assert not set(sets) & set(adds)
        row = table.setdefault(key, dict(DEFAULTS))
        row.update(sets)
        for name, amount in adds.items():
            row[name] = (row[name] or 0) + amount if name == "count" else exact(row[name], amount)
    return table


@given(st.lists(operations, max_size=30), st.lists(st.integers(0, 30), max_size=5))
def test_any_batch_boundaries_give_the_same_table(history: list[Operation], cuts: Sequence[int]) -> None:
    table: Table = {}
    for start, end in pairwise([0, *sorted(cuts), len(history) + 30]):
        table = write(table, fold(history[start:end]))
    assert table == one_by_one({}, history)


@given(st.lists(operations, max_size=10), st.lists(operations, max_size=10))
def test_the_net_effect_holds_on_any_table(before: list[Operation], batch: list[Operation]) -> None:
    table = one_by_one({}, before)
    assert write(table, fold(batch)) == one_by_one(table, batch)


@given(st.lists(operations, max_size=20))
def test_folding_leaves_the_operations_as_they_were(history: list[Operation]) -> None:
    shown = [repr(operation) for operation in history]
    fold(history)
    assert [repr(operation) for operation in history] == shown


@given(st.lists(amounts, min_size=1, max_size=50))
def test_sums_are_exact(steps: list[Decimal]) -> None:
    ((_, _, adds),) = fold(Add(1, paid=step) for step in steps).values()
    assert adds["paid"] == sum(map(Fraction, steps))
