"""The clock worker: sends the commands that become due with time, each with an id derived from its subject and cause.

It is stateless: due work is found in the read tables, and sent commands are remembered only so as not to send them again before
the tables show their effect. Two clocks, or one that was restarted, may send a command twice; it happens once.

What policy `access` has refused is found in the outcomes, and sent again under each version in force, with an id of its own. At
most one of these repetitions is accepted: its subject is no longer due then.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import structlog
from psycopg import errors
from psycopg.rows import class_row

from ltc_events.aggregates.policies import policy_id
from ltc_events.application.authorisation import NOT_AUTHORISED
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import open_pipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, Bus
from ltc_events.kernel.clock import Clock
from ltc_events.scheduling.duties import CLOCK, COMPANY, DUTIES, REFUSED_BY_ACCESS, SOURCE, Due, Duty, parameters, sent_again
from ltc_events.scheduling.errors import TablesMissing
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.policy import PolicyKind
from ltc_events.store import Database, Role

log = structlog.get_logger()

BATCH_COMMANDS = 500
WAIT_S = 0.5

Documents = Sequence[dict[str, Any]]
Send = Callable[[Documents], int]


class ClockWorker:
    """Looks for due work, duty by duty, and sends its commands."""

    def __init__(self, database: Database, send: Send, clock: Clock, *, duties: Sequence[Duty] = DUTIES) -> None:
        """`send` takes commands (structured mode) and returns when they are stored durably, with the number not refused."""
        self._connection = database.connect(Role.READER, autocommit=False)
        self._send = send
        self._clock = clock
        self._duties = duties
        self._next = dict.fromkeys((duty.name for duty in duties), 0.0)
        self._sent: dict[str, set[str]] = {duty.name: set() for duty in duties}

    def step(self) -> None:
        """Run the duties whose turn it is; wait a moment where there is none."""
        turn = [duty for duty in self._duties if self._next[duty.name] <= time.monotonic()]
        for duty in turn:
            self.see_to(duty)
            self._next[duty.name] = time.monotonic() + duty.every_s
        if not turn:
            time.sleep(WAIT_S)

    def see_to_all(self) -> int:
        """Run every duty once; returns the number of commands sent."""
        return sum(self.see_to(duty) for duty in self._duties)

    def see_to(self, duty: Duty) -> int:
        """Send the due commands of one duty that were not sent yet; returns their number."""
        before, sent = self._sent[duty.name], 0
        still_due: set[str] = set()
        with self._connection.transaction(), self._connection.cursor("ltc_due", row_factory=class_row(Due)) as cursor:
            cursor.itersize = BATCH_COMMANDS
            try:
                company = self._connection.execute(COMPANY).fetchone()
                zone = None if company is None else company[0]
                rows = iter(cursor.execute(duty.query, parameters(self._clock.now(), zone)))
            except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
                raise TablesMissing from error
            while found := [duty.document(row) for row in islice(rows, BATCH_COMMANDS)]:
                due = self._repeated(found)
                if news := [one for one in due if one["id"] not in before]:
                    sent += self._send(news)
                still_due.update(one["id"] for one in due)
        self._sent[duty.name] = still_due
        if sent:
            log.info("clock_sent", duty=duty.name, commands=sent)
        return sent

    def _repeated(self, documents: Documents) -> Documents:
        """The commands, with those that policy `access` has refused as they are sent under its present version."""
        ids = [one["id"] for one in documents]
        refused = self._connection.execute(REFUSED_BY_ACCESS, {"ids": ids, "policy": policy_id(PolicyKind.ACCESS)})
        versions = {str(id): version for id, version in refused}
        return [sent_again(one, versions[one["id"]]) if one["id"] in versions else one for one in documents]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def open_clock(bus: Bus | None, database: Database, publisher: Publisher | None) -> Iterator[ClockWorker]:
    """A clock that sends its commands to the bus, or without a bus through its own pipeline."""
    if bus is not None and publisher is not None:
        topic = bus.of_everybody.topic(COMMANDS)
        with publisher:
            yield from _opened(database, lambda documents: _publish(publisher, topic, documents))
    else:
        with open_pipeline(database, principal=CLOCK) as pipeline:
            yield from _opened(database, lambda documents: _submit(pipeline, documents))


def _opened(database: Database, send: Send) -> Iterator[ClockWorker]:
    worker = ClockWorker(database, send, SystemClock())
    try:
        yield worker
    finally:
        worker.close()


def _publish(publisher: Publisher, topic: str, documents: Documents) -> int:
    publisher.publish(topic, map(command_message, documents))
    return len(documents)


def _submit(pipeline: CommandPipeline, documents: Documents) -> int:
    """Submit commands; returns the number of those that policy `access` did not refuse."""
    refused = 0
    for document, answer in zip(documents, pipeline.submit(documents, source=SOURCE), strict=True):
        if not isinstance(answer, Outcome) or not answer.reasons:
            continue
        if not answer.duplicate:
            log.warning("clock_refused", command=document["type"], subject=document["subject"], reason=answer.reasons[0].message)
        refused += answer.reasons[0].code == NOT_AUTHORISED
    return len(documents) - refused
