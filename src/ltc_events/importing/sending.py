"""Sends commands to the pipeline in batches, row by row."""

from collections.abc import Sequence
from uuid import UUID

from ltc_events.application.pipeline import Answer, CommandPipeline
from ltc_events.importing.answers import is_held, is_refused, is_refused_before
from ltc_events.importing.comparison import Follower
from ltc_events.importing.counts import Counts
from ltc_events.importing.documents import Document
from ltc_events.importing.ledger import LedgerTotals
from ltc_events.importing.origin import Origin
from ltc_events.importing.rows_compared import compared, reconsider
from ltc_events.kernel.ids import derive_id

BATCH = 500


class Sender:
    """Sends commands in batches; `counts` is told of each answer, `totals` of the events that came of them.

    With `retry`, the name of an attempt, what an earlier run had refused is sent once more. `run` is the id of the run.
    """

    def __init__(
        self, pipeline: CommandPipeline, follower: Follower, counts: Counts, totals: LedgerTotals, run: UUID, retry: str
    ) -> None:
        self._pipeline = pipeline
        self._follower = follower
        self._counts = counts
        self._totals = totals
        self._run = str(run)
        self._retry = retry
        self._pending: list[Origin] = []
        self._stopped: Origin | None = None
        """The last command of a row that was refused: the row ends with it."""
        self.sent = 0

    def send(self, origin: Origin) -> bool:
        """Queue one command; returns whether a batch was sent."""
        self._pending.append(origin)
        if len(self._pending) < BATCH:
            return False
        self.flush()
        return True

    def flush(self) -> None:
        """Submit the queued commands as one batch."""
        pending, self._pending = self._pending, []
        if not pending:
            return
        stopped = self._stopped
        if stopped is not None and pending[0].is_behind(stopped):  # the batch before ended amid this row
            for origin in pending:
                if origin.is_behind(stopped):
                    self._counts.hold_back(origin, stopped.type)
            pending = [origin for origin in pending if not origin.is_behind(stopped)]
        ready = compared(pending, self._follower, self._counts)
        if ready.origins:
            self._send(ready.origins)
        self._stopped = ready.stopped or self._stopped

    def _send(self, pending: list[Origin]) -> None:
        answers = self._submit(pending)
        reconsider(pending, answers, self._follower, self._submit)
        if self._retry:
            self._send_once_more(pending, answers)
        for origin, answer in zip(pending, answers, strict=True):
            if is_held(answer) and self._stopped is not None:
                self._counts.hold_back(origin, self._stopped.type)
                continue
            self._counts.answered(origin, answer)
            if origin.group is not None and is_refused(answer):
                self._stopped = origin
        self.sent += len(pending)

    def _send_once_more(self, pending: Sequence[Origin], answers: list[Answer]) -> None:
        """What was refused in an earlier run, and what was not decided because of it."""
        again = [place for place, answer in enumerate(answers) if is_refused_before(answer) or is_held(answer)]
        retried = [
            pending[place]._replace(document=_renamed(pending[place].document, self._retry))
            if is_refused_before(answers[place])
            else pending[place]
            for place in again
        ]
        for place, answer in zip(again, self._submit(retried) if retried else (), strict=True):
            answers[place] = answer

    def _submit(self, origins: Sequence[Origin]) -> list[Answer]:
        for origin in origins:
            origin.document["correlationid"] = self._run
        answers = self._pipeline.submit([origin.document for origin in origins], groups=[origin.group for origin in origins])
        self._totals.add_answers(answers)
        return answers


def _renamed(document: Document, attempt: str) -> Document:
    return {**document, "id": str(derive_id("import", "retry", attempt, document["id"]))}
