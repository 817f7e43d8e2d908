"""Rows and columns as text: only where PostgreSQL reads from it what was meant."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest

from ltc_events.projections.declaration.projection import SqlType
from ltc_events.projections.writing.pg_text import MARK, array, csv


class _Word(StrEnum):
    YES = "yes"


def test_a_row_of_json_becomes_a_line_of_csv() -> None:
    types: list[SqlType] = ["int8", "text", "numeric", "date", "timestamptz", "bool", "uuid", "jsonb"]
    moment = datetime(2025, 3, 1, 12, tzinfo=UTC)
    row = (1, 'a "b", \\c],[', Decimal("1.50"), date(2025, 3, 1), moment, True, UUID(int=7), {"x": Decimal(2)})
    lines = csv(types, [(MARK, *row), (MARK, 2, *[None] * 7)])
    assert lines is not None
    assert lines.decode().splitlines() == [
        (
            '1,"a \\"b\\", \\\\c],[","1.50","2025-03-01","2025-03-01T12:00:00+00:00",true,'
            '"00000000-0000-0000-0000-000000000007","{\\"x\\":\\"2\\"}"'
        ),
        "2,null,null,null,null,null,null,null",
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "two\nlines"),
        ("text", "\0"),
        ("text", "\ud800"),
        ("text", _Word.YES),
        ("text", 5),
        ("numeric", 1.5),
        ("numeric", "1"),
        ("int4", 2**31),
        ("int8", 2**63),
        ("int4", True),
        ("timestamptz", datetime(2025, 3, 1)),  # noqa: DTZ001 - that is the point
        ("date", datetime(2025, 3, 1, tzinfo=UTC)),
        ("uuid", "00000000-0000-0000-0000-000000000007"),
        ("jsonb", {"x": object()}),
        ("jsonb", {"x": "two\nlines"}),
    ],
)
def test_what_would_be_read_otherwise_is_left_to_packing(kind: SqlType, value: object) -> None:
    assert array(kind, [value]) is None
    assert csv([kind, "int4"], [(MARK, value, 1)]) is None


def test_a_column_becomes_an_array_literal() -> None:
    assert array("text", ['a "b"', None, "null"]) == b'{"a \\"b\\"",null,"null"}'
    assert array("numeric", [Decimal("1.50"), 2]) == b'{"1.50",2}'
    assert array("numeric", [None], nullable=False) is None
