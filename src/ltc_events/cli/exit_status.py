"""Exit status and error output of `ltc`.

1: refused or failed; 2: wrong usage; 130: interrupted. An error is two lines of text, with `--json` a JSON document on stdout,
and with `LTC_LOG_FORMAT` a log line. None of them contains secrets or values of rows.
"""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

import psycopg
import structlog

from ltc_events.bootstrap.logs import configure_logging, is_json_log
from ltc_events.cli.output import err, print_json
from ltc_events.cli.process import INTERRUPTED
from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.reports.errors import ReportBrokenOff
from ltc_events.store import diagnose
from ltc_events.store.confidential import without_secrets
from ltc_events.store.error_text import error_text, without_row_values
from ltc_events.store.sqlstate import needs_operator
from ltc_events.workers.supervisor import AWAITS_OPERATOR

FAILED, WRONG_USAGE = 1, 2
EXIT_STATUS = {Kind.USAGE: WRONG_USAGE, Kind.REFUSED: FAILED, Kind.UNAVAILABLE: FAILED, Kind.DEFECT: FAILED}
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def exit_with_error(error: BaseException, *, as_json: bool, log_format: str, supervised: bool = False) -> NoReturn:
    """Print the error and exit. A `supervised` worker exits with AWAITS_OPERATOR where a restart would not help."""
    if supervised and needs_operator(error):
        try:
            exit_with_error(error, as_json=as_json, log_format=log_format)
        except SystemExit:
            sys.exit(AWAITS_OPERATOR)
    output = _ErrorOutput(as_json=as_json, log_format=log_format)
    match error:
        case LtcError():
            # Half a document is on stdout already: another one after it would only hide that.
            output.as_json = as_json and not isinstance(error, ReportBrokenOff)
            output.fail(error.code, error.message, error.fix, status=EXIT_STATUS[error.kind])
        case KeyboardInterrupt():
            output.interrupted()
        case psycopg.Error():
            told = diagnose(error)
            output.fail(
                told.code, error_text(error), told.fix, status=WRONG_USAGE if isinstance(error, psycopg.DataError) else FAILED
            )
        case UnicodeEncodeError() if (word := _no_text(sys.argv)) is not None:
            output.fail("usage", f"{word} is no text in UTF-8", "write it in UTF-8", status=WRONG_USAGE)
        case BrokenPipeError():
            leave_quietly()
        case OSError() if error.errno in _NO_SPACE:
            _forget_stdout()
            output.as_json = False
            output.fail("no_space", f"no space is left{_place(error)}", "make room, and run the same command again")
        case OSError():
            output.fail("system", f"{error.strerror or error}{_place(error)}", "see that this user may read and write there")
        case _:
            output.crash(error)


def usage(error: Any, *, as_json: bool, log_format: str) -> NoReturn:
    """Print a usage error with the valid choices."""
    help_of = error.ctx.command_path if error.ctx else "ltc"
    error.message = without_secrets(error.message)
    output = _ErrorOutput(as_json=as_json, log_format=log_format)
    if as_json or is_json_log(log_format):
        output.fail("usage", error.format_message(), f"`{help_of} --help` shows what there is", status=error.exit_code)
    error.show()
    sys.exit(error.exit_code)


def leave_quietly() -> NoReturn:
    """Exit silently after a broken pipe."""
    _forget_stdout()
    sys.exit(1)


def _forget_stdout() -> None:
    """Discard buffered output that cannot be written, so that the interpreter does not try at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _no_text(words: Sequence[str]) -> str | None:
    """The first argument that is not valid text, or the option before it."""
    for before, word in zip(["", *words], words, strict=False):
        if any("\ud800" <= one <= "\udfff" for one in word):
            option = word.partition("=")[0] if word.startswith("--") else before
            return option if option.startswith("-") else "an argument"
    return None


def _place(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


class _ErrorOutput:
    def __init__(self, *, as_json: bool, log_format: str) -> None:
        self.as_json = as_json
        self._is_log = is_json_log(log_format)
        configure_logging(log_format)

    def fail(self, code: str, message: str, fix: str, *, status: int = FAILED) -> NoReturn:
        message, fix = without_secrets(message), without_secrets(fix)
        if self.as_json:
            print_json({"error": {"code": code, "message": message, "fix": fix}})
        if self._is_log:
            structlog.get_logger().error("failed", code=code, message=message, fix=fix)
        else:
            err.print(f"[bold red]error[/] {_plain(message)}")
            if fix:
                err.print(f"[bold]fix[/]   {_plain(fix)}")
        sys.exit(status)

    def interrupted(self) -> NoReturn:
        """Report an interruption in one line."""
        message, fix = "interrupted", "what was done is kept: the same command goes on"
        if self.as_json:
            print_json({"error": {"code": "interrupted", "message": message, "fix": fix}})
        err.print(f"{message}; {fix}")
        sys.exit(INTERRUPTED)

    def crash(self, error: BaseException) -> NoReturn:
        """Report a defect with its traceback."""
        name = f"{type(error).__name__}: {error_text(error)}"
        trace = without_secrets("".join(traceback.format_exception(without_row_values(error))))
        if not self._is_log:
            sys.stderr.write(trace)
            self.fail("defect", name, "this is a defect of ltc-events: report it with the lines above")
        structlog.get_logger().error("crashed", exception=trace)
        self.fail("defect", name, "this is a defect of ltc-events: report it with the trace in the log")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
