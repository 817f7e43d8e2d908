"""CSV files, row by row with line numbers, and again at random by where a row begins: never more than a few rows in memory."""

import codecs
import csv
import shutil
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ltc_events.importing.errors import DataUnusable


class Problem(NamedTuple):
    """Why a row cannot be read as CSV at all."""

    code: str
    reason: str
    fix: str


class RawRow(NamedTuple):
    """One row: `line` is that of its beginning (from 1); `ordinal` counts rows below the header from 0."""

    ordinal: int
    line: int
    fields: list[str]
    problem: Problem | None


class Dialect(NamedTuple):
    """How a file is written."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    skip_lines: int = 0
    header: bool = True


class CsvFile:
    """One file, open for reading. Blank lines are no rows. Raises DataUnusable when it cannot be read at all."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self.name = path.name
        self._dialect = dialect
        self._encoding = dialect.encoding
        self._starts = array("Q")
        self._lengths = array("I")
        self._lines = array("I")
        with ExitStack() as stack:
            try:
                self._path = self._prepared(path, stack)
                self._random = stack.enter_context(self._path.open("rb", buffering=0))
            except OSError as error:
                problem = error.strerror or str(error)
                raise DataUnusable(file=self.name, problem=problem, fix="make the file readable") from error
            self.header, self._body = self._read_header()
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Let go of the file."""
        self._stack.close()

    def rows(self) -> Iterator[RawRow]:
        """All rows in the file's order. The first complete pass makes `row` possible."""
        starts, lengths, numbers = array("Q"), array("I"), array("I")
        with self._path.open("rb") as file:
            lines = _Lines(file, self._body, self._encoding)
            reader = self._reader(lines)
            while True:
                lines.begin_row()
                fields: list[str] = []
                problem = None
                try:
                    fields = next(reader)
                except StopIteration:
                    break
                except csv.Error as error:
                    problem = _broken(error)
                if not fields and problem is None:
                    continue
                ordinal = len(starts)
                starts.append(lines.row_start)
                lengths.append(lines.offset - lines.row_start)
                numbers.append(lines.row_line)
                yield RawRow(ordinal, lines.row_line, fields, problem or lines.problem)
        self._starts, self._lengths, self._lines = starts, lengths, numbers

    def row(self, ordinal: int) -> RawRow:
        """One row again, by its ordinal."""
        line = self._lines[ordinal]
        self._random.seek(self._starts[ordinal])
        raw = self._random.read(self._lengths[ordinal]) or b""
        try:
            text, problem = raw.decode(self._encoding), None
        except UnicodeDecodeError as error:
            text, problem = raw.decode(self._encoding, "replace"), _undecodable(error)
        try:
            return RawRow(ordinal, line, next(self._reader(iter([text]))), problem or _nul(text))
        except csv.Error as error:
            return RawRow(ordinal, line, [], _broken(error))

    @property
    def row_count(self) -> int:
        """How many rows the last complete pass saw."""
        return len(self._starts)

    def _reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        # Strict: a stray quote is an error in its row, instead of quietly swallowing the rows behind it.
        quote = self._dialect.quote
        if not quote:
            return csv.reader(lines, delimiter=self._dialect.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        return csv.reader(lines, delimiter=self._dialect.delimiter, quotechar=quote, strict=True)

    def _prepared(self, path: Path, stack: ExitStack) -> Path:
        """The file itself, or a copy in UTF-8: in encodings of wide characters a line feed is not one byte."""
        if not codecs.lookup(self._encoding).name.startswith(("utf-16", "utf-32")):
            return path
        copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ltc-import-"))) / path.name
        try:
            with path.open(encoding=self._encoding, newline="") as source, copy.open("w", encoding="utf-8", newline="") as target:
                shutil.copyfileobj(source, target)
        except UnicodeError as error:
            fix = "correct the encoding of the file in the mapping"
            raise DataUnusable(file=self.name, problem=f"is not {self._encoding}: {error}", fix=fix) from error
        self._encoding = "utf-8"
        return copy

    def _read_header(self) -> tuple[list[str], "_Place"]:
        with self._path.open("rb") as file:
            start = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0
            lines = _Lines(file, _Place(start, 1), self._encoding)
            for _ in range(self._dialect.skip_lines):
                next(lines, None)
            if not self._dialect.header:
                return [], _Place(lines.offset, lines.number)
            lines.begin_row()
            try:
                header = next(self._reader(lines), None)
            except csv.Error as error:
                problem = f"line {lines.row_line}: the header is not CSV: {error}"
                raise DataUnusable(file=self.name, problem=problem, fix="correct delimiter and quote in the mapping") from error
        if not header or lines.problem:
            reason = lines.problem.reason if lines.problem else "has no header line"
            raise DataUnusable(file=self.name, problem=reason, fix="check skip_lines, header and encoding in the mapping")
        return [name.strip() for name in header], _Place(lines.offset, lines.number)


class _Place(NamedTuple):
    """A place in a file: a byte offset, and the number of the line that begins there."""

    offset: int
    line: int


class _Lines:
    """Feeds the CSV reader physical lines, and knows where the row it is reading began."""

    def __init__(self, file: BinaryIO, place: _Place, encoding: str) -> None:
        file.seek(place.offset)
        self._next = file.readline
        self._encoding = encoding
        self.offset, self.number = place
        self.row_start, self.row_line = place
        self.problem: Problem | None = None

    def begin_row(self) -> None:
        """What comes next belongs to a new row."""
        self.row_start, self.row_line = self.offset, self.number
        self.problem = None

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = self._next()
        if not raw:
            raise StopIteration
        self.offset += len(raw)
        self.number += 1
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            self.problem = _undecodable(error)
            return raw.decode(self._encoding, "replace")
        if "\0" in text:
            self.problem = _nul(text)
        return text


def _undecodable(error: UnicodeDecodeError) -> Problem:
    bad = error.object[error.start : error.end].hex()
    return Problem(
        "not_decodable", f"bytes {bad} are no {error.encoding}", "name the file's encoding in the mapping, or correct it"
    )


def _nul(text: str) -> Problem | None:
    if "\0" not in text:
        return None
    return Problem("nul_character", "the row has a NUL character", "remove it; a file full of them is UTF-16: say so as encoding")


def _broken(error: csv.Error) -> Problem:
    return Problem(
        "not_csv", f"this is not CSV: {error}", "close the quotes of the row; check delimiter and quote in the mapping"
    )
