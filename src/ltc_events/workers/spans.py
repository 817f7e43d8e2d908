"""OpenTelemetry spans of workers; without configuration OpenTelemetry is not imported.

The trace that comes with a command is passed on with its events and outcome in any case. With OpenTelemetry there are spans for
a command processed, its events published, and its events projected.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.tracing import PARENT, STATE, Trace
from ltc_events.schemas.undecodable import Undecodable

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "ltc-events"
FAREWELL_MS = 2_000


class TracingUnavailable(LtcError):
    """OpenTelemetry is configured, and its packages are not installed"""

    kind = Kind.DEFECT
    remedy = "pip install 'ltc-events[otel]', or unset OTEL_EXPORTER_OTLP_ENDPOINT"


class Spans:
    """The spans of commands and events. Not thread-safe."""

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    def of_commands(self, topic: str, documents: Sequence[Mapping[str, Any] | Undecodable]) -> "list[Span | None]":
        """A span per command; None for a message that is no command."""
        return [None if isinstance(one, Undecodable) else self._of_command(topic, one) for one in documents]

    def end_commands(self, spans: "Sequence[Span | None]", answers: Sequence[Outcome | Undecodable]) -> None:
        """End the spans of commands that are stored and answered."""
        for span, answer in zip(spans, answers, strict=True):
            if span is not None:
                if isinstance(answer, Outcome):
                    span.set_attribute("ltc.outcome", answer.document()["status"])
                    span.set_attribute("ltc.position", answer.last_position)
                else:
                    span.set_attribute("ltc.outcome", "undecodable")
                span.end()

    @contextmanager
    def publishing(self, topic: str, traces: Mapping[int, Trace]) -> Iterator[dict[int, Trace]]:
        """Spans for events being published; returns the traces to send with them, by position."""
        spans = {position: self._of_event("publish", topic, position, trace) for position, trace in traces.items()}
        yield {position: trace_of(span) for position, span in spans.items()}
        for span in spans.values():
            span.end()

    @contextmanager
    def projecting(self, topic: str, traces: Mapping[int, Trace]) -> Iterator[None]:
        """Spans for events being projected, by position."""
        spans = [self._of_event("project", topic, position, trace) for position, trace in traces.items()]
        yield
        for span in spans:
            span.end()

    def _of_command(self, topic: str, document: Mapping[str, Any]) -> "Span":
        from opentelemetry.trace import SpanKind

        attributes = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.message.id": str(document.get("id")),
            "messaging.message.conversation_id": str(document.get("correlationid", document.get("id"))),
            "ltc.type": str(document.get("type")),
        }
        trace = Trace.of(document)
        context = None if trace is None else _context(trace)
        return self._tracer.start_span(f"process {topic}", context, SpanKind.CONSUMER, attributes)

    def _of_event(self, what: str, topic: str, position: int, trace: Trace) -> "Span":
        from opentelemetry.trace import SpanKind

        kind = SpanKind.PRODUCER if what == "publish" else SpanKind.CONSUMER
        attributes: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "ltc.position": position,
        }
        return self._tracer.start_span(f"{what} {topic}", _context(trace), kind, attributes)


def under(span: "Span | None", document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message with this span as its trace parent."""
    if span is None:
        return document
    trace = trace_of(span)
    return {**document, PARENT: trace.parent, STATE: trace.state}


def trace_of(span: "Span") -> Trace:
    """The trace of a span."""
    context = span.get_span_context()
    parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return Trace(parent, context.trace_state.to_header())


def is_configured() -> bool:
    """Whether OpenTelemetry's own environment variables name an exporter or endpoint."""
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not is_disabled and any(os.environ.get(name) for name in ENDPOINTS)


@cache
def spans() -> Spans | None:
    """The spans of this process; None where OpenTelemetry is not configured. Raises TracingUnavailable."""
    if not is_configured():
        return None
    import atexit

    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingUnavailable from error
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": SERVICE}
    # Shutting down would wait for a collector that is away; what it has not taken by then is not worth that.
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    atexit.register(provider.force_flush, FAREWELL_MS)
    return Spans(provider.get_tracer("ltc_events"))


def _context(trace: Trace) -> "Context":
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

    _, trace_id, span_id, flags = trace.parent.split("-")
    state = TraceState.from_header([trace.state]) if trace.state else None
    parent = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)), state)
    return set_span_in_context(NonRecordingSpan(parent))
