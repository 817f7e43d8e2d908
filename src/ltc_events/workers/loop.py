"""The life cycle of a worker: start, run steps, wait and restart while a server is unavailable, stop on request."""

import select
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Protocol

import psycopg
import structlog

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.store import diagnose, waits
from ltc_events.store.error_text import error_text
from ltc_events.workers.health import Watch

log = structlog.get_logger()

BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 5.0
# Less than those who stop processes wait before they kill them.
DRAIN_S = 9


class Worker(Protocol):
    """A worker that runs in steps."""

    def step(self) -> None:
        """Process the next piece of work; wait for at most a second where there is none."""


class Stop:
    """A stop request. Safe to call from a signal handler, since it takes no lock."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._requested = False

    def __call__(self) -> None:
        """Request the stop."""
        self._requested = True
        self._sender.send(b"x")

    def requested(self) -> bool:
        """Whether a stop was requested."""
        return self._requested

    def wait(self, seconds: float) -> None:
        """Wait for a time in seconds, or until a stop is requested."""
        select.select([self._receiver], [], [], seconds)

    def close(self) -> None:
        """Close the sockets."""
        self._receiver.close()
        self._sender.close()


def run(name: str, open_worker: Callable[[], AbstractContextManager[Worker]], stop: Stop, *, watch: Watch | None = None) -> None:
    """Run a worker until `stop`. After a transient error it is opened again; any other error is raised.

    One line is logged at each change of state: working, waiting (and for what), stopped. `watch` gets every change.
    """
    watch = watch or Watch(name)
    state, delay = "", BACKOFF_MIN_S
    while not stop.requested():
        try:
            with open_worker() as worker:
                while not stop.requested():
                    watch.step_begins(worker)
                    worker.step()
                    watch.step_ended()
                    if state != "working":
                        state, delay = "working", BACKOFF_MIN_S
                        log.info("worker_working", worker=name)
        except (LtcError, psycopg.Error) as error:
            if not _passes(error):
                raise
            code = error.code if isinstance(error, LtcError) else diagnose(error).code
            watch.waits(code, error_text(error))
            if state != code and not stop.requested():
                state = code
                log.warning("worker_waiting", worker=name, reason=code, detail=error_text(error))
            stop.wait(delay)
            delay = min(delay * 2, BACKOFF_MAX_S)
    log.info("worker_stopped", worker=name)


def _passes(error: LtcError | psycopg.Error) -> bool:
    """Whether the error is transient: nothing is half done, and a retry may succeed."""
    return error.kind is Kind.UNAVAILABLE if isinstance(error, LtcError) else waits(error)


def stop_on_signals(stop: Stop) -> None:
    """SIGTERM and SIGINT request the stop; after a grace period the process exits at once, which is safe at any moment."""

    def ask(_: int, __: FrameType | None) -> None:
        stop()
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(DRAIN_S)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
