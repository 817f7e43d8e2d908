"""Verifies a read table: folds it again from the store and compares row by row."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from psycopg import sql

from ltc_events.projections.catalog.event_source import Vector, vector_of
from ltc_events.projections.catalog.installed_tables import describe, position_of, shown_build
from ltc_events.projections.catalog.skipped_events import Skipped, left_out
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import NotInThisProgram
from ltc_events.projections.declaration.names import TEMPORARY, relation
from ltc_events.projections.declaration.projection import Projection, build_of, built, temporary
from ltc_events.projections.following.alignment import replay_to
from ltc_events.projections.following.bulk_loader import FILL_EVENTS, BulkLoader
from ltc_events.projections.following.log_pages import READ_EVENTS, Log, pages
from ltc_events.projections.proving.as_of import make_temporary
from ltc_events.projections.proving.compare import SHOWN_MAX, Comparison, Difference, compare
from ltc_events.projections.proving.digest import digest_rows
from ltc_events.projections.writing.net_effect import operations
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

    def document(self, sides: tuple[str, str]) -> dict[str, Any]:
        """The key, the differing columns with both values, and the last event that touched the row, as JSON-ready values."""
        key, only_in, columns = self.difference
        return {
            "key": {name: _plain(value) for name, value in key.items()},
            "only_in": {"left": sides[0], "right": sides[1]}.get(only_in),
            "columns": {name: dict(zip(sides, map(_plain, values), strict=True)) for name, values in columns.items()},
            "last_event": None if self.last is None else self.last._asdict(),
        }


class Verification(NamedTuple):
    """A table (left) compared with the same table folded again from the same events (right): all up to a position, and those of
    partitions that are further up to their checkpoints."""

    build: Build
    position: int
    comparison: Comparison
    digests: tuple[str, str]
    findings: list[Finding]
    left_out: tuple[Skipped, Skipped]
    """What the two lack, where the projection skips or parks what it cannot take in."""

    @property
    def equal(self) -> bool:
        """Whether rows and digest of the table equal those folded from the store."""
        return self.comparison.equal and self.digests[0] == self.digests[1]

    @property
    def is_whole(self) -> bool:
        """Whether neither lacks an event."""
        return all(one.is_nothing for one in self.left_out)

    def document(self) -> dict[str, Any]:
        """The verdict with the digests of both sides and the differing rows, as JSON-ready values."""
        sides, compared = ("live", "afresh"), self.comparison
        return {
            "name": self.build.name,
            "build": str(self.build),
            "position": self.position,
            "equal": self.equal,
            "rows": dict(zip(sides, compared.rows, strict=True)),
            "digest": dict(zip(sides, self.digests, strict=True)),
            "only_live": compared.only_left,
            "only_afresh": compared.only_right,
            "changed": compared.changed,
            "left_out": {side: one.document() for side, one in zip(sides, self.left_out, strict=True)},
            "by_column": compared.by_column,
            "differences": [one.document(sides) for one in self.findings],
        }


def verify(
    database: Database,
    projection: type[Projection],
    build: Build | None = None,
    *,
    limit: int = SHOWN_MAX,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> Verification:
    """Fold the store again into a temporary table up to the checkpoint of a build (default: the one that readers see).

    Events that the projection skips or parks are left out on both sides, and reported. Projectors and readers are not blocked.
    Raises NoSuchBuild, NotInThisProgram and FoldStopped.
    """
    with EventStore(database, Role.PROJECTOR) as store:
        with database.connect(Role.PROJECTOR) as connection:
            chosen = build or shown_build(connection, projection.table)
        known = _known(projection, chosen)
        vector, found, digests, lacking = compare_with_rebuilt(
            database, store, known, chosen, limit=limit, page_events=page_events, report=report
        )
        keys = {tuple(one.key.values()) for one in found.differences}
        touched = last_touches(store, known, keys, vector.high, page_events=min(page_events, READ_EVENTS))
    findings = [Finding(one, touched.get(tuple(one.key.values()))) for one in found.differences]
    return Verification(chosen, vector.low, found, digests, findings, lacking)


def compare_with_rebuilt(
    database: Database,
    store: EventStore,
    projection: type[Projection],
    build: Build,
    *,
    limit: int = SHOWN_MAX,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> tuple[Vector, Comparison, tuple[str, str], tuple[Skipped, Skipped]]:
    """Compare a build's table (left), of any version, with the projection folded again from the store (right).

    Returns the progress of both, the comparison, their digests, and what they leave out.
    """
    rebuilt = temporary(projection)
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        make_temporary(connection, rebuilt)
        filler = BulkLoader(store, connection, rebuilt, page_events=page_events)
        upto = position_of(connection, build)
        filler.fill(0, upto, report and (lambda position: report(position, upto)))
        connection.execute(sql.SQL("ANALYZE {}").format(relation(rebuilt.physical(), TEMPORARY)))
        with connection.transaction():
            # The table goes on, so the rest is folded against one picture of it: only a moment's events by now.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            vector = vector_of(connection, build)
            filler.fill(upto, vector.low)
            replay_to(store, connection, rebuilt, vector.low, vector)
            live, fresh = describe(connection, build), describe(connection, build_of(rebuilt), TEMPORARY)
            found = compare(connection, live, fresh, limit=limit)
            digests = digest_rows(connection, live)[1], digest_rows(connection, fresh)[1]
            lacking = left_out(connection, build), left_out(connection, build_of(rebuilt), TEMPORARY)
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
            except Exception:  # noqa: BLE001, S112 - a handler may raise anything: the table leaves the event out, so it touched nothing
                continue
            for operation in batch:
                if operation.key in keys:
                    touched[operation.key] = Touch(record.position, record.event.type)
    return touched


def _known(projection: type[Projection], build: Build) -> type[Projection]:
    if projection.version != build.version:
        raise NotInThisProgram(projection=build.name, build=build, known=build_of(projection))
    return built(projection, build.build)


def _plain(value: Any) -> Any:
    """A value as JSON: amounts and times as strings, as on the wire."""
    return value if value is None or isinstance(value, bool | int | dict | list) else str(value)
