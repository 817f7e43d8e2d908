"""The SQL files of this package: scripts that lay out the database, and queries by name."""

from functools import cache
from importlib.resources import files

from psycopg import sql

_NAME = "-- name: "


def script(name: str, **names: str) -> sql.Composed:
    """The SQL file `name`; its `{placeholders}` are filled with identifiers."""
    return sql.SQL(_text(name)).format(**{key: sql.Identifier(value) for key, value in names.items()})


def query(name: str, **parts: object) -> sql.Composed:
    """The query `name`; its `{placeholders}` are filled with SQL (as it is) or with literals (anything else)."""
    return sql.SQL(_queries()[name]).format(**parts)


@cache
def _queries() -> dict[str, str]:
    sections = _text("queries").split(_NAME)[1:]
    return {name: text.strip() for name, _, text in (section.partition("\n") for section in sections)}


def _text(name: str) -> str:
    return files("ltc_events.store").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
