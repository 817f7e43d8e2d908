"""Two builds of a projection beside each other: what the new one holds otherwise, and which events make the difference."""

from collections import Counter
from typing import NamedTuple

from ltc_events.projections.base import Projection, built
from ltc_events.projections.catalogue import Build, describe
from ltc_events.projections.comparison import SHOWN_MAX, Comparison, compare
from ltc_events.projections.errors import Behind
from ltc_events.projections.meeting import WAIT_S, Meeting
from ltc_events.projections.verification import Finding, compare_with_afresh, last_touches
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


def diff(
    database: Database,
    projection: type[Projection],
    left: Build,
    right: Build,
    *,
    limit: int = SHOWN_MAX,
    wait_s: float = WAIT_S,
) -> VersionDifference:
    """Compare what two builds share, at one position of the log, while both go on.

    Raises NoSuchBuild, KeysDiffer, and Behind where one does not reach the other.
    """
    with EventStore(database, Role.PROJECTOR) as store, database.connect(Role.PROJECTOR, autocommit=True) as connection:
        meeting = Meeting(store, connection, projection, left, right, wait_s=wait_s)
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
    meeting: Meeting,
    left: Build,
    right: Build,
    *,
    limit: int = SHOWN_MAX,
) -> tuple[int, Comparison]:
    """Compare two builds at one position, which is returned; raises NoSuchBuild, KeysDiffer and Behind.

    Where the left one is of another version and has been left behind by its projector, what this program makes of the store
    up to there stands in for the right one.
    """
    with database.connect(Role.PROJECTOR, autocommit=True) as onlooker:
        tables = describe(onlooker, left), describe(onlooker, right)
        try:
            with meeting.seen(onlooker) as position:
                return position, compare(onlooker, *tables, limit=limit)
        except Behind as error:
            if error.details["build"] != left or right.version != projection.version:
                raise
    vector, found, *_ = compare_with_afresh(database, store, built(projection, right.build), left, limit=limit)
    return vector.low, found
