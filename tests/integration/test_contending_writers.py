"""Several writers at once, one command at a time: each gets its turn, and reads no more than what the others have added."""

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.commands import register, rename

from ltc_events.application.clock import SystemClock
from ltc_events.application.errors import Contention
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import open_pipeline
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.outcome import Outcome
from ltc_events.store import Database, EventStore, Role

CUSTOMER = derive_id("test", "Analytical Ltd")
WRITERS, COMMANDS = 4, 250


def test_a_thousand_single_commands_of_four_writers_are_all_accepted(database: Database, event_store: EventStore) -> None:
    CommandPipeline(event_store, SystemClock()).submit([register()])
    answers: list[str] = []

    def write() -> None:
        with open_pipeline(database) as pipeline:
            for _ in range(COMMANDS):
                try:
                    (answer,) = pipeline.submit([rename(f"again {uuid4()}", CUSTOMER)])
                except Contention as contention:
                    answers.append(contention.message)
                else:
                    assert isinstance(answer, Outcome)
                    answers.append(answer.status)

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert answers == ["accepted"] * (WRITERS * COMMANDS)
    assert [record.version for record in event_store.stream(CUSTOMER)] == list(range(1, WRITERS * COMMANDS + 2))


class Counting(EventStore):
    """Counts the records that it has loaded."""

    loaded = 0

    def load(self, ids: Sequence[UUID]) -> Any:
        return self._counted(super().load(ids))

    def load_after(self, versions: Any) -> Any:
        return self._counted(super().load_after(versions))

    def stream(self, id: UUID, *, after_version: int = 0) -> Any:
        records = super().stream(id, after_version=after_version)
        self.loaded += len(records)
        return records

    def _counted(self, streams: Any) -> Any:
        self.loaded += sum(map(len, streams.values()))
        return streams


@pytest.mark.parametrize("at_once", [1, 3])
def test_of_a_stream_that_another_writer_has_grown_only_what_is_new_is_read(database: Database, at_once: int) -> None:
    with Counting(database, Role.WRITER) as ours, EventStore(database, Role.WRITER) as theirs:
        one, other = CommandPipeline(ours, SystemClock()), CommandPipeline(theirs, SystemClock())
        one.submit([register()])
        one.submit([rename(f"long ago {number}", CUSTOMER) for number in range(200)])
        for turn in range(5):
            other.submit([rename(f"theirs {turn} {number}", CUSTOMER) for number in range(2)])
            ours.loaded = 0
            answers = one.submit([rename(f"ours {turn} {number}", CUSTOMER) for number in range(at_once)])
            assert [answer.status for answer in answers if isinstance(answer, Outcome)] == ["accepted"] * at_once
            assert ours.loaded == 2
        names = [record.event.profile.name for record in ours.stream(CUSTOMER)[-2 - at_once :]]  # type: ignore[attr-defined]
        assert names == ["theirs 4 0", "theirs 4 1", *(f"ours 4 {number}" for number in range(at_once))]
