"""The lag of each read table behind the log, and the failures of those that have stopped."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from ltc_events.projections.declaration.builds import Build, named_in_sql
from ltc_events.projections.declaration.names import Connection
from ltc_events.store import Database, Role
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


class ProjectionStatus(NamedTuple):
    """The present status of one build in one partition of its source.

    `state` is `live`; `failed`: stopped at an event until an operator resumes it; `retrying`: held up by an error that is not
    the event's, and retried automatically; `waiting`: its writer waits for a lock; or `ahead` of the store. Unless it is `live`,
    `error` gives the reason and `fix` what to do; `failed_position` and `failed_event` the event, where known.
    """

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
    ahead: bool
    """Whether it took in what the store, which has gone back, does not have."""
    epoch: str | None
    """The epoch of the store when its checkpoint moved last."""
    fault: str | None
    """Whose it is that it does not get on: `event`, `retry` (it passes) or `operator`, see `store.sqlstate`."""
    fix: str | None
    attempts: int | None
    """How often it was tried at that event, since `first_failed_at`, the last time at `failed_at`."""
    first_failed_at: datetime | None
    failed_at: datetime | None

    @property
    def table(self) -> Build:
        """The build whose table this is."""
        return Build(self.name, self.version, self.build)

    def obstacle_document(self) -> dict[str, Any]:
        """The table, its position and the obstacle, as JSON-ready values."""
        names = ("state", "position", "failed_position", "failed_event", "error", "fix")
        return {"name": self.name, "build": str(self.table), **{name: getattr(self, name) for name in names}}

    @property
    def has_stopped(self) -> bool:
        """Whether it is stopped until an operator resumes it."""
        return self.state == "failed"

    @property
    def gets_on(self) -> bool:
        """Whether no obstacle is known."""
        return self.state == "live"

    @property
    def obstacle(self) -> str:
        """The event that it is stopped at, in words; empty where none is known."""
        if self.failed_position is None:
            return ""
        return f"{self.failed_event or 'the event'} at position {self.failed_position}"


def projection_status(database: Database) -> list[ProjectionStatus]:
    """All builds with tables, by name and version; empty where there are no read tables yet.

    Raises NotInitialised where there is no ledger.
    """
    query = named_in_sql(_SQL.text("status"))
    with database.connect(Role.PROJECTOR) as connection, connection.cursor(row_factory=class_row(ProjectionStatus)) as cursor:
        if not are_laid_out(connection):
            return []
        return cursor.execute(query.encode()).fetchall()


def are_laid_out(connection: Connection) -> bool:
    """Whether there are read tables: the first projector or report creates them."""
    return connection.execute(_SQL["are_laid_out"]).fetchone() == (True,)
