"""How the cells of a column are read: trimmed, translated, and turned into a value of the column's type, or refused."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from decimal import Decimal
from typing import Any

from ltc_events.importing.errors import BadValue
from ltc_events.importing.kinds import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, TIME, BadFormula, Kind
from ltc_events.importing.mapping import Column, Formats, nearest
from ltc_events.importing.moments import date_parser, time_parser
from ltc_events.importing.numbers import number_parser

Read = Callable[[str], Any]
KINDS: dict[str, Kind] = {"text": TEXT, "number": NUMBER, "integer": INTEGER, "date": DATE, "time": TIME, "boolean": BOOLEAN}
ANY_OTHER = "*"


def column_reader(column: Column, formats: Formats, maps: Mapping[str, dict[str, str]], zone: tzinfo) -> Read:
    """The reader of a column's cells: a value, or None for an empty cell. It raises BadValue.

    Raises BadFormula for a column that is described wrongly.
    """
    parse = _parser(column, formats, zone)
    translate, table_name = _translation(column, maps)
    nothing = frozenset(column.empty)
    try:
        default = None if column.default is None else parse(column.default)
    except BadValue as error:
        raise BadFormula(f"default: {error.reason}", error.fix) from error
    required = column.required

    def read(cell: str) -> Any:
        text = cell.strip()
        if text in nothing:
            text = ""
        if translate is not None:
            text = _translated(text, translate, table_name)
        if text:
            return parse(text)
        if default is None and required:
            raise BadValue("empty_value", "the cell is empty", "fill it, or give the column a default in the mapping")
        return default

    return read


def _parser(column: Column, formats: Formats, zone: tzinfo) -> Read:
    if column.formats and column.type in ("text", "boolean"):
        raise BadFormula(f"formats are for numbers, dates and times, not for {column.type}", "set type, or leave formats out")
    try:
        match column.type:
            case "number" | "integer":
                factors = {suffix: Decimal(factor) for suffix, factor in column.suffixes.items()}
                strip = column.strip or formats.strip
                number = number_parser(column.formats or formats.number, strip=strip, suffixes=factors)
                return number if column.type == "number" else lambda text: _whole(number(text), text)
            case "date":
                return date_parser(column.formats or formats.date, months=column.months)
            case "time":
                return time_parser(column.formats or formats.time, zone, months=column.months)
            case "boolean":
                return _boolean_parser(column)
            case "text":
                return lambda text: text
    except ValueError as error:
        raise BadFormula(f"formats: {error}", "docs/import.md lists the formats") from error


def _whole(number: Decimal, text: str) -> int:
    if number != number.to_integral_value():
        raise BadValue("not_whole", f"{text!r} is not a whole number", 'correct it, or give the column type = "number"')
    return int(number)


def _boolean_parser(column: Column) -> Read:
    known = {text.casefold(): False for text in column.false} | {text.casefold(): True for text in column.true}
    shown = ", ".join([*column.true, *column.false])

    def parse(text: str) -> bool:
        value = known.get(text.casefold())
        if value is None:
            raise BadValue(
                "not_a_boolean",
                f"{text!r} is neither yes nor no",
                f"write one of {shown}, or add it to the column's true or false",
            )
        return value

    return parse


def _translation(column: Column, maps: Mapping[str, dict[str, str]]) -> tuple[dict[str, str] | None, str]:
    if column.map is None:
        return None, ""
    if isinstance(column.map, dict):
        return column.map, "the column's map"
    if column.map not in maps:
        raise BadFormula(f"map: there is no maps.{column.map}", nearest(column.map, list(maps)) if maps else "add it")
    return maps[column.map], f"maps.{column.map}"


def _translated(text: str, table: dict[str, str], name: str) -> str:
    found = table.get(text)
    if found is None and text:
        found = table.get(ANY_OTHER)
        found = text if found == ANY_OTHER else found
        if found is None:
            raise BadValue("unmapped_value", f"{text!r} is not in {name}", f'add it to {name}, or a "*" for all others')
    return text if found is None else found
