"""W3C Trace Context on commands: what is well formed goes on, what is not is left out and harms nobody."""

from datetime import UTC, datetime

import pytest
from tests.commands import register

from ltc_events.schemas.envelope import parse
from ltc_events.schemas.tracing import Trace

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_command_brings_its_trace_along() -> None:
    trace = parse({**register(), "traceparent": PARENT, "tracestate": "vendor=a,other=b"}, NOW).trace
    assert trace == Trace(PARENT, "vendor=a,other=b")
    assert trace.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert trace.headers() == [("traceparent", PARENT.encode()), ("tracestate", b"vendor=a,other=b")]
    assert Trace(PARENT).headers() == [("traceparent", PARENT.encode())]


def test_a_trace_is_no_part_of_what_makes_a_command_the_same() -> None:
    command = register()
    hashes = {parse(one, NOW).content_hash for one in (command, {**command, "traceparent": PARENT, "tracestate": "a=b"})}
    assert len(hashes) == 1
    assert parse(command, NOW).trace is None


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        PARENT.upper(),
        PARENT + "-00",
        PARENT + "\n",
        "ff" + PARENT[2:],
        "00-" + 32 * "0" + PARENT[35:],
        PARENT[:36] + 16 * "0" + "-01",
        17,
        None,
        {},
    ],
)
def test_what_is_malformed_is_left_out(parent: object) -> None:
    message = parse({**register(), "traceparent": parent, "tracestate": "a=b"}, NOW)
    assert message.trace is None
    assert message.command is not None


@pytest.mark.parametrize("state", ["", "a=\n", "a=ü", 600 * "x", 5, None])
def test_a_malformed_state_does_not_take_the_parent_with_it(state: object) -> None:
    assert parse({**register(), "traceparent": PARENT, "tracestate": state}, NOW).trace == Trace(PARENT)
