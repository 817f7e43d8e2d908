"""Buffers rows for a terminal table until the widths of its columns are known.

All rows are measured while they are read, and kept until they are printed. Widths from a sample would be too narrow for later
figures, and omit columns that have values only there; a second query would keep its transaction open while a user pages.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Self

from rich.cells import cell_len

from ltc_events.reports.spool import Spool

PAGE_ROWS = 200
# What a cell says that says nothing.
NOTHING = frozenset({"", "0", "0.00", "no"})


def cell_width(cell: str) -> int:
    """The width of a text on a terminal, in cells; wide characters take two."""
    return len(cell) if cell.isascii() else cell_len(cell)


class SizedRows:
    """Rows of `width` cells each, with the measures of each column."""

    def __init__(self, width: int) -> None:
        self.widest = [0] * width
        """The longest cell of each column."""
        self.longest_word = [0] * width
        """The longest word of any cell of each column."""
        self.says = [False] * width
        """Whether any cell of the column says something."""
        self._spool = Spool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._spool.__exit__(kind, error, trace)

    def add(self, row: list[str]) -> None:
        """Add one row."""
        self.measure(row)
        for place, cell in enumerate(row):
            if not self.says[place] and cell not in NOTHING:
                self.says[place] = True
        self._spool.add(row)

    def measure(self, row: Sequence[str]) -> None:
        """Measure a row that is printed but not kept, such as totals."""
        widest, longest = self.widest, self.longest_word
        for place, cell in enumerate(row):
            length = cell_width(cell)
            if length > widest[place]:
                widest[place] = length
            # A cell that is no longer than the longest word has none that is longer.
            if length > longest[place]:
                longest[place] = max(longest[place], max(map(cell_width, cell.split()), default=0))

    def pages(self) -> Iterator[list[list[str]]]:
        """All rows in order, in pages."""
        rows = iter(self._spool)
        while page := list(islice(rows, PAGE_ROWS)):
            yield page
