"""Logging: lines on stderr, as text or JSON."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO, cast

import structlog

from ltc_events.kernel.output_escaping import terminal_text
from ltc_events.store.confidential import all_without_secrets
from ltc_events.store.error_text import without_row_values


def is_json_log(log_format: str) -> bool:
    """Whether the log is JSON lines: by `log_format`, or by default unless stderr is a terminal."""
    return log_format == "json" or (log_format != "console" and not sys.stderr.isatty())


def configure_logging(log_format: str) -> None:
    """Log to stderr, as text or JSON lines, without secrets and values of rows; tracebacks show no variables."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if is_json_log(log_format)
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_row_values,
            structlog.processors.format_exc_info,
            _confidentially,
            *([] if is_json_log(log_format) else [_harmlessly]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Stderr())),
        cache_logger_on_first_use=True,
    )


class _Stderr:
    """The present `sys.stderr`: loggers are cached, and an embedding program may replace the stream."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _without_row_values(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.get("exc_info")
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        event["exc_info"] = without_row_values(error)
    return event


def _confidentially(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: all_without_secrets(value) for name, value in event.items()}


def _harmlessly(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: terminal_text(value) if isinstance(value, str) else value for name, value in event.items()}
