"""File formats: CSV, JSON lines, Parquet, Excel workbook. Each is written while rows are read."""

import csv
import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

from ltc_events.kernel.output_escaping import csv_cell
from ltc_events.querying.exports import Export
from ltc_events.querying.whole_file import whole_file
from ltc_events.querying.workbook import write_workbook
from ltc_events.reports.base import ColumnType
from ltc_events.reports.parquet import write_columns
from ltc_events.reports.values import json_rows

Rows = Iterable[tuple[Any, ...]]
MANIFEST = "manifest.json"
PARQUET_GROUP_ROWS = 10_000


class Form(StrEnum):
    """The format of a file."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    XLSX = "xlsx"


class Written(NamedTuple):
    """A complete file: its path below the target folder, its number of rows, and its SHA-256."""

    file: str
    rows: int
    sha256: str


class Counted:
    """An iterator over rows that counts them."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Any:
        for row in self._rows:
            self.count += 1
            yield row


def write_text(export: Export, rows: Rows, form: Form, stream: TextIO) -> None:
    """Rows as CSV or JSON lines: values as in the JSON form of reports, so amounts keep every digit.

    In CSV a null is empty, and a text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    if form is Form.JSONL:
        names = [column.name for column in export.columns]
        objects = (dict(zip(names, row, strict=True)) for row in json_rows(export.columns, rows))
        stream.writelines(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE).decode() for one in objects)
        return
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in export.columns])
    guards = [_CSV.get(column.type) for column in export.columns]
    for row in json_rows(export.columns, rows):
        writer.writerow(
            [value if guard is None or value is None else guard(value) for guard, value in zip(guards, row, strict=True)]
        )


def write_file(export: Export, rows: Rows, form: Form, path: Path) -> Written:
    """Write rows to a file atomically: an interrupted export leaves no file of that name."""
    counted = Counted(rows)
    with whole_file(path) as part:
        match form:
            case Form.PARQUET:
                write_columns(export.columns, counted, export.about(), part, group_rows=PARQUET_GROUP_ROWS)
            case Form.XLSX:
                write_workbook(export.name, export.columns, counted, part)
            case _:
                with part.open("w", encoding="utf-8", newline="") as stream:
                    write_text(export, counted, form, stream)
        found = _sha256(part) if part.is_file() else ""
    return Written(path.name, counted.count, found)


def write_months(export: Export, form: Form, folder: Path) -> list[Written]:
    """A file per month of recording, `month=2026-01/NAME.parquet`, and finally `manifest.json`, which lists them.

    Past months are written byte for byte as before; files of this name that the manifest no longer lists are removed.
    Raises NoMonths.
    """
    place = export.require_months()

    def month(row: tuple[Any, ...]) -> str:
        moment: datetime = row[place]
        return f"{moment:%Y-%m}"

    written = []
    for name, rows in groupby(export.rows, month):
        inside = folder / f"month={name}"
        inside.mkdir(parents=True, exist_ok=True)
        one = write_file(export, rows, form, inside / f"{export.name}.{form}")
        written.append(one._replace(file=f"month={name}/{one.file}"))
    folder.mkdir(parents=True, exist_ok=True)
    _remove_others(folder, f"month=*/{export.name}.{form}", {one.file for one in written})
    write_manifest(export, written, folder / MANIFEST)
    return written


def write_manifest(export: Export, written: list[Written], path: Path) -> None:
    """Write the manifest: the files, their state, and the meaning of every column."""
    document = {
        **export.about(),
        "meaning": export.meaning,
        "columns": [{"name": one.name, "type": one.type.value, "meaning": one.meaning} for one in export.columns],
        "files": [one._asdict() for one in written],
    }
    with whole_file(path) as part:
        part.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _remove_others(folder: Path, pattern: str, keep: set[str]) -> None:
    for path in folder.glob(pattern):
        if path.relative_to(folder).as_posix() not in keep:
            path.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _json_cell(value: Any) -> Any:
    return orjson.dumps(value).decode()


_CSV: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TEXT: csv_cell,
    ColumnType.JSON: _json_cell,
    ColumnType.BOOLEAN: _json_cell,
}
