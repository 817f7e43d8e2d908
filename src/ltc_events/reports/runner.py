"""Running a report: one SQL statement, as the reader, in one read-only transaction that sees one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import IsolationLevel

from ltc_events.reports.base import Column, ColumnType, ParameterType, Report, Value
from ltc_events.reports.catalogue import report as find_report
from ltc_events.reports.customers import find_customer
from ltc_events.reports.errors import ReportMisdeclared
from ltc_events.reports.knowledge import Connection, settle
from ltc_events.reports.parameters import parse_as_of, parse_known_at, parse_parameters
from ltc_events.reports.totals import Totals, add_up
from ltc_events.store import Database, Role

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


@dataclass(frozen=True, slots=True)
class Result:
    """A report that was run: its rows with what they rest on.

    Rows hold values in the order of `columns`: str, UUID, date, datetime (UTC), bool, int, Decimal or None.
    `position` is up to where the log was looked at, `known_at` when that was recorded (None: nothing was).
    """

    report: Report
    as_of: date
    known_at: datetime | None
    position: int
    parameters: dict[str, Value]
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    totals: Totals


def run(
    database: Database,
    name: str,
    *,
    as_of: date | str | None = None,
    known_at: int | datetime | str | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Result:
    """Run the report `name`.

    `as_of` is a business date (default: today, UTC); `known_at` a position of the log or a moment (default: all that the
    read tables know). Raises the errors of `reports.errors`, and of the store when the database cannot be reached.
    """
    with database.connect(Role.READER) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return run_within(connection, name, as_of=as_of, known_at=known_at, parameters=parameters)


def run_within(
    connection: Connection,
    name: str,
    *,
    as_of: date | str | None = None,
    known_at: int | datetime | str | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Result:
    """Like `run`, in the caller's transaction: several reports in one that is repeatable read see the same moment."""
    report = find_report(name)
    values = parse_parameters(report, parameters or {})
    wanted_date, wanted_position = parse_as_of(as_of), parse_known_at(known_at)
    connection.execute(_SESSION if report.narrow else _WIDE)
    knowledge = settle(connection, report, wanted_date, wanted_position)
    for parameter in report.parameters.values():
        value = values[parameter.name]
        if parameter.type is ParameterType.CUSTOMER and isinstance(value, str | UUID):
            values[parameter.name] = find_customer(connection, value)
    columns = tuple(_named(column, values) for column in report.columns)
    built_in = {"as_of": knowledge.as_of, "known_position": knowledge.position, "moment": knowledge.moment}
    rows = _rows(connection, report, {**values, **built_in})
    totals = add_up(columns, rows)
    return Result(report, knowledge.as_of, knowledge.known_at, knowledge.position, values, columns, rows, totals)


def _rows(connection: Connection, report: Report, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor(binary=True) as cursor:
        cursor.execute(report.sql.encode(), parameters)
        for problem in _mismatches(report, cursor):
            raise ReportMisdeclared(report=report.name, problem=problem)
        return cursor.fetchall()


def _mismatches(report: Report, cursor: psycopg.Cursor[tuple[Any, ...]]) -> list[str]:
    found = [(column.name, column.type_code) for column in cursor.description or ()]
    declared = [column.sql_name for column in report.columns]
    if [name for name, _ in found] != declared:
        return [f"the statement's columns are {', '.join(name for name, _ in found)}, not {', '.join(declared)}"]
    return [
        f"the column {name} is not of type {column.type}"
        for column, (name, oid) in zip(report.columns, found, strict=True)
        if oid not in _OIDS[column.type]
    ]


def _named(column: Column, values: Mapping[str, Value]) -> Column:
    if column.name == column.sql_name:
        return column
    name = column.name.format(**{key: str(value) for key, value in values.items()})
    return Column(name, column.type, column.meaning, column.currency, column.total, column.optional)
