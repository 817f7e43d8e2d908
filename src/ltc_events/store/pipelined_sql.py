"""Several statements in one network round trip, by PostgreSQL's pipeline mode.

PostgreSQL runs the statements of one simple query in order. At each `COPY … FROM STDIN` it stops and asks for rows;
by then the results of the statements before it have arrived, so rows may depend on them (the head row's positions).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from ltc_events.store.error_text import error_text

T = TypeVar("T")


class Copy(NamedTuple):
    """Makes the rows of one `COPY … FROM STDIN`."""

    pack: Callable[[], None]
    """Prepares what does not depend on the server: called while it runs the statements before this COPY."""
    rows: Callable[[Sequence[PGresult]], bytes]
    """The rows, from the results of the statements before it."""


class LinkBroken(Exception):
    """The connection was lost. `finishing`: the server already had the whole script, so it may have run to its end."""

    def __init__(self, reason: str, *, finishing: bool) -> None:
        super().__init__(reason)
        self.finishing = finishing


class Running:
    """A script sent to the server in full, with as many `COPY … FROM STDIN` as there are `copies`.

    `finish` raises errors of the server and the connection. An exception while rows are made is raised at once, and closes the
    connection.
    """

    def __init__(self, connection: psycopg.Connection[Any], script: bytes, copies: Sequence[Copy]) -> None:
        self._connection = connection
        self._state = _Progress(len(copies))
        self._results: list[PGresult] = []
        self._broken: LinkBroken | None = None
        try:
            _wait(connection, _hand_over(connection.pgconn, script, copies, self._results, self._state), self._state)
        except LinkBroken as error:
            self._broken = error

    def finish(self) -> list[PGresult]:
        """Wait for the end; the results of all statements but COPY. Call it once, before the connection's next use.

        Raises the statement's psycopg error, after rolling back, or LinkBroken.
        """
        if self._broken is not None:
            raise self._broken
        if not self._state.over:
            self._results += _wait(self._connection, generators.fetch_many(self._connection.pgconn), self._state)
        if self._results and self._results[-1].status == ExecStatus.COPY_IN:
            self._connection.close()  # it is still in its transaction
            raise ValueError("the script has a COPY more than there are rows for")
        return _checked(self._connection, self._results, self._state)


def run_prepared(connection: psycopg.Connection[Any], statement: bytes, values: Sequence[bytes | None]) -> PGresult:
    """Run one statement whose parameters `$1` … are given in binary; prepared once per connection. The result is binary too.

    For hot paths: a cursor costs as much time as the server's work. Raises the errors of `Running.finish`.
    """
    prepared = _prepared.setdefault(connection, {})
    name = prepared.get(statement)
    if name is None:
        name = b"ltc_%d" % len(prepared)
        unfinished = _Progress(1)  # nothing happens by itself
        _checked(connection, _wait(connection, _prepare(connection.pgconn, name, statement), unfinished), unfinished)
        prepared[statement] = name
    state = _Progress(0)
    return _checked(connection, _wait(connection, _execute(connection.pgconn, name, values, state), state), state)[0]


_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[bytes, bytes]] = WeakKeyDictionary()


def _wait(connection: psycopg.Connection[Any], exchange: PQGen[T], state: "_Progress") -> T:
    try:
        return connection.wait(exchange)
    except psycopg.OperationalError as error:
        connection.close()
        raise LinkBroken(error_text(error), finishing=state.finishing) from error
    except BaseException:  # an interrupt, too: the session is in the middle of the exchange and cannot be used again
        connection.close()
        raise


def _checked(connection: psycopg.Connection[Any], results: list[PGresult], state: "_Progress") -> list[PGresult]:
    failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
    if failed is None:
        return results
    refusal = error_from_result(failed, encoding=connection.info.encoding)
    if connection.info.transaction_status == TransactionStatus.UNKNOWN:
        connection.close()
        raise LinkBroken(error_text(refusal), finishing=state.finishing) from refusal
    if connection.info.transaction_status == TransactionStatus.INERROR:
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()  # it ended meanwhile, and with it the transaction: what is to be told is the refusal
    raise refusal


class _Progress:
    def __init__(self, copies: int) -> None:
        self.copies_left = copies
        self.sent = False
        self.over = False
        """Whether the server came to an end before it had asked for all rows."""

    @property
    def finishing(self) -> bool:
        return self.sent and not self.copies_left


def _hand_over(pgconn: PGconn, script: bytes, copies: Sequence[Copy], results: list[PGresult], state: _Progress) -> PQGen[None]:
    """Send the script, and the rows of each COPY when the server asks for them."""
    pgconn.send_query(script)
    yield from generators.send(pgconn)
    state.sent = True
    for copy in copies:
        copy.pack()
        results += yield from generators.fetch_many(pgconn)
        if not results or results[-1].status != ExecStatus.COPY_IN:
            state.over = True
            return
        results.pop()
        yield from generators.copy_to(pgconn, copy.rows(results), False)
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
