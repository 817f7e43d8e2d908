"""Is a read table what the store says? It is folded afresh and compared row by row."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from psycopg import sql

from ltc_events.projections.as_of import make_temporary
from ltc_events.projections.base import Projection, built, temporary
from ltc_events.projections.catalogue import Build, build_of, describe, position_of, shown_build
from ltc_events.projections.comparison import SHOWN_MAX, Comparison, Difference, compare
from ltc_events.projections.digest import digest_rows
from ltc_events.projections.errors import NotInThisProgram
from ltc_events.projections.filling import FILL_EVENTS, Filler
from ltc_events.projections.fold import operations
from ltc_events.projections.letters import LeftOut, left_out
from ltc_events.projections.levelling import imitate
from ltc_events.projections.naming import TEMPORARY, relation
from ltc_events.projections.paging import READ_EVENTS, Log, pages
from ltc_events.projections.source import Vector, vector_of
from ltc_events.store import Database, EventStore, Role

Report = Callable[[int, int], None]


class Touch(NamedTuple):
    """The event that touched a row last."""

    position: int
    type: str


class Finding(NamedTuple):
    """A row that differs, and the last event that touched it (None: no event ever did)."""

    difference: Difference
    last: Touch | None


class Verification(NamedTuple):
    """A table (left) beside the same table folded afresh (right), both of the same events: all up to a position, and of
    partitions that are further, those up to where they are."""

    build: Build
    position: int
    comparison: Comparison
    digests: tuple[str, str]
    findings: list[Finding]
    left_out: tuple[LeftOut, LeftOut]
    """What the two lack, where the projection skips or parks what it cannot take in."""

    @property
    def equal(self) -> bool:
        """Whether the table is what the projection makes of the store, to the row and to the digest."""
        return self.comparison.equal and self.digests[0] == self.digests[1]

    @property
    def is_whole(self) -> bool:
        """Whether neither lacks an event."""
        return all(one.is_nothing for one in self.left_out)


def verify(
    database: Database,
    projection: type[Projection],
    build: Build | None = None,
    *,
    limit: int = SHOWN_MAX,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> Verification:
    """Fold the store afresh into a temporary table up to the checkpoint of a build (default: the one that readers see).

    What the projection skips or parks is left out here as there, and told. Projectors and readers go on meanwhile. Raises
    NoSuchBuild, NotInThisProgram and FoldStopped.
    """
    with EventStore(database, Role.PROJECTOR) as store:
        with database.connect(Role.PROJECTOR) as connection:
            chosen = build or shown_build(connection, projection.table)
        known = _known(projection, chosen)
        vector, found, digests, lacking = compare_with_afresh(
            database, store, known, chosen, limit=limit, page_events=page_events, report=report
        )
        keys = {tuple(one.key.values()) for one in found.differences}
        touched = last_touches(store, known, keys, vector.high, page_events=min(page_events, READ_EVENTS))
    findings = [Finding(one, touched.get(tuple(one.key.values()))) for one in found.differences]
    return Verification(chosen, vector.low, found, digests, findings, lacking)


def compare_with_afresh(
    database: Database,
    store: EventStore,
    projection: type[Projection],
    build: Build,
    *,
    limit: int = SHOWN_MAX,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> tuple[Vector, Comparison, tuple[str, str], tuple[LeftOut, LeftOut]]:
    """A build's table (left), whose version may be another, beside what the projection makes of the store (right).

    Returns how far both are, what differs, their digests, and what they lack.
    """
    afresh = temporary(projection)
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        make_temporary(connection, afresh)
        filler = Filler(store, connection, afresh, page_events=page_events)
        upto = position_of(connection, build)
        filler.fill(0, upto, report and (lambda position: report(position, upto)))
        connection.execute(sql.SQL("ANALYZE {}").format(relation(afresh.physical(), TEMPORARY)))
        with connection.transaction():
            # The table goes on, so the rest is folded against one picture of it: only a moment's events by now.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            vector = vector_of(connection, build)
            filler.fill(upto, vector.low)
            imitate(store, connection, afresh, vector.low, vector)
            live, fresh = describe(connection, build), describe(connection, build_of(afresh), TEMPORARY)
            found = compare(connection, live, fresh, limit=limit)
            digests = digest_rows(connection, live)[1], digest_rows(connection, fresh)[1]
            lacking = left_out(connection, build), left_out(connection, build_of(afresh), TEMPORARY)
            return vector, found, digests, lacking


def last_touches(
    log: Log, projection: type[Projection], keys: Collection[tuple[Any, ...]], upto: int, *, page_events: int = READ_EVENTS
) -> dict[tuple[Any, ...], Touch]:
    """The last event up to `upto` that touched each of these rows; reads the log once, if there is anything to look for."""
    touched: dict[tuple[Any, ...], Touch] = {}
    if not keys:
        return touched
    folded = projection()
    for records, _ in pages(log, 0, upto, projection.types, page_events):
        for record in records:
            try:
                batch = operations(folded, (record,))
            except Exception:  # noqa: BLE001, S112 - the table leaves it out, so it touched nothing
                continue
            for operation in batch:
                if operation.key in keys:
                    touched[operation.key] = Touch(record.position, record.event.type)
    return touched


def _known(projection: type[Projection], build: Build) -> type[Projection]:
    if projection.version != build.version:
        raise NotInThisProgram(projection=build.name, build=build, known=build_of(projection))
    return built(projection, build.build)
