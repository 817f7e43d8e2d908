"""Letting Kafka drop commands that nobody has taken yet, as it does when workers are away for longer than it keeps them."""

import json
import time
from collections.abc import Callable

from kafka import KafkaAdminClient, TopicPartition
from tests.e2e.faults.administrator import Administrator
from tests.e2e.faults.crew import Crew
from tests.e2e.faults.facts import Seen, read_topic
from tests.e2e.faults.servers import Place

from ltc_events.bus.topics import COMMANDS
from ltc_events.store import Role

_DONE = "SELECT command_id::text FROM ltc.outcomes"
_OFFSETS = "SELECT feed, partition, next_offset FROM ltc.offsets"
TRIES_MAX = 100
PAUSE_S = 0.3


class Expiry:
    """Command workers are sent away, commands keep coming, half of what waits is dropped, and the workers come back."""

    def __init__(self, place: Place, crew: Crew, administrator: Administrator, note: Callable[[str], None]) -> None:
        self._place = place
        self._crew = crew
        self._administrator = administrator
        self._note = note
        self._due: float | None = None
        self._tries = 0
        self.archive: list[Seen] = []
        """All that was on the topic before something was dropped."""
        self.expired: list[Seen] = []
        """Those of them that nobody had taken."""

    @property
    def is_busy(self) -> bool:
        """Whether workers are away."""
        return self._due is not None

    @property
    def waits_for_commands(self) -> bool:
        """Whether all workers are away, so that what comes now waits."""
        return self.is_busy and not self._crew.has_any("command")

    def begin(self, after_s: float) -> None:
        """Send the workers away."""
        self._crew.hold("command")
        self._due, self._tries = time.monotonic() + after_s, 0

    def tend(self) -> None:
        """Drop commands when the time has come."""
        if self._due is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + PAUSE_S
        self._tries += 1
        self._crew.hold("command")  # also who slept until now
        dropped = self.waits_for_commands and self._drop()
        if dropped or self._tries > TRIES_MAX:
            self._due = None
            self._crew.release("command")
            if dropped:
                self._note(f"{len(self.expired)} commands have expired")
                self._administrator.commands_expired()

    def _drop(self) -> bool:
        with self._place.database_inside.connect(Role.OWNER) as owner:
            offsets = {(feed, partition): offset for feed, partition, offset in owner.execute(_OFFSETS)}
            done = {command for (command,) in owner.execute(_DONE)}
        name = self._place.bus_inside.topic(COMMANDS)
        there = read_topic(self._place.bus_inside, COMMANDS)
        waiting: dict[int, list[Seen]] = {}
        for one in there:
            # Where somebody was killed, and has yet to answer again what was stored, nothing is dropped.
            taken, answered = (offsets.get((feed, one.partition), 0) for feed in (name, f"{name}/answers"))
            if taken == answered <= one.offset:
                waiting.setdefault(one.partition, []).append(one)
        taken_before = {_id(one) for one in there if one not in waiting.get(one.partition, ())}
        gone = {
            number: messages[: (len(messages) + 1) // 2]
            for number, messages in waiting.items()
            # Where the store went back, and has yet to take again what was put back, nothing is dropped either.
            if done.isdisjoint({_id(one) for one in messages} - taken_before)
        }
        if not gone:
            return False
        admin = KafkaAdminClient(bootstrap_servers=self._place.bus_inside.bootstrap)
        try:
            admin.delete_records({TopicPartition(name, number): found[-1].offset + 1 for number, found in gone.items()})
        finally:
            admin.close()
        self.archive = there
        self.expired = [one for found in gone.values() for one in found]
        return True


def _id(message: Seen) -> str | None:
    """The id of the command in a message; None of garbage."""
    headers = dict(message.headers)
    try:
        return headers["ce_id"].decode() if "ce_id" in headers else str(json.loads(message.value or b"")["id"])
    except (ValueError, TypeError, KeyError):
        return None
