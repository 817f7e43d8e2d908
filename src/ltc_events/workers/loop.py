"""What every worker's life is like: start, take steps, wait and start anew when a server is away, end when told to."""

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
from ltc_events.workers.health import Watch

log = structlog.get_logger()

BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 5.0
# Less than those who stop processes wait before they kill them.
DRAIN_S = 9


class Worker(Protocol):
    """Something that works in steps."""

    def step(self) -> None:
        """Do what there is to do, some of it; wait for it a moment (at most a second) where there is nothing."""


class Stop:
    """Somebody wants the worker to end. Safe to call from a signal handler, which a lock would not be."""

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._requested = False

    def __call__(self) -> None:
        """Ask for the end."""
        self._requested = True
        self._sender.send(b"x")

    def requested(self) -> bool:
        """Whether somebody asked."""
        return self._requested

    def wait(self, seconds: float) -> None:
        """Wait so long, or until somebody asks."""
        select.select([self._receiver], [], [], seconds)

    def close(self) -> None:
        """Give the sockets back."""
        self._receiver.close()
        self._sender.close()


def run(name: str, open_worker: Callable[[], AbstractContextManager[Worker]], stop: Stop, *, watch: Watch | None = None) -> None:
    """Let a worker work until `stop`. Passing trouble makes it begin anew; any other is raised.

    One line is logged at each change of state: at work, waiting (and for what), stopped. `watch` is told all along.
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
            watch.waits(code, str(error).strip())
            if state != code and not stop.requested():
                state = code
                log.warning("worker_waiting", worker=name, reason=code, detail=str(error).strip())
            stop.wait(delay)
            delay = min(delay * 2, BACKOFF_MAX_S)
    log.info("worker_stopped", worker=name)


def _passes(error: LtcError | psycopg.Error) -> bool:
    """Whether nothing is half done, and the same again, later, may succeed."""
    return error.kind is Kind.UNAVAILABLE if isinstance(error, LtcError) else waits(error)


def stop_on_signals(stop: Stop) -> None:
    """SIGTERM and SIGINT ask for the end; if it takes too long, it comes at once, which is safe at any moment."""

    def ask(_: int, __: FrameType | None) -> None:
        stop()
        if hasattr(signal, "alarm"):
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(DRAIN_S)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
