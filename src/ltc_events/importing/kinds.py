"""Kinds of values that a mapping's expressions give, and how a value looks as text and in a command's data."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.importing.errors import BadValue


class Kind(NamedTuple):
    """`row` and `rows` are of a file; `list` is of a kind of values."""

    name: str
    of: str = ""

    def __str__(self) -> str:
        match self.name:
            case "row":
                return f"a row of {self.of}"
            case "rows":
                return f"rows of {self.of}"
            case "list":
                return f"a list of {self.of}s"
            case "empty":
                return "nothing"
            case _:
                return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"


TEXT, NUMBER, INTEGER, DATE, TIME = Kind("text"), Kind("number"), Kind("integer"), Kind("date"), Kind("time")
BOOLEAN, ID, EMPTY = Kind("boolean"), Kind("id"), Kind("empty")
NUMBERS = (NUMBER, INTEGER)


class Expression(NamedTuple):
    """A compiled expression: what it gives for a row, what kind that is, and how it was written."""

    evaluate: Callable[[Any], Any]
    kind: Kind
    text: str


class BadFormula(ValueError):
    """An expression that cannot mean anything."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


def empty_value(text: str) -> BadValue:
    """A value was needed where the file has none."""
    return BadValue("empty_value", f"{text} is empty", f"fill it in the file, or write a fallback: {text} or …", column=text)


def as_text(value: Any) -> str:
    """A value within a longer text: amounts in full, dates in ISO 8601, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return str(as_json(value))


def as_json(value: Any) -> Any:
    """A value in a command's data: numbers as text (exact), dates and times in ISO 8601, times in UTC."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [as_json(one) for one in value]
    return value
