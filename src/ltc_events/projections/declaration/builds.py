"""Builds of a projection's table, and their names; the only module that knows how these are spelt."""

import re
from typing import NamedTuple

from ltc_events.projections.declaration.errors import NoSuchBuild

_PHYSICAL = re.compile(r"(?P<name>.+?)(?:_b(?P<build>[0-9]+))?__v(?P<version>[0-9]+)")
_MARK = re.compile(r"__v|_b[0-9]+$")
_PLACE_IN_SQL = re.compile(r"\{place\(([\w.]+), ([\w.]+)\)\}")
_PHYSICAL_IN_SQL = re.compile(r"\{physical\(([\w.]+), ([\w.]+)\)\}")
_SHORT = re.compile(r"v?(?P<version>[0-9]+)(?:b(?P<build>[0-9]+))?")


class Build(NamedTuple):
    """One table of a projection: the first of a version (build 0) or a rebuilt one. `str()`: `v2`, `v2b1`."""

    name: str
    version: int
    build: int

    def __str__(self) -> str:
        return f"v{self.version}b{self.build}" if self.build else f"v{self.version}"

    @property
    def place(self) -> str:
        """The name under which its checkpoints and failures are stored."""
        return f"{self.name}_b{self.build}" if self.build else self.name

    @property
    def physical(self) -> str:
        """The name of its table in the database."""
        return f"{self.place}__v{self.version}"


def named_in_sql(script: str) -> str:
    """An SQL script in which `{place(name, build)}` and `{physical(place, version)}`, of columns, stand for the names above."""
    script = _PLACE_IN_SQL.sub(r"\1 || CASE WHEN \2 > 0 THEN '_b' || \2 ELSE '' END", script)
    return _PHYSICAL_IN_SQL.sub(r"\1 || '__v' || \2", script)


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


def may_be_taken_for_build(table: str) -> bool:
    """Whether a table name could be that of a build, so that no projection may use it."""
    return _MARK.search(table) is not None
