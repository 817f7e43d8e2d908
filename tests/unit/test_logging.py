"""Log lines go to stderr as it is when they are written."""

import io
from contextlib import redirect_stderr

import structlog

from ltc_events.bootstrap.logs import configure_logging


def test_a_logger_outlives_the_stderr_that_it_was_first_used_with() -> None:
    first, second = io.StringIO(), io.StringIO()
    with redirect_stderr(first):
        configure_logging("json")
        log = structlog.get_logger("outliving")
        log.warning("before")
    told = first.getvalue()
    first.close()
    with redirect_stderr(second):
        log.warning("after")
    assert '"event": "before"' in told
    assert '"event": "after"' in second.getvalue()
