"""The SQL statements of diagnosis, each in a file of `sql/`."""

from ltc_events.store.sql_files import read_sql


def statement(name: str) -> bytes:
    """The statement in the file of this name."""
    return read_sql("ltc_events.diagnosis", name).encode()
