"""The health of a worker: unhealthy when it lags without progress, waits for a server, or cannot be measured.

Lag and progress are measured from outside the worker, from the database and Kafka, in a separate thread, so that a hang
anywhere in the worker is detected. The verdict is computed per request: a measurement that hangs ages, and an old one is no
longer reported.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from ltc_events.bootstrap.settings import UNHEALTHY_AFTER_S
from ltc_events.store.confidential import without_secrets
from ltc_events.store.error_text import error_text
from ltc_events.workers.metrics import (
    HEALTHY,
    MEASUREMENT_AGE,
    OLDEST,
    STEP_AGE,
    WAITING,
    Reading,
    worker_metrics,
)

MEASURE_EVERY_S = 5.0
# So often within the time after which it counts as hanging.
MEASURES_MIN = 4
# What was measured is told until so many measurements have failed to come: a figure that stands still looks like calm.
MISSED_MAX = 3


class Measure(NamedTuple):
    """A measurement: the backlog, the age of its oldest item in seconds, and a number that rises with progress."""

    lag: int
    oldest_s: float
    place: int
    readings: tuple[Reading, ...] = ()


class Probe(Protocol):
    """Measures one kind of worker. Used by one thread."""

    def measure(self, worker: Any) -> Measure:
        """Measure; `worker` is the running worker, or None while it waits for a server. May raise any error."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Watch:
    """The state reported by a worker's own thread: cheap to set, safe to read from other threads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "starting"
        self.detail = ""
        self.worker: Any = None
        self._step_began = 0.0
        self._waits_since = 0.0

    @property
    def step_s(self) -> float:
        """The seconds since the present step began; 0: there is none."""
        return _since(self._step_began)

    @property
    def waiting_s(self) -> float:
        """The seconds that it has waited for an unavailable server without a step; 0: it does not wait."""
        return _since(self._waits_since)

    def step_begins(self, worker: Any) -> None:
        """Note that a step begins."""
        self.worker = worker
        self._step_began = time.monotonic()

    def step_ended(self) -> None:
        """Note that the step has ended."""
        self.state, self.detail = "working", ""
        self._step_began = self._waits_since = 0.0

    def waits(self, reason: str, detail: str) -> None:
        """Note that it waits for an unavailable server."""
        if self.state != reason:
            worker_metrics().waits.labels(reason).inc()
        self._waits_since = self._waits_since or time.monotonic()
        self.worker, self.state, self.detail, self._step_began = None, reason, without_secrets(detail), 0.0


class Verdict(NamedTuple):
    """The health of a worker with its reasons. Unknown values are None."""

    healthy: bool
    worker: str
    state: str
    why: str
    lag: int | None
    oldest_seconds: float | None
    unmoved_seconds: float
    measured_seconds_ago: float | None
    waiting_seconds: float

    def document(self) -> dict[str, Any]:
        """For /healthz."""
        return self._asdict()


class Checkup:
    """Measures a worker at intervals and gives the verdict."""

    def __init__(
        self, watch: Watch, open_probe: Callable[[], Probe] | None, *, unhealthy_after_s: float = UNHEALTHY_AFTER_S
    ) -> None:
        self._watch = watch
        self._open_probe = open_probe
        self._patience = unhealthy_after_s
        self._every = min(MEASURE_EVERY_S, unhealthy_after_s / MEASURES_MIN)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._measure_on, name="ltc-health", daemon=True)
        self._last: Measure | None = None
        self._last_at = self._moved_at = time.monotonic()
        self._trouble = ""

    def start(self) -> None:
        """Start measuring."""
        if self._open_probe is not None:
            self._last_at = self._moved_at = time.monotonic()
            self._thread.start()

    def close(self) -> None:
        """Stop measuring. A measurement in progress, which may hang, is not waited for."""
        self._end.set()

    def verdict(self) -> Verdict:
        """The verdict from the measurements so far; never blocks."""
        return self._assess()[0]

    def _assess(self) -> tuple[Verdict, Measure | None, float]:
        """The verdict with the measurement and its age, all taken at one instant."""
        watch, age = self._watch, self._age_s()
        known = self._last if age <= MISSED_MAX * self._every else None
        unmoved = time.monotonic() - self._moved_at
        waiting = watch.waiting_s
        reasons = tuple(self._complaints(known, unmoved, waiting, age))
        verdict = Verdict(
            not reasons,
            watch.name,
            watch.state,
            without_secrets(f"{'; '.join(reasons) or _calm(known)}, {self._doing()}{self._unseen()}"),
            None if known is None else known.lag,
            None if known is None else round(known.oldest_s + (age if known.lag else 0.0), 3),
            round(unmoved, 1),
            None if self._last is None else round(age, 1),
            round(waiting, 1),
        )
        return verdict, known, age

    def readings(self) -> tuple[Reading, ...]:
        """The present readings for Prometheus."""
        watch = self._watch
        verdict, known, age = self._assess()
        told = [
            Reading(HEALTHY, float(verdict.healthy), (watch.name,)),
            Reading(STEP_AGE, watch.step_s),
        ]
        if verdict.waiting_seconds:
            told.append(Reading(WAITING, verdict.waiting_seconds, (verdict.state,)))
        if self._open_probe is not None:
            told.append(Reading(MEASUREMENT_AGE, age))
        if known is not None and verdict.oldest_seconds is not None:
            told.append(Reading(OLDEST, verdict.oldest_seconds))
            told.extend(known.readings)
        return tuple(told)

    def _age_s(self) -> float:
        """The age of the last measurement in seconds; before the first one, the time since measuring began."""
        return time.monotonic() - self._last_at

    def _complaints(self, known: Measure | None, unmoved: float, waiting: float, age: float) -> Iterator[str]:
        """The reasons why it is unhealthy; empty: it is healthy."""
        # What was known last counts while it cannot be measured.
        behind = 0 if self._last is None else self._last.lag
        if behind and unmoved > self._patience:
            yield f"{behind} behind, has not moved for {unmoved:.0f} s"
        if waiting > self._patience:
            yield f"waiting for {waiting:.0f} s"
        if self._open_probe is not None and age > self._patience:
            yield f"not measured for {age:.0f} s"
        # With nothing to do, a step ends within a second: where we cannot look, a long one says that there is something.
        if known is None and self._watch.step_s > self._patience:
            yield f"something behind, has not moved for {self._watch.step_s:.0f} s"

    def _doing(self) -> str:
        watch = self._watch
        if watch.detail:
            return f"waiting ({watch.state}: {watch.detail})"
        step = watch.step_s
        return f"in a step since {step:.0f} s" if step > 1 else watch.state

    def _unseen(self) -> str:
        return f"; it cannot be measured: {self._trouble}" if self._trouble else ""

    def _measure_on(self) -> None:
        probe: Probe | None = None
        while not self._end.is_set():
            try:
                if probe is None and self._open_probe is not None:
                    probe = self._open_probe()
                if probe is not None:
                    began = time.monotonic()
                    self._take(probe.measure(self._watch.worker), began)
                    self._trouble = ""
            except Exception as error:  # noqa: BLE001 - a probe may fail in any way: the verdict names the error, and it is measured again
                self._trouble = error_text(error) or type(error).__name__
                if probe is not None:
                    with suppress(Exception):
                        probe.close()
                    probe = None
            self._end.wait(self._every)
        if probe is not None:
            with suppress(Exception):
                probe.close()

    def _take(self, measure: Measure, began: float) -> None:
        """Take one measurement. Its age counts from its beginning, since servers may become unavailable during it."""
        now = time.monotonic()
        if self._last is None or measure.lag == 0 or measure.place != self._last.place:
            self._moved_at = now
        self._last, self._last_at = measure, began


def _since(began: float) -> float:
    return time.monotonic() - began if began else 0.0


def _calm(known: Measure | None) -> str:
    if known is None:
        return "nothing is known to wait for it"
    return f"{known.lag} behind and moving" if known.lag else "nothing waits for it"
