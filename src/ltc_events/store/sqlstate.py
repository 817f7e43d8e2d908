"""Diagnoses errors of the database by SQLSTATE: whether to wait, retry, or report. The only module that decides this.

An SQLSTATE has two characters for the class and three for the condition. A condition without a rule of its own follows the
rule of its class.
"""

from enum import StrEnum
from typing import Any, NamedTuple

import psycopg

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.store.errors import StoreWentBack, UnknownEvent


class Fault(StrEnum):
    """The cause of an error."""

    EVENT = "event"
    """The same rows fail again, here and anywhere: a read table does as it declares (`on_failure`)."""
    RETRY = "retry"
    """It passes by itself: nothing is half done, so the same again, a moment later."""
    OPERATOR = "operator"
    """No event is to blame, and it does not pass before somebody has put something right."""


class Diagnosis(NamedTuple):
    """The diagnosis of an error. `code` is for programs, `fix` for people (empty: the error's own message)."""

    fault: Fault
    code: str
    fix: str
    waits: bool
    """Whether to wait and try the same again, unasked. Else it is tried again when somebody says so."""


def _events(code: str) -> Diagnosis:
    fix = "the same fails again: see what the message names; of a read table, `ltc projections status` says at which event"
    return Diagnosis(Fault.EVENT, code, fix, False)


def _passes(code: str, fix: str) -> Diagnosis:
    return Diagnosis(Fault.RETRY, code, fix, True)


def _awaits(code: str, fix: str) -> Diagnosis:
    return Diagnosis(Fault.OPERATOR, code, f"{fix}; what waits for it goes on by itself then", True)


def _stops(code: str, fix: str) -> Diagnosis:
    return Diagnosis(Fault.OPERATOR, code, fix, False)


_AWAY = _passes("database", "check that the database is running; `ltc doctor` looks at it")
_ENDED = _passes("database", "somebody ended the connection or the server is restarting: the same again goes on where it was")
_LOCKED = _passes("locked", "the same again, in a moment; pg_stat_activity and pg_blocking_pids() name who holds the lock")
_DEFECT = _stops(
    "database", "run `ltc init` as the database's owner, which adds what this version needs; if it comes again, report it"
)
_DAMAGED = _stops(
    "database", "look into the server's log: its data or its disk may be damaged; a read table can be built anew, the log not"
)

RULES: dict[str, Diagnosis] = {
    "08": _AWAY,
    "09": _events("refused_row"),  # triggered action
    "0A": _DEFECT,
    "21": _events("refused_row"),  # cardinality: one row named twice
    "22": _events("refused_value"),
    "23": _events("refused_row"),
    "25": _DEFECT,
    "25006": _awaits("read_only", "the server takes no writes (a standby, or switched to read only): connect to the primary"),
    "25P03": _passes("database", "the server ended a transaction that was idle for too long: the same again"),
    "25P04": _passes("database", "a transaction took too long for transaction_timeout: the same again, or raise it"),
    "27": _events("refused_row"),  # triggered data change
    "28": _awaits("login", "check the login and its password (LTC_DATABASE_URL, LTC_DATABASE_PASSWORD_FILE) and pg_hba.conf"),
    "3D": _awaits("database", "there is no such database: check LTC_DATABASE_URL"),
    "40": _passes("database", "somebody else was at the same rows: the same again"),
    "40001": _passes(
        "database",
        "somebody else was at the same rows, or a standby had to apply a change to them (`hot_standby_feedback = on` avoids "
        "that): the same again",
    ),
    "42": _DEFECT,
    "42501": _stops(
        "privilege",
        "connect as a member of the group that this needs, or as the ledger's owner; `ltc init` as the owner grants "
        "what is missing",
    ),
    "44": _events("refused_row"),  # WITH CHECK OPTION
    "53": _awaits("resources", "the server is short of something (its log says of what): give it more"),
    "53100": _awaits("disk_full", "no space is left on the disk of the database: free some there, or make it larger"),
    "53200": _awaits("out_of_memory", "the server is short of memory: give it more, or lower work_mem and maintenance_work_mem"),
    "53300": _awaits("connections", "the server has no connection left: raise max_connections, or end some"),
    "53400": _awaits("resources", "a limit of the server's configuration is reached (temp_file_limit, say): raise it"),
    "54": _events("limit_exceeded"),
    "55": _stops("database", "the object is not in a state for this (the message says why): put that right, then try again"),
    "55006": _LOCKED,
    "55P03": _LOCKED,
    "57": _ENDED,
    "57014": _passes("cancelled", "somebody, or statement_timeout, cancelled the statement: the same again"),
    "57P03": _AWAY,
    "57P04": _awaits("database", "the database was dropped: restore it, or check LTC_DATABASE_URL"),
    "58": _awaits("disk", "the server cannot read or write its files: look into its log, and at its disk"),
    "F0": _awaits("database", "the server's configuration cannot be read: look into its log"),
    "P0": _events("refused_row"),  # a trigger's own refusal
    "XX": _DAMAGED,
}
"""By SQLSTATE, or by its first two characters."""

_OTHER = _DEFECT
_LOST = _passes("database", "check that the database is running; `ltc doctor` looks at it")
_TOO_OLD = _stops("unknown_event", "run the version that wrote the event, or a newer one")
_MEMORY = _stops("out_of_memory", "give this process more memory")


def diagnose(error: BaseException) -> Diagnosis:
    """The diagnosis of any error; an error that does not come from the database counts as the event's own."""
    if isinstance(error, psycopg.Error):
        return _of_database(error)
    if isinstance(error, LtcError) and error.kind is Kind.UNAVAILABLE:
        return _LOST._replace(fix=error.fix)
    if isinstance(error, UnknownEvent):
        return _TOO_OLD
    if isinstance(error, StoreWentBack):
        return _stops(error.code, error.fix)
    return _MEMORY if isinstance(error, MemoryError) else _events("event")


def is_events_own(error: BaseException) -> bool:
    """Whether the event is at fault, so that writing the same rows would fail again."""
    return diagnose(error).fault is Fault.EVENT


TROUBLE = (psycopg.Error, LtcError)
"""The types of errors that may pass: those for which `waits` can be true."""


def waits(error: BaseException) -> bool:
    """Whether to wait and retry automatically; only true of a `TROUBLE`."""
    return diagnose(error).waits


def needs_operator(error: BaseException) -> bool:
    """Whether a program that ends with this error would end with it again until an operator has put something right."""
    if isinstance(error, LtcError):
        return error.kind in (Kind.DEFECT, Kind.USAGE)
    return isinstance(error, psycopg.Error) and diagnose(error).fault is Fault.OPERATOR and not waits(error)


def is_connection_gone(error: BaseException, connection: psycopg.Connection[Any]) -> bool:
    """Whether the error ended the connection or is about to."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return True  # not the server's word: of the link
    return connection.closed or connection.broken or error.diag.severity_nonlocalized in ("FATAL", "PANIC")


def _of_database(error: psycopg.Error) -> Diagnosis:
    state = error.sqlstate
    if state is not None:
        return RULES.get(state) or RULES.get(state[:2]) or _OTHER
    # Psycopg's own: what it could not send, or a link that it lost.
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return _LOST
    return _events("refused_value")
