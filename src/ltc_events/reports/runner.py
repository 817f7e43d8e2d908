"""Runs a report: one SQL statement, in the reader's role, in one read-only transaction with one snapshot."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import chain
from typing import Any, TypeAlias, cast
from uuid import UUID

import orjson
import psycopg
from psycopg import IsolationLevel
from psycopg.types.json import set_json_loads

from ltc_events.reports.as_of import AsOf, Connection, settle
from ltc_events.reports.base import Column, ColumnType, ParameterType, Report, Value
from ltc_events.reports.customers import find_customer
from ltc_events.reports.errors import ReportBrokenOff, ReportMisdeclared, ReportOutOfRange
from ltc_events.reports.parameters import parse_as_of, parse_known_at, parse_parameters, require_in_calendar
from ltc_events.reports.registry import report as find_report
from ltc_events.reports.ties import Books, Tied, hold, read_books
from ltc_events.reports.totals import Sums, Totals
from ltc_events.reports.values import RawJson
from ltc_events.store import Database, Role, diagnose
from ltc_events.store.error_text import error_text

Cursor: TypeAlias = psycopg.Cursor[tuple[Any, ...]]
Row: TypeAlias = tuple[Any, ...]

# So many rows are taken from the server at a time.
_CHUNK = 500
# Compiling a statement takes longer than any of ours runs; and sorts of a report should not go to disk.
_SESSION = "SET LOCAL jit = off; SET LOCAL work_mem = '32MB'"
# A report reads whole histories. On tables that were filled a moment ago the planner has no statistics yet, takes them for
# small and joins them row by row, which takes seconds instead of milliseconds; joined by hash, the time never explodes.
_WIDE = f"{_SESSION}; SET LOCAL enable_nestloop = off"
_OIDS: dict[ColumnType, frozenset[int]] = {
    ColumnType.TEXT: frozenset({25}),
    ColumnType.UUID: frozenset({2950}),
    ColumnType.DATE: frozenset({1082}),
    ColumnType.TIME: frozenset({1184}),
    ColumnType.BOOLEAN: frozenset({16}),
    ColumnType.INTEGER: frozenset({20, 23}),
    ColumnType.DECIMAL: frozenset({1700}),
    ColumnType.PERCENT: frozenset({1700}),
    ColumnType.MONEY: frozenset({1700}),
    ColumnType.JSON: frozenset({3802}),
}


@dataclass(frozen=True)
class Answer:
    """A running report: its state, and its rows, which can be read once while the connection is open.

    Rows hold values in the order of `columns`: str, UUID, date, datetime (UTC), bool, int, Decimal, RawJson or None.
    `position` is the log position that it shows, `known_at` when that was recorded (None: there is no event).
    """

    report: Report
    as_of: date
    known_at: datetime | None
    position: int
    parameters: dict[str, Value]
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    sums: Sums
    books: Books

    @property
    def totals(self) -> Totals:
        """The totals of the rows read so far."""
        return self.sums.totals()

    @property
    def ties(self) -> list[Tied]:
        """The totals of the rows read so far, with the amounts of the books."""
        return list(hold(self.report.ties, self.books, self.totals))


@dataclass(frozen=True)
class Result(Answer):
    """A report read in full; JSON values are parsed."""

    rows: list[Row]


def run(
    database: Database,
    name: str,
    *,
    as_of: date | str | None = None,
    known_at: int | datetime | str | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Result:
    """Run the report `name` and keep all its rows; `open_report` takes the same and reads them one by one."""
    with transaction(database) as connection:
        return run_within(connection, name, as_of=as_of, known_at=known_at, parameters=parameters)


def run_within(
    connection: Connection,
    name: str,
    *,
    as_of: date | str | None = None,
    known_at: int | datetime | str | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Result:
    """As `run`, in the caller's transaction: with repeatable read, several reports share one snapshot."""
    asked = Question(name, as_of, known_at, parameters or {})
    with asked.answer(connection, orjson.loads) as answer:
        rows = list(answer.rows)
        return Result(**{one.name: getattr(answer, one.name) for one in fields(answer)} | {"rows": rows})


@contextmanager
def open_report(
    database: Database,
    name: str,
    *,
    as_of: date | str | None = None,
    known_at: int | datetime | str | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Iterator[Answer]:
    """Run the report `name` and stream its rows from the server, in one transaction with one snapshot.

    `as_of` is a business date (default: the company's day); `known_at` a position of the log or a moment (default: all that
    the read tables know). Raises the errors of `reports.errors`, and of the store when the database cannot be reached. All of
    them come before the block runs, which has the first rows by then; only ReportBrokenOff may come while rows are read.
    """
    asked = Question(name, as_of, known_at, parameters or {})
    with transaction(database) as connection, asked.answer(connection, raw_json) as answer:
        yield answer


@contextmanager
def transaction(database: Database) -> Iterator[Connection]:
    """A reader's, that sees one moment."""
    with database.connect(Role.READER) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


class Question:
    """What was asked for; what is wrong with it shows before any connection is made."""

    def __init__(
        self, name: str, as_of: date | str | None, known_at: int | datetime | str | None, parameters: Mapping[str, Value]
    ) -> None:
        self.report = find_report(name)
        self._values = parse_parameters(self.report, parameters)
        self._as_of, self._known_at = parse_as_of(as_of), parse_known_at(known_at)

    def settle(self, connection: Connection, tables: Set[str] | None = None) -> AsOf:
        """What may be looked at, of these read tables (default: those of the report), within a transaction."""
        connection.execute(_SESSION if self.report.narrow else _WIDE)
        return settle(connection, self.report.name, tables or self.report.tables, self._as_of, self._known_at)

    def values_in(self, connection: Connection, known: AsOf) -> dict[str, Value]:
        """The values of the parameters, customers found, and windows within the calendar."""
        values = dict(self._values)
        require_in_calendar(self.report, values, known.as_of)
        for parameter in self.report.parameters.values():
            value = values[parameter.name]
            if parameter.type is ParameterType.CUSTOMER and isinstance(value, str | UUID):
                values[parameter.name] = find_customer(connection, value)
        return values

    def columns(self, values: Mapping[str, Value]) -> tuple[Column, ...]:
        """The columns by the names that they have with these values."""
        return tuple(_named(column, values) for column in self.report.columns)

    @contextmanager
    def answer(self, connection: Connection, loads: Callable[[str | bytes], Any]) -> Iterator[Answer]:
        """The report within a transaction. It has the connection to itself until the block ends."""
        report, known = self.report, self.settle(connection)
        values = self.values_in(connection, known)
        columns = self.columns(values)
        built_in = {"as_of": known.as_of, "known_position": known.position, "moment": known.moment, **policies_before(report)}
        sums = Sums(columns)
        given = {**values, **built_in}
        books = read_books(connection, report.books, given)
        with connection.cursor() as cursor:
            set_json_loads(loads, cursor)
            with closing(read_rows(cursor, report.name, report.sql.encode(), given)) as rows:
                next(rows)
                for problem in _mismatches(report, cursor):
                    raise ReportMisdeclared(report=report.name, problem=problem)
                added = _added_up(rows, sums)
                yield Answer(report, known.as_of, known.known_at, known.position, values, columns, added, sums, books)


def policies_before(report: Report) -> dict[str, int]:
    """The defaults of policies that are not published, for a report that uses them."""
    if "%(days_between_notices)s" not in report.sql:
        return {}
    from ltc_events.aggregates.policies import Policies

    return {"days_between_notices": Policies().dunning.content.days_between}


def read_rows(cursor: Cursor, report: str, statement: bytes, parameters: Mapping[str, Any]) -> Generator[Row, None, None]:
    """First yields an empty list once the first rows have arrived (reports sort, so most errors come before), then the rows.

    The server sends rows as fast as they are read. For the server the query is active all the while, so no idle-in-transaction
    timeout ends it when the reader pauses, as it would between pages of a cursor. Raises ReportBrokenOff.
    """
    stream = cursor.stream(statement, parameters, binary=True, size=_CHUNK)
    with closing(cast(Generator[Row, None, None], stream)) as rows:
        try:
            first = next(rows, None)
        except psycopg.DataError as error:
            raise ReportOutOfRange(report=report, as_of=parameters["as_of"], reason=error_text(error)) from error
        yield ()
        count = 0
        try:
            for row in rows if first is None else chain((first,), rows):
                yield row
                count += 1
        except psycopg.Error as error:
            reason, fix = error_text(error), diagnose(error).fix
            raise ReportBrokenOff(report=report, rows=f"{count:,}", reason=reason, fix=fix) from error


def _added_up(rows: Iterable[Row], sums: Sums) -> Iterator[Row]:
    for row in rows:
        sums.add(row)
        yield row


def raw_json(data: str | bytes) -> RawJson:
    """JSON without parsing: see RawJson."""
    return RawJson(data if isinstance(data, str) else data.decode())


def _mismatches(report: Report, cursor: Cursor) -> list[str]:
    found = [(column.name, column.type_code) for column in cursor.description or ()]
    declared = [column.sql_name for column in report.columns]
    if found and [name for name, _ in found] != declared:
        return [f"the statement's columns are {', '.join(name for name, _ in found)}, not {', '.join(declared)}"]
    return [
        f"the column {name} is not of type {column.type}"
        for column, (name, oid) in zip(report.columns, found, strict=bool(found))
        if oid not in _OIDS[column.type]
    ]


def _named(column: Column, values: Mapping[str, Value]) -> Column:
    if column.name == column.sql_name:
        return column
    name = column.name.format(**{key: str(value) for key, value in values.items()})
    return Column(name, column.type, column.meaning, column.currency, column.total, column.optional)
