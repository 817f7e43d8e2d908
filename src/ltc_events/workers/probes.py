"""Measures the lag of each kind of worker, from the database and from Kafka."""

import time
from collections.abc import Collection
from typing import Any, NamedTuple

from ltc_events.bootstrap.services import open_store
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topics import COMMANDS, EVENTS, Bus
from ltc_events.projections.catalog.event_source import STORE
from ltc_events.projections.catalog.lifecycle import State
from ltc_events.projections.catalog.skipped_events import NOTHING, all_skipped
from ltc_events.projections.catalog.status import ProjectionStatus, projection_status
from ltc_events.projections.declaration.builds import Build
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.health import Measure
from ltc_events.workers.metrics import (
    COMMAND_AGE,
    COMMAND_LAG,
    DEAD_LETTERS,
    LOG_POSITION,
    PROJECTOR_AGE,
    PROJECTOR_FAILED,
    PROJECTOR_LAG,
    PROJECTOR_PARKED,
    PROJECTOR_POSITION,
    PROJECTOR_RETRYING,
    PROJECTOR_SKIPPED,
    RELAY_AGE,
    RELAY_LAG,
    RELAY_POSITION,
    Reading,
)

# Counting them looks at each.
DEAD_LETTERS_EVERY_S = 30.0


class CommandLag(NamedTuple):
    """The lag of a partition of commands: the offset up to which it is processed, the number of messages after it (less than 0:
    the topic was replaced), and the age of the oldest of them in seconds."""

    taken: int
    messages: int
    oldest_s: float


class RelayLag(NamedTuple):
    """The last position of the log, the last one acknowledged by Kafka, and the age (seconds) of the oldest event between."""

    head: int
    position: int
    oldest_s: float


def command_lag(
    offset_reader: OffsetReader, store: EventStore, topic: str, only: Collection[int] | None = None
) -> dict[int, CommandLag]:
    """The lag behind the effect offsets, by partition (those in `only`, if given). Raises TopicMissing, BusUnreachable."""
    ends = {number: end for number, end in offset_reader.ends(topic).items() if only is None or number in only}
    taken = {number: offset for (_, number), offset in store.offsets(topic).items()}
    behind = {number: taken.get(number, 0) for number, end in ends.items() if end > taken.get(number, 0)}
    sent, now = offset_reader.sent_at(topic, behind), time.time()
    return {
        number: CommandLag(
            taken.get(number, 0), end - taken.get(number, 0), max(now - sent[number], 0.0) if number in sent else 0.0
        )
        for number, end in ends.items()
    }


def relay_lag(store: EventStore, feed: str, now: float) -> RelayLag:
    """The lag of the relay of a feed; `now` in seconds since 1970."""
    head, _ = store.head()
    position = store.offsets(feed).get((feed, 0), 0)
    next_at = store.recorded_at(position + 1) if head > position else None
    return RelayLag(head, position, max(now - next_at.timestamp(), 0.0) if next_at else 0.0)


class CommandProbe:
    """Measures a command worker: the messages in its assigned partitions."""

    def __init__(self, bus: Bus, database: Database) -> None:
        """Raises BusUnreachable."""
        self._topic = bus.topic(COMMANDS)
        self._offset_reader = OffsetReader(bus)
        self._store = open_store(database, Role.WRITER)
        self._own: tuple[int, ...] | None = None
        self._letters: tuple[Reading, ...] = ()
        self._dead_letters_at = -DEAD_LETTERS_EVERY_S

    def measure(self, worker: Any) -> Measure:
        """The messages after the effect offsets.

        While the worker waits for servers, its last assignment counts; before the first assignment, all partitions.
        """
        if worker is not None:
            self._own = worker.partitions
        lags = command_lag(self._offset_reader, self._store, self._topic, self._own)
        readings = [
            *(Reading(COMMAND_LAG, max(lag.messages, 0), (str(number),)) for number, lag in lags.items()),
            *(Reading(COMMAND_AGE, lag.oldest_s, (str(number),)) for number, lag in lags.items()),
            *self._count_dead_letters(),
            Reading(LOG_POSITION, self._store.head()[0]),
        ]
        waiting = sum(max(lag.messages, 0) for lag in lags.values())
        oldest = max((lag.oldest_s for lag in lags.values()), default=0.0)
        return Measure(waiting, oldest, sum(lag.taken for lag in lags.values()), tuple(readings))

    def close(self) -> None:
        """Give the connections back."""
        self._store.close()
        self._offset_reader.close()

    def _count_dead_letters(self) -> tuple[Reading, ...]:
        if time.monotonic() - self._dead_letters_at >= DEAD_LETTERS_EVERY_S:
            counts = self._store.dead_letter_counts()
            self._letters = tuple(Reading(DEAD_LETTERS, count, (state,)) for state, count in counts.items())
            self._dead_letters_at = time.monotonic()
        return self._letters


class RelayProbe:
    """Measures a relay: the events after its offset. A standby has no backlog."""

    def __init__(self, bus: Bus, database: Database) -> None:
        self._feed = bus.topic(EVENTS)
        self._store = open_store(database, Role.RELAY)
        self._stands_by = False

    def measure(self, worker: Any) -> Measure:
        """The events of the log not acknowledged by Kafka."""
        if worker is not None:
            self._stands_by = worker.is_standing_by
        lag = relay_lag(self._store, self._feed, time.time())
        readings = (
            Reading(LOG_POSITION, lag.head),
            Reading(RELAY_POSITION, lag.position),
            Reading(RELAY_LAG, lag.head - lag.position),
            Reading(RELAY_AGE, lag.oldest_s),
        )
        # One that stands by has nothing to do, and nothing to tell of the other one's work.
        if self._stands_by:
            return Measure(0, 0.0, lag.position)
        return Measure(lag.head - lag.position, lag.oldest_s, lag.position, readings)

    def close(self) -> None:
        """Give the connections back."""
        self._store.close()


class ProjectorProbe:
    """Measures a projector: the events not yet in the tables in use. A failed table counts as not moving."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def measure(self, worker: Any) -> Measure:
        """The lag of the slowest table, in the assigned partitions where there are any."""
        own = getattr(worker, "partitions", None)
        by_table: dict[str, list[ProjectionStatus]] = {}
        for one in projection_status(self._database):
            is_own = own is None or one.source == STORE or one.partition in own
            if one.life == State.SHOWN.value and is_own:
                by_table.setdefault(one.name, []).append(one)
        readings: list[Reading] = []
        with self._database.connect(Role.PROJECTOR) as connection:
            lacking = all_skipped(connection)
        lag, oldest, place = 0, 0.0, 0
        for table, parts in by_table.items():
            failed = any(one.has_stopped for one in parts)
            lacks = lacking.get(Build(table, parts[0].version, parts[0].build), NOTHING)
            behind, age = max(one.lag_events for one in parts), max(one.lag_seconds or 0.0 for one in parts)
            readings += [
                Reading(PROJECTOR_POSITION, min(one.position for one in parts), (table,)),
                Reading(PROJECTOR_LAG, behind, (table,)),
                Reading(PROJECTOR_AGE, age, (table,)),
                Reading(PROJECTOR_FAILED, float(failed), (table,)),
                Reading(PROJECTOR_RETRYING, float(any(not one.gets_on and not one.has_stopped for one in parts)), (table,)),
                Reading(PROJECTOR_SKIPPED, len(lacks.skipped), (table,)),
                Reading(PROJECTOR_PARKED, len(lacks.parked), (table,)),
            ]
            place += sum(one.position for one in parts)
            if not failed:
                lag, oldest = max(lag, behind), max(oldest, age)
        return Measure(lag, oldest, place, tuple(readings))

    def close(self) -> None:
        """Nothing to close."""
