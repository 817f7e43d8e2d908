"""Reads delimited text files row by row; a malformed row does not affect others."""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.mapping import SourceSection
from ltc_events.importing.rawrows import Problem, RawRow, Reader, column_names, decoded, wrong_width


class _Lines:
    """Feeds physical lines to the CSV reader and tracks the line in which the present row began."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._next = iter(decoded(file, encoding)).__next__
        self.number = 0
        self.problem: Problem | None = None

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        text, problem = self._next()
        self.number += 1
        if problem is not None:
            self.problem = problem
        return text


def read_csv(source: SourceSection, path: Path, file: IO[bytes]) -> Reader:
    """The rows of a text file. Raises DataUnusable."""
    lines = _Lines(file, source.encoding)
    try:
        for _ in range(source.skip_lines):
            next(lines, None)
        first = next(lines, None) if not source.columns or source.delimiter is None else None
    except UnicodeError as error:
        fix = "correct the encoding of the file in the mapping"
        raise DataUnusable(file=path.name, problem=f"is not {source.encoding}: {error}", fix=fix) from error
    delimiter = source.delimiter or _likely_delimiter(first or "", path)
    again: Iterable[str] = lines if first is None else _begun(first, lines)
    # Strict: a stray quote is an error in its row, instead of quietly swallowing the rows behind it.
    if source.quote:
        reader = csv.reader(again, delimiter=delimiter, quotechar=source.quote, strict=True)
    else:
        reader = csv.reader(again, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    if source.columns:
        header = source.columns
        if first is not None:
            lines.number -= 1  # it is a row, and read as one
    else:
        try:
            header = next(reader, [])
        except csv.Error as error:
            fix = "correct delimiter and quote in the mapping"
            raise DataUnusable(file=path.name, problem=f"the header is not CSV: {error}", fix=fix) from error
    if not header or lines.problem:
        reason = lines.problem.reason if lines.problem else "has no header line"
        raise DataUnusable(file=path.name, problem=reason, fix="check skip_lines, columns and encoding in the mapping")
    return Reader(
        path.name, column_names(header), _csv_rows(reader, lines, len(header), source, first if source.columns else None)
    )


def _begun(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _csv_rows(
    reader: Iterator[list[str]], lines: _Lines, width: int, source: SourceSection, pending: str | None
) -> Iterator[RawRow]:
    while True:
        line = lines.number + 1
        lines.problem = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fix = "close the quotes of the row; check delimiter and quote in the mapping"
            yield RawRow(line, (), Problem("not_csv", f"this is not CSV: {error}", fix))
            continue
        except UnicodeError as error:
            reason = f"from here on this is not {source.encoding}: {error}"
            yield RawRow(line, (), Problem("not_decodable", reason, "correct the encoding of the file in the mapping"))
            return
        if pending is not None:
            pending = None
            lines.number += 1
        if not cells:
            continue
        if lines.problem is not None:
            yield RawRow(line, (), lines.problem)
            continue
        if len(cells) != width:
            if len(cells) < width and source.short_rows == "pad":
                cells.extend([""] * (width - len(cells)))
            elif len(cells) > width and source.long_rows == "cut" and not any(cells[width:]):
                del cells[width:]
            else:
                yield RawRow(line, (), wrong_width(len(cells), width))
                continue
        yield RawRow(line, [cell.strip() or None for cell in cells])


def _likely_delimiter(header: str, path: Path) -> str:
    """The most frequent separator in the header, outside quotes."""
    if ".tsv" in [one.lower() for one in path.suffixes]:
        return "\t"
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|", key=lambda one: (bare.count(one), one == ","))
