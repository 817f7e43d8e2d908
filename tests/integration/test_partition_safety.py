"""No read table depends on the order in which different partitions arrive: that alone makes them fit for several workers."""

import random
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltc_events.kernel.partitioning import partition_of
from ltc_events.projections.declaration.projection import Add, Delete, Operation, Projection, Put
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.projections.writing.net_effect import operations
from ltc_events.schemas.record import Record, routing_key
from ltc_events.store import Database, EventStore, Role

Told = list[tuple[Record, list[Operation]]]


@pytest.fixture(scope="module")
def records(company: Database) -> list[Record]:
    with EventStore(company, Role.PROJECTOR) as store:
        return store.read(0, 1_000_000)


@pytest.fixture(scope="module")
def told(records: list[Record]) -> dict[type[Projection], Told]:
    """What each event means to each table, where it means anything."""
    return {one: [(r, ops) for r in records if (ops := operations(one(), [r]))] for one in PROJECTIONS}


class _Model(Projection):
    """A table without columns that start with anything."""


def table(projection: type[Projection], batch: Iterable[Operation]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What a table holds after these operations, one by one; a model that is nothing like the engine."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    start = {name: Decimal(0) if one.default == "0" else one.default for name, one in projection.columns.items()}
    for operation in batch:
        if isinstance(operation, Delete):
            rows.pop(operation.key, None)
            continue
        row = rows.setdefault(operation.key, dict(start))
        for name, value in operation.values.items():
            row[name] = (row[name] or 0) + value if isinstance(operation, Add) else value
    return rows


def interleaved(told: Told, partitions: int, dice: random.Random) -> Told:
    """The same events as several workers may take them in: each partition in its order, and they in any."""
    queues: dict[int, Told] = {}
    for one in told:
        queues.setdefault(partition_of(routing_key(one[0]), partitions), []).append(one)
    mixed: Told = []
    for queue in queues.values():
        queue.reverse()
    while queues:
        partition = dice.choice(list(queues))
        for _ in range(dice.randint(1, 50)):
            mixed.append(queues[partition].pop())
            if not queues[partition]:
                del queues[partition]
                break
    return mixed


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(partitions=st.integers(2, 64), seed=st.integers(0, 2**32))
def test_any_order_of_partitions_gives_the_same_tables(told: dict[type[Projection], Told], partitions: int, seed: int) -> None:
    dice = random.Random(seed)
    for projection, its in told.items():
        mixed = interleaved(its, partitions, dice)
        in_order = table(projection, [operation for _, ops in its for operation in ops])
        assert table(projection, [operation for _, ops in mixed for operation in ops]) == in_order, projection.table


def test_no_row_is_touched_by_two_routing_keys(told: dict[type[Projection], Told]) -> None:
    """So two workers never write the same row, and never wait for each other."""
    for projection, its in told.items():
        touched: dict[tuple[Any, ...], bytes] = {}
        for record, ops in its:
            for operation in ops:
                key = routing_key(record)
                assert touched.setdefault(operation.key, key) == key, f"{projection.table}: {operation}"


def test_the_company_has_something_for_every_table(told: dict[type[Projection], Told]) -> None:
    """Else the tests above would say nothing about it."""
    handled = {projection.table: Counter(type(record.event).__name__ for record, _ in its) for projection, its in told.items()}
    assert [name for name, found in handled.items() if not found] == []


def test_a_table_by_something_shared_would_be_found(told: dict[type[Projection], Told]) -> None:
    """The model can tell: the last customer of each day depends on who comes last."""
    leads = next(its for projection, its in told.items() if projection.table == "leads")
    shared: Told = [(record, [Put(record.effective_on, last=record.subject)]) for record, _ in leads]
    in_order = table(_Model, [operation for _, ops in shared for operation in ops])
    mixed = interleaved(shared, 8, random.Random(1))
    assert table(_Model, [operation for _, ops in mixed for operation in ops]) != in_order
