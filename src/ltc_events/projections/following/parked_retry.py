"""Retries parked events, customer by customer, in order."""

from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.projections.catalog.event_source import Vector, vector_of
from ltc_events.projections.catalog.installed_tables import shown_build
from ltc_events.projections.catalog.lifecycle import FOLLOWED, GONE, State, states_of
from ltc_events.projections.catalog.skipped_events import count_change, left_out, positions_of, record_skipped, settle
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import InUse, NoSuchBuild, NothingParked, NotInThisProgram
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection, built
from ltc_events.projections.following.event_applier import cause_of, passes
from ltc_events.projections.following.log_pages import Log, middle
from ltc_events.projections.writing.checkpoints import Move, present_epoch
from ltc_events.projections.writing.net_effect import operations
from ltc_events.projections.writing.table_writer import Writer
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role, UnreadableEvent

# So many of them are written at once.
_PAGE_EVENTS = 5_000


class Obstacle(NamedTuple):
    """The event that fails now, and its error."""

    position: int
    event: str
    cause: str


class Retried(NamedTuple):
    """The result for one customer (or stream of the company): the number of events applied, and the obstacle that remains."""

    held: UUID
    taken: int
    obstacle: Obstacle | None

    def document(self) -> dict[str, Any]:
        """The result as JSON-ready values."""
        return {**self._asdict(), "obstacle": self.obstacle and self.obstacle._asdict()}


def retry(
    database: Database, projection: type[Projection], build: Build | None = None, *, by: str, only: UUID | None = None
) -> list[Retried]:
    """Apply the parked events of all customers, or of one, in a build (default: the one that readers see).

    Each customer has a transaction of its own, in which the table does not advance: its events up to the table's position are
    applied in order. Where one still fails, those before it are applied and the rest stays parked. Raises NothingParked,
    NoSuchBuild, NotInThisProgram, InUse.
    """
    with EventStore(database, Role.PROJECTOR) as log, database.connect(Role.PROJECTOR, autocommit=True) as connection:
        chosen = build or shown_build(connection, projection.table)
        if chosen.version != projection.version:
            raise NotInThisProgram(projection=chosen.name, build=chosen, known=f"v{projection.version}")
        state = states_of(connection, chosen.name).get(chosen, State.DROPPED)
        if state in GONE:
            raise NoSuchBuild(projection=chosen.name, build=chosen)
        if state not in FOLLOWED:
            raise InUse(projection=chosen.name, build=chosen, state=state)
        parked = left_out(connection, chosen).parked
        if only is not None:
            parked = {held: position for held, position in parked.items() if held == only}
        if not parked:
            raise NothingParked(projection=chosen.name, build=chosen, who="nobody" if only is None else f"no {only}")
        known = built(projection, chosen.build)
        done = (_retry(log, connection, known, chosen, held, by) for held in parked)
        return [one for one in done if one is not None]


def _retry(log: Log, connection: Connection, projection: type[Projection], build: Build, held: UUID, by: str) -> Retried | None:
    with connection.transaction():
        vector = vector_of(connection, build, lock="FOR UPDATE")
        began = left_out(connection, build).parked.get(held)
        if began is None:
            return None  # somebody else was quicker
        attempt = _Attempt(connection, projection, vector)
        obstacle = attempt.go(log, held, began)
        settle(connection, build, held, by=by)
        table = build.place, build.version
        if obstacle:
            record_skipped(connection, table, *obstacle, parks=True)
        count_change(connection, table, vector.source, vector.positions)
    return Retried(held, attempt.taken, obstacle)


class _Attempt:
    def __init__(self, connection: Connection, projection: type[Projection], vector: Vector) -> None:
        self._connection = connection
        self._writer = Writer(connection, projection, source=vector.source)
        self._projection = projection()
        self._vector = vector
        # The table stays where it is.
        epoch = present_epoch(connection)
        self._moves = [Move(partition, position, position, epoch=epoch) for partition, position in vector.positions.items()]
        self.taken = 0

    def go(self, log: Log, held: UUID, began: int) -> Obstacle | None:
        """Apply the events of `held` from the position `began` on; returns the obstacle, if there is one."""
        found = positions_of(self._connection, held, began, self._vector.high)
        wanted = [(position, kind) for position, kind in found if self._projection.concerns(kind)]
        for start in range(0, len(wanted), _PAGE_EVENTS):
            records: list[Record] = []
            unreadable: Obstacle | None = None
            for position, kind in wanted[start : start + _PAGE_EVENTS]:
                try:
                    records += log.read(position - 1, 1, upto=position)
                except UnreadableEvent as error:
                    unreadable = Obstacle(position, kind, cause_of(error))
                    break
            obstacle = self._take([one for one in records if self._vector.holds(one)]) or unreadable
            if obstacle:
                return obstacle
        return None

    def _take(self, records: list[Record]) -> Obstacle | None:
        if not records:
            return None
        try:
            self._writer.write_partitions(operations(self._projection, records), self._moves)
        except Exception as error:  # a handler may raise anything: its event is found, and stays parked with the rest
            if passes(error):
                raise
            half = middle(records)
            if half is None:
                return Obstacle(records[0].position, records[0].event.type, cause_of(error))
            first = self._take([one for one in records if one.position < half])
            return first or self._take([one for one in records if one.position >= half])
        self.taken += len(records)
        return None
