"""A command service for many threads, with group commit: commands that arrive while a batch is stored form the next batch."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from itertools import chain, repeat
from logging import ERROR, WARNING
from typing import NamedTuple, TypeVar

import psycopg
import structlog

from ltc_events.application.errors import Contention, ServiceBusy, ServiceClosed
from ltc_events.application.parsing import Document, Prepared, prepare
from ltc_events.application.pipeline import Answer, CommandPipeline, Submission
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.errors import LtcError
from ltc_events.kernel.principals import Principal
from ltc_events.store import Database, EventStore, Role

T = TypeVar("T")

log = structlog.get_logger()

BATCH_MAX = 500
"""Documents in one transaction, unless a single request has more."""
GATHER_S = 0.005
"""How long a batch may wait for callers that were answered together and are expected to come again together."""
QUEUE_MAX = 10_000
"""Documents that may wait, in all requests together."""


class _Reply:
    """The answer for one waiting thread: the part of a future's interface that is needed, at a fraction of its cost."""

    __slots__ = ("_answers", "_error", "_told")

    def __init__(self) -> None:
        self._told = threading.Lock()
        self._told.acquire()
        self._answers: list[Answer] | None = None
        self._error: BaseException | None = None

    def cancelled(self) -> bool:
        return False

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, answers: list[Answer]) -> None:
        self._answers = answers
        self._told.release()

    def set_exception(self, error: BaseException) -> None:
        self._error = error
        self._told.release()

    def result(self, timeout_s: float | None) -> list[Answer]:
        """Wait for the answers. Call it once."""
        if not self._told.acquire(timeout=-1 if timeout_s is None else timeout_s):
            raise TimeoutError
        if self._answers is None:
            raise self._error or RuntimeError("told neither answers nor an error")
        return self._answers


class _Request(NamedTuple):
    """The documents of one caller. `together`: after a refused document the following ones are not decided."""

    batch: Sequence[Prepared]
    source: str
    together: bool
    answers: "Future[list[Answer]] | _Reply"


_Told = Sequence[tuple[_Request, list[Answer]]]
"""What is stored, with what its callers are to be told."""


class CommandService:
    """A command pipeline in its own thread, shared by any number of calling threads.

    A batch holds the requests that arrived during the previous one. It is decided and sent to the server before the callers of
    the previous batch are answered, so that they prepare their next requests while the server stores it. Without waiting
    requests, callers are answered at once; the next batch then waits up to `GATHER_S` for as many requests as the last one had.
    A single caller never waits for others, and no caller is answered before its documents are stored. The connection to the
    store is opened with the first request, and again after it was lost.
    """

    def __init__(
        self,
        open_store: Callable[[], EventStore],
        clock: Clock,
        *,
        batch_max: int = BATCH_MAX,
        queue_max: int = QUEUE_MAX,
        principal: Principal | None = None,
    ) -> None:
        """`principal` is who sends the documents of callers who name no other."""
        self._open_store = open_store
        self._principal = principal
        self._clock = clock
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._changed = threading.Condition()
        self._queue: deque[_Request] = deque()
        self._waiting = 0
        self._wanted = 1
        """How many requests the last batch had: as many are likely to come again as soon as they are answered."""
        self._is_closed = False
        self._store: EventStore | None = None
        self._pipeline: CommandPipeline | None = None
        self._thread = threading.Thread(target=self._work, name="ltc-commands", daemon=True)
        self._thread.start()

    def enqueue(
        self,
        documents: Sequence[Document],
        *,
        source: str = "submit",
        together: bool = False,
        principal: Principal | None = None,
    ) -> "Future[list[Answer]]":
        """Queue documents to be decided in order and stored in one transaction; the future has an answer for each, in that order.

        `source` is the source recorded with dead letters, `principal` who has sent the documents. With `together`, those after a
        refused one are answered with `not_decided`. Raises ServiceBusy, ServiceClosed. The future raises the errors of
        `CommandPipeline.submit`, and DatabaseUnreachable: the documents may then be stored or not, and to send the same ones
        again is safe.
        """
        answers: Future[list[Answer]] = Future()
        self._enqueue(documents, source, answers, principal, together=together)
        return answers

    def submit(
        self,
        documents: Sequence[Document],
        *,
        source: str = "submit",
        together: bool = False,
        principal: Principal | None = None,
        timeout_s: float | None = None,
    ) -> list[Answer]:
        """As `enqueue`, and wait for the answers. Raises TimeoutError after `timeout_s` seconds; the documents may be stored."""
        reply = _Reply()
        self._enqueue(documents, source, reply, principal, together=together)
        return reply.result(timeout_s)

    def close(self) -> None:
        """Take no more requests, answer the waiting ones, and close the store."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _enqueue(
        self,
        documents: Sequence[Document],
        source: str,
        answers: "Future[list[Answer]] | _Reply",
        principal: Principal | None,
        *,
        together: bool,
    ) -> None:
        with self._changed:
            self._require_room(len(documents))
            self._waiting += len(documents)
        try:
            now, sender = self._clock.now(), principal or self._principal
            request = _Request([prepare(one, now, sender) for one in documents], source, together, answers)
        except BaseException:  # an interrupt, too, must not leave room taken for ever
            with self._changed:
                self._waiting -= len(documents)
            raise
        with self._changed:
            if self._is_closed:
                self._waiting -= len(documents)
                raise ServiceClosed
            self._queue.append(request)
            if len(self._queue) >= self._wanted:
                self._changed.notify()

    def _require_room(self, documents: int) -> None:
        if self._is_closed:
            raise ServiceClosed
        if self._waiting + documents > self._queue_max:
            self._drop_cancelled()
        if self._waiting and self._waiting + documents > self._queue_max:
            raise ServiceBusy(waiting=self._waiting, limit=self._queue_max)

    def _drop_cancelled(self) -> None:
        kept = [request for request in self._queue if not request.answers.cancelled()]
        self._waiting -= sum(len(request.batch) for request in self._queue) - sum(len(request.batch) for request in kept)
        self._queue = deque(kept)

    def _work(self) -> None:
        stored: _Told = ()
        try:
            while True:
                if not self._queue:
                    stored = _tell(stored)
                requests = self._take(at_once=bool(stored))
                if not requests:
                    return
                submission = self._or_fail(requests, partial(self._begin, requests))
                stored = _tell(stored)
                answers = None if submission is None else self._or_fail(requests, submission.finish)
                if answers is not None:
                    left = iter(answers)
                    stored = [(request, [next(left) for _ in request.batch]) for request in requests]
        finally:
            _tell(stored)
            self._end()

    def _end(self) -> None:
        """Close the store; after a defect in this program, waiting callers get the error."""
        with self._changed:
            self._is_closed = True
            left, self._queue = self._queue, deque()
        for request in left:
            if request.answers.set_running_or_notify_cancel():
                request.answers.set_exception(ServiceClosed())
        self._leave_store()

    def _begin(self, requests: Sequence[_Request]) -> Submission:
        """Decide a batch and send it to the store."""
        batch = list(chain.from_iterable(request.batch for request in requests))
        groups: list[int | None] = []
        if any(request.together for request in requests):
            for number, request in enumerate(requests):
                groups += repeat(number if request.together else None, len(request.batch))
        return self._opened().begin(batch, source=requests[0].source, groups=groups)

    def _or_fail(self, requests: Sequence[_Request], work: Callable[[], T]) -> T | None:
        """The result of the step, or None where it failed and the callers got the error.

        The next batch opens the store again, unless the error was Contention.
        """
        try:
            return work()
        except Exception as error:  # whatever it is, it is the callers' to know, and the thread goes on for the others
            if not isinstance(error, Contention):
                self._leave_store()
            for request in requests:
                request.answers.set_exception(error)
            is_passing = isinstance(error, (LtcError, psycopg.Error))
            log.log(WARNING if is_passing else ERROR, "batch_not_stored", requests=len(requests), exc_info=not is_passing)
            return None

    def _take(self, *, at_once: bool) -> list[_Request]:
        """The requests of the next batch, in order of arrival; empty when the service is closed and everything is answered.

        With `at_once` it does not wait: callers of the previous batch still have to be answered.
        """
        taken: list[_Request] = []
        size = 0
        with self._changed:
            while not taken:
                if not (at_once and self._queue):
                    self._await_requests()
                if not self._queue:
                    return []
                while self._queue and (not taken or self._fits(taken[0], self._queue[0], size)):
                    request = self._queue.popleft()
                    self._waiting -= len(request.batch)
                    # A caller that has cancelled its request has been told that nothing of it is stored.
                    if request.answers.set_running_or_notify_cancel():
                        taken.append(request)
                        size += len(request.batch)
            self._wanted = len(taken)
        return taken

    def _await_requests(self) -> None:
        """Wait for a request; then, for at most `GATHER_S`, for as many requests as the last batch had."""
        self._changed.wait_for(self._are_enough, GATHER_S)
        if not (self._queue or self._is_closed):
            self._wanted = 1
            self._changed.wait_for(self._are_enough)

    def _are_enough(self) -> bool:
        return self._is_closed or len(self._queue) >= self._wanted

    def _fits(self, first: _Request, request: _Request, size: int) -> bool:
        return request.source == first.source and size + len(request.batch) <= self._batch_max

    def _opened(self) -> CommandPipeline:
        if self._pipeline is None:
            self._store = self._open_store()
            self._pipeline = CommandPipeline(self._store, self._clock)
        return self._pipeline

    def _leave_store(self) -> None:
        store, self._store, self._pipeline = self._store, None, None
        if store is not None:
            store.close()


def _tell(stored: _Told) -> _Told:
    """Answer the callers of a stored batch."""
    for request, answers in stored:
        request.answers.set_result(answers)
    return ()


@contextmanager
def open_command_service(
    database: Database,
    clock: Clock,
    *,
    batch_max: int = BATCH_MAX,
    queue_max: int = QUEUE_MAX,
    principal: Principal | None = None,
) -> Iterator[CommandService]:
    """A service on a ledger, in the writer's role; at the end of the block, waiting requests are answered."""
    limits = {"batch_max": batch_max, "queue_max": queue_max}
    service = CommandService(lambda: EventStore(database, Role.WRITER), clock, **limits, principal=principal)
    try:
        yield service
    finally:
        service.close()
