"""Rebuilds read tables that are ahead of the store, switches readers to the new ones, and drops the old ones."""

from collections.abc import Callable, Sequence

from ltc_events.projections.catalog.ddl import lock_layout
from ltc_events.projections.catalog.lifecycle import GONE, UNFINISHED, State, record, states_of
from ltc_events.projections.catalog.tables_ahead import Ahead
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import NotInThisProgram
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.rebuilding.rebuild import rebuild_together, remove
from ltc_events.projections.rebuilding.switch import replace
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role


def rebuild_ahead(
    database: Database, ahead: Sequence[Ahead], *, by: str, reason: str, report: Callable[[str], None]
) -> tuple[str, ...]:
    """Replace tables that are ahead by rebuilt ones; returns their names.

    Readers see the old ones until the new ones are whole. Raises NotInThisProgram for a table of another program's version,
    when the others are done, and what a rebuild raises.
    """
    places = {(one.projection, one.version) for one in ahead}
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        states = {build: state for build, state in states_of(connection).items() if (build.place, build.version) in places}
        shown = [build for build, state in states.items() if state is State.SHOWN]
        for build, state in states.items():
            if state is not State.SHOWN and state not in GONE:
                _remove(connection, build, State.CANCELLED if state in UNFINISHED else State.DROPPED, by=by, reason=reason)
        known = {projection.table: projection for projection in PROJECTIONS}
        mine = [build for build in shown if build.name in known and known[build.name].version == build.version]
        if mine:
            report(f"building {len(mine)} read tables anew")
            builds = rebuild_together(database, [known[one.name] for one in mine], by=by, reason=reason, anew=True)
            for was, now in zip(mine, builds, strict=True):
                replace(connection, was, now, by=by, reason=reason)
        if others := [build for build in shown if build not in mine]:
            raise NotInThisProgram(projection=others[0].name, build=others[0], known="another version")
    return tuple(build.name for build in shown)


def _remove(connection: Connection, build: Build, state: State, *, by: str, reason: str) -> None:
    with connection.transaction():
        lock_layout(connection)
        record(connection, build, state, by=by, reason=f"ahead of the store: {reason}")
        remove(connection, build)
