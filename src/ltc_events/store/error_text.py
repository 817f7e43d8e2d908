"""The text of database errors for logs, messages and records: without values of rows, which may be personal data.

PostgreSQL repeats values of rows in `DETAIL` ("Failing row contains …"), in `CONTEXT` (the line of a COPY) and, for invalid
values (SQLSTATE class 22), in the message itself. SQLSTATE, table, column and constraint say what failed.
"""

import re
from collections.abc import Iterator

import psycopg

_INVALID_VALUE = "22"
_QUOTED = re.compile(r"\".*\"|'.*'", re.DOTALL)
_AFTER_COLON = re.compile(r": (?!…).*", re.DOTALL)


def error_text(error: BaseException) -> str:
    """An error in one line. Of a database error: message, SQLSTATE, table, column and constraint."""
    return " ".join((_of_database(error) if isinstance(error, psycopg.Error) else str(error)).split())


def remove_row_values(error: BaseException | None) -> None:
    """Replace the text of all database errors in a chain of exceptions by `error_text`, before a traceback is written."""
    for one in _chain(error):
        if isinstance(one, psycopg.Error):
            one.args = (error_text(one),)


def _of_database(error: psycopg.Error) -> str:
    told, state = error.diag, error.sqlstate
    if state is None or told.message_primary is None:
        # Psycopg's own: of the connection, or of a value that it could not convert.
        return _masked(str(error)) if isinstance(error, psycopg.DataError) else str(error)
    text = _masked(told.message_primary) if state.startswith(_INVALID_VALUE) else told.message_primary
    named = {"table": told.table_name, "column": told.column_name, "constraint": told.constraint_name}
    return f"{text} ({', '.join([f'SQLSTATE {state}', *(f'{name} {value}' for name, value in named.items() if value)])})"


def _masked(text: str) -> str:
    return _AFTER_COLON.sub(": …", _QUOTED.sub("…", text))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
