"""The schema of the read tables, and how SQL names tables and columns."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import psycopg
from psycopg import sql

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

SCHEMA = "ltc_read"
TEMPORARY = "pg_temp"
"""Where tables of one session live, e.g. those that are made to compare with."""
READER = "ltc_reader"


def relation(name: str, schema: str = SCHEMA) -> sql.Identifier:
    """A table or view, of the read schema unless stated."""
    return sql.Identifier(schema, name)


def names(columns: Iterable[str]) -> sql.Composed:
    """Column names in a row: `"a", "b"`."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))
