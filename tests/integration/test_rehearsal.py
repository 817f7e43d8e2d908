"""A rehearsal decides on the ledger as it was, keeps what it decides to itself, and comes to what really doing it comes to."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.commands import register, rename, sell

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.record import Record
from ltc_events.store import Commit, Database, EventStore, Offset, Role
from ltc_events.store.errors import RehearsalFailed
from ltc_events.store.rehearsal import Rehearsal

CUSTOMER = derive_id("test", "Analytical Ltd")
LEAD, OPPORTUNITY = derive_id("test", "lead"), derive_id("test", "opportunity")
ANY = datetime(2026, 1, 1, tzinfo=UTC)
COMMANDS = [register(), *sell(LEAD, OPPORTUNITY, CUSTOMER), rename("x", CUSTOMER), rename("x", derive_id("nobody"))]


def streams(store: EventStore | Rehearsal) -> dict[UUID, list[Record]]:
    found = store.load([CUSTOMER, LEAD, OPPORTUNITY])
    return {id: [record._replace(recorded_at=ANY) for record in records] for id, records in found.items()}


def outcomes(answers: list[Any]) -> list[Any]:
    return [(one.status, one.first_position, one.last_position, one.duplicate, one.reasons) for one in answers]


@pytest.mark.parametrize("cache", [50_000, 1])
@pytest.mark.parametrize("batch", [1, 3, 100])
def test_it_comes_to_what_really_doing_it_comes_to(event_store: EventStore, batch: int, cache: int) -> None:
    documents = [*COMMANDS, *COMMANDS]
    parts = [documents[start : start + batch] for start in range(0, len(documents), batch)]
    with Rehearsal(event_store) as rehearsal:
        trial = CommandPipeline(rehearsal, SystemClock(), cache_streams=cache)
        rehearsed = [one for part in parts for one in trial.submit(part)]
        assert event_store.head()[0] == 0
        real = [one for part in parts for one in CommandPipeline(event_store, SystemClock()).submit(part)]
        assert outcomes(rehearsed) == outcomes(real)
        assert streams(rehearsal) == streams(event_store)
        head = event_store.head()[0]
        assert rehearsal.head()[0] == head
        types = [record.event.type for record in event_store.read(0, head)]
        assert [record.event.type for record in rehearsal.read(0, head)] == types
        assert [record.event.type for record in rehearsal.read(1, 2, upto=head)] == types[1:3]
        assert len(rehearsal.read(0, head, types=types[:1])) == types.count(types[0])
        assert rehearsal.streams_of([CUSTOMER], "opportunity.opened.v1") == event_store.streams_of(
            [CUSTOMER], "opportunity.opened.v1"
        )


def test_what_others_write_meanwhile_is_not_seen(event_store: EventStore, database: Database) -> None:
    real = CommandPipeline(event_store, SystemClock())
    real.submit(COMMANDS[:1])
    with Rehearsal(event_store) as rehearsal:
        trial = CommandPipeline(rehearsal, SystemClock())
        before = streams(rehearsal)
        with EventStore(database, Role.WRITER) as other:
            CommandPipeline(other, SystemClock()).submit([rename("other", CUSTOMER), *sell(LEAD, OPPORTUNITY, CUSTOMER)])
        assert streams(rehearsal) == before
        assert rehearsal.streams_of([CUSTOMER], "opportunity.opened.v1") == {}
        [answer] = trial.submit([rename("mine", CUSTOMER)])
        assert isinstance(answer, Outcome)
        assert [record.version for record in rehearsal.load([CUSTOMER])[CUSTOMER]] == [1, 2]
        assert [record.event.type for record in rehearsal.read(0, 100)] == [
            "customer.registered.v1",
            "customer.profile_updated.v1",
        ]
        assert rehearsal.stream(CUSTOMER, after_version=1) == rehearsal.load_after({CUSTOMER: 1})[CUSTOMER]


def test_a_rehearsal_on_a_rehearsal_leaves_it_as_it_is(event_store: EventStore) -> None:
    with Rehearsal(event_store) as outer:
        CommandPipeline(outer, SystemClock()).submit(COMMANDS[:1])
        with Rehearsal(outer) as inner:
            CommandPipeline(inner, SystemClock()).submit([rename("inner", CUSTOMER)])
            assert len(inner.load([CUSTOMER])[CUSTOMER]) == 2
        assert len(outer.load([CUSTOMER])[CUSTOMER]) == 1
    assert event_store.head()[0] == 0


def test_it_consumes_no_feed(event_store: EventStore) -> None:
    with Rehearsal(event_store) as rehearsal, pytest.raises(ValueError, match="no feed"):
        rehearsal.begin_append(Commit(offsets=[Offset("commands", 0, 0, 1)]))


def test_a_full_disk_is_told_and_nothing_of_the_batch_is_kept(event_store: EventStore) -> None:
    with Rehearsal(event_store) as rehearsal:
        pages = rehearsal._kept.execute("PRAGMA page_count").fetchone()[0]
        rehearsal._kept.execute(f"PRAGMA max_page_count = {pages}")
        many = [register(customer=derive_id("many", str(number))) for number in range(100)]
        with pytest.raises(RehearsalFailed, match="full"):
            CommandPipeline(rehearsal, SystemClock()).submit(many)
        assert rehearsal.load([UUID(one["subject"]) for one in many]) == {}


def test_its_file_has_no_name(event_store: EventStore, database: Database, tmp_path: Path) -> None:
    """Killed at any moment, a rehearsal leaves nothing behind."""
    program = f"""
import os
from uuid import uuid4
from tests.commands import register
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.rehearsal import Rehearsal
rehearsal = Rehearsal(EventStore(Database({database.conninfo!r}), Role.WRITER))
rehearsal._kept.execute("PRAGMA cache_size = 1")
CommandPipeline(rehearsal, SystemClock()).submit([register(customer=uuid4()) for _ in range(200)])
if os.path.isdir("/proc/self/fd"):
    links = [os.readlink(one.path) for one in os.scandir("/proc/self/fd") if os.path.islink(one.path)]
    print([one for one in links if one.startswith(os.environ["TMPDIR"]) and one.endswith(" (deleted)")], flush=True)
os.kill(os.getpid(), 9)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "SQLITE_TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    if Path("/proc/self/fd").is_dir():
        assert done.stdout.decode().count(str(tmp_path)) == 1, "it is in a file, and not in memory"
    assert list(tmp_path.iterdir()) == []
