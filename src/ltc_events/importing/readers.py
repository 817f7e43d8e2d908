"""Reads files and tables of other systems row by row as texts, with the line of each row or the reason why it is unreadable."""

import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime, time
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import IO, Any, cast

from ltc_events.importing.csvfile import read_csv
from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.mapping import SourceSection
from ltc_events.importing.rawrows import Problem, RawRow, Reader, column_names, decoded, wrong_width


def format_of(source: SourceSection, path: Path) -> str:
    """The format of a file, by the mapping or by its name."""
    if source.format is not None:
        return source.format
    suffixes = [one.lower() for one in path.suffixes if one.lower() not in (".gz", ".zip")]
    return _FORMATS.get(suffixes[-1] if suffixes else "", "csv")


_FORMATS = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
    ".duckdb": "duckdb",
}


def open_reader(source: SourceSection, path: Path, stack: ExitStack) -> Reader:
    """The reader of one file, which `stack` closes. Raises DataUnusable."""
    kind = format_of(source, path)
    try:
        return _READERS[kind](source, path, stack)
    except (OSError, EOFError, BadGzipFile, zipfile.BadZipFile, sqlite3.Error) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise DataUnusable(file=path.name, problem=f"cannot be read: {problem}", fix="export the file once more") from error


def _stream(source: SourceSection, path: Path, stack: ExitStack) -> IO[bytes]:
    """The decompressed bytes of a file."""
    if path.suffix.lower() == ".gz":
        return cast(IO[bytes], stack.enter_context(GzipFile(path)))
    if path.suffix.lower() == ".zip":
        archive = stack.enter_context(zipfile.ZipFile(path))
        names = [one for one in archive.namelist() if not one.endswith("/")]
        if source.member is None and len(names) != 1:
            problem = f"there are {len(names)} files in it"
            raise DataUnusable(file=path.name, problem=problem, fix=f"say which as member: {', '.join(names[:9])}")
        try:
            return stack.enter_context(archive.open(source.member or names[0]))
        except KeyError:
            problem = f"there is no {source.member} in it"
            raise DataUnusable(file=path.name, problem=problem, fix=f"there are {', '.join(names[:9])}") from None
    return stack.enter_context(path.open("rb"))


# ----------------------------------------------------------------------------------------------------------------- JSON


def _json(source: SourceSection, path: Path, stack: ExitStack) -> Reader:
    with io.TextIOWrapper(_stream(source, path, stack), source.encoding) as file:
        try:
            document = json.load(file, parse_float=str, parse_int=str)
        except ValueError as error:
            raise DataUnusable(file=path.name, problem=f"is not JSON: {error}", fix="export the file once more") from error
    for part in source.records.split(".") if source.records else ():
        document = document.get(part) if isinstance(document, dict) else None
    if not isinstance(document, list):
        problem = f"{source.records or 'the document'} is no list of records"
        raise DataUnusable(file=path.name, problem=problem, fix='say where the list is: records = "data.items"')
    return _records(path.name, lambda: enumerate(document, 1), source.columns)


def _jsonl(source: SourceSection, path: Path, stack: ExitStack) -> Reader:
    def documents() -> Iterator[tuple[int, Any]]:
        with ExitStack() as own, closing(_stream(source, path, own)) as file:
            for number, (text, problem) in enumerate(decoded(file, source.encoding), 1):
                if problem is not None:
                    yield number, problem
                elif text.strip():
                    try:
                        yield number, json.loads(text, parse_float=str, parse_int=str)
                    except ValueError as error:
                        yield number, Problem("not_json", f"this is not JSON: {error}", "correct the line")

    return _records(path.name, documents, source.columns)


def _records(name: str, documents: Callable[[], Iterable[tuple[int, Any]]], columns: Sequence[str]) -> Reader:
    """Records by the union of `columns` and their keys, in the order in which these come up; what is nested stays JSON."""
    keys: dict[str, None] = dict.fromkeys(columns)
    for _, one in documents():
        if isinstance(one, dict):
            keys.update(dict.fromkeys(one))

    def rows() -> Iterator[RawRow]:
        for number, one in documents():
            if isinstance(one, Problem):
                yield RawRow(number, (), one)
            elif isinstance(one, dict):
                yield RawRow(number, [text_of(one.get(key)) for key in keys])
            else:
                yield RawRow(number, (), Problem("not_a_record", "this is no record with names", "correct the line"))

    return Reader(name, column_names(list(keys)), rows())


def text_of(value: Any) -> str | None:
    """A value of another system as text: exact, dates in ISO 8601; nothing and empty texts as None."""
    match value:
        case None:
            return None
        case str():
            return value.strip() or None
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 10**15 else repr(value)
        case datetime():
            moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return moment.isoformat(sep=" ") + ("+00:00" if value.tzinfo else "")
        case date() | time():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case bytes():
            return value.hex()
        case _:
            return str(value)


# ------------------------------------------------------------------------------------------------- sheets and databases


def _xlsx(source: SourceSection, path: Path, stack: ExitStack) -> Reader:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with path.open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
        name = source.sheet or book.sheet_names[0]
        if name not in book.sheet_names:
            problem = f"there is no sheet {name}"
            raise DataUnusable(file=path.name, problem=problem, fix=f"there are {', '.join(book.sheet_names)}")
        cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise DataUnusable(file=path.name, problem=f"is no workbook: {error}", fix="save it as .xlsx once more") from error
    top, left, bottom, right = _range(source.range)
    table = [row[left:right] for row in cells[top:bottom]][source.skip_lines :]
    top += source.skip_lines
    if not source.columns and not table:
        raise DataUnusable(file=path.name, problem="has no header line", fix="check sheet, range and skip_lines in the mapping")
    header = source.columns or [text_of(cell) or "" for cell in table[0]]
    body = table if source.columns else table[1:]
    start = top + (1 if source.columns else 2)

    def rows() -> Iterator[RawRow]:
        for number, row in enumerate(body, start):
            texts = [text_of(cell) for cell in row]
            if any(one is not None for one in texts):
                yield (
                    RawRow(number, texts)
                    if len(texts) == len(header)
                    else RawRow(number, (), wrong_width(len(texts), len(header)))
                )

    return Reader(path.name, column_names(header), rows())


def _range(text: str | None) -> tuple[int, int, int | None, int | None]:
    """Top, left, and behind bottom and right, from 0, of `B3:F` or `B3:F90`."""
    if text is None:
        return 0, 0, None, None
    match = re.fullmatch(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]*)", text)
    if match is None:
        return 0, 0, None, None
    left, right = (_column_number(one) for one in (match[1], match[3]))
    return int(match[2]) - 1, left - 1, int(match[4]) if match[4] else None, right


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _sqlite(source: SourceSection, path: Path, stack: ExitStack) -> Reader:
    connection = stack.enter_context(closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)))
    cursor = connection.execute(_query(source, path.name))
    names = [one[0] for one in cursor.description]

    def rows() -> Iterator[RawRow]:
        for number, row in enumerate(cursor, 1):
            yield RawRow(number, [text_of(cell) for cell in row])

    return Reader(path.name, column_names(names), rows())


def _query(source: SourceSection, name: str) -> str:
    if (source.table is None) == (source.query is None):
        raise DataUnusable(file=name, problem="a database needs table or query", fix='say for example table = "orders"')
    if source.query is not None:
        return source.query
    quoted = str(source.table).replace('"', '""')
    return f'SELECT * FROM "{quoted}"'


def open_postgresql(source: SourceSection, url: str, name: str, stack: ExitStack) -> Reader:
    """The rows of a table or query of another PostgreSQL server, read only and from one snapshot. Raises DataUnusable."""
    import psycopg

    try:
        connection = stack.enter_context(closing(psycopg.connect(url)))
        connection.read_only = True
        cursor = stack.enter_context(connection.cursor(name="import"))
        cursor.itersize = 10_000
        cursor.execute(_query(source, name).encode())
        names = [one.name for one in cursor.description or ()]
    except psycopg.Error as error:
        problem = f"the database cannot be read: {str(error).splitlines()[0]}"
        raise DataUnusable(file=name, problem=problem, fix=f"check the address in {source.url_env}, table and query") from None

    def rows() -> Iterator[RawRow]:
        for number, row in enumerate(cursor, 1):
            yield RawRow(number, [text_of(cell) for cell in row])

    return Reader(name, column_names(names), rows())


_READERS: dict[str, Callable[[SourceSection, Path, ExitStack], Reader]] = {
    "csv": lambda source, path, stack: read_csv(source, path, _stream(source, path, stack)),
    "json": _json,
    "jsonl": _jsonl,
    "xlsx": _xlsx,
    "sqlite": _sqlite,
}
