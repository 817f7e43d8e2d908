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

import psutil
import pytest
from tests.broker import until

from ltc_events.workers.loop import Stop
from ltc_events.workers.supervisor import Member, keep

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
from ltc_events.workers.supervisor import Member, keep, stop_children_on_signals
from ltc_events.workers.loop import Stop
child = "from ltc_events.workers.supervisor import end_with_parent; end_with_parent(); " + sys.argv[2]
stop = Stop()
stop_children_on_signals(stop)
keep([Member("one", [sys.executable, "-c", child, sys.argv[1]]), Member("two", [sys.executable, "-c", child, sys.argv[1]])], stop,
    os.environ)
"""


@contextmanager
def kept(*members: Member) -> Iterator[None]:
    """A family that lives as long as the block."""
    stop = Stop()
    thread = threading.Thread(target=keep, args=(members, stop, dict(os.environ)))
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
