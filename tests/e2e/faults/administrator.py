"""The administrator of a run: when a worker has stopped and said why, he takes the way out that it named, and not before."""

import time
from collections.abc import Callable

import psycopg
from tests.e2e.faults.crew import Crew
from tests.e2e.faults.servers import Place

from ltc_events.bus.connection_check import BusUnreachable
from ltc_events.recovery.assessment import find
from ltc_events.recovery.expired import CommandsExpired, go_on_without
from ltc_events.recovery.recover import CannotPutBack, RelayAtWork, StoreMoved, recover
from ltc_events.store import DatabaseUnreachable, StoreWentBack

LOOK_S = 0.5
QUIET_S = 3.0
"""So long nobody may be ahead of a store that went back, until it is believed that nobody saw what was lost."""
NOTICED_S = 30.0
"""Whoever is ahead has said so after so long."""
STOPPED = ("relay", "command", "projector")
"""Who is told to stop before anything is decided, whether it has noticed or not."""
LATER = (BusUnreachable, DatabaseUnreachable, RelayAtWork, StoreMoved, psycopg.OperationalError)


class Administrator:
    """Waits for what workers say. `tend` is to be called again and again."""

    def __init__(self, place: Place, crew: Crew, note: Callable[[str], None]) -> None:
        self._place = place
        self._crew = crew
        self._note = note
        self._went_back_at: float | None = None
        self._expired_at: float | None = None
        self._quiet_since: float | None = None
        self._looked_at = 0.0
        self.recovered = 0
        self.violations: list[str] = []

    @property
    def is_busy(self) -> bool:
        """Whether something has yet to be taken care of."""
        return self._went_back_at is not None or self._expired_at is not None

    def store_went_back(self) -> None:
        """It did, a moment ago. Nobody is told; only what was said before counts no more."""
        self._went_back_at, self._quiet_since = time.monotonic(), None
        self._crew.excuse(StoreWentBack)

    def commands_expired(self) -> None:
        """They did, a moment ago."""
        self._expired_at = time.monotonic()
        self._crew.excuse(CommandsExpired)

    def tend(self) -> None:
        """Do what is to be done now, if anything."""
        now = time.monotonic()
        if self._expired_at is not None:
            self._give_up_expired(now, self._expired_at)
        if self._went_back_at is None or now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        try:
            self._look(now, self._went_back_at)
        except LATER as error:
            self._note(f"the administrator waits: {type(error).__name__}")
            self._quiet_since = None
            if now - self._went_back_at > 3 * NOTICED_S:
                self.violations.append(f"the store could not be brought into order: {error}")
                self._release()
                self._done()

    def _look(self, now: float, began: float) -> None:
        database, bus = self._place.database_inside, self._place.bus_inside
        if find(database, bus).is_in_order:
            # Who sleeps may know something yet, and say it when it wakes.
            self._quiet_since = (self._quiet_since or now) if self._crew.are_all_awake() else None
            if self._quiet_since is not None and now - self._quiet_since > QUIET_S:
                self._note("nobody is ahead of the store")
                self._done()
            return
        self._quiet_since = None
        if not self._crew.said:
            if now - began > NOTICED_S:
                self.violations.append(f"the store went back, and for {NOTICED_S:.0f} s nobody who is ahead of it said so")
                self._done()
            return
        for kind in STOPPED:
            self._crew.hold(kind)  # also who slept until now
        if any(self._crew.has_any(kind) for kind in STOPPED):
            return
        try:
            done = recover(database, bus, discard=False, by="administrator", reason="a fault")
        except CannotPutBack as error:
            self._note(error.message)
            done = recover(database, bus, discard=True, by="administrator", reason="a fault")
        self.recovered += 1
        self._note(f"recovered: {done}")
        self._quiet_since = None
        self._release()

    def _release(self) -> None:
        for kind in STOPPED:
            self._crew.release(kind)

    def _give_up_expired(self, now: float, began: float) -> None:
        """Commands are given up when a worker has said that they are gone, and not before."""
        if not self._crew.said:
            if now - began > NOTICED_S:
                self.violations.append(f"commands expired, and for {NOTICED_S:.0f} s no worker said so")
                self._done()
            return
        try:
            given_up = go_on_without(self._place.database_inside, self._place.bus_inside, by="administrator", reason="a fault")
        except LATER as error:
            self._note(f"the administrator waits: {type(error).__name__}")
            return
        self._note(f"given up: {given_up}")
        self._done()

    def _done(self) -> None:
        self._went_back_at = self._expired_at = None
        self._crew.excuse_no_more()
