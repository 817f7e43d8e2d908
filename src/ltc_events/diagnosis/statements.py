"""The SQL statements of diagnosis, each in a file of `sql/`."""

from importlib.resources import files


def statement(name: str) -> bytes:
    """The statement in the file of this name."""
    return files("ltc_events.diagnosis").joinpath("sql", f"{name}.sql").read_bytes()
