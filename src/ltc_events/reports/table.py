"""A report as a table for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.runner import Result
from ltc_events.reports.values import amount_text, json_rows

_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.PERCENT, ColumnType.MONEY})


def to_table(result: Result, *, rows_max: int | None = None) -> RenderableType:
    """What it is about above, what it rests on below; of the rows, `rows_max` at most. The totals are always of all rows."""
    rows = [_readable(result.columns, row) for row in json_rows(result)]
    shown = rows[:rows_max]
    parts: list[RenderableType] = [Text(result.report.title, style="bold")]
    if result.report.sections is None:
        parts.append(_table(result.columns, shown, _footers(result)))
    else:
        parts += _sections(result, shown)
    if not rows:
        parts.append(Text("nothing to report", style="italic"))
    if len(shown) < len(rows):
        parts.append(Text(f"and {len(rows) - len(shown):,} more rows", style="italic"))
    parts.append(Text(_basis(result), style="dim"))
    return Group(*parts)


def _basis(result: Result) -> str:
    known = f"known at position {result.position:,}" + (f" ({result.known_at:%Y-%m-%d %H:%M} UTC)" if result.known_at else "")
    given = "".join(f", {name} {value}" for name, value in result.parameters.items() if value is not None)
    return f"as of {result.as_of}, {known}{given}"


def _readable(columns: Sequence[Column], row: Sequence[Any]) -> list[str]:
    return ["" if value is None else _cell(column.type, value) for column, value in zip(columns, row, strict=True)]


def _cell(type: ColumnType, value: Any) -> str:
    match type:
        case ColumnType.INTEGER | ColumnType.DECIMAL | ColumnType.PERCENT | ColumnType.MONEY:
            return _grouped(str(value))
        case ColumnType.BOOLEAN:
            return "yes" if value else "no"
        case ColumnType.TIME:
            return str(value)[:16].replace("T", " ")
        case ColumnType.JSON:
            return orjson.dumps(value).decode()
        case ColumnType.TEXT | ColumnType.UUID | ColumnType.DATE:
            return str(value)


def _grouped(number: str) -> str:
    """`-1234567.50` as `-1,234,567.50`."""
    sign = "-" if number.startswith("-") else ""
    whole, dot, fraction = number.removeprefix("-").partition(".")
    return f"{sign}{int(whole):,}{dot}{fraction}"


def _table(columns: Sequence[Column], rows: list[list[str]], footers: Sequence[list[str]] = ()) -> Table:
    """Optional columns that no row fills are left out."""
    shown = [place for place, column in enumerate(columns) if not column.optional or any(row[place] for row in rows)]
    made = Table(box=None, header_style="bold", pad_edge=False)
    for place in shown:
        column = columns[place]
        made.add_column(column.name.replace("_", " "), justify="right" if column.type in _NUMBERS else "left")
    for row in rows:
        made.add_row(*(Text(row[place]) for place in shown))
    for row in footers:
        made.add_row(*(Text(row[place]) for place in shown), style="bold")
    return made


def _footers(result: Result) -> list[list[str]]:
    """A line of totals per currency; what has no currency stands in the first."""
    if not result.totals or len(result.rows) <= 1:
        return []
    by_name = {column.name: column for column in result.columns}
    label = "total" if result.columns[0].type is ColumnType.TEXT else ""
    currencies = sorted({currency for total in result.totals.values() if isinstance(total, dict) for currency in total})
    lines = []
    for index, currency in enumerate(currencies or [""]):
        values = dict.fromkeys(by_name, "") | {result.columns[0].name: label}
        for name, total in result.totals.items():
            if isinstance(total, dict):
                values[by_name[name].currency] = currency
                values[name] = _grouped(amount_text(total[currency], currency)) if currency in total else ""
            elif index == 0:
                values[name] = _grouped(str(total))
        lines.append(list(values.values()))
    return lines


def _sections(result: Result, rows: list[list[str]]) -> Iterator[RenderableType]:
    """One table per value of the column that makes the sections, without that column."""
    by = next(place for place, column in enumerate(result.columns) if column.name == result.report.sections)
    columns = result.columns[:by] + result.columns[by + 1 :]
    for section in dict.fromkeys(row[by] for row in rows):
        yield Text(f"\n{section}", style="bold")
        yield _table(columns, [row[:by] + row[by + 1 :] for row in rows if row[by] == section])
