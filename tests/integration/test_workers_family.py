"""A process tree of workers: each is kept alive, and none outlives the others' end. With real processes and signals."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.broker import until

from ltc_events.store import Database, Role
from ltc_events.workers.loop import Stop
from ltc_events.workers.supervisor import AWAITS_OPERATOR, Member, WorkerAwaitsOperator, supervise

# Says that it has started, and ends when told to.
PATIENT = """
import os, signal, sys, time, pathlib
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with pathlib.Path(sys.argv[1]).open("a") as log: log.write(f"{os.getpid()}\\n")
while True: time.sleep(0.05)
"""
# A parent with two children that watch over its life as workers do.
PARENT = """
import os, sys
from ltc_events.workers.supervisor import Member, supervise, stop_children_on_signals
from ltc_events.workers.loop import Stop
child = "from ltc_events.workers.supervisor import end_with_parent; end_with_parent(); " + sys.argv[2]
stop = Stop()
stop_children_on_signals(stop)
members = [Member(name, [sys.executable, "-c", child, sys.argv[1]]) for name in ("one", "two")]
supervise(members, stop, os.environ)
"""


@contextmanager
def kept(*members: Member) -> Iterator[None]:
    """A family that lives as long as the block."""
    stop = Stop()
    thread = threading.Thread(target=supervise, args=(members, stop, dict(os.environ)))
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()
        stop.close()


def pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def gone(*processes: int) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in processes)


def test_a_worker_that_ends_is_started_anew_and_the_others_go_on(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with kept(*(Member(log.name, [sys.executable, "-c", PATIENT, str(log)]) for log in (one, other))):
        until(lambda: all(map(pids, (one, other))))
        os.kill(pids(one)[0], signal.SIGKILL)
        until(lambda: len(pids(one)) == 2)
        assert len(pids(other)) == 1
        assert not gone(*pids(other))
    assert gone(*pids(one), *pids(other))


def test_one_that_cannot_start_is_not_tried_in_a_busy_loop(tmp_path: Path) -> None:
    log = tmp_path / "log"
    failing = f"import pathlib, sys; pathlib.Path({str(log)!r}).open('a').write('1\\n'); sys.exit(3)"
    with kept(Member("failing", [sys.executable, "-c", failing])):
        time.sleep(3)
    assert 2 <= len(pids(log)) <= 6


def test_one_that_only_an_operator_can_help_ends_all(tmp_path: Path) -> None:
    log = tmp_path / "log"
    helpless = f"import sys; sys.exit({AWAITS_OPERATOR})"
    stop = Stop()
    with pytest.raises(WorkerAwaitsOperator, match="the worker helpless"):
        supervise(
            [Member("one", [sys.executable, "-c", PATIENT, str(log)]), Member("helpless", [sys.executable, "-c", helpless])],
            stop,
            dict(os.environ),
        )
    stop.close()
    assert gone(*pids(log))


def test_a_login_without_a_group_is_told_once_which(database: Database) -> None:
    """Before any worker is started; and a worker that finds out later says so by its exit status."""
    name = f"half_{uuid4().hex[:8]}"
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE ltc_reader, ltc_writer").format(sql.Identifier(name)))
        try:
            settings = {
                **os.environ,
                "LTC_DATABASE_URL": make_conninfo(database.conninfo, user=name),
                "LTC_LOG_FORMAT": "console",
            }
            start = [sys.executable, "-m", "ltc_events", "worker"]
            done = subprocess.run([*start, "all"], env=settings, capture_output=True, check=False, timeout=60)
            assert (done.returncode, done.stdout) == (1, b"")
            told = " ".join(done.stderr.decode().split())
            assert told.count("error") == told.count("may not act as ltc_projector") == 1
            assert "grant it" in told
            for words, status in ((["projector"], 1), (["--with-parent", "projector"], AWAITS_OPERATOR)):
                with subprocess.Popen([*start, *words], env=settings, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
                    assert worker.stderr is not None
                    assert b"ltc_projector" in worker.stderr.read()
                    assert worker.wait(60) == status
        finally:
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nobody_outlives_the_parent(tmp_path: Path, how: signal.Signals) -> None:
    log = tmp_path / "log"
    child = PATIENT.replace("sys.argv[1]", repr(str(log)))
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(log), f"exec({child!r})"])
    until(lambda: len(pids(log)) == 2)
    parent.send_signal(how)
    began = time.monotonic()
    parent.wait(60)
    until(lambda: gone(*pids(log)))
    assert time.monotonic() - began < 60  # each sleeps for ever


def test_one_that_does_not_end_is_killed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltc_events.workers.supervisor.DRAIN_S", 1)
    log = tmp_path / "log"
    stubborn = PATIENT.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
    with kept(Member("one", [sys.executable, "-c", stubborn, str(log)])):
        until(lambda: bool(pids(log)))
        began = time.monotonic()
    assert gone(*pids(log))
    assert time.monotonic() - began < 5
