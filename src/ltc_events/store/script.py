"""Several statements in one message: what a transaction costs is its round trips, so we make as few as there can be.

PostgreSQL runs the statements of one simple query in order. At each `COPY … FROM STDIN` it stops and asks for rows;
by then the results of the statements before it have arrived, so rows may depend on them (the head row's positions).
"""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
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
    try:
        results = connection.wait(_exchange(connection.pgconn, script, copies, state))
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
