"""The lifecycle of a build: its states, and who entered each one when and why."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.names import Connection
from ltc_events.store.sql_files import Statements

_SQL = Statements(__name__)

PROJECTOR = "projector"
"""Who makes the transitions that nobody asked for."""


class State(StrEnum):
    """The state of a build.

    Created by a projector, it is `following` (or `shown` at once where there was none), and `shown` when it has caught up.
    Built by an operator, it is `filling`, `indexing`, `catching_up`, `ready`, and `shown` after the operator's switch. A
    cancelled build is `cancelling` until its rebuild has stopped, and `cancelled` when its table is dropped.
    """

    FILLING = "filling"
    INDEXING = "indexing"
    CATCHING_UP = "catching_up"
    READY = "ready"
    FOLLOWING = "following"
    SHOWN = "shown"
    RETIRED = "retired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    DROPPED = "dropped"


UNFINISHED = frozenset({State.FILLING, State.INDEXING, State.CATCHING_UP})
"""A rebuild is at work, or waits to be taken up again."""
FOLLOWED = frozenset({State.READY, State.FOLLOWING, State.SHOWN, State.RETIRED})
"""Projectors that have the version keep these up with the log."""
GONE = frozenset({State.CANCELLED, State.DROPPED})


class Transition(NamedTuple):
    """A build entered a state, at a position of the log."""

    build: Build
    state: State
    position: int
    made_at: datetime
    made_by: str
    reason: str

    def document(self) -> dict[str, Any]:
        """The transition as JSON-ready values, with the build as `v2b1`."""
        return {**self._asdict(), "build": str(self.build)}


def record(connection: Connection, build: Build, state: State, *, by: str, reason: str) -> None:
    """Record that a build enters a state, within the caller's transaction."""
    connection.execute(
        _SQL["record_transition"],
        (*build, state.value, build.place, build.version, by, reason),
    )


def states_of(connection: Connection, name: str | None = None) -> dict[Build, State]:
    """The state of each present or former build, of one projection or of all."""
    rows = connection.execute(_SQL["states"], {"name": name})
    return {Build(*row[:3]): State(row[3]) for row in rows}


def transitions_of(connection: Connection, name: str) -> list[Transition]:
    """The transitions of a projection's builds, oldest first."""
    rows = connection.execute(_SQL["transitions"], (name,))
    return [Transition(Build(*row[:3]), State(row[3]), *row[4:]) for row in rows]


def last_transition(connection: Connection) -> int:
    """The id of the last transition, which rises with every change of state; a cheap query."""
    row = connection.execute(_SQL["last_transition"]).fetchone()
    return int(row[0]) if row else 0
