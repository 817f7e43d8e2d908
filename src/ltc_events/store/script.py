"""Several statements in one message: what a transaction costs is its round trips, so we make as few as there can be.

PostgreSQL runs the statements of one simple query in order. At each `COPY … FROM STDIN` it stops and asks for rows;
by then the results of the statements before it have arrived, so rows may depend on them (the head row's positions).
"""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Rows = Callable[[Sequence[PGresult]], bytes]
"""Makes the rows of one COPY (binary format) from the results of the statements before it."""


class LinkBroken(Exception):
    """The connection ended. `finishing`: the server had all it needed to run the script to its end."""

    def __init__(self, reason: str, *, finishing: bool) -> None:
        super().__init__(reason)
        self.finishing = finishing


def run_script(connection: psycopg.Connection[Any], script: bytes, copies: Sequence[Rows]) -> list[PGresult]:
    """Run a script with as many `COPY … FROM STDIN` as there are `copies`; results of the other statements.

    Raises the statement's psycopg error, after rolling back, or LinkBroken.
    """
    state = _Progress(len(copies))
    return _run(connection, _exchange(connection.pgconn, script, copies, state), state)


def run_prepared(connection: psycopg.Connection[Any], statement: bytes, values: Sequence[bytes | None]) -> PGresult:
    """Run one statement whose parameters `$1` … are given in binary; prepared once per connection. The result is binary too.

    For what must be quick: the way through a cursor takes as long as the server needs for the work. Raises as `run_script`.
    """
    prepared = _prepared.setdefault(connection, {})
    name = prepared.get(statement)
    if name is None:
        name = b"ltc_%d" % len(prepared)
        _run(connection, _prepare(connection.pgconn, name, statement), _Progress(1))  # nothing happens by itself
        prepared[statement] = name
    state = _Progress(0)
    return _run(connection, _execute(connection.pgconn, name, values, state), state)[0]


_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[bytes, bytes]] = WeakKeyDictionary()


def _run(connection: psycopg.Connection[Any], exchange: PQGen[list[PGresult]], state: "_Progress") -> list[PGresult]:
    try:
        results = connection.wait(exchange)
    except psycopg.OperationalError as error:
        connection.close()
        raise LinkBroken(str(error).strip(), finishing=state.finishing) from error
    except BaseException:
        connection.close()  # interrupted in the middle of the exchange: the session cannot be used again
        raise
    failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
    if failed is None:
        return results
    refusal = error_from_result(failed, encoding=connection.info.encoding)
    if connection.info.transaction_status == TransactionStatus.UNKNOWN:
        connection.close()
        raise LinkBroken(str(refusal).strip(), finishing=state.finishing) from refusal
    if connection.info.transaction_status == TransactionStatus.INERROR:
        connection.execute("ROLLBACK")
    raise refusal


class _Progress:
    def __init__(self, copies: int) -> None:
        self.copies_left = copies
        self.sent = False

    @property
    def finishing(self) -> bool:
        return self.sent and not self.copies_left


def _exchange(pgconn: PGconn, script: bytes, copies: Sequence[Rows], state: _Progress) -> PQGen[list[PGresult]]:
    results: list[PGresult] = []
    pgconn.send_query(script)
    yield from generators.send(pgconn)
    state.sent = True
    pending = iter(copies)
    while True:
        arrived = yield from generators.fetch_many(pgconn)
        results += arrived
        if not results or results[-1].status != ExecStatus.COPY_IN:
            return results
        results.pop()
        rows = next(pending)(results)
        yield from generators.copy_to(pgconn, rows, False)
        # From here on the server may reach the end by itself, whether or not we hear of it.
        state.copies_left -= 1
        pgconn.put_copy_end()
        yield from generators.send(pgconn)


def _prepare(pgconn: PGconn, name: bytes, statement: bytes) -> PQGen[list[PGresult]]:
    pgconn.send_prepare(name, statement)
    results: list[PGresult] = yield from generators.execute(pgconn)
    return results


def _execute(pgconn: PGconn, name: bytes, values: Sequence[bytes | None], state: _Progress) -> PQGen[list[PGresult]]:
    pgconn.send_query_prepared(name, values, [Format.BINARY] * len(values), Format.BINARY)
    state.sent = True
    results: list[PGresult] = yield from generators.execute(pgconn)
    return results
