"""The read tables that the database holds, including those of versions that this program does not know."""

from typing import NamedTuple

from ltc_events.projections.declaration.builds import Build, parse_physical
from ltc_events.projections.declaration.errors import NoSuchBuild
from ltc_events.projections.declaration.names import SCHEMA, Connection
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


class Table(NamedTuple):
    """A table in the database: its columns with their types, in order, and its primary key."""

    schema: str
    name: str
    columns: dict[str, str]
    key: tuple[str, ...]


def shown_builds(connection: Connection) -> dict[str, Build]:
    """The build that the view of each read table shows."""
    rows = connection.execute(_SQL["tables_of_views"], (SCHEMA, SCHEMA))
    shown = {}
    for view, table in rows:
        build = parse_physical(table)
        if build is not None and build.name == view:
            shown[view] = build
    return shown


def shown_build(connection: Connection, name: str) -> Build:
    """The build that readers see; raises NoSuchBuild."""
    shown = shown_builds(connection).get(name)
    if shown is None:
        raise NoSuchBuild(projection=name, build="shown table")
    return shown


def describe(connection: Connection, build: Build, schema: str = SCHEMA) -> Table:
    """The table of a build as the database has it; raises NoSuchBuild when there is none."""
    row = connection.execute(_SQL["oid"], (schema, build.physical)).fetchone()
    oid = row[0] if row else None
    if oid is None:
        raise NoSuchBuild(projection=build.name, build=build)
    columns = connection.execute(_SQL["columns"], (oid,))
    key = connection.execute(_SQL["primary_key"], (oid,))
    return Table(schema, build.physical, dict(columns.fetchall()), tuple(name for (name,) in key))


def position_of(connection: Connection, build: Build) -> int:
    """The position up to which the table has applied all events; raises NoSuchBuild.

    For a table fed by several partitions it is the lowest of them.
    """
    row = connection.execute(_SQL["lowest_checkpoint"], (build.place, build.version)).fetchone()
    if row is None or row[0] is None:
        raise NoSuchBuild(projection=build.name, build=build)
    return int(row[0])
