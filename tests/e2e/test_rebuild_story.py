"""The story of docs/rebuild-story.md, with real programs of two releases, commands that keep coming, and readers that poll."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.company import found_company
from tests.e2e.test_cli import Ltc

from ltc_events.bootstrap.services import open_pipeline
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.simulation import simulate
from ltc_events.store import Database, Role

NEXT = Path(__file__).with_name("next_release.py")
LATER = OpenItems.version + 1
OLD, NEW = f"v{OpenItems.version}", f"v{LATER}"
DEADLINE_S = 60
POLL = """
    SELECT max(last_position), count(*) FILTER (WHERE kind = 'payment'),
        count(*) FILTER (WHERE kind = 'payment' AND due_on IS NULL), count(*) FILTER (WHERE kind <> 'payment' AND due_on IS NULL)
    FROM ltc_read.open_items
"""


class Release(Ltc):
    """The command line of a release, run in the foreground or as a process of its own."""

    def __init__(self, database: Database, *start: str, **environment: str) -> None:
        super().__init__(LTC_DATABASE_URL=database.conninfo, LTC_LOG_FORMAT="json", **environment)
        self.start = [sys.executable, *start]

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self.start, *words], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        process = self.begin(*words)
        try:
            yield process
        finally:
            process.terminate()
            _, said = process.communicate(timeout=20)
        assert process.returncode == 0, said.decode()


class Readers:
    """Analysts who poll, each in a thread of its own: the table that they are given, and a view they built on it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._poll) for _ in range(2)]
        self.polls = 0
        self.saw_new = False
        self.troubles: list[BaseException] = []

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def see(self, *, new: bool) -> None:
        """Wait until they have polled often, and see what they should."""
        before = self.polls
        until(lambda: bool(self.troubles) or (self.polls > before + 10 and self.saw_new is new))
        assert self.troubles == []

    def _poll(self) -> None:
        try:
            with self._database.connect(Role.READER, autocommit=True) as reader:
                newest = 0
                while not self._stop.is_set():
                    row = reader.execute(POLL).fetchone()
                    assert row is not None
                    last, payments, without_day, others_without_day = row
                    assert without_day in (0, payments), "half a table"
                    assert others_without_day == 0
                    assert last >= newest, "the past"
                    newest, self.saw_new = last, without_day > 0
                    assert reader.execute("SELECT count(*) > 0 FROM finance.owed").fetchone() == (True,)
                    self.polls += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall say so
            self.troubles.append(error)


def until(done: Any) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.005)


@contextmanager
def business(database: Database) -> Iterator[None]:
    """Commands keep coming."""
    stop = threading.Event()

    def work() -> None:
        with open_pipeline(database) as pipeline:
            commands = iter(simulate(11, 60, 365))
            while not stop.is_set() and (batch := list(islice(commands, 5))):
                pipeline.submit(batch)
                stop.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


@pytest.fixture
def company(database: Database) -> Database:
    found_company(database, customers=40, days=365)
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("CREATE SCHEMA finance")
        owner.execute("CREATE VIEW finance.owed AS SELECT number, outstanding FROM ltc_read.open_items WHERE outstanding > 0")
        owner.execute("GRANT USAGE ON SCHEMA finance TO ltc_reader")
        owner.execute("GRANT SELECT ON finance.owed TO ltc_reader")
    return database


def head(connection: psycopg.Connection[Any]) -> int:
    """The last position of the log."""
    ((position,),) = connection.execute("SELECT position FROM ltc.head").fetchall()
    return int(position)


def filled(connection: psycopg.Connection[Any]) -> int:
    """How far the new table is."""
    row = connection.execute(
        "SELECT max(position) FROM ltc_read.checkpoints WHERE (projection, version) = ('open_items', %s)", (LATER,)
    ).fetchone()
    return (row and row[0]) or 0


def test_a_read_table_is_changed_while_the_company_works(company: Database) -> None:
    old = Release(company, "-m", "ltc_events")
    new = Release(company, str(NEXT))
    slow = Release(company, str(NEXT), NEXT_RELEASE_SLOW_S="0.02")
    with ExitStack() as stack:
        readers = stack.enter_context(Readers(company))
        stack.enter_context(business(company))
        old_projector = stack.enter_context(ExitStack())
        old_projector.enter_context(old.running("worker", "projector"))

        # A rebuild is killed in the middle: behind its first stretch, of many that were there when it began.
        onlooker = stack.enter_context(company.connect(Role.PROJECTOR, autocommit=True))
        there = head(onlooker)
        killed = slow.begin("projections", "rebuild", "open_items", "--by", "ann")
        until(lambda: filled(onlooker) > 0 or killed.poll() is not None)
        killed.send_signal(signal.SIGKILL)
        _, said = killed.communicate(timeout=10)
        assert killed.returncode == -signal.SIGKILL, said.decode()
        begun = filled(onlooker)
        assert 0 < begun < there
        assert [one["life"] for one in new.json("projections", "status", "open_items")["projections"]] == ["shown", "filling"]
        assert "error" in new.json("projections", "switch", "open_items", exits=1), "nobody is switched to half a table"
        readers.see(new=False)

        # It goes on where it was. From then on the programs of both releases work beside each other.
        assert new.json("projections", "rebuild", "open_items", "--by", "ann")["build"] == NEW
        assert filled(onlooker) > begun
        stack.enter_context(new.running("worker", "projector"))

        # What will change: the column that was added and the rule that was changed, and nothing else.
        seen = new.json("projections", "diff", "open_items", OLD, NEW)
        assert seen["added_columns"] == ["terms_days"]
        assert list(seen["by_column"]) == ["due_on"]
        assert (seen["only_left"], seen["only_right"], seen["dropped_columns"]) == (0, 0, [])
        assert set(seen["by_event"]) <= {"payment.received.v1", "payment.allocated.v1", "payment.unallocated.v1",
            "payment.returned.v1", "payment.refunded.v1", "payment.allocated_to_claim.v1"}  # fmt: skip
        assert seen["changed"] > 0

        # Readers are switched, back, and forward again.
        assert new.json("projections", "switch", "open_items", "--by", "ann")["now"] == NEW
        readers.see(new=True)
        assert new.json("projections", "switch", "open_items", "--back", "--by", "ann")["now"] == OLD
        readers.see(new=False)
        assert new.json("projections", "switch", "open_items", "--back", "--by", "ann")["now"] == NEW
        readers.see(new=True)

        # The old release goes, and then its table.
        old_projector.close()
        new("projections", "drop", "open_items", OLD, "--reason", "signed off", "--by", "ann")
        readers.see(new=True)
    assert readers.troubles == []
    assert new.json("projections", "verify", "open_items")["equal"]
    told = new.json("projections", "status", "open_items")
    assert [one["life"] for one in told["projections"]] == ["shown"]
    lives = [(one["build"], one["state"], one["made_by"]) for one in told["transitions"]]
    assert [state for build, state, _ in lives if build == NEW][:3] == ["filling", "indexing", "catching_up"]
    assert lives[-1] == (OLD, "dropped", "ann")
    assert told["transitions"][-1]["reason"] == "signed off"
