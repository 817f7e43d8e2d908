"""Loads sources into tables of texts in schema `raw`, each row with its number in the import, its file and its line."""

import csv
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from ltc_events.importing.certainty import REFUSALS, ROW
from ltc_events.importing.engine import Engine, literal
from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.mapping import MappingFile, SourceSection, nearest
from ltc_events.importing.rawrows import Problem, Reader
from ltc_events.importing.readers import format_of, open_postgresql, open_reader

FILE, LINE = "_file", "_line"
SUPERSEDED = "the same key stands in a later file"
ROW_LENGTH_MAX = 1_000_000
_LONG = "close the quotes of a row before it, or leave out the column"
_IN_PLACE = frozenset({"parquet", "duckdb"})
REFUSALS_TYPE = 'STRUCT("row" BIGINT, "column" VARCHAR, "value" VARCHAR, code VARCHAR, want VARCHAR)[]'


class Unreadable(NamedTuple):
    """An unreadable row of a file."""

    file: str
    line: int
    problem: Problem


class Source:
    """One source: found, and its columns known; `load` brings its rows in."""

    def __init__(self, name: str, section: SourceSection, paths: list[Path]) -> None:
        self.name = name
        self.section = section
        self.paths = paths
        self.columns: list[str] = []
        self.first_row = self.rows = self.unreadable = self.superseded = 0

    @property
    def shown(self) -> str:
        """The file's name; of several, the pattern."""
        return self.section.path or self.section.table or self.name

    @property
    def table(self) -> str:
        """Its table."""
        return f'raw."{self.name}"'

    def owns(self, row: int) -> bool:
        """Whether a row of the import is one of its."""
        return self.first_row <= row < self.first_row + self.rows

    def readers(self, stack: ExitStack) -> Generator[Reader, None, None]:
        """The readers of its files, one after the other. Raises DataUnusable."""
        if self.section.url_env is not None:
            url = os.environ.get(self.section.url_env, "")
            if not url:
                fix = f"set {self.section.url_env} to the address of the database"
                raise DataUnusable(file=self.name, problem=f"{self.section.url_env} is not set", fix=fix)
            yield open_postgresql(self.section, url, self.shown, stack)
        for path in self.paths:
            with ExitStack() as own:
                yield open_reader(self.section, path, own)


def find_sources(mapping: MappingFile, folder: Path, only: Mapping[str, Path] | None = None) -> list[Source]:
    """The sources of a mapping with their files, which lie in `folder`; of the sources in `only`, this file alone.

    Raises DataUnusable.
    """
    chosen = only or {}
    sources = []
    for name, section in mapping.sources.items():
        paths = [path for path in _paths(name, section, folder) if path == chosen.get(name, path)]
        for path in paths:
            shown = os.fsencode(path.name).decode("utf-8", "backslashreplace")
            if shown != path.name:
                raise DataUnusable(file=shown, problem="its name is not UTF-8", fix="give the file another name")
        sources.append(Source(name, section, paths))
    return sources


def _paths(name: str, section: SourceSection, folder: Path) -> list[Path]:
    if section.url_env is not None:
        return []
    if section.path is None:
        raise DataUnusable(file=name, problem="has neither path nor url_env", fix='give its file: path = "orders.csv"')
    if "*" in section.path and ".." not in section.path and not Path(section.path).is_absolute():
        found = sorted(one for one in folder.glob(section.path) if one.is_file())
    else:
        found = [folder / section.path]
    for path in found:
        if not path.resolve().is_relative_to(folder.resolve()):
            problem = f"sources.{name}: it is not in {folder}, or a link that leads out of it"
            raise DataUnusable(file=section.path, problem=problem, fix="put the file itself into the folder of the files")
    if not found or not found[0].is_file():
        there = sorted(one.name for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []
        fix = nearest(section.path, there) if there else "give the folder of the files"
        raise DataUnusable(file=section.path, problem=f"sources.{name}: there is no such file in {folder}", fix=fix)
    return found


def create_table(source: Source, engine: Engine) -> None:
    """The empty table of a source, with its columns. Raises DataUnusable."""
    if source.paths and format_of(source.section, source.paths[0]) in _IN_PLACE:
        source.columns = list(engine.describe(f"SELECT * FROM {_scan(source, source.paths[0], engine)}"))
        source.columns = [one for one in source.columns if one != "file_row_number"]
    else:
        with ExitStack() as stack, closing(source.readers(stack)) as readers:
            source.columns = next(readers).columns
    missing = [one for one in source.section.key if one.lower() not in {name.lower() for name in source.columns}]
    if missing:
        raise DataUnusable(file=source.shown, problem=f"there is no column {missing[0]}", fix=nearest(missing[0], source.columns))
    cells = ", ".join(f"{quoted(one)} VARCHAR" for one in source.columns)
    refusals = f", {REFUSALS} {REFUSALS_TYPE}" if source.section.key else ""
    engine.run(f"CREATE TABLE {source.table} ({cells}, {FILE} VARCHAR, {LINE} BIGINT, {ROW} BIGINT{refusals})")


def load(
    source: Source, engine: Engine, first_row: int, refuse: Callable[[Unreadable], None], begins: Callable[[str], None]
) -> int:
    """Bring the rows in, numbered from `first_row`; the number behind the last. `begins` is called with the name of each file.

    Raises DataUnusable.
    """
    source.first_row = first_row
    for path in source.paths:
        if format_of(source.section, path) in _IN_PLACE:
            begins(path.name)
            _load_in_place(source, path, engine, first_row + source.rows)
    if not source.paths or format_of(source.section, source.paths[0]) not in _IN_PLACE:
        _load_spooled(source, engine, refuse, begins)
    if source.section.key:
        _mark_duplicate_keys(source, engine)
    return first_row + source.rows


def _load_spooled(source: Source, engine: Engine, refuse: Callable[[Unreadable], None], begins: Callable[[str], None]) -> None:
    spool = engine.spool / f"{source.name}.csv"
    with spool.open("w", encoding="utf-8", newline="") as file, ExitStack() as stack:
        # Lines end in both characters, as only those of the line's end make the writer quote a cell.
        write = csv.writer(file, lineterminator="\r\n").writerow
        for reader in source.readers(stack):
            begins(reader.name)
            if [one.lower() for one in reader.columns] != [one.lower() for one in source.columns]:
                differs = f"its columns are not those of {source.shown}: {', '.join(reader.columns[:9])}"
                raise DataUnusable(file=reader.name, problem=differs, fix="give files of another shape a source of their own")
            for number, cells, found in reader.rows:
                problem = found or _too_long(cells)
                if problem is not None:
                    source.unreadable += 1
                    refuse(Unreadable(reader.name, number, problem))
                    continue
                write([*cells, reader.name, number, source.first_row + source.rows])
                source.rows += 1
    types = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(source.columns) + 3))
    cells = ", ".join(f"c{number}" for number in range(len(source.columns) + 1))
    line, row = f"c{len(source.columns) + 1}", f"c{len(source.columns) + 2}"
    refusals = ", ltc_none()" if source.section.key else ""
    engine.run(
        f"INSERT INTO {source.table} SELECT {cells}, CAST({line} AS BIGINT), CAST({row} AS BIGINT){refusals} "
        f"FROM read_csv({literal(str(spool))}, auto_detect = false, header = false, columns = {{{types}}}, delim = ',', "
        "quote = '\"', escape = '\"', new_line = '\\r\\n', nullstr = '', max_line_size = 4194304, buffer_size = 16777216, "
        "parallel = false)"
    )
    spool.unlink()


def _too_long(cells: Sequence[str | None]) -> Problem | None:
    if sum(map(len, filter(None, cells))) <= ROW_LENGTH_MAX:
        return None
    return Problem("row_too_long", f"the row has more than {ROW_LENGTH_MAX} characters", _LONG)


def _scan(source: Source, path: Path, engine: Engine) -> str:
    if format_of(source.section, path) == "parquet":
        return f"read_parquet({literal(str(path))}, file_row_number = true)"
    name = f"attached_{source.name}"
    engine.run(f"ATTACH IF NOT EXISTS {literal(str(path))} AS {name} (READ_ONLY)")
    if source.section.table is None:
        raise DataUnusable(file=path.name, problem="a database needs table", fix='say for example table = "orders"')
    return f"{name}.{quoted(source.section.table)}"


def _load_in_place(source: Source, path: Path, engine: Engine, first_row: int) -> None:
    scan = _scan(source, path, engine)
    types = engine.describe(f"SELECT * FROM {scan}")
    cells = ", ".join(f"nullif(trim({_text(quoted(one), types[one])}), '')" for one in source.columns)
    number = "file_row_number" if "file_row_number" in types else "row_number() OVER () - 1"
    refusals = ", ltc_none()" if source.section.key else ""
    engine.run(
        f"INSERT INTO {source.table} SELECT {cells}, {literal(path.name)}, {number} + 1, {number} + {first_row}{refusals} "
        f"FROM {scan}"
    )
    source.rows += engine.run(f"SELECT count(*) FROM {source.table} WHERE {ROW} >= {first_row}")[0][0]


def _text(column: str, type: str) -> str:
    nested = type.endswith("]") or type.startswith(("STRUCT", "MAP"))
    return f"CAST(to_json({column}) AS VARCHAR)" if nested else f"CAST({column} AS VARCHAR)"


def _mark_duplicate_keys(source: Source, engine: Engine) -> None:
    """Of several files the last that has a key holds; twice in one file, a key says nothing for certain."""
    key = ", ".join(map(quoted, source.section.key))
    same = " AND ".join(f"other.{quoted(one)} = mine.{quoted(one)}" for one in source.section.key)
    before = source.rows
    if len(source.paths) > 1:
        engine.run(
            f"DELETE FROM {source.table} WHERE {ROW} IN (SELECT mine.{ROW} FROM {source.table} AS mine "
            f"JOIN {source.table} AS other ON {same} AND other.{ROW} > mine.{ROW} AND other.{FILE} <> mine.{FILE})"
        )
        source.superseded = before - engine.run(f"SELECT count(*) FROM {source.table}")[0][0]
    place = literal(", ".join(source.section.key))
    shown = " || ', ' || ".join(f"coalesce({quoted(one)}, '')" for one in source.section.key)
    engine.run(
        f"UPDATE {source.table} SET {REFUSALS} = ltc_refusal({ROW}, {place}, {shown}, 'duplicate_key', '') WHERE {ROW} IN "
        f"(SELECT {ROW} FROM (SELECT {ROW}, count(*) OVER (PARTITION BY {key}) AS n FROM {source.table}) WHERE n > 1)"
    )


def quoted(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
