"""A report as a table for a terminal."""

from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack
from itertools import chain, zip_longest
from textwrap import wrap
from typing import Any

from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from ltc_events.reports.base import Column, ColumnType
from ltc_events.reports.column_widths import NOTHING, SizedRows, cell_width
from ltc_events.reports.runner import Answer
from ltc_events.reports.ties import Tied
from ltc_events.reports.values import amount_text, json_rows, json_text

_WORDS = frozenset({ColumnType.TEXT, ColumnType.JSON})
_GAP = 2
_GAP_TEXT = " " * _GAP
_WORD_MAX = 24
_MEASURE = Console(quiet=True)
_BOLD, _DIM, _END = Style(bold=True), Style(dim=True), Segment.line()
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.PERCENT, ColumnType.MONEY})


def write_table(answer: Answer, console: Console, *, rows_max: int | None = None) -> None:
    """Print a report: title above, state below, at most `rows_max` rows. Totals are those of all rows.

    Nothing is printed before all rows are read.
    """
    by = next((place for place, column in enumerate(answer.columns) if column.name == answer.report.sections), None)
    columns = [column for place, column in enumerate(answer.columns) if place != by]
    sheets: dict[str, SizedRows] = {}
    count = 0
    with ExitStack() as stack:
        for row in json_rows(answer.columns, answer.rows):
            count += 1
            if rows_max is None or count <= rows_max:
                cells = readable(answer.columns, row)
                section = "" if by is None else cells.pop(by)
                if section not in sheets:
                    sheets[section] = stack.enter_context(SizedRows(len(columns)))
                sheets[section].add(cells)
        console.print(Text(answer.report.title, style="bold"))
        for section, sheet in sheets.items():
            if by is not None:
                console.print(Text(f"\n{section}", style="bold"))
            print_rows(console, columns, sheet, _footers(answer) if by is None and count > 1 else ())
    if not count:
        console.print(Text("nothing to report", style="italic"))
    if rows_max is not None and count > rows_max:
        console.print(Text(f"and {count - rows_max:,} more rows", style="italic"))
    for tie in answer.ties:
        console.print(Text(_tied(tie), style="bold red" if tie.difference else "dim"))
    console.print(Text(basis(answer), style="dim"))


def basis(answer: Answer) -> str:
    """The state that a report shows, in a line."""
    known = f"known at position {answer.position:,}" + (f" ({answer.known_at:%Y-%m-%d %H:%M} UTC)" if answer.known_at else "")
    given = "".join(f", {name} {value}" for name, value in answer.parameters.items() if value is not None)
    return f"as of {answer.as_of}, {known}{given}"


def _tied(tie: Tied) -> str:
    """A total with the amount of the books, in a line."""
    total, booked, difference = (
        _grouped(amount_text(amount, tie.currency)) for amount in (tie.total, tie.booked, tie.difference)
    )
    return f"{tie.column.replace('_', ' ')} {total} {tie.currency}; {tie.against} {booked}; difference {difference}"


def readable(columns: Sequence[Column], row: Sequence[Any]) -> list[str]:
    """A row of JSON values as cells for display."""
    return ["" if value is None else _cell(column.type, value) for column, value in zip(columns, row, strict=True)]


def _cell(type: ColumnType, value: Any) -> str:
    match type:
        case ColumnType.TEXT | ColumnType.UUID | ColumnType.DATE:
            return str(value)
        case ColumnType.INTEGER | ColumnType.DECIMAL | ColumnType.PERCENT | ColumnType.MONEY:
            return _grouped(str(value))
        case ColumnType.BOOLEAN:
            return "yes" if value else "no"
        case ColumnType.TIME:
            return str(value)[:16].replace("T", " ")
        case ColumnType.JSON:
            return json_text(value)


def _grouped(number: str) -> str:
    """`-1234567.50` as `-1,234,567.50`."""
    sign = "-" if number.startswith("-") else ""
    whole, dot, fraction = number.removeprefix("-").partition(".")
    return f"{sign}{int(whole):,}{dot}{fraction}"


def print_rows(console: Console, columns: Sequence[Column], sheet: SizedRows, footers: Sequence[list[str]] = ()) -> None:
    """Print rows within the terminal's width: if necessary without ids, then without uninformative columns, then as records."""
    for row in footers:
        sheet.measure(row)
    least = [_least(column, sheet, place) for place, column in enumerate(columns)]
    said = [place for place, column in enumerate(columns) if not column.optional or sheet.says[place]]
    named = [place for place in said if columns[place].type is not ColumnType.UUID]
    telling = [place for place in named if sheet.says[place]]
    for places in (said, named, telling):
        spare = console.width - sum(least[place] + _GAP for place in places) + _GAP
        if spare >= 0:
            widths = _widths(columns, sheet, places, least, spare)
            for part in _tables(columns, sheet, widths, footers):
                console.print(part)
            break
    else:
        places = telling
        for part in _records(columns, sheet, telling, footers):
            console.print(part, crop=False)  # a terminal breaks what is too long; nothing is lost elsewhere
    if len(places) < len(said):
        names = ", ".join(columns[place].name.replace("_", " ") for place in said if place not in places)
        console.print(Text(f"left out for want of room: {names}", style="dim"))


def _least(column: Column, sheet: SizedRows, place: int) -> int:
    """The least readable width of a column: figures and dates on one line, words unbroken."""
    head = max(map(len, column.name.split("_")))
    if column.type in _WORDS:
        return max(head, min(max(sheet.longest_word[place], 1), _WORD_MAX))
    return max(head, sheet.widest[place])


def _widths(
    columns: Sequence[Column], sheet: SizedRows, places: Sequence[int], least: Sequence[int], spare: int
) -> dict[int, int]:
    """The width of each column; `spare` cells go to columns that need more than their least width, from the left."""
    widths = {}
    for place in places:
        given = min(max(len(columns[place].name), sheet.widest[place]) - least[place], spare)
        spare -= given
        widths[place] = least[place] + given
    return widths


def _tables(
    columns: Sequence[Column], sheet: SizedRows, widths: dict[int, int], footers: Sequence[list[str]]
) -> Iterator[RenderableType]:
    """Header, rows and totals as one table per page, which together look like one table."""
    head = {place: columns[place].name.replace("_", " ") for place in widths}
    numbers = {place for place in widths if columns[place].type in _NUMBERS}
    yield from _lines([head], widths, numbers, _BOLD)
    for page in sheet.pages():
        yield from _lines(page, widths, numbers, None)
    yield from _lines(footers, widths, numbers, _BOLD)


def _lines(
    rows: Sequence[Sequence[str] | dict[int, str]], widths: dict[int, int], numbers: Set[int], style: Style | None
) -> Iterator[RenderableType]:
    """The lines of a row: as many as its longest cell needs."""
    lines = []
    for row in rows:
        folded = [_folded(row[place], width) for place, width in widths.items()]
        for parts in zip_longest(*folded, fillvalue=""):
            cells = zip(parts, widths.items(), strict=True)
            lines.append(_GAP_TEXT.join(_padded(part, width, place in numbers) for part, (place, width) in cells))
    if lines:
        yield Segments([Segment("\n".join(lines), style)], new_lines=True)


def _folded(cell: str, width: int) -> Sequence[str]:
    """The lines of a cell, with words unbroken where they fit."""
    wide = cell_width(cell)
    if wide <= width:
        return (cell,)
    if wide == len(cell):
        return wrap(cell, width, break_on_hyphens=False)
    # Letters that take two places: rarer, and twenty times as long.
    return [line.plain.rstrip() for line in Text(cell).wrap(_MEASURE, width, overflow="fold")]


def _padded(cell: str, width: int, is_number: bool) -> str:
    spare = " " * (width - cell_width(cell))
    return spare + cell if is_number else cell + spare


def _records(
    columns: Sequence[Column], sheet: SizedRows, places: Sequence[int], footers: Sequence[list[str]]
) -> Iterator[RenderableType]:
    """Each row as lines of name and value, then the totals."""
    width = max(len(columns[place].name) for place in places) + _GAP
    names = {place: Segment(columns[place].name.replace("_", " ").ljust(width), _DIM) for place in places}
    for style, page in chain(((None, page) for page in sheet.pages()), ((_BOLD, footers),)):
        lines: list[Segment] = []
        for row in page:
            for place, name in names.items():
                if row[place] not in NOTHING:
                    lines += (name, Segment(row[place], style), _END)
            lines.append(_END)
        yield Segments(lines)


def _footers(answer: Answer) -> list[list[str]]:
    """A line of totals per currency; totals without a currency are in the first."""
    totals = answer.totals
    if not totals:
        return []
    by_name = {column.name: column for column in answer.columns}
    label = "total" if answer.columns[0].type is ColumnType.TEXT else ""
    currencies = sorted({currency for total in totals.values() if isinstance(total, dict) for currency in total})
    lines = []
    for index, currency in enumerate(currencies or [""]):
        values = dict.fromkeys(by_name, "") | {answer.columns[0].name: label}
        for name, total in totals.items():
            if isinstance(total, dict):
                values[by_name[name].currency] = currency
                values[name] = _grouped(amount_text(total[currency], currency)) if currency in total else ""
            elif index == 0:
                values[name] = _grouped(str(total))
        lines.append(list(values.values()))
    return lines
