"""PostgreSQL text representations of many values at once, encoded in one call of orjson.

A row of JSON is a row of CSV, and a JSON array is an array literal, if one says so: quotes are escaped with a backslash, null is
`null`. Only control characters differ (`\\n`); a text that has one, and a value that is not exactly of its column's type, is
left to `packing`, which is slower and knows what to say of it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson

from ltc_events.projections.declaration.projection import SqlType
from ltc_events.projections.writing.pg_binary import json_bytes

COPY_OPTIONS = r"(FORMAT csv, NULL 'null', ESCAPE '\', ENCODING 'UTF8')"
MARK = orjson.Fragment(b"\n")
"""First in every row, so that `csv` finds where rows end: a line feed never stands in JSON."""

_NOTHING: frozenset[type] = frozenset({type(None)})
_EXACT: dict[SqlType, frozenset[type]] = {
    "uuid": _NOTHING | {UUID},
    "int4": _NOTHING | {int},
    "int8": _NOTHING | {int},
    "text": _NOTHING | {str},
    "numeric": _NOTHING | {int, Decimal},
    "date": _NOTHING | {date},
    "timestamptz": _NOTHING | {datetime},
    "bool": _NOTHING | {bool},
}
# How JSON writes them. A backslash before such a letter looks the same; no harm is done.
_CONTROLS = (rb"\n", rb"\r", rb"\t", rb"\b", rb"\f", rb"\u")
_RANGES: dict[SqlType, tuple[int, int]] = {"int4": (-(2**31), 2**31 - 1), "int8": (-(2**63), 2**63 - 1)}
_zone = attrgetter("tzinfo")


def csv(types: Sequence[SqlType], rows: Sequence[tuple[Any, ...]]) -> bytes | None:
    """Rows, each with MARK before its values, for a COPY with COPY_OPTIONS; None: not these."""
    columns = zip(*rows, strict=True)
    next(columns)
    if not all(kind == "jsonb" or _fits(kind, values) for kind, values in zip(types, columns, strict=True)):
        return None
    try:
        packed = _dump(_with_json(types, rows) if "jsonb" in types else rows)
    except TypeError:
        return None
    # `[[\n,1,2],[\n,3,4]]` to `1,2\n3,4\n`
    return None if packed is None else packed[4:-2].replace(b"],[\n,", b"\n") + b"\n"


def array(kind: SqlType, values: Sequence[Any], *, nullable: bool = True) -> bytes | None:
    """A column of values as an array literal; None: not this one."""
    if kind != "jsonb" and (not _fits(kind, values) or not (nullable or None not in values)):
        return None
    try:
        packed = _dump(list(map(_json, values)) if kind == "jsonb" else values)
    except TypeError:
        return None
    return None if packed is None else b"{" + packed[1:-1] + b"}"


def _fits(kind: SqlType, values: Sequence[Any]) -> bool:
    found = set(map(type, values))
    if not found <= _EXACT[kind]:
        return False
    if kind == "timestamptz":  # without a zone it would be taken for UTC
        return None not in map(_zone, filter(None, values))
    if kind in _RANGES:
        low, high = _RANGES[kind]
        present = [value for value in values if value is not None] if len(found) > 1 else values
        return found == _NOTHING or (low <= min(present) and max(present) <= high)
    return True


def _with_json(types: Sequence[SqlType], rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    places = [place for place, kind in enumerate(types, 1) if kind == "jsonb"]
    changed = []
    for row in map(list, rows):
        for place in places:
            row[place] = _json(row[place])
        changed.append(row)
    return changed


def _json(value: Any) -> str | None:
    return None if value is None else json_bytes(value).decode()


def _dump(values: object) -> bytes | None:
    packed = orjson.dumps(values, default=str)
    return None if b"\\" in packed and any(control in packed for control in _CONTROLS) else packed
