"""Events that a read table has skipped, and customers whose later events are parked behind them.

A row refers to the event and does not copy it. It is written in the transaction that moves the checkpoint past the event. A
customer is parked as long as it has an unsettled row with `held`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.projections.declaration.builds import Build, named_in_sql
from ltc_events.projections.declaration.names import SCHEMA, Connection, relation
from ltc_events.schemas.upcasting import stored_as
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)


class Held(NamedTuple):
    """The routing keys that are parked (customers, or streams of the company), and per partition a counter of changes."""

    keys: frozenset[UUID]
    changes: Mapping[int, int]


NOBODY = Held(frozenset(), {})


class SkippedEvent(NamedTuple):
    """An event that a table leaves out. `held`: the routing key parked because of it; None: the event was skipped."""

    build: Build
    position: int
    event: str
    subject: UUID
    customer_id: UUID | None
    held: UUID | None
    cause: str
    written_at: datetime
    settled_at: datetime | None
    settled_by: str | None

    def document(self) -> dict[str, Any]:
        """All of it, with the `name` of the read table and its `build` as `v2b1`."""
        return {**self._asdict(), "name": self.build.name, "build": str(self.build)}


class Skipped(NamedTuple):
    """What a table lacks: the positions of skipped events, and the first position of each parked routing key."""

    skipped: tuple[int, ...]
    parked: dict[UUID, int]

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is left out."""
        return not (self.skipped or self.parked)

    def document(self) -> dict[str, Any]:
        """The positions of skipped events, and the first position of each parked customer, as JSON-ready values."""
        return {"skipped": self.skipped, "parked": {str(held): position for held, position in self.parked.items()}}

    def __str__(self) -> str:
        return f"{len(self.skipped)} events skipped, {len(self.parked)} customers parked"


NOTHING = Skipped((), {})


def _lacking(positions: Iterable[tuple[int, UUID | None]]) -> Skipped:
    """The sum of rows of a position and the routing key parked since then, if any."""
    told = list(positions)
    return Skipped(tuple(at for at, held in told if held is None), {held: at for at, held in told if held is not None})


def held_by(
    connection: Connection, source: str, tables: Collection[tuple[str, int]], schema: str = SCHEMA
) -> dict[tuple[str, int], Held]:
    """The parked routing keys, by place and version of the tables that this source feeds."""
    query = _SQL.compose("held", letters=relation("projection_letters", schema), checkpoints=relation("checkpoints", schema))
    found: dict[tuple[str, int], Held] = {}
    names, versions = [name for name, _ in tables], [version for _, version in tables]
    for name, version, partition, holds, keys in connection.execute(query, (source, names, versions)):
        changes = found[name, version].changes if (name, version) in found else {}
        found[name, version] = Held(frozenset(keys or ()), {**changes, partition: holds})
    return found


def record_skipped(
    connection: Connection, table: tuple[str, int], position: int, event: str, cause: str, *, parks: bool, schema: str = SCHEMA
) -> None:
    """Record that a table leaves out an event, within the caller's transaction."""
    query = _SQL.compose("record_skipped", letters=relation("projection_letters", schema))
    place, version = table
    connection.execute(
        query,
        {"place": place, "version": version, "position": position, "event": event, "cause": cause, "parks": parks},
    )


def holder_of(connection: Connection, position: int) -> UUID:
    """The routing key of the event at this position."""
    ((found,),) = connection.execute(_SQL["holder_of"], (position,)).fetchall()
    return UUID(str(found))


def count_change(
    connection: Connection, table: tuple[str, int], source: str, partitions: Iterable[int], schema: str = SCHEMA
) -> None:
    """Increment the change counter of these partitions, which all their writers check, within the caller's transaction."""
    query = _SQL.compose("count_change", checkpoints=relation("checkpoints", schema))
    connection.execute(query, (*table, source, list(partitions)))


def settle(connection: Connection, build: Build, held: UUID, *, by: str) -> None:
    """Unpark a routing key, within the caller's transaction."""
    connection.execute(_SQL["settle"], (by, build.place, build.version, held))


def skipped_events(connection: Connection, name: str | None = None, *, settled: bool = False) -> list[SkippedEvent]:
    """The skipped and parked events of one projection or of all, in order; settled ones only if asked for."""
    if not _is_laid_out(connection):
        return []
    rows = connection.execute(named_in_sql(_SQL.text("skipped_events")).encode(), {"name": name, "settled": settled})
    return [SkippedEvent(Build(*row[:3]), *row[3:]) for row in rows]


def left_out(connection: Connection, build: Build, schema: str = SCHEMA) -> Skipped:
    """What a table lacks at present."""
    if schema == SCHEMA and not _is_laid_out(connection):
        return NOTHING
    query = _SQL.compose("lacking", letters=relation("projection_letters", schema))
    return _lacking(connection.execute(query, (build.place, build.version)))


def all_skipped(connection: Connection) -> dict[Build, Skipped]:
    """What tables lack at present; tables that lack nothing are absent."""
    found: dict[Build, list[tuple[int, UUID | None]]] = {}
    for one in skipped_events(connection):
        found.setdefault(one.build, []).append((one.position, one.held))
    return {build: _lacking(positions) for build, positions in found.items()}


def positions_of(connection: Connection, held: UUID, first: int, last: int) -> list[tuple[int, str]]:
    """The positions from `first` to `last` with events of the routing key, and their stored types. Reads that part of the log."""
    rows = connection.execute(_SQL["positions_of"], (held, first, last))
    return [(position, kind) for position, kind in rows]


def waiting(connection: Connection, build: Build, types: Sequence[str]) -> dict[UUID, int]:
    """The number of parked events per routing key, the failing one included. Reads the log from that event on.

    `types`: those that the projection handles.
    """
    if not _is_laid_out(connection):
        return {}
    rows = connection.execute(_SQL["waiting"], (list(stored_as(types)), build.place, build.version))
    return dict(rows.fetchall())


def _is_laid_out(connection: Connection) -> bool:
    # Not before a projector of this version was here.
    return connection.execute(_SQL["is_laid_out"]).fetchone() == (True,)
