"""What read tables the database holds, and what they look like there: also those of versions this program does not know."""

import re
from typing import NamedTuple

from ltc_events.projections.base import Projection
from ltc_events.projections.errors import NoSuchBuild
from ltc_events.projections.naming import SCHEMA, Connection

_PHYSICAL = re.compile(r"(?P<name>.+?)(?:_b(?P<build>[0-9]+))?__v(?P<version>[0-9]+)")
_SHORT = re.compile(r"v?(?P<version>[0-9]+)(?:b(?P<build>[0-9]+))?")


class Build(NamedTuple):
    """One table of a projection: of a version, the first (build 0) or one that was built anew. `str()`: `v2`, `v2b1`."""

    name: str
    version: int
    build: int

    def __str__(self) -> str:
        return f"v{self.version}b{self.build}" if self.build else f"v{self.version}"

    @property
    def place(self) -> str:
        """Under which name its checkpoints and failures are kept."""
        return f"{self.name}_b{self.build}" if self.build else self.name

    @property
    def physical(self) -> str:
        """The name of its table."""
        return f"{self.place}__v{self.version}"


class Table(NamedTuple):
    """A table as it is: its columns with their types in order, and its primary key."""

    schema: str
    name: str
    columns: dict[str, str]
    key: tuple[str, ...]


def build_of(projection: type[Projection]) -> Build:
    """The build whose table this class writes."""
    return Build(projection.table, projection.version, projection.build)


def parse_build(name: str, text: str) -> Build:
    """`v2` or `v2b1` of a projection; raises NoSuchBuild."""
    found = _SHORT.fullmatch(text)
    if not found:
        raise NoSuchBuild(projection=name, build=text)
    return Build(name, int(found["version"]), int(found["build"] or 0))


def parse_physical(table: str) -> Build | None:
    """The build whose table has this name, if it is a name that such a table can have."""
    found = _PHYSICAL.fullmatch(table)
    return Build(found["name"], int(found["version"]), int(found["build"] or 0)) if found else None


def shown_builds(connection: Connection) -> dict[str, Build]:
    """Which build the view of each read table shows."""
    rows = connection.execute(
        "SELECT view_name, table_name FROM information_schema.view_table_usage WHERE view_schema = %s AND table_schema = %s",
        (SCHEMA, SCHEMA),
    )
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
    """What the table of a build looks like in the database; raises NoSuchBuild when there is none."""
    # The class is looked up in the catalogue, because a temporary schema has another name in each session.
    row = connection.execute(
        "SELECT to_regclass(format('%%I.%%I', %s::text, %s::text))::oid", (schema, build.physical)
    ).fetchone()
    oid = row[0] if row else None
    if oid is None:
        raise NoSuchBuild(projection=build.name, build=build)
    columns = connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (oid,),
    )
    key = connection.execute(
        "SELECT a.attname FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
        " WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.place",
        (oid,),
    )
    return Table(schema, build.physical, dict(columns.fetchall()), tuple(name for (name,) in key))


def position_of(connection: Connection, build: Build) -> int:
    """The last position of the store up to which the table has taken in everything; raises NoSuchBuild.

    Of a table that several partitions feed it is that of the hindmost; the others may be further.
    """
    row = connection.execute(
        "SELECT min(position) FROM ltc_read.checkpoints WHERE projection = %s AND version = %s", (build.place, build.version)
    ).fetchone()
    if row is None or row[0] is None:
        raise NoSuchBuild(projection=build.name, build=build)
    return int(row[0])
