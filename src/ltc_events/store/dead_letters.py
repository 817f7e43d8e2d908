"""Stored dead letters, and the history of the steps taken on each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

from ltc_events.store.database import Database, Role
from ltc_events.store.queries import query

_LOCK = query("lock_dead_letter").as_bytes()
_UNLOCK = query("unlock_dead_letter").as_bytes()
_UNFINISHED = query("unfinished_attempt").as_bytes()
_NOTE = query("note_dead_letter_step").as_bytes()


class DeadLetterState(StrEnum):
    """The state of a dead letter: open, the result of its last attempt, or discarded."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DISCARDED = "discarded"


class StepKind(StrEnum):
    """The kind of a step on a dead letter: an action, or the result of an attempt."""

    ATTEMPTED = "attempted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECODABLE = "undecodable"
    DISCARDED = "discarded"


class KeptDeadLetter(NamedTuple):
    """A stored dead letter with its state. `kind` decides how it is retried."""

    id: int
    received_at: datetime
    source: str
    raw: bytes
    reason: str
    origin: dict[str, Any] | None
    kind: str
    state: str
    attempts: int
    state_since: datetime

    def summary(self) -> dict[str, Any]:
        """The dead letter for a list: with the number of its bytes in place of the bytes."""
        names = ("id", "received_at", "source", "state", "attempts", "reason")
        return {**{name: getattr(self, name) for name in names}, "bytes": len(self.raw)}

    def document(self, steps: Sequence["Step"]) -> dict[str, Any]:
        """The whole dead letter with its `history`; bytes as text, those that are no UTF-8 as `\\xff`."""
        return {**self._asdict(), "raw": as_text(self.raw), "history": [step.document() for step in steps]}


class Step(NamedTuple):
    """One step on a dead letter. `sent` is the corrected document; `command_id` is the command with the outcome."""

    made_at: datetime
    made_by: str
    step: str
    reason: str
    sent: bytes | None
    command_id: UUID | None

    def document(self) -> dict[str, Any]:
        """The step as JSON-ready values, with the corrected `document` as text."""
        rest = {name: value for name, value in self._asdict().items() if name != "sent"}
        return {**rest, "document": None if self.sent is None else as_text(self.sent)}


class Unfinished(NamedTuple):
    """An attempt without a recorded result, and the document that it used (None: the dead letter as received)."""

    document: bytes | None


def as_text(raw: bytes) -> str:
    """Bytes as text for display and JSON: those that are no UTF-8 as `\\xff`."""
    return raw.decode(errors="backslashreplace")


class DeadLetterLog:
    """Records the steps taken on dead letters; append-only."""

    def __init__(self, database: Database) -> None:
        """Raises DatabaseUnreachable, NotInitialised."""
        self._connection = database.connect(Role.WRITER, autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def alone_with(self, id: int) -> Iterator[None]:
        """A context that holds an exclusive lock on a dead letter; it waits for the lock."""
        self._connection.execute(_LOCK, {"id": id})
        try:
            yield
        finally:
            if not self._connection.closed:
                self._connection.execute(_UNLOCK, {"id": id})

    def unfinished(self, id: int) -> Unfinished | None:
        """The last attempt at a dead letter if it has no recorded result, else None."""
        row = self._connection.execute(_UNFINISHED, {"id": id}).fetchone()
        return None if row is None else Unfinished(row[0])

    def note(
        self, id: int, step: StepKind, *, by: str, reason: str, document: bytes | None = None, command_id: UUID | None = None
    ) -> None:
        """Add a step to the history of a dead letter."""
        values = {"id": id, "by": by, "step": step.value, "reason": reason, "document": document, "command_id": command_id}
        self._connection.execute(_NOTE, values)
