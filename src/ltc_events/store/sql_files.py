"""SQL files, each in the folder `sql` of the package that reads it: whole scripts, and statements by name."""

import re
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import sql

_NAME = "-- name: "
_COMMENT = re.compile(r"^ *--.*\n?", re.MULTILINE)


FOLDER = "sql"


def read_sql(package: str, name: str, folder: str = FOLDER) -> str:
    """The text of the file `NAME.sql` in a folder of a package, which is named as in `import`."""
    return files(package).joinpath(folder, f"{name}.sql").read_text(encoding="utf-8")


class Statements:
    """The statements of one SQL file by name, read when the first is asked for.

    In the file each statement follows a line `-- name: NAME`. Comment lines are not sent.
    """

    def __init__(self, module: str, folder: str = FOLDER) -> None:
        """`module` is the reader's `__name__`: the file is called as the module, in a folder beside it."""
        self._package, _, self._file = module.rpartition(".")
        self._folder = folder

    def __getitem__(self, name: str) -> bytes:
        """The statement as it stands in the file, with its parameters (`%s`)."""
        return self._texts[name].encode()

    def text(self, name: str) -> str:
        """As `[]`, for statements that are modified before they are sent."""
        return self._texts[name]

    def compose(self, name: str, /, **parts: object) -> "sql.Composed":
        """The statement, its `{placeholders}` filled with SQL (as it is) or with literals (anything else)."""
        from psycopg import sql

        return sql.SQL(self._texts[name]).format(**parts)

    @cached_property
    def _texts(self) -> Mapping[str, str]:
        sections = read_sql(self._package, self._file, self._folder).split(_NAME)[1:]
        named = (section.partition("\n") for section in sections)
        return {name: _COMMENT.sub("", text).strip() for name, _, text in named}
