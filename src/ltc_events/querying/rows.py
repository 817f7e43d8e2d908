"""Writes the rows of a query as they come, for display or for programs."""

import csv
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import Any, TextIO

import orjson

from ltc_events.kernel.output_escaping import csv_cell
from ltc_events.querying.session import Field, Found

SHOWN_MAX = 10_000
"""So many rows of a table are laid out for people, who are told if there are more."""


class RowFormat(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


_INTEGERS, _BOOLEAN, _JSON, _MOMENT = frozenset({20, 21, 23, 26}), 16, frozenset({114, 3802}), 1184
_NUMBERS = _INTEGERS | {1700, 700, 701}


def write_rows(found: Found, format: RowFormat, stream: TextIO) -> None:
    """Write the rows for programs.

    JSON is one document with `columns` and `rows`, JSON lines an object a line: integers, booleans and JSON values are such,
    all else is text (amounts keep every digit), times are ISO 8601 in UTC. Columns of the same name get a number.
    In CSV a null is empty, and a text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    names = list(_distinct(field.name for field in found.fields))
    if format is RowFormat.CSV:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(names)
        plain = [is_number(field) for field in found.fields]
        for row in found.rows:
            writer.writerow([value if is_plain else csv_cell(value) for value, is_plain in zip(row, plain, strict=True)])
        return
    objects = _objects(found, names)
    if format is RowFormat.JSONL:
        stream.writelines(f"{one}\n" for one in objects)
        return
    known = {} if found.known is None else {"position": found.known.position}
    stream.write(orjson.dumps({**known, "columns": names}).decode().removesuffix("}") + ',"rows":[')
    separator = "\n"
    for one in objects:
        stream.write(separator + one)
        separator = ",\n"
    stream.write("\n]}\n")


def _objects(found: Found, names: list[str]) -> Iterator[str]:
    convert = [_CONVERT.get(field.oid) for field in found.fields]
    for row in found.rows:
        told = [value if value is None or to is None else to(value) for to, value in zip(convert, row, strict=True)]
        yield orjson.dumps(dict(zip(names, told, strict=True))).decode()


def laid_out(found: Found) -> tuple[list[tuple[str | None, ...]], bool]:
    """The rows for display, and whether there are more."""
    rows = list(islice(found.rows, SHOWN_MAX))
    return rows, next(found.rows, None) is not None


def is_number(field: Field) -> bool:
    """Whether the values of a column are numbers, which are right-aligned."""
    return field.oid in _NUMBERS


def _distinct(names: Iterable[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        yield name if seen[name] == 1 else f"{name}_{seen[name]}"


def _moment(text: str) -> str:
    return text.replace(" ", "T", 1).replace("+00", "Z") if text.endswith("+00") else text


_CONVERT: dict[int, Callable[[str], Any]] = {
    **dict.fromkeys(_INTEGERS, int),
    _BOOLEAN: lambda text: text == "t",
    **dict.fromkeys(_JSON, orjson.Fragment),
    _MOMENT: _moment,
}
