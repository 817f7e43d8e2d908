"""The SQL of the event store: scripts that lay out the database, and queries by name."""

from psycopg import sql

from ltc_events.store.sql_files import Statements, read_sql

query = Statements(__name__).compose
"""The query of this name in `sql/queries.sql`; see `Statements.compose`."""


def script(name: str, **names: str) -> sql.Composed:
    """The SQL file `name`; its `{placeholders}` are filled with identifiers."""
    return sql.SQL(read_sql("ltc_events.store", name)).format(**{key: sql.Identifier(value) for key, value in names.items()})
