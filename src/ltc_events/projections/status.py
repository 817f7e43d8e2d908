"""How far each projection is behind the log, and which one has stopped."""

from datetime import datetime
from importlib.resources import files
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row

from ltc_events.store import Database, NotInitialised, Role


class ProjectionStatus(NamedTuple):
    """One projection at this moment. `state` is `live`, or `failed`: then the last three say where and why."""

    name: str
    version: int
    source: str
    partition: int
    position: int
    """The last position taken in."""
    state: str
    lag_events: int
    lag_seconds: float
    """Age of the oldest event that is not taken in; 0 when there is none."""
    moved_at: datetime
    failed_position: int | None
    failed_event: str | None
    error: str | None
    build: int
    """0 for the first table of a version; the same version built anew counts on."""
    life: str | None
    """Where the table is in its life, see `lifecycle.State`; since when, by whom and why."""
    life_since: datetime | None
    life_by: str | None
    life_reason: str | None


def projection_status(database: Database) -> list[ProjectionStatus]:
    """All projections that were ever laid out, by name and version. Raises NotInitialised."""
    query = files("ltc_events.projections").joinpath("sql", "status.sql").read_text(encoding="utf-8")
    with database.connect(Role.PROJECTOR) as connection, connection.cursor(row_factory=class_row(ProjectionStatus)) as cursor:
        try:
            return cursor.execute(query.encode()).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
            raise NotInitialised from error
