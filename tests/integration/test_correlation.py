"""One trace from the sender's command to the read table: in headers, in spans, in the log."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from structlog.testing import capture_logs
from tests.broker import everything, send, until
from tests.commands import register, rename
from tests.integration.test_workers_command import ROOT, answered
from tests.integration.test_workers_loop import environment
from tests.integration.test_workers_relay import published

from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS, Bus
from ltc_events.projections.catalog.status import projection_status
from ltc_events.store import Database, EventStore, NotInitialised
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.relay import open_relay

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENDER = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SENDER}-01"
CORRELATION, CAUSATION = str(uuid4()), str(uuid4())


def sent(bus: Bus, command: dict[str, Any], *headers: tuple[str, bytes]) -> dict[str, Any]:
    key, value, own = command_message(command)
    send(bus, COMMANDS, [(key, value, [*own, *headers])])
    return command


@pytest.mark.parametrize("name", ["traceparent", "ce_traceparent"])
def test_a_trace_goes_on_with_the_event_and_the_result(bus: Bus, database: Database, event_store: EventStore, name: str) -> None:
    command = {**register(), "correlationid": CORRELATION, "causationid": CAUSATION}
    sent(bus, command, (name, PARENT.encode()), ("tracestate", b"vendor=1"))
    sent(bus, register("Untraced"))
    sent(bus, register("Garbled"), ("traceparent", b"\xff\xfe"), ("tracestate", b"\xff"))
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        until(lambda: answered(bus, event_store) == 3, worker.step)
    with open_relay(bus, database, Publisher(bus)) as relay:
        until(lambda: published(bus, event_store), relay.step)
    for topic in (EVENTS, RESULTS):
        arrived = everything(bus, topic)
        assert len(arrived) == 3
        (traced,) = [one for one in arrived if one.key == command["partitionkey"].encode()]
        assert traced.headers["traceparent"] == PARENT.encode()
        assert traced.headers["tracestate"] == b"vendor=1"
        assert traced.headers["ce_correlationid"] == CORRELATION.encode()
        others = [one for one in arrived if one is not traced]
        assert not any("traceparent" in one.headers or "tracestate" in one.headers for one in others)
    (event,) = [one for one in everything(bus, EVENTS) if "traceparent" in one.headers]
    assert event.headers["ce_causationid"] == CAUSATION.encode()
    assert event.headers["ce_commandid"] == command["id"].encode()


class Span(NamedTuple):
    """A span as a collector got it."""

    name: str
    id: str
    parent: str
    service: str
    attributes: dict[str, str]


class Collector:
    """Takes spans over OTLP/HTTP, as any collector does."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = {}
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                for one in scope.spans:
                    found = {it.key: it.value.string_value or str(it.value.int_value) for it in one.attributes}
                    span = Span(one.name, one.span_id.hex(), one.parent_span_id.hex(), named["service.name"], found)
                    self.spans.setdefault(one.trace_id.hex(), []).append(span)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def fed_by(database: Database) -> set[str]:
    """Where the read tables take events from."""
    try:
        return {one.source for one in projection_status(database)}
    except (NotInitialised, psycopg.OperationalError):  # they are being laid out
        return set()


def test_spans_lead_from_the_sender_to_the_read_table(bus: Bus, database: Database, collector: Collector) -> None:
    settings = environment(bus, database) | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with ExitStack() as stack:
        for kind in ("command", "relay", "projector"):
            words = [sys.executable, "-m", "ltc_events", "worker", kind]
            worker = subprocess.Popen(words, env=settings, stderr=subprocess.PIPE)
            stack.callback(worker.communicate, timeout=20)
            stack.callback(worker.terminate)
        until(lambda: fed_by(database) == {bus.topic(EVENTS)})
        command = sent(bus, register(), ("traceparent", PARENT.encode()))
        until(lambda: len(collector.spans.get(TRACE, ())) == 3)
    spans = {one.name.split()[0]: one for one in collector.spans[TRACE]}
    assert {one.service for one in spans.values()} == {"ltc-events"}
    process, publish, project = spans["process"], spans["publish"], spans["project"]
    assert (process.parent, publish.parent, project.parent) == (SENDER, process.id, publish.id)
    assert process.attributes["messaging.message.id"] == command["id"]
    assert process.attributes["ltc.outcome"] == "accepted"
    assert publish.attributes["ltc.position"] == project.attributes["ltc.position"] == "1"
    (event,) = everything(bus, EVENTS)
    assert event.headers["traceparent"].decode() == f"00-{TRACE}-{publish.id}-01"
    (result,) = everything(bus, RESULTS)
    assert result.headers["traceparent"].decode() == f"00-{TRACE}-{process.id}-01"


def test_nothing_of_opentelemetry_is_imported_unless_it_is_configured() -> None:
    program = """
import sys
import ltc_events.workers.command, ltc_events.workers.relay, ltc_events.workers.projector
from ltc_events.workers.spans import spans
assert spans() is None
print(json.dumps([name for name in sys.modules if name.startswith("opentelemetry")]))
"""
    for more in ({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}):
        settings = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", **more}
        words = [sys.executable, "-c", "import json" + program]
        done = subprocess.run(words, env=settings, capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stdout.strip()) == (0, b"[]"), done.stderr.decode()


def test_the_log_names_what_it_speaks_of(bus: Bus, database: Database, event_store: EventStore) -> None:
    refused = {**rename("nobody", uuid4()), "correlationid": CORRELATION, "causationid": CAUSATION}
    sent(bus, refused, ("traceparent", PARENT.encode()))
    sent(bus, refused)
    unknown = {**register(), "type": "ltc.nothing.do.v1"}
    sent(bus, unknown)
    with open_command_worker(bus, database, Publisher(bus)) as worker, capture_logs() as logs:
        until(lambda: answered(bus, event_store) == 3, worker.step)
    (told,) = [one for one in logs if one["event"] == "command_refused"]
    assert told["command_id"] == refused["id"]
    assert (told["correlation_id"], told["causation_id"], told["trace_id"]) == (CORRELATION, CAUSATION, TRACE)
    assert told["reasons"] == ["does_not_exist"]
    (letter,) = [one for one in logs if one["event"] == "dead_letter"]
    assert (letter["command_id"], letter["log_level"]) == (unknown["id"], "warning")
    assert {"topic", "partition", "offset", "reason"} <= letter.keys()
    assert json.dumps([told, letter]), "as the log has it"
