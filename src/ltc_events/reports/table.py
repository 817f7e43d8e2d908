"""A report as a table for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from rich.console import Console, ConsoleOptions, Group, JustifyMethod, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.runner import Result
from ltc_events.reports.values import amount_text, json_rows

_WORDS = frozenset({ColumnType.TEXT, ColumnType.JSON})
_NOTHING = frozenset({"", "0", "0.00", "no"})
_GAP = 2
_WORD_MAX = 24
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.PERCENT, ColumnType.MONEY})


def to_table(result: Result, *, rows_max: int | None = None) -> RenderableType:
    """What it is about above, what it rests on below; of the rows, `rows_max` at most. The totals are always of all rows."""
    rows = [_readable(result.columns, row) for row in json_rows(result)]
    shown = rows[:rows_max]
    parts: list[RenderableType] = [Text(result.report.title, style="bold")]
    if result.report.sections is None:
        parts.append(_Fitting(result.columns, shown, _footers(result)))
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


class _Fitting:
    """A table as wide as there is room for: if need be without ids, then without columns that say nothing, then in records."""

    def __init__(self, columns: Sequence[Column], rows: list[list[str]], footers: Sequence[list[str]] = ()) -> None:
        self._columns = columns
        self._rows = rows
        self._footers = footers

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        said = [place for place, column in enumerate(self._columns) if not column.optional or self._says(place)]
        named = [place for place in said if self._columns[place].type is not ColumnType.UUID]
        telling = [place for place in named if self._says(place)]
        for places in (said, named, telling):
            spare = options.max_width - sum(self._least(place) + _GAP for place in places) + _GAP
            if spare >= 0:
                yield self._table(places, spare)
                if len(places) < len(said):
                    yield self._left_out([place for place in said if place not in places])
                return
        yield from self._records(telling)
        yield self._left_out([place for place in said if place not in telling])

    def _says(self, place: int) -> bool:
        return any(row[place] not in _NOTHING for row in self._rows)

    def _table(self, places: Sequence[int], spare: int) -> Table:
        """A table with `spare` places to give to those columns that would like more than the least, from the left."""
        made = Table(box=None, header_style="bold", pad_edge=False)
        for place in places:
            column = self._columns[place]
            justify: JustifyMethod = "right" if column.type in _NUMBERS else "left"
            head, least = column.name.replace("_", " "), self._least(place)
            wish = max(len(head), *(len(row[place]) for row in (*self._rows, *self._footers)), 0)
            given = min(wish - least, spare)
            spare -= given
            made.add_column(head, justify=justify, width=least + given, overflow="fold")
        for row in self._rows:
            made.add_row(*(Text(row[place]) for place in places))
        for row in self._footers:
            made.add_row(*(Text(row[place]) for place in places), style="bold")
        return made

    def _least(self, place: int) -> int:
        """How wide a column must be to be readable: figures and dates on one line, words in one piece."""
        cells = [row[place] for row in (*self._rows, *self._footers)]
        head = max(map(len, self._columns[place].name.split("_")))
        if self._columns[place].type in _WORDS:
            return max(head, min(max((len(word) for cell in cells for word in cell.split()), default=1), _WORD_MAX))
        return max(head, *map(len, cells)) if cells else head

    def _records(self, places: Sequence[int]) -> Iterator[RenderableType]:
        """Each row as lines of a name and a value; then the totals likewise."""
        for row, style in [*((row, "") for row in self._rows), *((row, "bold") for row in self._footers)]:
            record = Table(box=None, show_header=False, pad_edge=False)
            record.add_column(style="dim")
            record.add_column()
            for place in places:
                if row[place] not in _NOTHING:
                    record.add_row(self._columns[place].name.replace("_", " "), Text(row[place], style=style))
            yield record
            yield Text()

    def _left_out(self, places: Sequence[int]) -> Text:
        names = ", ".join(self._columns[place].name.replace("_", " ") for place in places)
        return Text(f"left out for want of room: {names}" if names else "", style="dim")


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
        yield _Fitting(columns, [row[:by] + row[by + 1 :] for row in rows if row[by] == section])
