"""What the columns of files hold: how full they are, how many words, and in which form numbers and dates are written."""

import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.mapping import SourceSection
from ltc_events.importing.readers import format_of, open_reader

ROWS_MAX = 200_000
"""So many rows of a file are looked at."""
WORDS_SHOWN = 12
_CELLS_READ = 2_000
"""So many different cells of a column are tried as numbers and dates."""
_ENOUGH = 0.9
_BINARY = frozenset({"parquet", "sqlite", "duckdb"})
_NUMBERS = {
    "1234.56": r"[-+]?\d+(?:\.\d+)?",
    "1,234.56": r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?",
    "1.234,56": r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?",
    "1 234,56": r"[-+]?(?:\d{1,3}(?: \d{3})+|\d+)(?:,\d+)?",
}
_MARK = re.compile(r"^(?P<before>[$€£]|[A-Z]{3})\s*(?=[-+\d])|(?<=\d)\s*(?P<behind>[$€£]|[A-Z]{3})$")
_DATES = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d %b, %Y %H:%M:%S", "%d %b, %Y", "%d %b %Y", "%b %d, %Y"),
    *("%d %B %Y", "%B %d, %Y", "%Y%m%d", "%Y-%m-%d %H:%M"),
)


class Column(NamedTuple):
    """A column. `form` is how its numbers or dates are written, `mark` what stands beside a number.

    `type`: `number`, `date` or `text`. `doubt` says what is not certain of it; `odd` counts the looked-at cells of another form.
    """

    name: str
    type: str
    form: str
    mark: str
    filled: int
    distinct: frozenset[str]
    is_key: bool
    odd: int
    doubt: str

    @property
    def words(self) -> list[str]:
        """Its words, where they are few."""
        return sorted(self.distinct) if len(self.distinct) <= WORDS_SHOWN else []


class File(NamedTuple):
    """A file with its columns. `unreadable`: rows that are none of it."""

    path: Path
    rows: int
    unreadable: int
    columns: list[Column]


def profile(path: Path) -> File:
    """Look at a file. Raises DataUnusable."""
    filled: list[list[str]] = []
    rows = unreadable = 0
    section = SourceSection(path=path.name)
    if format_of(section, path) in _BINARY:
        fix = "export it as CSV, or write a mapping by hand: docs/import.md lists the formats"
        raise DataUnusable(file=path.name, problem="no mapping can be made for a file of this format", fix=fix)
    with ExitStack() as stack:
        reader = open_reader(section, path, stack)
        filled = [[] for _ in reader.columns]
        for row in reader.rows:
            if rows == ROWS_MAX:
                break
            if row.problem is not None:
                unreadable += 1
                continue
            rows += 1
            for cells, cell in zip(filled, row.cells, strict=False):
                text = (cell or "").strip()
                if text:
                    cells.append(text)
        columns = [_column(name, cells, rows) for name, cells in zip(reader.columns, filled, strict=True)]
    return File(path, rows, unreadable, columns)


def _column(name: str, cells: Sequence[str], rows: int) -> Column:
    distinct = frozenset(cells)
    is_key = rows > 0 and len(cells) == rows == len(distinct)
    tried = sorted(distinct)[:_CELLS_READ]
    for type, found in (("date", _date(tried)), ("number", _number(tried))):
        if found is not None:
            form, mark, odd, doubt = found
            return Column(name, type, form, mark, len(cells), distinct, is_key, odd, doubt)
    return Column(name, "text", "", "", len(cells), distinct, is_key, 0, "")


_Found = tuple[str, str, int, str]


def _number(cells: Sequence[str]) -> _Found | None:
    """The form and the mark of most cells, how many are of another form, and what is not certain."""
    marks: dict[str, int] = {}
    bare = []
    for cell in cells:
        match = _MARK.search(cell)
        mark = (match["before"] or match["behind"]) if match else ""
        marks[mark] = marks.get(mark, 0) + 1
        bare.append(_MARK.sub("", cell))
    mark = max((one for one in marks if one), key=lambda one: marks[one], default="")
    fits = {form: {cell for cell in bare if re.fullmatch(pattern, cell)} for form, pattern in _NUMBERS.items()}
    best = max(fits, key=lambda form: len(fits[form]), default="")
    if not cells or len(fits[best]) < _ENOUGH * len(set(bare)):
        return None
    told_apart = [form for form in fits if len(fits[form]) == len(fits[best]) and _reads_otherwise(form, best, fits[best])]
    doubt = f"{min(_pointed(fits[best]))} may be written like {' or like '.join([best, *told_apart])}" if told_apart else ""
    return best, mark, len(set(bare)) - len(fits[best]), doubt


def _pointed(cells: Iterable[str]) -> list[str]:
    return [cell for cell in cells if re.search(r"[.,]", cell)]


def _reads_otherwise(form: str, best: str, cells: Iterable[str]) -> bool:
    """Whether two forms read a cell as different numbers."""
    return any(_value(cell, form) != _value(cell, best) for cell in _pointed(cells))


def _value(cell: str, form: str) -> str:
    group, point = form[1] if form[1] != "2" else "", form[-3]
    return cell.replace(group, "").replace(point, ".") if group else cell.replace(point, ".")


def _date(cells: Sequence[str]) -> _Found | None:
    readings = {form: {cell: moment for cell in cells if (moment := _read(cell, form)) is not None} for form in _DATES}
    best = max(readings, key=lambda form: len(readings[form]))
    if not cells or len(readings[best]) < _ENOUGH * len(cells):
        return None
    others = [form for form in readings if form != best and len(readings[form]) == len(readings[best])]
    otherwise = [form for form in others if readings[form] != readings[best]]
    doubt = f"{cells[0]} may be {' or '.join([best, *otherwise])}" if otherwise else ""
    return best, "", len(cells) - len(readings[best]), doubt


def _read(cell: str, form: str) -> datetime | None:
    try:
        moment = datetime.strptime(cell, form)  # noqa: DTZ007 - only whether it can be read, and as what
    except ValueError:
        return None
    return moment if 1900 <= moment.year <= 2199 else None
