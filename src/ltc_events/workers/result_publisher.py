"""Publishes the outcomes of retried dead letters, outside the command worker."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ltc_events.application.clock import SystemClock
from ltc_events.bus.cloudevents import result_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import RESULTS, Bus
from ltc_events.schemas.outcome import Outcome


@contextmanager
def open_result_publisher(bus: Bus) -> Iterator[Callable[[Outcome, Mapping[str, Any]], object]]:
    """A function that publishes the outcome of a command (given as its document) to the results topic. Raises BusUnreachable."""
    clock = SystemClock()
    with Publisher(bus) as publisher:
        yield lambda outcome, document: publisher.publish(bus.topic(RESULTS), [result_message(outcome, document, clock.now())])
