"""Starts, resumes, cancels and removes builds beside those that readers see."""

from collections.abc import Sequence

from ltc_events.projections.catalog.ddl import lock_layout, prepare, table_sql
from ltc_events.projections.catalog.lifecycle import GONE, UNFINISHED, State, record, states_of
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import AlreadyBuilt, NothingToCancel
from ltc_events.projections.declaration.names import Connection, relation
from ltc_events.projections.declaration.projection import Projection, build_of, built
from ltc_events.projections.following.bulk_loader import FILL_EVENTS
from ltc_events.projections.following.table_track import PARTITION, SOURCE
from ltc_events.projections.rebuilding.job import Progress, Report, alone, enter, forget, run_job
from ltc_events.projections.rebuilding.parallel import run_in_parallel
from ltc_events.store import Database, Role
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)

__all__ = ["Progress", "cancel", "rebuild", "rebuild_together", "remove"]


def rebuild(
    database: Database,
    projection: type[Projection],
    *,
    by: str,
    reason: str,
    anew: bool = False,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> Build:
    """Fill a table of the projection's version from the store; projectors keep it up with the log from then on.

    Resumes an interrupted rebuild from any state. Otherwise a version without a table gets one; a version with a table gets
    another one if `anew`. Readers see it after `switch`. Raises AlreadyBuilt, RebuildRunning, RebuildCancelled and FoldStopped
    (the same call continues once the cause is fixed).
    """
    (build,) = rebuild_together(database, [projection], by=by, reason=reason, anew=anew, page_events=page_events, report=report)
    return build


def rebuild_together(
    database: Database,
    projections: Sequence[type[Projection]],
    *,
    by: str,
    reason: str,
    anew: bool = False,
    processes: int = 1,
    page_events: int = FILL_EVENTS,
    report: Report | None = None,
) -> list[Build]:
    """As `rebuild` for several projections, with one read of the log for all, or one in each of several processes.

    All of them become ready together. A projection with a failing event stops alone; FoldStopped is raised when the others are
    ready.
    """
    names = [one.table for one in projections]
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        with alone(connection, *names):
            builds = _begin(connection, projections, anew=anew, by=by, reason=reason)
        known = [built(one, build.build) for one, build in zip(projections, builds, strict=True)]
        if processes > 1 and len(known) > 1:
            stopped = run_in_parallel(database, projections, builds, processes, by=by, page_events=page_events, report=report)
        else:
            stopped = run_job(database, known, by=by, page_events=page_events, report=report)
        caught_up = [build for build in builds if build not in stopped]
        enter(connection, caught_up, State.READY, by=by, reason="caught up with the log")
    for error in stopped.values():
        raise error
    return builds


def cancel(database: Database, projection: type[Projection], *, by: str, reason: str) -> Build:
    """End an unfinished rebuild, running or not, and remove its table. Raises NothingToCancel.

    The build is cancelled when its table is dropped. The rebuilding process stops at its next page; RebuildRunning is raised
    where that takes too long: the build stays `cancelling`, and the same call completes it.
    """
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        with connection.transaction():
            lock_layout(connection)
            states = states_of(connection, projection.table)
            ending = [build for build, state in states.items() if state in UNFINISHED or state is State.CANCELLING]
            if not ending:
                raise NothingToCancel(projection=projection.table)
            build = ending[-1]
            if states[build] is not State.CANCELLING:
                record(connection, build, State.CANCELLING, by=by, reason=reason)
        with alone(connection, projection.table), connection.transaction():
            lock_layout(connection)
            _end(connection, build, by=by, reason=reason)
    return build


def _end(connection: Connection, build: Build, *, by: str, reason: str) -> None:
    """Remove a cancelled build that no process works on; does nothing where another call was quicker."""
    if states_of(connection, build.name)[build] is State.CANCELLING:
        record(connection, build, State.CANCELLED, by=by, reason=reason)
        remove(connection, build)


def remove(connection: Connection, build: Build) -> None:
    """Remove a build's table and checkpoints, within the caller's transaction."""
    for table in ("checkpoints", "projection_failures", "projection_letters"):  # first of all: who follows it waits here
        forget(connection, table, build)
    connection.execute(_SQL.compose("drop", table=relation(build.physical)))


def _begin(connection: Connection, projections: Sequence[type[Projection]], *, anew: bool, by: str, reason: str) -> list[Build]:
    """The builds to work on, unfinished or new, all of them or none."""
    with connection.transaction():
        prepare(connection, [])
        return [_begin_one(connection, one, anew=anew, by=by, reason=reason) for one in projections]


def _begin_one(connection: Connection, projection: type[Projection], *, anew: bool, by: str, reason: str) -> Build:
    states = {
        build: state for build, state in states_of(connection, projection.table).items() if build.version == projection.version
    }
    for build, state in reversed(states.items()):
        if state in UNFINISHED:
            return build
        if state is State.CANCELLING:  # whoever cancelled it did not come to the end
            _end(connection, build, by=by, reason=reason)
            states[build] = State.CANCELLED
    if any(state not in GONE for state in states.values()) and not anew:
        raise AlreadyBuilt(projection=projection.table, version=projection.version)
    # Numbers are not used twice: what is told of a build stays true.
    known = built(projection, max((build.build + 1 for build in states), default=0))
    for statement in table_sql(known, keyed=not known.append_only):
        connection.execute(statement)
    connection.execute(
        _SQL["begin_checkpoint"],
        (known.place(), known.version, SOURCE, PARTITION),
    )
    record(connection, build_of(known), State.FILLING, by=by, reason=reason)
    return build_of(known)
