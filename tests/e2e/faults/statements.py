"""What workers must say of a fault, and how soon. Pure: what was seen in, what was wrong with it out."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ltc_events.workers.health import MEASURES_MIN, MISSED_MAX

PATIENCE_S = 0.8
"""LTC_UNHEALTHY_AFTER of workers that are watched in a run: most outages last longer."""
FRESH_S = MISSED_MAX * PATIENCE_S / MEASURES_MIN
"""What was measured longer ago is not told."""
SLACK_S = 0.1
_MEASURED = ("ltc_command_lag_", "ltc_relay_lag_", "ltc_projector_lag_", "ltc_oldest_unprocessed_seconds", "ltc_log_position")
# Whose measurement asks this server, by the kind of the worker.
_ASKS = {"database": ("command", "relay", "projector"), "broker": ("command",)}


class Said(NamedTuple):
    """What a worker said when it was asked at a time; `health` None: it did not answer."""

    worker: str
    asked: float
    health: dict[str, Any] | None
    metrics: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    @property
    def kind(self) -> str:
        """Which kind of worker it is."""
        return self.worker.partition("-")[0]

    def value(self, name: str) -> float | None:
        """A metric, whatever its labels."""
        return next((value for (found, _), value in self.metrics.items() if found == name), None)


class Outage(NamedTuple):
    """A server was away; `ended` None: it still is."""

    what: str
    began: float
    ended: float | None


def untrue(said: Sequence[Said], outages: Sequence[Outage]) -> Iterator[str]:
    """What workers said that was not so, or left out."""
    for one in said:
        if one.health is None or not one.metrics:
            continue
        yield from _frozen(one)
        for outage in outages:
            if one.kind in _ASKS[outage.what] and outage.began < one.asked and one.asked < (outage.ended or one.asked + 1):
                yield from _silent(one, outage)


def _frozen(one: Said) -> Iterator[str]:
    """A figure that is told is not older than it may be, and how old it is, is told with it."""
    age = one.value("ltc_measurement_age_seconds")
    told = sorted({name for name, _ in one.metrics if name.startswith(_MEASURED)})
    if age is None:
        yield f"{one.worker} does not tell how old its figures are"
    elif told and age > FRESH_S + SLACK_S:
        yield f"{one.worker} tells {told[0]} of {age:.1f} s ago"


def _silent(one: Said, outage: Outage) -> Iterator[str]:
    """Nothing can have been measured since the server went: so it is said for how long, and in the end that it is unwell."""
    assert one.health is not None
    away = one.asked - outage.began
    age = one.value("ltc_measurement_age_seconds") or 0.0
    if one.health["measured_seconds_ago"] is None:
        away = min(away, age)  # it began during the outage, and says since when it tries
    elif age < away - SLACK_S:
        yield f"the {outage.what} is away for {away:.1f} s, and {one.worker} says it has measured {age:.1f} s ago"
    if away > PATIENCE_S + SLACK_S and (one.health["healthy"] or one.value("ltc_worker_healthy") == 1):
        yield f"the {outage.what} is away for {away:.1f} s, and {one.worker} says it is healthy: {one.health['why']}"
    if away > FRESH_S + SLACK_S and one.health["lag"] is not None:
        yield f"the {outage.what} is away for {away:.1f} s, and {one.worker} says its lag is {one.health['lag']}"
