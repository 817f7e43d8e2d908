"""Somebody who watches the workers of a run as operators do: asks each for /healthz and /metrics all the time, from outside."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from http.client import HTTPException
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from tests.e2e.faults.statements import Outage, Said

LOOK_S = 0.15
ANSWER_S = 1.0


class Observer:
    """Scrapes whoever has a port in the folder, and notes when servers were away."""

    def __init__(self, ports: Callable[[], dict[str, int]]) -> None:
        self._ports = ports
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.said: list[Said] = []
        self._last: dict[str, Said] = {}
        self.outages: list[Outage] = []

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._end.set()
        self._thread.join()

    def goes(self, what: str) -> None:
        """A server is away from now on."""
        self.outages.append(Outage(what, time.monotonic(), None))

    def comes(self, what: str) -> None:
        """A server is about to be back."""
        self.outages = [
            one._replace(ended=time.monotonic()) if one.what == what and one.ended is None else one for one in self.outages
        ]

    def unwell(self, workers: Iterable[str], since: float) -> str:
        """Which of these workers is not well, by what it said since then; empty: all are at work and well."""
        for worker in workers:
            said = self._last.get(worker)
            if said is None or said.asked < since or said.health is None:
                return f"{worker} says nothing"
            if not said.health["healthy"] or said.health["waiting_seconds"]:
                return f"{worker} says it is not well: {said.health['why']}"
        return ""

    def _watch(self) -> None:
        while not self._end.wait(LOOK_S):
            for worker, port in self._ports().items():
                self._last[worker] = said = ask(worker, port)
                self.said.append(said)


def ask(worker: str, port: int) -> Said:
    """What a worker says now: nothing of it where it does not answer."""
    asked = time.monotonic()
    health: dict[str, Any] | None = None
    metrics: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    with suppress(OSError, ValueError, HTTPException):  # killed in the middle of an answer, too
        health = json.loads(_page(port, "/healthz"))
        for family in text_string_to_metric_families(_page(port, "/metrics").decode()):
            for one in family.samples:
                metrics[one.name, tuple(sorted(one.labels.items()))] = one.value
    return Said(worker, asked, health, metrics)


def _page(port: int, path: str) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=ANSWER_S) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return bytes(error.read())


@contextmanager
def observed(servers: Any, folder: Path) -> Iterator[Observer]:
    """Watch the workers that leave their ports in the folder, while the block runs."""

    def ports() -> dict[str, int]:
        found = {}
        for file in folder.glob("*.port"):
            with suppress(OSError, ValueError):
                found[file.stem] = int(file.read_text())
        return found

    observer = Observer(ports)
    undo = [
        _told(servers.postgres, "stop_immediately", after=lambda: observer.goes("database")),
        _told(servers.postgres, "start", before=lambda: observer.comes("database")),
        _told(servers.broker, "kill", after=lambda: observer.goes("broker")),
        _told(servers.broker, "start", before=lambda: observer.comes("broker")),
    ]
    observer.start()
    try:
        yield observer
    finally:
        observer.stop()
        for one in undo:
            one()


def _told(
    owner: Any, name: str, *, before: Callable[[], object] = lambda: None, after: Callable[[], object] = lambda: None
) -> Callable[[], None]:
    """Let a method of this object tell when it begins or ends; what takes that back."""
    original = getattr(owner, name)

    @wraps(original)
    def telling(*arguments: Any, **named: Any) -> Any:
        before()
        result = original(*arguments, **named)
        after()
        return result

    setattr(owner, name, telling)
    return lambda: delattr(owner, name)
