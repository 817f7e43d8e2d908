"""Traces in the store: beside the events, for those that came with one, in the transaction that stores the events."""

from typing import Any
from uuid import uuid4

from tests.commands import capture, register, rename, sell

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.tracing import Trace
from ltc_events.store import Database, EventStore, Role

CUSTOMER = uuid4()


def trace(number: int) -> Trace:
    return Trace(f"00-{number:032x}-{number:016x}-01", r"x=a\b")


def traced(number: int, command: dict[str, Any]) -> dict[str, Any]:
    return {**command, "traceparent": trace(number).parent, "tracestate": trace(number).state}


def test_events_are_found_with_the_trace_of_their_command(event_store: EventStore) -> None:
    pipeline = CommandPipeline(event_store, SystemClock())
    lead, opportunity = uuid4(), uuid4()
    first, second, *rest = sell(lead, opportunity, CUSTOMER)
    batch = [register(customer=CUSTOMER), traced(1, first), second, *(traced(2 + n, one) for n, one in enumerate(rest))]
    answers = pipeline.submit([*batch, traced(9, first), traced(7, rename("nobody", uuid4()))])
    wanted: dict[int, Trace] = {}
    for command, answer in zip(batch, answers, strict=False):
        assert isinstance(answer, Outcome)
        if "traceparent" in command:
            positions = range(answer.first_position, answer.last_position + 1)
            wanted |= dict.fromkeys(positions, Trace(command["traceparent"], command["tracestate"]))
    assert len(wanted) == 4, "of three commands: a conversion makes two events"
    head = event_store.head()[0]
    assert event_store.traces(0, head) == wanted
    for after in range(head):
        for limit in (1, 2, 3):
            page = {position: one for position, one in wanted.items() if after < position <= after + limit}
            assert event_store.traces(after, limit) == page


def test_a_lone_command_is_traced_too(event_store: EventStore) -> None:
    pipeline = CommandPipeline(event_store, SystemClock())
    pipeline.submit([register(customer=CUSTOMER)])
    for number in range(3):
        pipeline.submit([traced(number + 1, capture(uuid4(), CUSTOMER))])
    assert set(event_store.traces(0, 100).values()) == {trace(1), trace(2), trace(3)}


def test_the_projector_reads_traces_and_writes_none(database: Database, event_store: EventStore) -> None:
    CommandPipeline(event_store, SystemClock()).submit([traced(1, register(customer=CUSTOMER))])
    with EventStore(database, Role.PROJECTOR) as store:
        assert store.traces(0, 10) == {1: trace(1)}
