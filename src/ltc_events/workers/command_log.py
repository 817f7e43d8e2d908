"""Log lines about single commands, with the ids that correlate them."""

from collections.abc import Mapping
from typing import Any

import structlog

from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.tracing import Trace
from ltc_events.schemas.undecodable import Undecodable

log = structlog.get_logger()


def log_refused(outcome: Outcome, document: Mapping[str, Any]) -> None:
    """Log a refused command; the sender corrects it."""
    codes = [reason.code for reason in outcome.reasons]
    log.info("command_refused", type=outcome.command_type, reasons=codes, **_ids(document))


def log_dead_letter(error: Undecodable, document: Mapping[str, Any] | Undecodable, place: tuple[str, int, int]) -> None:
    """Log a message that is no command; the operator handles it."""
    topic, partition, offset = place
    ids = {} if isinstance(document, Undecodable) else _ids(document)
    log.warning("dead_letter", topic=topic, partition=partition, offset=offset, reason=error.message, **ids)


def _ids(document: Mapping[str, Any]) -> dict[str, str]:
    """The ids of a command that are known. They come from outside and may have any content."""
    id = document.get("id")
    ids = {
        "command_id": id,
        "correlation_id": document.get("correlationid", id),
        "causation_id": document.get("causationid", id),
    }
    trace = Trace.of(document)
    told = {name: str(value)[:100] for name, value in ids.items() if value is not None}
    return told if trace is None else {**told, "trace_id": trace.trace_id}
