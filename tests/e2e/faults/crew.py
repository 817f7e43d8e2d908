"""The workers of a run: started, stopped, killed, and replaced where too few are at work."""

import math
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from tests.e2e.faults import worker
from tests.e2e.faults.plan import WORKERS
from tests.e2e.faults.worker import ACTIONS, Post, asked

DRAIN_S = 12.0
"""Whoever is told to end has ended after so long; or somebody else ends it."""
REPLACE_S = 0.1
LATE_S = 3.0
"""So much later a worker may still end because of what it saw before that was taken care of."""
ILL_MAX = 5
"""Whoever ends by itself so often is replaced no more."""
# Whoever takes too long ends itself; and one that is told at once has not yet learned to do so in order.
_ENDED_IN_ORDER = (0, -signal.SIGALRM, -signal.SIGTERM)

# Workers are forked off a process that has imported everything: one starts within milliseconds.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([worker.__name__])


@contextmanager
def _path_in_environment() -> Iterator[None]:
    """That process looks for modules where its environment says, and not where this one does."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


class Hit(NamedTuple):
    """A worker has come to the point for which a fault was asked."""

    worker: str
    point: str
    action: str
    pid: int


class _Member:
    def __init__(self, kind: str, process: BaseProcess) -> None:
        self.kind = kind
        self.process = process
        self.resume_at: float | None = None
        self.told_at: float | None = None
        self.killed = False

    @property
    def is_at_work(self) -> bool:
        return self.process.is_alive() and not self.killed and self.resume_at is None and self.told_at is None


class Crew:
    """Workers at a post per kind. `tend` is to be called again and again."""

    def __init__(self, posts: dict[str, Post], wanted: dict[str, int]) -> None:
        self._posts = posts
        self._folder = posts[WORKERS[0]].folder
        self._wanted = dict(wanted)
        self._members: list[_Member] = []
        self._started = 0
        self._short_since: dict[str, float] = {}
        self._held: dict[str, int] = {}
        self._excused: dict[str, float] = {}
        """Errors with which workers may end now, as there is a reason for it."""
        self.said: list[str] = []
        """Such ends."""
        self.ill_ends: list[str] = []
        """Workers that ended though nobody had told them to, or not as they were told."""

    def tend(self) -> None:
        """Wake those that slept long enough, bury the dead, replace those that are missing."""
        now = time.monotonic()
        for member in self._members:
            if member.resume_at is not None and now >= member.resume_at:
                member.resume_at = None
                _signal(member, signal.SIGCONT)
            if member.told_at is not None and now >= member.told_at + DRAIN_S and member.process.is_alive():
                self.ill_ends.append(f"{member.kind} worker is still there {DRAIN_S:.0f} s after SIGTERM")
                self._kill(member)
        for member in [one for one in self._members if not one.process.is_alive()]:
            self._members.remove(member)
            self._judge(member)
        for kind in WORKERS:
            if len(self._at_work(kind)) >= self._wanted[kind]:
                self._short_since.pop(kind, None)
            elif len(self.ill_ends) < ILL_MAX and now - self._short_since.setdefault(kind, now) >= REPLACE_S:
                self._start(kind)

    def excuse(self, error: type[Exception]) -> None:
        """From now on whoever ends with this error says what is so, and what was said before counts no more."""
        self._excused[error.__name__] = math.inf
        self.said.clear()

    def excuse_no_more(self) -> None:
        """It is taken care of: only who looked before that still ends so."""
        self._excused = {error: min(until, time.monotonic() + LATE_S) for error, until in self._excused.items()}

    def add(self, kind: str) -> None:
        """One more from now on."""
        self._wanted[kind] += 1
        self._start(kind)

    def remove(self, kind: str) -> None:
        """Tell one to end; it is replaced only if it was the last."""
        self._wanted[kind] = max(1, self._wanted[kind] - 1)
        self._tell(self._at_work(kind)[0])

    def hold(self, kind: str) -> None:
        """Tell all of a kind to end, and replace none."""
        self._held.setdefault(kind, self._wanted[kind])
        self._wanted[kind] = 0
        for member in self._at_work(kind):
            self._tell(member)

    def release(self, kind: str) -> None:
        """Let as many be at work as before."""
        self._wanted[kind] = self._held.pop(kind, self._wanted[kind])

    def has_any(self, kind: str) -> bool:
        """Whether one of this kind is there, asleep or about to end included."""
        return any(one.kind == kind for one in self._members)

    def kill(self, kind: str) -> None:
        """End one at once."""
        self._kill(self._at_work(kind)[0])

    def pause(self, kind: str, seconds: float) -> None:
        """Stop one for a while. Meanwhile somebody else does its work."""
        member = self._at_work(kind)[0]
        _signal(member, signal.SIGSTOP)
        member.resume_at = time.monotonic() + seconds

    def has(self, kind: str) -> bool:
        """Whether one of this kind is at work."""
        return bool(self._at_work(kind))

    def ask(self, kind: str, point: str, action: str) -> None:
        """Let the next worker that comes to the point be hit."""
        asked(self._folder, kind, point, action).touch()

    def ask_no_more(self) -> list[str]:
        """Take back what was asked for and did not happen: `action worker point` of each."""
        left = []
        for file in self._folder.iterdir():
            kind, *rest = file.name.split(".")
            if len(rest) == 2 and rest[1] in ACTIONS:
                file.unlink(missing_ok=True)
                left.append(f"{rest[1]} {kind} {rest[0]}")
        return left

    def hits(self, pause_s: Callable[[str, str], float]) -> Iterator[Hit]:
        """Who was hit since the last look. Stopped ones go on after `pause_s` of their kind and point."""
        for file in self._folder.iterdir():
            kind, *rest = file.name.split(".")
            if len(rest) == 3:
                file.unlink()
                hit = Hit(kind, rest[0], rest[1], int(rest[2]))
                for member in self._members:
                    if member.process.pid == hit.pid:
                        member.killed |= hit.action == "kill"
                        if hit.action == "pause":
                            member.resume_at = time.monotonic() + pause_s(hit.worker, hit.point)
                yield hit

    def at_work(self) -> list[str]:
        """The names of those that are at work."""
        return [str(one.process.name) for one in self._members if one.is_at_work]

    def are_all_awake(self) -> bool:
        """Whether nobody sleeps or is about to end."""
        return all(one.is_at_work for one in self._members)

    def close(self) -> None:
        """Tell all to end, and wait for it."""
        self._wanted = dict.fromkeys(WORKERS, 0)
        for member in self._members:
            if member.resume_at is not None:
                member.resume_at = 0.0
            if member.told_at is None:
                self._tell(member)
        while self._members:
            self.tend()
            time.sleep(0.02)

    def end_at_once(self) -> None:
        """Leave nobody behind."""
        for member in self._members:
            member.process.kill()
            member.process.join()
        self._members.clear()

    def _at_work(self, kind: str) -> list[_Member]:
        return [one for one in self._members if one.kind == kind and one.is_at_work]

    def _start(self, kind: str) -> None:
        self._started += 1
        name = f"{kind}-{self._started}"
        process = _context.Process(name=name, target=worker.main, args=(kind, name, self._posts[kind]), daemon=True)
        with _path_in_environment():
            process.start()
        self._members.append(_Member(kind, process))

    def _tell(self, member: _Member) -> None:
        member.told_at = time.monotonic()
        _signal(member, signal.SIGTERM)

    def _kill(self, member: _Member) -> None:
        member.killed = True
        member.process.kill()

    def _judge(self, member: _Member) -> None:
        status = member.process.exitcode
        member.process.join()
        was_hit = any(self._folder.glob(f"*.kill.{member.process.pid}"))
        if (member.killed or was_hit) and status == -signal.SIGKILL:
            return
        words, now = self._last_words(member), time.monotonic()
        if status == 1 and any(f"{error}:" in words and now < until for error, until in self._excused.items()):
            self.said.append(words)
            return
        if member.told_at is None or status not in _ENDED_IN_ORDER:
            told = "told to end" if member.told_at is not None else "by itself"
            self.ill_ends.append(f"{member.kind} worker ended {told} with status {status}: {self._last_words(member)}")

    def _last_words(self, member: _Member) -> str:
        log = self._folder / f"{member.process.name}.log"
        return log.read_text().strip().rpartition("\n")[2] if log.exists() else "nothing: it ended before it had a log"


def _signal(member: _Member, how: signal.Signals) -> None:
    if member.process.pid is not None and member.process.is_alive():
        os.kill(member.process.pid, how)
