"""Read-only query sessions: each query runs in the reader's role in a transaction with one snapshot, which ends with its rows."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from typing import Any, NamedTuple, cast

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.types.string import TextLoader

from ltc_events.kernel.errors import LtcError
from ltc_events.projections.declaration.names import SCHEMA
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.querying.errors import PresentStateOnly, QueryRefused, QueryTimedOut
from ltc_events.querying.statement import names_in, require_query, seen_through
from ltc_events.reports.as_of import AsOf, Connection, settle
from ltc_events.store import Database, Role, diagnose

TABLES: dict[str, type[Projection]] = {one.table: one for one in PROJECTIONS}
"""The read tables by name."""
TIMEOUT_S = 60
_CHUNK = 500


class Field(NamedTuple):
    """One result column: its name and its PostgreSQL type."""

    name: str
    oid: int


@dataclass(frozen=True)
class Asked:
    """The state that a session shows: as of a business date, as known at a position or time; None: the present."""

    as_of: date | None = None
    known_at: int | datetime | None = None
    timeout_s: float = TIMEOUT_S

    @property
    def is_present(self) -> bool:
        """Whether it shows the present state."""
        return self.as_of is None and self.known_at is None


@dataclass(frozen=True)
class Found:
    """The result of a query. Values are texts as PostgreSQL writes them, or None; they can be read once, while it is open.

    `known` is the position shown, where the session shows an earlier state and the query reads any read table.
    """

    fields: Sequence[Field]
    rows: Iterator[tuple[str | None, ...]]
    known: AsOf | None = None


@dataclass
class ReadSession:
    """A reader's connection; `asked` may be changed between queries. It writes nothing, whatever the query says."""

    database: Database
    asked: Asked = field(default_factory=Asked)
    _connection: Connection | None = None

    def change(self, **changes: Any) -> None:
        """Change the state shown, or the timeout, for the following queries."""
        self.asked = replace(self.asked, **changes)

    @contextmanager
    def run(self, statement: str) -> Iterator[Found]:
        """The rows of one query. Raises OnlyQueries, QueryRefused, QueryTimedOut, PresentStateOnly and those of reports."""
        require_query(statement)
        connection = self._connected()
        try:
            known = self._begin(connection, statement)
            text = seen_through(statement, self._views(connection, statement, known))
            fields = self._fields(connection, text)
            with connection.cursor() as cursor:
                for info in connection.adapters.types:
                    for oid in (info.oid, info.array_oid):
                        cursor.adapters.register_loader(oid, TextLoader)
                stream = cast(Generator[tuple[str | None, ...], None, None], cursor.stream(text.encode(), size=_CHUNK))
                with closing(stream):
                    rows = self._rows_or_refusal(stream)
                    first = next(rows, None)
                    yield Found(fields, rows if first is None else chain((first,), rows), known)
        finally:
            if not connection.closed:
                connection.rollback()

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self.database.connect(Role.READER)
            self._connection.isolation_level = IsolationLevel.REPEATABLE_READ
            self._connection.read_only = True
        return self._connection

    def _begin(self, connection: Connection, statement: str) -> AsOf | None:
        path = "pg_catalog" if not self.asked.is_present else f"{SCHEMA}, pg_catalog"
        connection.execute(
            sql.SQL("SET LOCAL statement_timeout = {}; SET LOCAL search_path = {}; SET LOCAL jit = off").format(
                sql.Literal(int(self.asked.timeout_s * 1000)), sql.SQL(path)
            )
        )
        connection.execute("SELECT 1")  # from here on the transaction cannot be made one that writes
        tables = names_in(statement, _HISTORIES)
        if self.asked.is_present or not tables:
            return None
        return settle(connection, "the query", frozenset(tables), self.asked.as_of or date.max, self.asked.known_at)

    def _views(self, connection: Connection, statement: str, known: AsOf | None) -> dict[str, str]:
        if known is None:
            return {}
        return {
            name: as_of_query(TABLES[name], self.asked.as_of, known.position).as_string(connection)
            for name in names_in(statement, _HISTORIES)
        }

    def _fields(self, connection: Connection, text: str) -> list[Field]:
        """The columns of the query, also where it gives no rows."""
        asked = connection.pgconn
        result = asked.prepare(b"", text.encode())
        if result.status == ExecStatus.COMMAND_OK:
            result = asked.describe_prepared(b"")
        if result.status != ExecStatus.COMMAND_OK:
            raise self._refused(error_from_result(result))
        return [Field((result.fname(at) or b"").decode(), result.ftype(at)) for at in range(result.nfields)]

    def _rows_or_refusal(self, rows: Iterator[tuple[str | None, ...]]) -> Iterator[tuple[str | None, ...]]:
        try:
            yield from rows
        except psycopg.Error as error:
            raise self._refused(error) from error

    def _refused(self, error: psycopg.Error) -> LtcError:
        match error:
            case psycopg.errors.QueryCanceled():
                return QueryTimedOut(seconds=f"{self.asked.timeout_s:g}")
            case psycopg.errors.UndefinedTable() if not self.asked.is_present:
                named = [name for name in TABLES.keys() - set(_HISTORIES) if f'"{name}"' in str(error)]
                return PresentStateOnly(table=named[0]) if named else _refused(error)
            case _:
                return _refused(error)


_HISTORIES = tuple(sorted(one.table for one in PROJECTIONS if one.append_only))


def as_of_query(projection: type[Projection], as_of: date | None, position: int) -> sql.Composed:
    """The query for the rows of a history table up to a position and (unless None) a business date."""
    bounds: list[sql.Composable] = [sql.SQL("position <= {}").format(sql.Literal(position))]
    if as_of is not None and "effective_on" in projection.columns:
        bounds.append(sql.SQL("effective_on <= {}").format(sql.Literal(as_of)))
    return sql.SQL("SELECT * FROM {} WHERE {}").format(sql.Identifier(SCHEMA, projection.table), sql.SQL(" AND ").join(bounds))


def _refused(error: psycopg.Error) -> QueryRefused:
    said = error.diag.message_primary or str(error).strip()
    theirs = psycopg.ProgrammingError | psycopg.DataError | psycopg.NotSupportedError | psycopg.errors.ReadOnlySqlTransaction
    if isinstance(error, theirs):
        fix = (
            error.diag.message_hint or "correct the query; `ltc sql` without one knows \\d, which shows tables and their columns"
        )
    else:
        fix = diagnose(error).fix
    return QueryRefused(reason=said, fix=fix)
