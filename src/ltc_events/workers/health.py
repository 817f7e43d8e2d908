"""Whether a worker is well: it is not if it is behind and does not move.

Both are seen from outside, in a thread of their own: where the worker should be and where it is are read from the
database and from Kafka, so that it makes no difference where in its step a worker hangs.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import structlog

from ltc_events.workers.metrics import HEALTHY, MEASURED, OLDEST, Reading, worker_metrics
from ltc_events.workers.watching import UNHEALTHY_AFTER_S

log = structlog.get_logger()

MEASURE_EVERY_S = 5.0
# So often within the time after which it counts as hanging.
MEASURES_MIN = 4


class Measure(NamedTuple):
    """Where a worker is: what waits for it, the age of the oldest of that, and a number that rises whenever it moves."""

    lag: int
    oldest_s: float
    place: int
    readings: tuple[Reading, ...] = ()


class Probe(Protocol):
    """Looks where a kind of worker is. Used by one thread."""

    def measure(self, worker: Any) -> Measure:
        """Look; `worker` is what is at work now, or None while it waits for something that is away. May raise anything."""
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...


class Watch:
    """What a worker's own thread tells of itself: cheap to tell, safe to read from others."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "starting"
        self.detail = ""
        self.worker: Any = None
        self._step_began = 0.0

    @property
    def step_s(self) -> float:
        """How long it has been at its present step; 0: at none."""
        began = self._step_began
        return time.monotonic() - began if began else 0.0

    def step_begins(self, worker: Any) -> None:
        """It takes a step."""
        self.worker = worker
        self._step_began = time.monotonic()

    def step_ended(self) -> None:
        """It has taken it."""
        self.state, self.detail = "working", ""
        self._step_began = 0.0

    def waits(self, reason: str, detail: str) -> None:
        """Something is away, and it waits for it."""
        if self.state != reason:
            worker_metrics().waits.labels(reason).inc()
        self.worker, self.state, self.detail, self._step_began = None, reason, detail, 0.0


class Verdict(NamedTuple):
    """Whether a worker is well, and why we think so."""

    healthy: bool
    worker: str
    state: str
    why: str
    lag: int | None
    oldest_seconds: float | None
    unmoved_seconds: float
    measured_seconds_ago: float | None

    def document(self) -> dict[str, Any]:
        """For /healthz."""
        return self._asdict()


class Checkup:
    """Measures a worker now and then, and judges by what it has seen."""

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
        """Begin to measure."""
        self._thread.start()

    def close(self) -> None:
        """Measure no more. A measurement under way, which may hang where the worker does, is not waited for."""
        self._end.set()

    def verdict(self) -> Verdict:
        """Whether the worker is well, from what is known by now; never waits for anything."""
        now, watch, last = time.monotonic(), self._watch, self._last
        unmoved, step = now - self._moved_at, watch.step_s
        measured = None if last is None else now - self._last_at
        lag = None if last is None else last.lag
        is_fresh = measured is not None and measured <= self._patience
        # With nothing to do, a step ends within a second: where we cannot look, a long one says that there is something.
        is_behind = bool(lag) or (not is_fresh and step > self._patience)
        healthy = not (is_behind and unmoved > self._patience)
        return Verdict(
            healthy,
            watch.name,
            watch.state,
            self._why(is_behind=is_behind, healthy=healthy, lag=lag, step=step, unmoved=unmoved),
            lag,
            None if last is None else round(last.oldest_s + ((measured or 0) if last.lag else 0), 3),
            round(unmoved, 1),
            None if measured is None else round(measured, 1),
        )

    def _why(self, *, is_behind: bool, healthy: bool, lag: int | None, step: float, unmoved: float) -> str:
        watch = self._watch
        doing = f"waiting ({watch.state}: {watch.detail})" if watch.detail else watch.state
        if watch.detail == "" and step > 1:
            doing = f"in a step since {step:.0f} s"
        unseen = f"; it cannot be measured: {self._trouble}" if self._trouble else ""
        if not healthy:
            return f"{lag or 'something'} behind, has not moved for {unmoved:.0f} s, {doing}{unseen}"
        if is_behind:
            return f"{lag or 'something'} behind and moving, {doing}{unseen}"
        return f"{'nothing is known to wait for it' if lag is None else 'nothing waits for it'}, {doing}{unseen}"

    def _measure_on(self) -> None:
        probe: Probe | None = None
        while not self._end.is_set():
            try:
                if self._open_probe is not None:
                    if probe is None:
                        probe = self._open_probe()
                    self._take(probe.measure(self._watch.worker))
                    self._trouble = ""
            except Exception as error:  # noqa: BLE001 - whatever it is, the verdict names it, and we look again
                self._trouble = str(error).strip() or type(error).__name__
                if probe is not None:
                    with suppress(Exception):
                        probe.close()
                    probe = None
            self._tell()
            self._end.wait(self._every)
        if probe is not None:
            with suppress(Exception):
                probe.close()

    def _take(self, measure: Measure) -> None:
        now = time.monotonic()
        if self._last is None or measure.lag == 0 or measure.place != self._last.place:
            self._moved_at = now
        self._last, self._last_at = measure, now

    def _tell(self) -> None:
        verdict = self.verdict()
        own = (
            Reading(HEALTHY, float(verdict.healthy), (verdict.worker,)),
            *([] if verdict.oldest_seconds is None else [Reading(OLDEST, verdict.oldest_seconds)]),
        )
        MEASURED.readings = (*own, *(self._last.readings if self._last else ()))
