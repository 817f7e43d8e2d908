"""What all workers have in common: waiting for servers that are away, a line per change of state, ending when told to."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from tests.broker import everything, send, until
from tests.commands import register

from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.connection_check import BusUnreachable
from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS, Bus
from ltc_events.store import Database, EventStore, NotInitialised
from ltc_events.workers.loop import Stop, run

ROOT = Path(__file__).parents[2]


class Scripted:
    """A worker whose steps raise what they are told to."""

    def __init__(self, troubles: list[Exception | None], stop: Stop) -> None:
        self.troubles = troubles
        self.stop = stop
        self.opened = 0

    @contextmanager
    def open(self) -> Iterator["Scripted"]:
        self.opened += 1
        yield self

    def step(self) -> None:
        if not self.troubles:
            self.stop()
        elif trouble := self.troubles.pop(0):
            raise trouble


def test_passing_trouble_makes_it_begin_anew_and_is_told_once() -> None:
    away = [BusUnreachable(bootstrap="x", reason="down") for _ in range(3)]
    stop = Stop()
    worker = Scripted([None, *away, None, None], stop)
    with capture_logs() as logs:
        run("test", worker.open, stop)
    assert worker.opened == 4
    assert [one["event"] for one in logs] == ["worker_working", "worker_waiting", "worker_working", "worker_stopped"]
    stop.close()


def test_other_trouble_ends_it() -> None:
    stop = Stop()
    with pytest.raises(NotInitialised):
        run("test", Scripted([NotInitialised()], stop).open, stop)
    stop.close()


def test_waiting_ends_when_told_to() -> None:
    stop = Stop()

    @contextmanager
    def nowhere() -> Iterator[Scripted]:
        raise BusUnreachable(bootstrap="x", reason="down")
        yield

    working = threading.Thread(target=run, args=("test", nowhere, stop))
    working.start()
    stop()
    working.join(timeout=60)
    assert not working.is_alive()
    stop.close()


def environment(bus: Bus, database: Database) -> dict[str, str]:
    """What the command line needs to find its servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LTC_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT / "src"),
        "LTC_DATABASE_URL": database.conninfo,
        "LTC_KAFKA_BOOTSTRAP": bus.bootstrap,
        "LTC_KAFKA_PREFIX": bus.prefix,
    }


def start(kind: str, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "ltc_events", "worker", kind]
    return subprocess.Popen(words, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_from_the_command_line_to_the_last_event(bus: Bus, database: Database, event_store: EventStore) -> None:
    workers = [start(kind, environment(bus, database)) for kind in ("command", "relay")]
    try:
        command = register()
        send(bus, COMMANDS, [command_message(command)])
        until(lambda: bool(everything(bus, EVENTS)))
        ((_, key, _, headers),) = everything(bus, EVENTS)
        assert key == command["partitionkey"].encode()
        assert headers["ce_commandid"] == command["id"].encode()
        until(lambda: bool(everything(bus, RESULTS)))
        assert UUID(command["id"]) in event_store.outcomes([UUID(command["id"])])
    finally:
        begun = time.monotonic()
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        told = [worker.communicate(timeout=60)[1].decode() for worker in workers]
    assert time.monotonic() - begun < 10
    assert [worker.returncode for worker in workers] == [0, 0], told
    assert all("worker_working" in one and "worker_stopped" in one for one in told)
    assert all("Traceback" not in one for one in told)


@pytest.mark.parametrize("kind", ["command", "relay"])
def test_told_to_end_while_the_broker_is_away(bus: Bus, database: Database, kind: str) -> None:
    nowhere = environment(bus, database) | {"LTC_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    worker = start(kind, nowhere)
    assert worker.stderr is not None
    assert b"bus_unreachable" in worker.stderr.readline()
    worker.send_signal(signal.SIGTERM)
    told = worker.communicate(timeout=60)[1].decode()
    assert worker.returncode == 0
    assert told.count("\n") == 1, f"one line per change of state: {told}"


def test_topics_are_made_once(bus: Bus, database: Database) -> None:
    settings = environment(bus, database) | {"LTC_KAFKA_PREFIX": f"{bus.prefix}-cli"}
    words = [sys.executable, "-m", "ltc_events", "init", "--kafka", "--partitions", "2", "--json"]
    made = [subprocess.run(words, env=settings, capture_output=True, check=True, timeout=60).stdout for _ in range(2)]
    assert made[0].count(f"{bus.prefix}-cli.".encode()) == 4
    assert b'"topics_made": []' in made[1]


def test_without_kafka_it_says_what_to_set(database: Database, bus: Bus) -> None:
    settings = environment(bus, database)
    del settings["LTC_KAFKA_BOOTSTRAP"]
    words = [sys.executable, "-m", "ltc_events", "worker", "relay"]
    done = subprocess.run(words, env=settings, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1
    assert b"LTC_KAFKA_BOOTSTRAP" in done.stderr
