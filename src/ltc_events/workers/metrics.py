"""Prometheus metrics of a worker: counters and histograms of its own, and gauges measured from outside.

Gauges (lag, dead letters, …) do not depend on the worker, so that they are reported for a worker that hangs, too.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.metadata import version
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ltc_events.application.pipeline import Answer
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store import Commit, EventStore

OUTCOMES = ("accepted", "refused", "duplicate", "undecodable")
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

REGISTRY = CollectorRegistry(auto_describe=True)
ProcessCollector(registry=REGISTRY)


class Gauge(NamedTuple):
    """A gauge: its name, its meaning, and its labels."""

    name: str
    meaning: str
    labels: tuple[str, ...] = ()


LOG_POSITION = Gauge("ltc_log_position", "The last position of the event log.")
COMMAND_LAG = Gauge("ltc_command_lag_messages", "Messages on ltc.commands that are not taken yet.", ("partition",))
COMMAND_AGE = Gauge("ltc_command_lag_seconds", "Age of the oldest message that is not taken yet.", ("partition",))
RELAY_POSITION = Gauge("ltc_relay_position", "The last position that Kafka has acknowledged.")
RELAY_LAG = Gauge("ltc_relay_lag_events", "Events that are not on Kafka yet.")
RELAY_AGE = Gauge("ltc_relay_lag_seconds", "Age of the oldest event that is not on Kafka yet.")
PROJECTOR_POSITION = Gauge("ltc_projector_position", "The last position that a read table has taken in.", ("table",))
PROJECTOR_LAG = Gauge("ltc_projector_lag_events", "Events that a read table has not taken in yet.", ("table",))
PROJECTOR_AGE = Gauge("ltc_projector_lag_seconds", "Age of the oldest event that a read table has not taken in.", ("table",))
PROJECTOR_FAILED = Gauge("ltc_projector_failed", "1: the read table has stopped at an event that it cannot take in.", ("table",))
PROJECTOR_RETRYING = Gauge("ltc_projector_retrying", "1: the read table is tried again and again, or waits.", ("table",))
PROJECTOR_SKIPPED = Gauge("ltc_projector_skipped", "Events that a read table goes on without.", ("table",))
PROJECTOR_PARKED = Gauge("ltc_projector_parked", "Customers whose events wait for a read table to be mended.", ("table",))
NOTARY_POSITION = Gauge("ltc_notary_position", "The last position that is signed.")
NOTARY_LAG = Gauge("ltc_notary_lag_events", "Events that are not signed yet.")
NOTARY_AGE = Gauge("ltc_notary_lag_seconds", "Age of the oldest event that is not signed yet.")
DEAD_LETTERS = Gauge("ltc_dead_letters", "Dead letters, by what became of them.", ("state",))
OLDEST = Gauge("ltc_oldest_unprocessed_seconds", "Age of the oldest thing that waits for this worker; 0: none does.")
HEALTHY = Gauge("ltc_worker_healthy", "0: it does not move, waits for a server, or cannot be measured.", ("worker",))
WAITING = Gauge("ltc_worker_waiting_seconds", "For how long it has waited for what is away.", ("reason",))
STEP_AGE = Gauge("ltc_worker_step_seconds", "For how long it has been at its present step.")
MEASUREMENT_AGE = Gauge("ltc_measurement_age_seconds", "Age of what is measured. Where it is old, only this is told.")
BUILD = Gauge("ltc_build_info", "1; the version at work is its label.", ("version",))
GAUGES = (
    LOG_POSITION, COMMAND_LAG, COMMAND_AGE, RELAY_POSITION, RELAY_LAG, RELAY_AGE, PROJECTOR_POSITION, PROJECTOR_LAG,
    PROJECTOR_AGE, PROJECTOR_FAILED, PROJECTOR_RETRYING, PROJECTOR_SKIPPED, PROJECTOR_PARKED, NOTARY_POSITION,
    NOTARY_LAG, NOTARY_AGE, DEAD_LETTERS, OLDEST, HEALTHY, WAITING, STEP_AGE, MEASUREMENT_AGE, BUILD,
)  # fmt: skip


class Reading(NamedTuple):
    """A gauge's value, for one set of its labels."""

    gauge: Gauge
    value: float
    labels: tuple[str, ...] = ()


class WorkerMetrics:
    """The metrics of every worker."""

    def __init__(self) -> None:
        self.waits = Counter(
            "ltc_worker_waits_total",
            "How often it began to wait for something that is away.",
            ["reason"],
            registry=REGISTRY,
        )


class CommandMetrics:
    """The metrics of a command worker."""

    def __init__(self) -> None:
        self._commands = Counter("ltc_commands_total", "Messages taken, by what became of them.", ["outcome"], registry=REGISTRY)
        self._batches = Histogram("ltc_command_batch_size", "Messages in a batch.", buckets=_SIZES, registry=REGISTRY)
        what = "How long storing a batch kept the worker from other work."
        self._commits = Histogram("ltc_commit_seconds", what, buckets=_SECONDS, registry=REGISTRY)
        for outcome in OUTCOMES:
            self._commands.labels(outcome)

    def taken(self, answers: Sequence[Answer]) -> None:
        """Count a batch that was decided and stored."""
        self._batches.observe(len(answers))
        undecodable = duplicate = refused = 0
        for answer in answers:
            if isinstance(answer, Undecodable):
                undecodable += 1
            elif answer.duplicate:
                duplicate += 1
            elif answer.reasons:
                refused += 1
        accepted = len(answers) - undecodable - duplicate - refused
        for outcome, count in zip(OUTCOMES, (accepted, refused, duplicate, undecodable), strict=True):
            if count:
                self._commands.labels(outcome).inc(count)

    def committed(self, seconds: float) -> None:
        """Count a stored batch."""
        self._commits.observe(seconds)


_BUILT = Reading(BUILD, 1.0, (version("ltc-events"),))


@cache
def worker_metrics() -> WorkerMetrics:
    """The metrics of this process, created on first use, so that a worker exposes only its own."""
    return WorkerMetrics()


@cache
def command_metrics() -> CommandMetrics:
    """The command metrics of this process, created on first use."""
    return CommandMetrics()


class TimedStore(EventStore):
    """An event store whose commits are timed."""

    def begin_append(self, commit: Commit) -> Callable[[], int]:
        """As in EventStore; only successful commits are timed, without the caller's own work in between."""
        began = time.perf_counter()
        end = super().begin_append(commit)
        giving = time.perf_counter() - began

        def timed() -> int:
            went_on = time.perf_counter()
            base = end()
            command_metrics().committed(giving + time.perf_counter() - went_on)
            return base

        return timed


class MeasuredCollector(Collector):
    """Collects the result of `readings` at each scrape."""

    def __init__(self) -> None:
        self.readings: Callable[[], Sequence[Reading]] = tuple

    def describe(self) -> Iterable[Metric]:
        """Empty: the gauges depend on the worker."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The readings by gauge."""
        families: dict[str, GaugeMetricFamily] = {}
        for gauge, value, labels in (_BUILT, *self.readings()):
            family = families.get(gauge.name)
            if family is None:
                family = families[gauge.name] = GaugeMetricFamily(gauge.name, gauge.meaning, labels=gauge.labels)
            family.add_metric(labels, value)
        return families.values()


MEASURED = MeasuredCollector()
REGISTRY.register(MEASURED)
