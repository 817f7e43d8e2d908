"""The changes that each event of an aggregate makes to its state, for display."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from pydantic import BaseModel

from ltc_events.application.batch import NOTHING, Entry, evolve
from ltc_events.schemas.decimal_json import values
from ltc_events.schemas.record import Record

Changes: TypeAlias = dict[str, tuple[Any, Any]]
"""By the place in the state (`lines.2.delivered`): the value before and after, as JSON knows it; None: it was not there."""


def states(records: Iterable[Record]) -> Iterator[tuple[Record, Changes]]:
    """The records of one stream from the first on, each with its changes, which add up to the state after it."""
    entry: Entry = NOTHING
    before: dict[str, Any] = {}
    for record in records:
        entry = evolve(entry, record)
        after = fields(entry.state)
        yield record, dict(changes(before, after))
        before = after


def changes(before: Mapping[str, Any], after: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The differences of two states by path, down to the innermost mapping; lists are compared as wholes."""
    for name in (*after, *(name for name in before if name not in after)):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from changes(was, now, f"{within}{name}.")
        else:
            yield f"{within}{name}", (was, now)


def fields(state: Any) -> dict[str, Any]:
    """The fields of a state, ready for JSON: amounts, ids and dates as text."""
    if state is None:
        return {}
    return {name: _plain(getattr(state, name)) for name in type(state).__dataclass_fields__}


def _plain(value: Any) -> Any:
    """A value of a state as JSON-ready values."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, BaseModel):
        return values(value, exclude_none=True)
    if is_dataclass(value):
        return fields(value)
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(one) for key, one in value.items()}
    if hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Set):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else str(value)
