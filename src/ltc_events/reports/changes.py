"""The changes of a report between two states of knowledge about the same date, with the events in between that caused them.

One statement computes both states and returns only the rows that differ, in the order of the report's key. An event affects a
row by the report's own `events` query and the values of the key (ids, where rows have any), or by changing the customer name that
the row shows.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from psycopg import sql
from psycopg.types.json import set_json_loads

from ltc_events.reports.as_of import TIMELINE, AsOf, Connection
from ltc_events.reports.base import Column, Report, Value
from ltc_events.reports.errors import NothingBetween
from ltc_events.reports.parameters import parse_known_at
from ltc_events.reports.runner import Question, Row, policies_before, raw_json, read_rows, transaction
from ltc_events.reports.totals import Sums, Totals
from ltc_events.reports.values import amount_text, json_rows, json_value
from ltc_events.store import Database
from ltc_events.store.sql_files import Statements

EVENTS_MAX = 20
"""So many events of a row are told, the newest; all are counted."""
_SQL = Statements(__name__, "queries")
PROFILES = "customer_profiles"


class Change(NamedTuple):
    """A changed row. `columns`: the earlier and the later value of each differing column, as JSON values."""

    kind: str
    """`added`, `gone` or `changed`."""
    row: dict[str, Any]
    """The row as it is now, or as it was before it went, as JSON has it."""
    columns: dict[str, tuple[Any, Any]]
    event_count: int
    """How many events in between concern the row."""
    events: list[dict[str, Any]]
    """The newest of them: position, type, effective_on, recorded_at, actor, summary; oldest first."""


class Tally:
    """Running totals of changes."""

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._columns = columns
        self._sums = (Sums(columns), Sums(columns))
        self._kinds = dict.fromkeys(("added", "gone", "changed"), 0)
        self._by_column: dict[str, int] = {}

    def add(self, change: Change, then: Row | None, now: Row | None) -> None:
        """Add one change."""
        self._kinds[change.kind] += 1
        if change.kind == "changed":
            for name in change.columns:
                self._by_column[name] = self._by_column.get(name, 0) + 1
        for sums, row in zip(self._sums, (then, now), strict=True):
            if row is not None:
                sums.add(row)

    def totals(self) -> Totals:
        """The numbers of added, removed and changed rows, changed rows by column, and the differences of the report's totals."""
        then, now = (sums.totals() for sums in self._sums)
        order = [column.name for column in self._columns]
        by_column = {name: self._by_column[name] for name in order if name in self._by_column}
        return {**self._kinds, "by_column": by_column, "difference": {name: _difference(then[name], now[name]) for name in now}}


@dataclass(frozen=True)
class Changes:
    """The changes of a report: both states, and the rows, which can be read once while the connection is open."""

    report: Report
    then: AsOf
    now: AsOf
    parameters: dict[str, Value]
    columns: tuple[Column, ...]
    rows: Iterable[Change]
    tally: Tally

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the key columns."""
        both = zip(self.report.columns, self.columns, strict=True)
        return tuple(column.name for declared, column in both if declared.sql_name in self.report.key)


@contextmanager
def open_changes(
    database: Database,
    name: str,
    changed_since: int | datetime | str,
    *,
    as_of: date | str | None = None,
    known_at: int | datetime | str | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Iterator[Changes]:
    """The changes of the report `name` between the states known at `changed_since` and at `known_at` (default: now).

    Both are a position or a time; the other arguments are those of `runner.open_report`. Raises NothingBetween if the second is
    before the first.
    """
    now = Question(name, as_of, known_at, parameters or {})
    then = Question(name, as_of, parse_known_at(changed_since, "--changed-since"), parameters or {})
    with transaction(database) as connection:
        tables = now.report.tables | now.report.event_tables | {TIMELINE, PROFILES}
        known = [question.settle(connection, tables) for question in (then, now)]
        if known[0].position > known[1].position:
            raise NothingBetween(then=known[0].position, now=known[1].position)
        yield from _opened(connection, now, *known)


def _opened(connection: Connection, question: Question, then: AsOf, now: AsOf) -> Iterator[Changes]:
    report, values = question.report, question.values_in(connection, now)
    columns = question.columns(values)
    built_in = {"as_of": now.as_of, "moment": now.moment, "then_position": then.position, "now_position": now.position}
    built_in |= policies_before(report)
    parameters = {**values, **built_in, "known_position": now.position}
    statement = _statement(connection, report, parameters)
    tally = Tally(columns)
    with connection.cursor() as cursor:
        set_json_loads(raw_json, cursor)
        with closing(read_rows(cursor, report.name, statement, parameters)) as rows:
            next(rows)
            yield Changes(report, then, now, values, columns, _changes(columns, rows, tally), tally)


def _statement(connection: Connection, report: Report, parameters: Mapping[str, Any]) -> bytes:
    """The statement for this report; asks the server which columns of the key its events have."""
    events = _SQL.compose("shape_of_events", events=sql.SQL(report.events))
    found = connection.execute(events, parameters).description or ()
    named = {one.name.removeprefix("row."): one.name for one in found[1:]}
    parts = [name for name in report.key if name in named]
    has_customer = {"customer", "customer_id"} <= {column.sql_name for column in report.columns}
    return _SQL.compose(
        "changes",
        then=sql.SQL(report.sql.replace("%(known_position)s", "%(then_position)s")),
        now=sql.SQL(report.sql.replace("%(known_position)s", "%(now_position)s")),
        key=_texts(_key_value(report, name) for name in report.key),
        row_key=_texts(_key_value(report, name) for name in parts),
        event_key=_texts(sql.Identifier(named[name]) for name in parts),
        events=sql.SQL(report.events),
        renamed=sql.SQL(_SQL.text("renamed" if has_customer else "nobody")),
        events_max=sql.Literal(EVENTS_MAX),
        columns=sql.SQL(", ").join(sql.Identifier("keyed", column.sql_name) for column in report.columns),
    ).as_bytes(connection)


def _key_value(report: Report, name: str) -> sql.Composable:
    if name not in report.key_where:
        return sql.Identifier(name)
    return sql.SQL("CASE WHEN {} THEN {} END").format(sql.SQL(report.key_where[name]), sql.Identifier(name))


def _texts(values: Iterable[sql.Composable]) -> sql.Composed:
    """A text array of the key: arrays with nulls at the same places are equal, and can be hash-joined."""
    return sql.SQL("ARRAY[{}]::text[]").format(sql.SQL(", ").join(sql.SQL("{}::text").format(value) for value in values))


def _changes(columns: tuple[Column, ...], rows: Iterable[Row], tally: Tally) -> Iterator[Change]:
    """Pair the rows of each key, which come together, the earlier state first."""
    width = len(columns)
    names = [column.name for column in columns]
    for _, same in groupby(rows, itemgetter(width + 1)):
        sides: tuple[list[Row], list[Row]] = ([], [])
        for row in same:
            sides[row[width]].append(row)
        for then, now in zip_longest(*sides):
            some = then or now
            shown = {id(row): dict(zip(names, cells, strict=True)) for row, cells in _shown(columns, then, now)}
            was, is_ = shown.get(id(then), {}), shown.get(id(now), {})
            differing = [name for place, name in enumerate(names) if then is None or now is None or then[place] != now[place]]
            change = Change(
                "added" if then is None else "gone" if now is None else "changed",
                is_ or was,
                {name: (was.get(name), is_.get(name)) for name in differing},
                some[width + 2],
                [_event(one) for one in orjson.loads(str(some[width + 3] or "[]"))],
            )
            tally.add(change, then, now)
            yield change


def _shown(columns: tuple[Column, ...], *rows: Row | None) -> Iterator[tuple[Row, list[Any]]]:
    present = [row for row in rows if row is not None]
    return zip(present, json_rows(columns, [row[: len(columns)] for row in present]), strict=True)


def _event(found: dict[str, Any]) -> dict[str, Any]:
    """The event with its time in the format of all times."""
    order = ("position", "type", "effective_on", "recorded_at", "actor", "summary")
    return {name: found[name] for name in order} | {"recorded_at": json_value(datetime.fromisoformat(found["recorded_at"]))}


def _difference(then: Any, now: Any) -> Any:
    if isinstance(now, dict):
        found = {currency: now.get(currency, 0) - then.get(currency, 0) for currency in sorted({*then, *now})}
        return {currency: amount_text(amount, currency) for currency, amount in found.items() if amount}
    return json_value(now - then)
