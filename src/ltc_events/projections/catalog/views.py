"""The views that readers use: which table each shows, replaced in a way that keeps dependent views and grants."""

from collections.abc import Sequence

from psycopg import sql

from ltc_events.projections.catalog.installed_tables import describe
from ltc_events.projections.catalog.limited_views import LIMITED, limit_view, remove_limited
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import DependentsInTheWay
from ltc_events.projections.declaration.names import READER, SCHEMA, Connection, relation
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


def show(connection: Connection, build: Build) -> None:
    """Point the view at this build's table, within the caller's transaction.

    Columns keep their order, new ones come last, grants stay. Where the table lacks a column of the view, the view is created
    again with the same grants; if other objects depend on the view but not on that column, the column stays as null. Raises
    DependentsInTheWay, naming them, if they depend on that column.
    """
    table = describe(connection, build).columns
    view = _view_columns(connection, build.name)
    lost = [name for name, kind in view.items() if table.get(name) != kind]
    shown = [name for name in view if name not in lost]
    if lost and not (users := dependents_of(connection, build.name, schema=LIMITED)):
        remove_limited(connection, build.name)
    elif lost:
        raise DependentsInTheWay(projection=build.name, build=build, columns=", ".join(lost), dependents=", ".join(users))
    parts: list[sql.Composable] = [sql.Identifier(name) for name in shown]
    grants: list[tuple[str, str, bool]] = []
    if lost and (dependents := dependents_of(connection, build.name)):
        changed = [name for name in lost if name in table]  # one column cannot be both: nobody can go on
        users = dependents if changed else dependents_of(connection, build.name, lost)
        if users:
            raise DependentsInTheWay(projection=build.name, build=build, columns=", ".join(lost), dependents=", ".join(users))
        parts = [_empty(name, view[name]) if name in lost else sql.Identifier(name) for name in view]
    elif lost:
        grants = _grants(connection, build.name)
        connection.execute(sql.SQL("DROP VIEW {}").format(relation(build.name)))
    parts += [sql.Identifier(name) for name in table if name not in shown]
    connection.execute(
        sql.SQL("CREATE OR REPLACE VIEW {} AS SELECT {} FROM {}").format(
            relation(build.name), sql.SQL(", ").join(parts), relation(build.physical)
        )
    )
    for grantee, privilege, grantable in [(READER, "SELECT", False), *grants]:
        connection.execute(
            sql.SQL("GRANT {} ON {} TO {}{}").format(
                sql.SQL(privilege),
                relation(build.name),
                sql.SQL("PUBLIC") if grantee == "PUBLIC" else sql.Identifier(grantee),
                sql.SQL(" WITH GRANT OPTION" if grantable else ""),
            )
        )
    _comment(connection, build)
    limit_view(connection, build.name)


def dependents_of(connection: Connection, name: str, columns: Sequence[str] | None = None, *, schema: str = SCHEMA) -> list[str]:
    """The views and functions that depend on the view of a projection, or on these of its columns."""
    given = {"view": f"{schema}.{name}", "columns": None if columns is None else list(columns)}
    return [one for (one,) in connection.execute(_SQL["dependents"], given)]


def _empty(name: str, kind: str) -> sql.Composed:
    return sql.SQL("NULL::{} AS {}").format(sql.SQL(kind), sql.Identifier(name))


def _view_columns(connection: Connection, name: str) -> dict[str, str]:
    rows = connection.execute(_SQL["view_columns"], (f"{SCHEMA}.{name}",))
    return dict(rows.fetchall())


def _grants(connection: Connection, name: str) -> list[tuple[str, str, bool]]:
    rows = connection.execute(_SQL["grants"], (f"{SCHEMA}.{name}",))
    return rows.fetchall()


def _comment(connection: Connection, build: Build) -> None:
    """Copy the table's comments to the view."""
    rows = connection.execute(_SQL["descriptions"], (f"{SCHEMA}.{build.physical}",)).fetchall()
    for column, meaning in rows:
        if column is None:
            target = sql.SQL("VIEW {}").format(relation(build.name))
        else:
            target = sql.SQL("COLUMN {}").format(sql.Identifier(SCHEMA, build.name, column))
        connection.execute(sql.SQL("COMMENT ON {} IS {}").format(target, sql.Literal(meaning)))
