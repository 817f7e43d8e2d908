"""Runs all workers of a small installation in child processes: started, restarted when one ends, stopped together.

A worker that ends with `AWAITS_OPERATOR` would end so again: it is not restarted, and all end.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

import structlog

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.workers.loop import BACKOFF_MAX_S, BACKOFF_MIN_S, DRAIN_S, Stop

log = structlog.get_logger()

POLL_S = 0.2
AWAITS_OPERATOR = 78
"""Exit status of a supervised worker after an error that an operator has to put right (EX_CONFIG of sysexits)."""
# A worker that lived so long was well: its next end is not the continuation of a series.
WELL_S = 30.0


class WorkerAwaitsOperator(LtcError):
    """the worker {worker} ended with an error that a restart does not mend, so all workers were stopped"""

    kind = Kind.DEFECT
    remedy = "its own error, above, says what to put right; then start the workers again"


class Member(NamedTuple):
    """A worker to supervise: its name in the logs, and its command line."""

    name: str
    command: Sequence[str]


class _Child:
    """A member with its process, if it runs."""

    def __init__(self, member: Member, environment: Mapping[str, str], output: IO[bytes] | None) -> None:
        self.member = member
        self._output = output
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._pause = BACKOFF_MIN_S
        self._next = 0.0

    @property
    def pid(self) -> int | None:
        """The process id, if it is alive."""
        return self._process.pid if self._process else None

    def update(self, now: float) -> None:
        """Start it when its restart is due; detect that it has ended. Raises WorkerAwaitsOperator."""
        if self._process is None:
            if now >= self._next:
                # What the parent never writes to ends with the parent, however that ends: see `end_with_parent`.
                self._process = subprocess.Popen(
                    self.member.command, env=self._environment, stdin=subprocess.PIPE, stdout=self._output, stderr=self._output
                )
                self._began = now
                log.debug("family_member_started", member=self.member.name, pid=self._process.pid)
            return
        status = self._process.poll()
        if status is None:
            return
        self._pause = BACKOFF_MIN_S if now - self._began > WELL_S else min(self._pause * 2, BACKOFF_MAX_S)
        self._next = now + self._pause
        self._release()
        if status == AWAITS_OPERATOR:
            raise WorkerAwaitsOperator(worker=self.member.name)
        log.warning("family_member_ended", member=self.member.name, status=status, again_in_s=self._pause)

    def terminate(self) -> None:
        """Send SIGTERM."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def wait_or_kill(self, deadline: float) -> None:
        """Wait until it has ended; kill it at the deadline, which is safe at any moment."""
        if self._process is None:
            return
        try:
            self._process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            log.warning("family_member_killed", member=self.member.name)
            self._process.kill()
            self._process.wait()
        self._release()

    def _release(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
        self._process = None


def supervise(members: Sequence[Member], stop: Stop, environment: Mapping[str, str], output: IO[bytes] | None = None) -> None:
    """Supervise the members until `stop`; on return all have ended. Their output goes to `output`, by default to ours.

    Raises WorkerAwaitsOperator, after all have ended.
    """
    children = [_Child(member, environment, output) for member in members]
    try:
        while not stop.requested():
            for child in children:
                child.update(time.monotonic())
            stop.wait(POLL_S)
    finally:
        for child in children:
            child.terminate()
        deadline = time.monotonic() + DRAIN_S
        for child in children:
            child.wait_or_kill(deadline)
    log.debug("family_ended")


def stop_children_on_signals(stop: Stop) -> None:
    """SIGTERM and SIGINT request the stop. Unlike a worker, the supervisor waits for its children."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())


def end_with_parent() -> None:
    """Stop this process when the parent, which holds the other end of its standard input, is gone."""
    threading.Thread(target=_watch_parent, name="ltc-parent", daemon=True).start()


def _watch_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
