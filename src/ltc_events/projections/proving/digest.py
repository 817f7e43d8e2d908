"""One hash per read table: equal for equal content, on any machine."""

import hashlib
from typing import NamedTuple

import orjson
from psycopg import sql

from ltc_events.projections.catalog.event_source import vector_of
from ltc_events.projections.catalog.installed_tables import Table, describe, shown_build
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.names import Connection, relation
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.position_barrier import WAIT_S, PositionBarrier
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


class Digest(NamedTuple):
    """The hash of a table as it was at a position of the log. `sha256`: of its columns and its rows, in hex."""

    name: str
    build: Build
    position: int
    rows: int
    sha256: str


def digest(database: Database, projection: type[Projection], build: Build | None = None, *, wait_s: float = WAIT_S) -> Digest:
    """The digest of a build's table, by default of the one that readers see, at one position in all its partitions.

    Raises NoSuchBuild, and Behind where the partitions of a table that this program cannot fold are not at one position.
    """
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        chosen = build or shown_build(connection, projection.table)
        # One snapshot: the rows are those of the position.
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            vector = vector_of(connection, chosen)
            if vector.is_level:
                return _digest(connection, chosen, vector.low)
        with (
            EventStore(database, Role.PROJECTOR) as store,
            database.connect(Role.PROJECTOR, autocommit=True) as holder,
            PositionBarrier(store, holder, projection, chosen, wait_s=wait_s).seen(connection) as position,
        ):
            return _digest(connection, chosen, position)


def _digest(connection: Connection, build: Build, position: int) -> Digest:
    rows, sha256 = digest_rows(connection, describe(connection, build))
    return Digest(build.name, build, position, rows, sha256)


def digest_rows(connection: Connection, table: Table) -> tuple[int, str]:
    """The number of rows, and SHA-256 over a line with the columns, their types and the key, then a line per row.

    Lines are those of PostgreSQL's text COPY in UTF-8: columns ordered by name, rows by key, texts by their bytes, times in UTC,
    numbers without trailing zeros (1.50 equals 1.5).
    """
    ordered = dict(sorted(table.columns.items()))
    # The line of columns keeps a table from looking like another one with the same values.
    total = hashlib.sha256(orjson.dumps([ordered, table.key], option=orjson.OPT_APPEND_NEWLINE))
    rows = _SQL.compose(
        "rows",
        columns=sql.SQL(", ").join(_canonical(name, kind) for name, kind in ordered.items()),
        table=relation(table.name, table.schema),
        order=sql.SQL(", ").join(_ordered(name, table.columns[name]) for name in table.key),
    )
    count = 0
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_SQL["canonical"])
        with cursor.copy(rows) as lines:
            for line in lines:
                total.update(line)
                count += 1
    return count, total.hexdigest()


def _canonical(name: str, kind: str) -> sql.Composed:
    return sql.SQL("trim_scale({})" if kind == "numeric" else "{}").format(sql.Identifier(name))


def _ordered(name: str, kind: str) -> sql.Composed:
    # A database's own order of texts depends on its locale.
    return sql.SQL('{} COLLATE "C"' if kind == "text" else "{}").format(sql.Identifier(name))
