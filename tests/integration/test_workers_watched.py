"""Workers that are watched: real processes, scraped over HTTP, while they work, hang and wait."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

from prometheus_client.parser import text_string_to_metric_families
from tests.broker import send, until
from tests.commands import register, rename
from tests.integration.test_workers_command import answered
from tests.integration.test_workers_loop import environment

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.local_broker import free_port
from ltc_events.bus.topics import COMMANDS, EVENTS, Bus
from ltc_events.store import Commit, Database, DeadLetter, EventStore, Role

PATIENCE_S = 3.0


class Page(NamedTuple):
    """An answer over HTTP."""

    status: int
    body: str
    content_type: str


class Watched:
    """A worker in a process of its own, and what it tells."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._port = port

    def page(self, path: str) -> Page:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                return Page(answer.status, answer.read().decode(), answer.headers["Content-Type"])
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.read().decode(), error.headers["Content-Type"])
        except OSError:
            return Page(0, "", "")

    def health(self) -> dict[str, Any]:
        page = self.page("/healthz")
        return {"status": page.status, **(json.loads(page.body) if page.body else {})}

    def metrics(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """Values by name and values of labels."""
        families = text_string_to_metric_families(self.page("/metrics").body)
        return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


@contextmanager
def watched(kind: str, bus: Bus, database: Database, *, port: int = 0, **more: str) -> Iterator[Watched]:
    port = port or free_port()
    settings = environment(bus, database) | {"LTC_METRICS_PORT": str(port), "LTC_UNHEALTHY_AFTER": str(PATIENCE_S)} | more
    process = subprocess.Popen([sys.executable, "-m", "ltc_events", "worker", kind], env=settings, stderr=subprocess.PIPE)
    try:
        yield Watched(port, process)
    finally:
        process.terminate()
        told = process.communicate(timeout=60)[1]
        assert b"Traceback" not in told, told.decode()


def some(bus: Bus, count: int) -> list[dict[str, Any]]:
    customers = [uuid4() for _ in range(count)]
    commands = [register(f"Customer {number}", customer) for number, customer in enumerate(customers)]
    send(bus, COMMANDS, [command_message(one) for one in commands])
    return commands


def test_what_a_command_worker_tells(bus: Bus, database: Database, event_store: EventStore) -> None:
    event_store.append(Commit(dead_letters=[DeadLetter("before", b"x", "no")]))
    first = register("Customer")
    refused = rename("nobody", uuid4())
    send(bus, COMMANDS, [*map(command_message, [first, first, refused]), (b"x", b"garbage", [])])
    with watched("command", bus, database) as worker:
        until(lambda: answered(bus, event_store) == 4)
        until(lambda: worker.metrics().get(("ltc_command_lag_messages", ("0",))) == 0.0)
        told = worker.metrics()
        counts = {labels[0]: value for (name, labels), value in told.items() if name == "ltc_commands_total"}
        assert counts == {"accepted": 1, "refused": 1, "duplicate": 1, "undecodable": 1}
        assert told["ltc_command_batch_size_sum", ()] == 4
        assert told["ltc_commit_seconds_count", ()] == told["ltc_command_batch_size_count", ()] >= 1
        assert 0 < told["ltc_commit_seconds_sum", ()] < 60
        assert told["ltc_dead_letters", ("open",)] >= 1
        assert told["ltc_log_position", ()] == 1
        assert told["ltc_worker_healthy", ("command",)] == 1
        assert told["ltc_oldest_unprocessed_seconds", ()] == 0
        assert {labels for name, labels in told if name == "ltc_command_lag_messages"} == {("0",), ("1",), ("2",)}
        assert not any(name.startswith(("ltc_relay", "ltc_projector")) for name, _ in told), "only of what it does"
        assert "text/plain" in worker.page("/metrics").content_type
        assert worker.page("/else").status == 404
        health = worker.health()
        assert (health["status"], health["worker"], health["state"]) == (200, "command", "working")
        assert health["why"].startswith("nothing waits for it")


def test_a_relay_that_hangs_in_a_step_turns_unhealthy_and_well_again(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    with watched("relay", bus, database) as relay, watched("command", bus, database) as command:
        some(bus, 1)
        until(lambda: relay.metrics().get(("ltc_relay_position", ())) == 1.0)
        assert relay.health()["status"] == 200
        with database.connect(Role.OWNER) as owner:
            # Whoever moves the relay's offset waits for us.
            owner.execute("SELECT FROM ltc.offsets WHERE feed = %s FOR UPDATE", (bus.topic(EVENTS),))
            some(bus, 2)
            until(lambda: relay.health()["status"] == 503 and relay.health()["lag"] == 2)
            until(lambda: all(one in relay.health()["why"] for one in ("has not moved", "in a step since")))
            assert relay.health()["unmoved_seconds"] >= PATIENCE_S
            until(lambda: relay.metrics()["ltc_worker_healthy", ("relay",)] == 0)
            until(lambda: relay.metrics().get(("ltc_relay_lag_events", ())) == 2)
            # What waits is younger than the time for which nothing has moved.
            for name in ("ltc_relay_lag_seconds", "ltc_oldest_unprocessed_seconds"):
                until(lambda name=name: relay.metrics().get((name, ()), 0) > 1)  # type: ignore[misc]
            until(lambda: command.health()["status"] == 200)  # the other worker has nothing to do with it
            owner.rollback()
        until(lambda: relay.health()["status"] == 200)
        until(lambda: relay.metrics()["ltc_relay_lag_events", ()] == 0)


def values_of(worker: Watched, metric: str) -> list[float]:
    """The values of a metric, whatever its labels."""
    return [value for (name, _), value in worker.metrics().items() if name == metric]


def test_a_command_worker_that_hangs_tells_how_old_the_oldest_command_is(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    with watched("command", bus, database) as command:
        some(bus, 1)
        until(lambda: answered(bus, event_store) == 1)
        with database.connect(Role.OWNER) as owner:
            owner.execute("SELECT FROM ltc.head FOR UPDATE")
            some(bus, 3)
            until(lambda: command.health()["status"] == 503)
            # Where the machine has much to do, a figure may be too old to be told for a moment.
            until(lambda: command.health()["lag"] == 3)
            until(lambda: max(values_of(command, "ltc_command_lag_seconds"), default=0) > 1)
            until(lambda: sum(values_of(command, "ltc_command_lag_messages")) == 3)
            owner.rollback()
        until(lambda: command.health()["status"] == 200 and answered(bus, event_store) == 4)


def test_a_standby_with_nothing_to_do_is_well(bus: Bus, database: Database, event_store: EventStore) -> None:
    event_store.append(Commit(dead_letters=[DeadLetter("none", b"", "")]))
    with database.connect(Role.WRITER, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (bus.topic(EVENTS),))
        with watched("relay", bus, database) as relay:
            until(lambda: relay.health().get("state") == "working")
            with watched("command", bus, database):
                some(bus, 2)
                until(lambda: event_store.head()[0] == 2)
            time.sleep(2 * PATIENCE_S)
            assert relay.health()["status"] == 200


def test_waiting_for_a_broker_is_told_at_once_and_is_ill_when_it_lasts(database: Database, event_store: EventStore) -> None:
    with watched("relay", Bus("127.0.0.1:1"), database) as relay:
        until(lambda: relay.health().get("state") == "bus_unreachable")
        until(lambda: ("ltc_worker_waiting_seconds", ("bus_unreachable",)) in relay.metrics())
        assert relay.metrics()["ltc_worker_waits_total", ("bus_unreachable",)] == 1
        until(lambda: relay.health()["status"] == 503)
        assert "bus_unreachable" in relay.health()["why"]
        assert relay.health()["lag"] == 0, "the database can be asked"
        CommandPipeline(event_store, SystemClock()).submit([register()])
        until(lambda: relay.health()["lag"] == 1)


def test_a_family_has_a_port_each(database: Database, event_store: EventStore) -> None:
    """Without Kafka: a projector on the port that was named, a clock on the next."""
    port = free_port()
    CommandPipeline(event_store, SystemClock()).submit([register(f"Customer {number}", uuid4()) for number in range(3)])
    with watched("all", Bus(""), database, port=port) as projector:
        clock = Watched(port + 1, projector.process)
        until(lambda: projector.metrics().get(("ltc_projector_position", ("customers",))) == 3.0)
        until(lambda: clock.health().get("status") == 200)
        assert (projector.health()["worker"], clock.health()["worker"]) == ("projector", "clock")
        told = projector.metrics()
        assert told["ltc_projector_lag_events", ("customers",)] == told["ltc_projector_failed", ("customers",)] == 0
        assert told["ltc_worker_healthy", ("projector",)] == clock.metrics()["ltc_worker_healthy", ("clock",)] == 1
        CommandPipeline(event_store, SystemClock()).submit([register("Another", uuid4())])
        until(lambda: projector.metrics()["ltc_projector_position", ("customers",)] == 4)


def test_a_projector_that_hangs_turns_unhealthy(database: Database, event_store: EventStore) -> None:
    with watched("projector", Bus(""), database) as projector:
        until(lambda: ("ltc_projector_position", ("customers",)) in projector.metrics())
        with database.connect(Role.OWNER) as owner:
            owner.execute("SELECT FROM ltc_read.checkpoints WHERE projection = 'customers' FOR UPDATE")
            CommandPipeline(event_store, SystemClock()).submit([register()])
            until(lambda: projector.health()["status"] == 503)
            until(lambda: projector.health()["lag"] == 1)
            until(lambda: projector.metrics().get(("ltc_projector_lag_seconds", ("customers",)), 0) > 1)
            owner.rollback()
        until(lambda: projector.health()["status"] == 200)


def test_a_port_that_is_taken_is_named(bus: Bus, database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with watched("relay", bus, database, port=port) as relay:
            assert relay.process.wait(30) == 1
            assert relay.process.stderr is not None
            told = relay.process.stderr.read().decode()
    assert str(port) in told
    assert "--metrics-port" in told


def test_without_a_port_nobody_listens(bus: Bus, database: Database) -> None:
    port = free_port()
    with watched("relay", bus, database, port=port, LTC_METRICS_PORT="") as relay:
        assert relay.process.stderr is not None
        relay.process.stderr.readline()
        assert relay.page("/healthz").status == 0
