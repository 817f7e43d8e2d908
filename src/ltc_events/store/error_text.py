"""The text of errors for logs, messages and records: without values of rows and fields, which may be personal data.

PostgreSQL repeats values of rows in `DETAIL` ("Failing row contains …"), in `CONTEXT` (the line of a COPY) and, for invalid
values (SQLSTATE class 22), in the message itself. SQLSTATE, table, column and constraint say what failed. Pydantic repeats the
input of a field; model, field and kind of error say what failed.
"""

import re
from collections.abc import Iterator

import psycopg
from pydantic import ValidationError

_INVALID_VALUE = "22"
_QUOTED = re.compile(r"\".*\"|'.*'", re.DOTALL)
_AFTER_COLON = re.compile(r": (?!…).*", re.DOTALL)


def error_text(error: BaseException) -> str:
    """An error in one line. Of a database error: message, SQLSTATE, table, column, constraint; of pydantic's: model, fields."""
    if isinstance(error, psycopg.Error):
        text = _of_database(error)
    else:
        text = _of_model(error) if isinstance(error, ValidationError) else str(error)
    return " ".join(text.split())


def without_row_values(error: BaseException) -> BaseException:
    """The error, to write its traceback: all texts of database and validation errors in its chain are those of `error_text`.

    Database errors get another text. The text of a validation error is fixed, so another error takes its place in the chain.
    """
    for one in _chain(error):
        if isinstance(one, psycopg.Error):
            one.args = (error_text(one),)
        is_suppressed = one.__suppress_context__
        if isinstance(one.__cause__, ValidationError):
            one.__cause__ = _stand_in(one.__cause__)
        if isinstance(one.__context__, ValidationError):
            one.__context__ = _stand_in(one.__context__)
        one.__suppress_context__ = is_suppressed
    return _stand_in(error) if isinstance(error, ValidationError) else error


def _stand_in(error: ValidationError) -> BaseException:
    other = ValueError(f"{type(error).__name__}: {error_text(error)}").with_traceback(error.__traceback__)
    other.__cause__, other.__context__ = error.__cause__, error.__context__
    other.__suppress_context__ = error.__suppress_context__
    return other


def _of_model(error: ValidationError) -> str:
    """Without the messages of errors: those of a value's own check may repeat it."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return f"{error.title}: " + "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {one['type']}" for one in found)


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
