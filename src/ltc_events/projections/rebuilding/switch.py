"""Switches readers to another build in one transaction, after a comparison or with a stated reason."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg

from ltc_events.projections.catalog.ddl import lock_layout
from ltc_events.projections.catalog.installed_tables import position_of, shown_build
from ltc_events.projections.catalog.lifecycle import FOLLOWED, GONE, UNFINISHED, State, record, states_of, transitions_of
from ltc_events.projections.catalog.skipped_events import Skipped, left_out
from ltc_events.projections.catalog.views import show
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import (
    Behind,
    FoldStopped,
    InUse,
    NoSuchBuild,
    ReadersInTheWay,
    ReasonMissing,
    SwitchedMeanwhile,
    Unexplained,
)
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.position_barrier import WAIT_S, PositionBarrier
from ltc_events.projections.proving.compare import Comparison
from ltc_events.projections.proving.diff import compare_builds
from ltc_events.projections.rebuilding.job import alone
from ltc_events.projections.rebuilding.rebuild import remove
from ltc_events.store import Database, EventStore, Role

# New readers queue up behind us as long as we wait for an old one to end its transaction.
_VIEW_LOCK_TIMEOUT = "100ms"
_PAUSE_S = 0.1


class Switched(NamedTuple):
    """The result of a switch: the builds that readers saw and see now."""

    was: Build
    now: Build
    position: int
    comparison: Comparison | None
    """What is different; None where nobody looked."""

    def document(self) -> dict[str, Any]:
        """Both builds, the position, and the number of differing rows, as JSON-ready values."""
        return {
            "name": self.now.name,
            "was": str(self.was),
            "now": str(self.now),
            "position": self.position,
            "differences": None if self.comparison is None else self.comparison.document(),
        }


def switch(
    database: Database,
    projection: type[Projection],
    to: Build | None = None,
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    back: bool = False,
    wait_s: float = WAIT_S,
) -> Switched:
    """Switch readers to another build, by default the newest one that is ready; with `back`, to the one they saw before.

    Raises Behind while it has not reached the position that readers see, FoldStopped where it has stopped at an event, and
    Unexplained when it differs in columns that the declaration's `changed` does not name (not checked with `back`);
    ReadersInTheWay and DependentsInTheWay in any case. A shown table that has stopped, or has no projector, is compared at its
    position. With `force` and a `reason`, which is recorded, nothing is waited for or compared.
    """
    if force and not reason.strip():
        raise ReasonMissing
    with (
        EventStore(database, Role.PROJECTOR) as store,
        database.connect(Role.PROJECTOR, autocommit=True) as connection,
    ):
        was = shown_build(connection, projection.table)
        now = _chosen(connection, projection, was, to, back=back)
        if force:
            return Switched(was, now, _move(connection, None, was, now, by=by, reason=reason, wait_s=wait_s), None)
        meeting = PositionBarrier(store, connection, projection, was, now, wait_s=wait_s)
        found = None
        if not back:
            _, found = compare_builds(database, store, projection, meeting, was, now)
            differences = [*_unexplained(projection, was, now, found), *_lacking(connection, was, now)]
            if differences:
                raise Unexplained(projection=now.name, build=now, shown=was, differences=", ".join(differences))
        return Switched(was, now, _move(connection, meeting, was, now, by=by, reason=reason, wait_s=wait_s), found)


def switchable(database: Database, projection: type[Projection], *, back: bool = False) -> bool:
    """Whether there is a build that `switch` would choose by default."""
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        try:
            _chosen(connection, projection, shown_build(connection, projection.table), None, back=back)
        except NoSuchBuild:
            return False
    return True


def replace(connection: Connection, was: Build, now: Build, *, by: str, reason: str, wait_s: float = WAIT_S) -> None:
    """Switch readers from an unusable build to another one, and remove the unusable one. Raises ReadersInTheWay."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            with connection.transaction():
                lock_layout(connection)
                _show(connection, was, now, by=by, reason=reason)
                record(connection, was, State.DROPPED, by=by, reason=reason)
                remove(connection, was)
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise ReadersInTheWay(projection=now.name) from error
            time.sleep(_PAUSE_S)
        else:
            return


def drop(database: Database, projection: type[Projection], build: Build, *, by: str, reason: str) -> None:
    """Remove a build's table; raises NoSuchBuild, and InUse where readers see it or a rebuild is unfinished."""
    with (
        database.connect(Role.PROJECTOR, autocommit=True) as connection,
        alone(connection, projection.table),
        connection.transaction(),
    ):
        lock_layout(connection)
        state = states_of(connection, projection.table).get(build)
        if state is None or state is State.DROPPED:
            raise NoSuchBuild(projection=projection.table, build=build)
        if state is State.SHOWN or state in UNFINISHED:
            raise InUse(projection=projection.table, build=build, state=state)
        record(connection, build, State.DROPPED, by=by, reason=reason)
        remove(connection, build)


def _chosen(connection: Connection, projection: type[Projection], was: Build, to: Build | None, *, back: bool) -> Build:
    states = states_of(connection, projection.table)
    if to is None and back:
        before = [one.build for one in transitions_of(connection, projection.table) if one.state is State.RETIRED]
        to = next((build for build in reversed(before) if states[build] is State.RETIRED), None)
    elif to is None:
        ready = [build for build, state in states.items() if state in (State.READY, State.FOLLOWING)]
        to = max((build for build in ready if build > was), default=None)
    if to is None or to == was or states.get(to, State.DROPPED) in GONE:
        raise NoSuchBuild(projection=projection.table, build=to or "other table that is ready")
    if states[to] not in FOLLOWED:
        raise InUse(projection=projection.table, build=to, state=states[to])
    return to


def _unexplained(projection: type[Projection], was: Build, now: Build, found: Comparison | None) -> list[str]:
    """The differences that the declaration's `changed` does not explain."""
    if found is None or found.equal:
        return []
    declared = projection.changed if now.version == projection.version > was.version else {}
    differences = [f"{count} × {name}" for name, count in found.by_column.items() if name not in declared]
    if (found.only_left or found.only_right) and "*" not in declared:
        differences += [f"{found.only_left} rows less", f"{found.only_right} rows more"]
    return differences


def _lacking(connection: Connection, was: Build, now: Build) -> list[str]:
    """The events that the new build leaves out and the old one does not."""
    lacked, lacks = left_out(connection, was), left_out(connection, now)
    more = Skipped(
        tuple(position for position in lacks.skipped if position not in lacked.skipped),
        {held: position for held, position in lacks.parked.items() if held not in lacked.parked},
    )
    return [] if more.is_nothing else [str(more)]


def _move(
    connection: Connection, meeting: PositionBarrier | None, was: Build, now: Build, *, by: str, reason: str, wait_s: float
) -> int:
    """Change the view, where the two meet; without a `meeting`, as they are."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            with meeting.held(layout=True) if meeting else _as_they_are(connection, now) as position:
                _show(connection, was, now, by=by, reason=reason)
        except Behind as error:
            if error.details["build"] != was:
                raise (error.__cause__ if isinstance(error.__cause__, FoldStopped) else error) from None
            meeting = None  # what readers see has been left behind, so that any change is for the better
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise ReadersInTheWay(projection=now.name) from error
            time.sleep(_PAUSE_S)
        else:
            return position


@contextmanager
def _as_they_are(connection: Connection, now: Build) -> Iterator[int]:
    with connection.transaction():
        lock_layout(connection)
        yield position_of(connection, now)


def _show(connection: Connection, was: Build, now: Build, *, by: str, reason: str) -> None:
    if shown_build(connection, now.name) != was:
        raise SwitchedMeanwhile(projection=was.name, was=was)
    connection.execute(f"SET LOCAL lock_timeout = '{_VIEW_LOCK_TIMEOUT}'".encode())
    show(connection, now)
    why = f": {reason}" if reason else ""
    record(connection, was, State.RETIRED, by=by, reason=f"switched to {now}{why}")
    record(connection, now, State.SHOWN, by=by, reason=f"switched from {was}{why}")
