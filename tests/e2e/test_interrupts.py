"""Ctrl-C, a real SIGINT to the whole process group: one line, exit code 130, and the same command goes on afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.builds import until
from tests.commits import one_command

from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.store import Database, EventStore, Role

ROOT = Path(__file__).parents[2]
LINE = "interrupted; what was done is kept: the same command goes on"


class Running:
    """A command in a process group of its own, as a terminal has it."""

    def __init__(self, database: Database, *words: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LTC_")}
        environment = {**kept, "PYTHONPATH": str(ROOT / "src"), "LTC_DATABASE_URL": database.conninfo}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ltc_events", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def interrupt(self, when: Callable[[], bool]) -> tuple[int, str, str]:
        """Press Ctrl-C as soon as something is so; the exit code, and what was said."""
        try:
            until(lambda: when() or self._process.poll() is not None, 60)
            os.killpg(self._process.pid, signal.SIGINT)
            began = time.monotonic()
            out, err = self._process.communicate(timeout=30)
            assert time.monotonic() - began < 15, "it does not sit out what it waits for"
        finally:
            self._process.kill()
        assert "Traceback" not in err.decode(), err.decode()
        return self._process.returncode, out.decode(), err.decode()


@pytest.fixture
def held(database: Database, event_store: EventStore) -> Database:
    """A ledger whose read tables have something to take in."""
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    event_store.append(one_command(events=3))
    return database


@pytest.mark.parametrize(
    "words",
    [
        ("projections", "catch-up"),
        ("projections", "catch-up", "--json"),
        ("projections", "verify", "timeline"),
        ("report", "funnel"),
    ],
)
def test_a_command_that_waits_for_a_table_ends_at_once(held: Database, words: tuple[str, ...]) -> None:
    with held.connect(Role.OWNER) as owner, held.connect(Role.OWNER, autocommit=True) as onlooker:
        table = f"ltc_read.{Timeline.physical()}"
        owner.execute(f"LOCK TABLE {table}".encode())
        waiting = f"SELECT FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
        running = Running(held, *words)
        code, out, err = running.interrupt(lambda: onlooker.execute(waiting.encode()).fetchone() is not None)
    assert (code, LINE in err) == (130, True), err
    if "--json" in words:
        assert json.loads(out)["error"]["code"] == "interrupted"
    assert {one.state for one in projection_status(held)} == {"live"}, "nobody takes it for trouble of the table"
    with open_runner(held, PROJECTIONS) as runner:
        assert runner.catch_up() == 3


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_rebuild_goes_on_afterwards(held: Database, processes: str) -> None:
    with held.connect(Role.OWNER) as owner, held.connect(Role.OWNER, autocommit=True) as onlooker:
        running = Running(held, "projections", "rebuild", "timeline", "campaigns", "--anew", "--processes", processes)
        made = "SELECT FROM ltc_read.projection_transitions WHERE state = 'filling'"
        until(lambda: onlooker.execute(made.encode()).fetchone() is not None, 60)
        owner.execute("LOCK TABLE ltc_read.checkpoints")
        waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'ltc_read.checkpoints'::regclass"
        code, _, err = running.interrupt(lambda: onlooker.execute(waiting.encode()).fetchone() is not None)
    assert (code, LINE in err) == (130, True), err


def test_a_simulation_and_what_is_being_loaded(database: Database) -> None:
    running = Running(database, "simulate", "--seed", "1", "--customers", "500", "--days", "2000")
    with EventStore(database, Role.PROJECTOR) as store:
        code, _, err = running.interrupt(lambda: store.head()[0] > 0)
    assert (code, LINE in err) == (130, True), err
    code, _, err = Running(database, "projections", "status").interrupt(lambda: True)
    assert code in (130, -signal.SIGINT), "before Python itself is up, the signal ends it"
    assert len(err.splitlines()) <= 1


def test_a_worker_ends_in_order(database: Database) -> None:
    running = Running(database, "worker", "projector", "--source", "store")
    with database.connect(Role.PROJECTOR, autocommit=True) as onlooker:
        there = "SELECT to_regclass('ltc_read.checkpoints') IS NOT NULL"
        code, _, err = running.interrupt(lambda: onlooker.execute(there.encode()).fetchone() == (True,))
    assert (code, "worker_stopped" in err) == (0, True), err
