"""Differences between two builds of a projection, and the events that cause them."""

from collections import Counter
from typing import Any, NamedTuple

from ltc_events.projections.catalog.installed_tables import describe
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import Behind, FoldStopped
from ltc_events.projections.declaration.projection import Projection, built
from ltc_events.projections.following.position_barrier import WAIT_S, PositionBarrier
from ltc_events.projections.proving.compare import SHOWN_MAX, Comparison, compare
from ltc_events.projections.proving.verify import Finding, compare_with_rebuilt, last_touches
from ltc_events.store import Database, EventStore, Role

# So many differing rows are traced to their events; beyond that the first ones tell enough.
TRACED_MAX = 20_000


class VersionDifference(NamedTuple):
    """An older build (left) beside a newer one (right), both at one position."""

    builds: tuple[Build, Build]
    position: int
    comparison: Comparison
    findings: list[Finding]
    by_event: dict[str, int]
    """How many of the differing rows were touched last by events of each type; of the first `TRACED_MAX` rows."""

    def document(self) -> dict[str, Any]:
        """The number of differing rows, their columns, and the rows, with values by build, as JSON-ready values."""
        sides = (str(self.builds[0]), str(self.builds[1]))
        return {
            "name": self.builds[0].name,
            "builds": sides,
            "position": self.position,
            "equal": self.comparison.equal,
            "rows": self.comparison.rows,
            **self.comparison.document(),
            "dropped_columns": self.comparison.dropped,
            "added_columns": self.comparison.added,
            "by_event": self.by_event,
            "differences": [one.document(sides) for one in self.findings],
        }


def diff(
    database: Database,
    projection: type[Projection],
    left: Build,
    right: Build,
    *,
    limit: int = SHOWN_MAX,
    wait_s: float = WAIT_S,
) -> VersionDifference:
    """Compare the shared columns of two builds at one position of the log, while both keep advancing.

    Raises NoSuchBuild, KeysDiffer, and Behind where one does not reach the other.
    """
    with EventStore(database, Role.PROJECTOR) as store, database.connect(Role.PROJECTOR, autocommit=True) as connection:
        meeting = PositionBarrier(store, connection, projection, left, right, wait_s=wait_s)
        position, found = compare_builds(database, store, projection, meeting, left, right, limit=max(limit, TRACED_MAX))
        keys = {tuple(one.key.values()) for one in found.differences}
        touched = last_touches(store, projection, keys, position)
    findings = [Finding(one, touched.get(tuple(one.key.values()))) for one in found.differences]
    by_event = Counter(one.last.type if one.last else "no event" for one in findings)
    return VersionDifference((left, right), position, found, findings[:limit], dict(by_event.most_common()))


def compare_builds(
    database: Database,
    store: EventStore,
    projection: type[Projection],
    meeting: PositionBarrier,
    left: Build,
    right: Build,
    *,
    limit: int = SHOWN_MAX,
) -> tuple[int, Comparison]:
    """Compare two builds at one position, which is returned; raises NoSuchBuild, KeysDiffer and Behind.

    Where the left one stays behind (stopped at an event, or without a projector of its version), the right one is folded from
    the store up to that position in a temporary table. Raises FoldStopped where the right one has stopped.
    """
    with database.connect(Role.PROJECTOR, autocommit=True) as onlooker:
        tables = describe(onlooker, left), describe(onlooker, right)
        try:
            with meeting.seen(onlooker) as position:
                return position, compare(onlooker, *tables, limit=limit)
        except Behind as error:
            if error.details["build"] != left or right.version != projection.version:
                raise (error.__cause__ if isinstance(error.__cause__, FoldStopped) else error) from None
    vector, found, *_ = compare_with_rebuilt(database, store, built(projection, right.build), left, limit=limit)
    return vector.low, found
