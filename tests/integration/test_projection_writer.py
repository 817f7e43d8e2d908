"""Writing a batch: every type arrives as it was given, all of it or nothing, and never from two projectors at once."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.projection_samples import Billed, Bills, Ledger, number, rows

from ltc_events.projections.catalog.ddl import prepare
from ltc_events.projections.declaration.errors import CheckpointMoved, OperationInvalid
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Add, Column, Delete, Operation, Projection, Put, column, on
from ltc_events.projections.writing.table_writer import Writer
from ltc_events.schemas.record import Record
from ltc_events.store import Database, Role

KINDS: dict[str, Column] = {
    "a_uuid": column("uuid", "one of its kind"),
    "a_small": column("int4", "one of its kind"),
    "a_big": column("int8", "one of its kind"),
    "a_text": column("text", "one of its kind"),
    "a_number": column("numeric", "one of its kind"),
    "a_date": column("date", "one of its kind"),
    "a_moment": column("timestamptz", "one of its kind"),
    "a_flag": column("bool", "one of its kind"),
    "a_document": column("jsonb", "one of its kind"),
}


class _Nothing(Projection):
    @on(Billed)
    def billed(self, _: Billed, record: Record) -> Sequence[Operation]:
        return ()


class Kinds(_Nothing):
    """Every type of column."""

    table, version, key = "kinds", 1, ("position",)
    columns = {"position": column("int8", "which"), **KINDS}


class KindsOnce(_Nothing):
    """Every type of column, written once; the key stands last."""

    table, version, key, append_only = "kinds_once", 1, ("position",), True
    columns = {**KINDS, "position": column("int8", "which")}


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        prepare(connection, [Bills, Ledger, Kinds, KindsOnce])
        yield connection


def writer(connection: Connection, projection: type[Projection]) -> Writer:
    return Writer(connection, projection, source="store")


def position(connection: Connection, projection: type[Projection]) -> int:
    row = connection.execute("SELECT position FROM ltc_read.checkpoints WHERE projection = %s", [projection.table]).fetchone()
    assert row
    return int(row[0])


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=6,
)
values: dict[str, st.SearchStrategy[Any]] = {
    "a_uuid": st.uuids(),
    "a_small": st.integers(-(2**31), 2**31 - 1),
    "a_big": st.integers(-(2**63), 2**63 - 1),
    "a_text": st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    "a_number": st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**20), max_value=10**20),
    "a_date": st.dates(),
    "a_moment": st.datetimes(timezones=st.just(UTC)),
    "a_flag": st.booleans(),
    "a_document": json_values,
}
rows_of_kinds = st.fixed_dictionaries({name: st.none() | strategy for name, strategy in values.items()})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows_of_kinds, min_size=1, max_size=8))
def test_every_value_arrives_as_it_was_given(connection: Connection, given_rows: list[dict[str, Any]]) -> None:
    for projection in (Kinds, KindsOnce):
        start = position(connection, projection)
        batch = [Put(at, **row) for at, row in enumerate(given_rows, start + 1)]
        end = start + len(batch)
        writer(connection, projection).write(batch, expected=start, position=end)
        found = connection.execute(
            f"SELECT {', '.join(KINDS)}, a_document IS NULL FROM ltc_read.{projection.table}"
            " WHERE position > %s ORDER BY position",
            [start],
        ).fetchall()
        assert [dict(zip(KINDS, row, strict=False)) for row in found] == given_rows
        # Nothing is null in the database, not a JSON null.
        assert [row[-1] for row in found] == [row["a_document"] is None for row in given_rows]


def test_amounts_in_documents_are_strings_as_on_the_wire(connection: Connection) -> None:
    document = {"amount": Decimal("1.50"), "bill": Billed(amount=Decimal(3)), "id": number(1), "on": date(2025, 1, 2)}
    expected = {
        "amount": "1.50",
        "bill": {"amount": "3", "note": None},
        "id": str(number(1)),
        "on": "2025-01-02",
    }
    for projection in (Kinds, KindsOnce):
        writer(connection, projection).write([Put(1, a_document=document)], expected=0, position=1)
        assert connection.execute(f"SELECT a_document FROM ltc_read.{projection.table}").fetchone() == (expected,)


def test_put_and_add_meet_what_is_there(connection: Connection) -> None:
    bills = writer(connection, Bills)
    one, two, three = number(1), number(2), number(3)
    bills.write([Put(one, billed=Decimal(10)), Add(two, billed=Decimal(7)), Put(three)], expected=0, position=1)
    bills.write(
        [
            Add(one, paid=Decimal(4), payments=1, last_position=5),
            Put(one, note="x"),
            Add(two, last_position=1),
            Delete(two),
            Put(two, note="again"),
            Delete(three),
            Delete(number(4)),
        ],
        expected=1,
        position=2,
    )
    assert rows(connection, "bills") == [
        (one, "x", Decimal(10), Decimal(4), 1, 5),
        (two, "again", Decimal(0), Decimal(0), 0, None),
    ]


def test_the_second_of_two_projectors_is_refused(connection: Connection, database: Database) -> None:
    with database.connect(Role.PROJECTOR, autocommit=True) as other:
        first, second = writer(connection, Bills), writer(other, Bills)
        batch = [Add(number(1), billed=Decimal(1))]
        first.write(batch, expected=0, position=5)
        with pytest.raises(CheckpointMoved, match="bills is no longer at position 0"):
            second.write(batch, expected=0, position=5)
    assert rows(connection, "bills")[0][2] == 1
    assert position(connection, Bills) == 5


def test_rows_and_checkpoint_are_written_together_or_not_at_all(connection: Connection, database: Database) -> None:
    bills = writer(connection, Bills)
    bills.write([Put(number(1), billed=Decimal(1))], expected=0, position=1)
    impossible: list[Operation] = [
        Put(number(1), billed=Decimal(9)),
        Put(number(2), billed=Decimal(9)),
        Add(number(1), payments=2**40),
    ]
    with pytest.raises(OperationInvalid):
        bills.write(impossible, expected=1, position=2)
    overpaid: list[Operation] = [Delete(number(1)), Put(number(2), billed=Decimal(9)), Add(number(3), paid=Decimal(1))]
    with pytest.raises(psycopg.errors.CheckViolation, match="not_overpaid"):
        bills.write(overpaid, expected=1, position=2)
    assert [row[:3] for row in rows(connection, "bills")] == [(number(1), None, Decimal(1))]
    assert position(connection, Bills) == 1


@pytest.mark.parametrize(
    ("projection", "operation", "complaint"),
    [
        (Bills, Put(number(1), colour="red"), "there is no column colour"),
        (Bills, Add(number(1), colour=1), "there is no column colour"),
        (Bills, Put(number(1), bill_id=number(2)), "bill_id is part of the key"),
        (Bills, Put(), "the key is (bill_id), not 0 values"),
        (Bills, Delete(number(1), 2), "the key is (bill_id), not 2 values"),
        (Bills, Add(number(1), note="x"), "Add needs a number that starts at 0 or null; column note does not"),
        (Bills, Put("1"), "column bill_id (uuid) cannot hold '1'"),
        (Bills, Put(number(1), note=7), "column note (text) cannot hold 7"),
        (Bills, Put(number(1), billed=1.5), "column billed (numeric) cannot hold 1.5"),
        (Bills, Put(number(1), payments=Decimal(1)), "column payments (int4) cannot hold Decimal('1')"),
        (Bills, Put(number(1), payments=2**31), f"column payments (int4) cannot hold {2**31}"),
        (Bills, Add(number(1), payments=None), "column payments (int4) cannot hold None"),
        (Kinds, Put(1, a_moment=datetime(2025, 1, 1)), "column a_moment (timestamptz) cannot hold datetime"),  # noqa: DTZ001
        (Kinds, Put(1, a_document={"x": timedelta(1)}), "column a_document (jsonb) cannot hold {'x'"),
        (Ledger, Add(1, 1, amount=Decimal(1)), "on an append_only table"),
        (Ledger, Delete(1, 1), "on an append_only table"),
        (Ledger, Put(1, account="cash"), "the key is (position, line), not 1 values"),
        (Ledger, Put(1, 1, colour="red"), "there is no column colour"),
    ],
)
def test_an_operation_that_does_not_fit_is_named(
    connection: Connection, projection: type[Projection], operation: Operation, complaint: str
) -> None:
    with pytest.raises(OperationInvalid) as refused:
        writer(connection, projection).write([operation], expected=0, position=1)
    assert complaint in refused.value.message
    assert projection.table in refused.value.message
    assert position(connection, projection) == 0


keys = st.integers(1, 4).map(number)
amounts = st.decimals("-999999", "999999", places=2)
steps = st.one_of(
    st.builds(lambda key, note, amount: Put(key, note=note, billed=amount), keys, st.sampled_from(["a", None]), amounts),
    st.builds(lambda key, at: Put(key, last_position=at), keys, st.integers(1, 99) | st.none()),
    st.builds(lambda key, amount: Add(key, paid=amount, payments=1), keys, amounts),
    st.builds(lambda key, at: Add(key, last_position=at), keys, st.integers(1, 99)),
    st.builds(Put, keys),
    st.builds(Delete, keys),
)
_runs = count(1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, min_size=1, max_size=25), st.sets(st.integers(1, 24), max_size=4))
def test_batches_give_the_same_table_as_single_operations(
    connection: Connection, history: list[Operation], cuts: set[int]
) -> None:
    """The law of the fold, held by the database itself."""
    tables = []
    for boundaries in (sorted(cuts), list(range(1, len(history)))):
        loose: type[Projection] = type(
            "Loose",
            (_Nothing,),
            {"__doc__": "x", "table": f"run_{next(_runs)}", "version": 1, "key": Bills.key, "columns": Bills.columns},
        )
        prepare(connection, [loose])
        target = writer(connection, loose)
        inner = [cut for cut in boundaries if cut < len(history)]
        for start, end in zip([0, *inner], [*inner, len(history)], strict=True):
            target.write(history[start:end], expected=start, position=end)
        tables.append(rows(connection, loose.table))
    assert tables[0] == tables[1]
