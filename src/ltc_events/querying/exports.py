"""Exports of the event log, a read table or a report, each as typed columns and streamed rows."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from psycopg import sql
from psycopg.types.json import set_json_loads

from ltc_events.projections.declaration.names import SCHEMA
from ltc_events.querying.errors import NoMonths, NothingToExport, PresentStateOnly
from ltc_events.querying.session import TABLES, as_of_query
from ltc_events.reports.as_of import Connection, settle
from ltc_events.reports.base import Column, ColumnType, Value
from ltc_events.reports.parameters import known_position, parse_as_of, parse_known_at
from ltc_events.reports.registry import NAMES
from ltc_events.reports.runner import open_report, raw_json, read_rows, transaction
from ltc_events.reports.values import RawJson
from ltc_events.schemas.decimal_json import dump
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role

EVENTS = "events"
MONTH_OF = "recorded_at"
"""What a month of an export is: that of recording, so that a month that is over never changes."""
PAGE = 1_000
_TYPES = {
    "uuid": ColumnType.UUID,
    "text": ColumnType.TEXT,
    "int4": ColumnType.INTEGER,
    "int8": ColumnType.INTEGER,
    "numeric": ColumnType.DECIMAL,
    "date": ColumnType.DATE,
    "timestamptz": ColumnType.TIME,
    "bool": ColumnType.BOOLEAN,
    "jsonb": ColumnType.JSON,
}
_EVENT = (
    Column("position", ColumnType.INTEGER, "position in the log, from 1 without a gap"),
    Column("part", ColumnType.INTEGER, "1; where one stored event is told as several today, which of them"),
    Column("type", ColumnType.TEXT, "what happened, by its stable name"),
    Column("subject", ColumnType.UUID, "what it happened to"),
    Column("version", ColumnType.INTEGER, "number of the event in the history of its subject, from 1"),
    Column("customer_id", ColumnType.UUID, "the customer; none for what belongs to the company"),
    Column("effective_on", ColumnType.DATE, "business date"),
    Column("occurred_at", ColumnType.TIME, "when it happened"),
    Column(MONTH_OF, ColumnType.TIME, "when it was recorded"),
    Column("actor", ColumnType.TEXT, "who did it"),
    Column("command_id", ColumnType.UUID, "the command that caused it"),
    Column("correlation_id", ColumnType.UUID, "the conversation that it belongs to"),
    Column("causation_id", ColumnType.UUID, "what caused the command"),
    Column("data", ColumnType.JSON, "what the event says; see the JSON Schema of its type"),
)


@dataclass(frozen=True)
class Export:
    """Columns with their meaning, and rows in a stable order, which can be read once.

    `position` is the log position shown. `month_place` is the column that gives a row's month of recording, for tables whose
    rows never change; None: rows change.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    rows: Iterable[tuple[Any, ...]]
    as_of: date | None
    position: int
    month_place: int | None = None

    def about(self) -> dict[str, str]:
        """The state of the rows, for the file's metadata."""
        day = {} if self.as_of is None else {"as_of": self.as_of.isoformat()}
        return {"ltc.name": self.name, "ltc.position": str(self.position), **day}

    def require_months(self) -> int:
        """The place of the month column. Raises NoMonths."""
        if self.month_place is None:
            raise NoMonths(name=self.name)
        return self.month_place


@contextmanager
def open_export(
    database: Database,
    name: str,
    *,
    as_of: str | None = None,
    known_at: str | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> Iterator[Export]:
    """Open the export of this name: `events`, a read table or a report. The rows are read within the block.

    A read table of history is limited to `as_of` and `known_at`; one of the present state is refused with them.
    Raises NothingToExport, PresentStateOnly and the errors of reports.
    """
    if name == EVENTS:
        with _events(database, as_of, known_at) as found:
            yield found
    elif name in TABLES:
        with transaction(database) as connection:
            yield from _table(connection, name, as_of, known_at)
    elif name in NAMES:
        with open_report(database, name, as_of=as_of, known_at=known_at, parameters=parameters) as answer:
            meaning = answer.report.definition
            yield Export(name, meaning, answer.columns, answer.rows, answer.as_of, answer.position)
    else:
        raise NothingToExport(name=name, suggestion=suggestion(name))


def suggestion(name: str) -> str:
    """The names that were probably meant."""
    near = get_close_matches(name, [EVENTS, *TABLES, *NAMES], n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else "`ltc report list` and `ltc projections list` name what there is"


@contextmanager
def _events(database: Database, as_of: str | None, known_at: str | None) -> Iterator[Export]:
    day = parse_as_of(as_of)
    with EventStore(database, Role.PROJECTOR) as store:
        position = known_position(store, known_at)
        rows = _event_rows(store, day, position)
        place = [column.name for column in _EVENT].index(MONTH_OF)
        yield Export(EVENTS, "The log of events, as they are told today.", _EVENT, rows, day, position, place)


def _event_rows(store: EventStore, as_of: date | None, position: int) -> Iterator[tuple[Any, ...]]:
    after = 0
    while after < position:
        records = store.read(after, PAGE, upto=position)
        if not records:
            return
        after = records[-1].position
        for record in records:
            if as_of is None or record.effective_on <= as_of:
                yield _event_row(record)


def _event_row(record: Record) -> tuple[Any, ...]:
    return (
        record.position,
        record.part,
        record.event.type,
        record.subject,
        record.version,
        record.customer_id,
        record.effective_on,
        record.occurred_at,
        record.recorded_at,
        record.actor,
        record.command_id,
        record.correlation_id,
        record.causation_id,
        RawJson(dump(record.event, exclude_none=True).decode()),
    )


def _table(connection: Connection, name: str, as_of: str | None, known_at: str | None) -> Iterator[Export]:
    projection = TABLES[name]
    day, known = parse_as_of(as_of), parse_known_at(known_at)
    if not projection.append_only and (day is not None or known is not None):
        raise PresentStateOnly(table=name)
    position = _position(connection, name, known)
    shown = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(SCHEMA, name))).description or ()
    declared = projection.columns
    columns = tuple(
        Column(one.name, _TYPES[declared[one.name].type], declared[one.name].meaning) for one in shown if one.name in declared
    )
    wanted = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    order = sql.SQL(", ").join(sql.Identifier(key) for key in projection.key)
    rows_of: sql.Composable = (
        as_of_query(projection, day, position)
        if projection.append_only
        else sql.SQL("SELECT * FROM {}").format(sql.Identifier(SCHEMA, name))
    )
    statement = sql.SQL("SELECT {} FROM ({}) t ORDER BY {}").format(wanted, rows_of, order).as_bytes(connection)
    months = [place for place, column in enumerate(columns) if column.name == MONTH_OF and projection.append_only]
    with connection.cursor() as cursor:
        set_json_loads(raw_json, cursor)
        with closing(read_rows(cursor, name, statement, {"as_of": day})) as rows:
            next(rows)
            yield Export(name, projection.meaning(), columns, rows, day, position, next(iter(months), None))


def _position(connection: Connection, name: str, known_at: int | datetime | None) -> int:
    """The position that the table has reached, or that `known_at` means, at the end of a command."""
    return settle(connection, name, {name}, date.max, known_at).position
