"""A worker as it is, with points at which it may be killed or stopped, and guards that may be broken on purpose.

Nothing of this is in the product: its seams are wrapped here, from outside, before the worker begins. The harness asks for a
fault by putting a file into a folder; the first worker that comes to the point takes the file, and is hit.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from tests.e2e.faults.plan import LEASE_S, SESSION_TIMEOUT_MS
from tests.e2e.faults.statements import PATIENCE_S

from ltc_events.bus.consumer import PartitionConsumer
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import Bus
from ltc_events.projections.following import partition_runner
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.projections.writing import checkpoints
from ltc_events.projections.writing.checkpoints import Move
from ltc_events.projections.writing.table_writer import Writer
from ltc_events.recovery import topic_comparison
from ltc_events.store import Database, EventStore, lease
from ltc_events.store.lease import Lease
from ltc_events.workers import command, endpoint, loop, projector, relay
from ltc_events.workers.health import Checkup, Probe
from ltc_events.workers.monitoring_options import MonitoringOptions
from ltc_events.workers.probes import CommandProbe, ProjectorProbe, RelayProbe

BACKOFF_MAX_S = 0.5
ACTIONS = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP}
SEAMS: dict[str, dict[str, list[tuple[Any, str]]]] = {
    "command": {
        # The server is given all it needs, and works; later it is heard that it has stored it.
        "commit": [(EventStore, "begin_append")],
        "hear": [(EventStore, "_end_append")],
        "produce": [(Publisher, "send")],
        "checkpoint": [(EventStore, "advance")],
    },
    "relay": {"produce": [(Publisher, "send")], "checkpoint": [(Lease, "advance")]},
    # A transaction of one table or of several, and within it the rows of one.
    "projector": {
        "write": [(Writer, "_write"), (partition_runner, "write_shares"), (partition_runner, "move_idle_apart")],
        "rows": [(Writer, "_change")],
    },
}
"""By kind of worker: where it touches the world."""


class Post(NamedTuple):
    """Where a worker works."""

    conninfo: str
    bootstrap: str
    prefix: str
    folder: Path
    """Where faults are asked for, and what is logged."""
    does: str
    """Which worker of `OPEN` it is."""
    broken: str = ""
    """The guard that is broken on purpose."""


def asked(folder: Path, worker: str, point: str, action: str) -> Path:
    """The file that asks for a fault."""
    return folder / f"{worker}.{point}.{action}"


def main(kind: str, name: str, post: Post) -> None:
    """Work until SIGTERM."""
    out = os.open(post.folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr), cache_logger_on_first_use=False)
    threading.Thread(target=_end_with_harness, daemon=True).start()
    lease.IDLE_TIMEOUT_S = LEASE_S
    loop.BACKOFF_MAX_S = BACKOFF_MAX_S
    command.CommandWorker = partial(command.CommandWorker, session_timeout_ms=SESSION_TIMEOUT_MS)  # type: ignore[misc,assignment]
    BREAK[post.broken]()
    for what, seams in SEAMS[kind].items():
        for owner, method in seams:
            _wrap(owner, method, kind, what, post.folder)
    bus, database, stop = Bus(post.bootstrap, post.prefix), Database(post.conninfo), loop.Stop()
    loop.stop_on_signals(stop)
    _announce(post.folder / f"{name}.port")
    opened = partial(OPEN[post.does], bus, database, lambda: Publisher(bus, stopping=stop.requested))
    with endpoint.watched(
        kind, MonitoringOptions(0, unhealthy_after_s=PATIENCE_S), partial(PROBES[kind], bus, database)
    ) as watch:
        loop.run(kind, opened, stop, watch=watch)


def _announce(file: Path) -> None:
    """Let the endpoint take any port, and say which in a file."""

    class Announced(endpoint._Server):
        def server_bind(self) -> None:
            super().server_bind()
            file.write_text(str(self.server_address[1]))

    endpoint._Server = Announced  # type: ignore[misc]


def _end_with_harness() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _wrap(owner: Any, name: str, kind: str, what: str, folder: Path) -> None:
    original = getattr(owner, name)

    def exposed(*arguments: Any, **named: Any) -> Any:
        _meet(folder, kind, f"before-{what}")
        result = original(*arguments, **named)
        _meet(folder, kind, f"after-{what}")
        return result

    setattr(owner, name, exposed)


def _meet(folder: Path, kind: str, point: str) -> None:
    for action, how in ACTIONS.items():
        wanted = asked(folder, kind, point, action)
        with suppress(FileNotFoundError):
            wanted.rename(wanted.with_suffix(f".{action}.{os.getpid()}"))
            os.kill(os.getpid(), how)


def _open_command(bus: Bus, database: Database, publisher: Callable[[], Publisher]) -> AbstractContextManager[Any]:
    return command.open_command_worker(bus, database, publisher())


def _open_relay(bus: Bus, database: Database, publisher: Callable[[], Publisher]) -> AbstractContextManager[Any]:
    return relay.open_relay(bus, database, publisher())


class _Tailing:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def step(self) -> None:
        self._runner._log.wait(self._runner.catch_up(), 0.5)


def _open_projector(bus: Bus, database: Database, _: Callable[[], Publisher]) -> AbstractContextManager[Any]:
    return projector.open_projector(bus, database, session_timeout_ms=SESSION_TIMEOUT_MS)


@contextmanager
def _open_tailing(_: Bus, database: Database, __: Callable[[], Publisher]) -> Iterator[_Tailing]:
    with open_runner(database, PROJECTIONS) as runner:
        yield _Tailing(runner)


OPEN: dict[str, Callable[..., AbstractContextManager[Any]]] = {
    "command": _open_command,
    "relay": _open_relay,
    "projector": _open_projector,
    "tailing projector": _open_tailing,
}


PROBES: dict[str, Callable[[Bus, Database], Probe]] = {
    "command": CommandProbe,
    "relay": RelayProbe,
    "projector": lambda _, database: ProjectorProbe(database),
}


def _believe_old_figures() -> None:
    """Whatever was measured last counts as if it were of now."""
    Checkup._age_s = lambda _: 0.0  # type: ignore[method-assign]


def _forget_outcomes() -> None:
    """Commands that were decided before look new. (The harness drops the table's key as well.)"""
    original = EventStore.begin
    EventStore.begin = lambda *given: original(*given)._replace(outcomes={})  # type: ignore[method-assign]


def _move_checkpoint_blindly() -> None:
    """A projection writes, and moves its checkpoint, wherever that is."""

    def advance(self: Any, moves: Sequence[Move]) -> None:
        blind = self._move.rpartition(b" AND position = ")[0]
        for move in moves:
            self._connection.execute(blind, (move.position, move.next_offset, move.position, *self._place, move.partition))

    Writer._advance = advance  # type: ignore[method-assign]
    guard = b", c.position)\n        = (m.projection, m.version, m.partition, m.expected)"
    assert guard in checkpoints._MOVE_READ_TABLES
    unguarded = b") = (m.projection, m.version, m.partition)"
    checkpoints._MOVE_READ_TABLES = checkpoints._MOVE_READ_TABLES.replace(guard, unguarded)


def _go_on_whatever_others_have() -> None:
    """Nobody compares what is on Kafka with what the store has."""
    topic_comparison.TopicComparison.foreign = lambda *_: []  # type: ignore[method-assign]
    command.refuse_answers_ahead = lambda *_, **__: None  # type: ignore[attr-defined]
    projector.epoch_of = lambda _: None  # type: ignore[attr-defined]
    EventStore._require_same_server = lambda *_: None  # type: ignore[method-assign]


def _pass_over_what_expired() -> None:
    """Nobody looks whether a topic begins behind where it was read to."""
    command.expired_of = lambda *_: []  # type: ignore[attr-defined]
    PartitionConsumer._follow = lambda *_: None  # type: ignore[method-assign]


BREAK: dict[str, Callable[[], object]] = {
    "": lambda: None,
    "offset-cas": lambda: None,  # in the database, where the guard is
    "outcome-check": _forget_outcomes,
    "checkpoint": _move_checkpoint_blindly,
    "epoch": _go_on_whatever_others_have,
    "expiry": _pass_over_what_expired,
    "health": _believe_old_figures,
}
