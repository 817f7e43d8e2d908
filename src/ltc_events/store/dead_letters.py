"""Dead letters as they are kept, and the log of what was done about each."""

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
    """What became of a dead letter: nothing yet (or nothing that helped), what its last attempt came to, or discarded."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DISCARDED = "discarded"


class StepKind(StrEnum):
    """What somebody did about a dead letter, and what an attempt came to."""

    ATTEMPTED = "attempted"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECODABLE = "undecodable"
    DISCARDED = "discarded"


class KeptDeadLetter(NamedTuple):
    """A dead letter as it is kept, and what became of it. `kind` says how it is tried again."""

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
        """What a list says of it: without its bytes, but how many they are."""
        names = ("id", "received_at", "source", "state", "attempts", "reason")
        return {**{name: getattr(self, name) for name in names}, "bytes": len(self.raw)}

    def document(self, steps: Sequence["Step"]) -> dict[str, Any]:
        """All of it with its `history`; bytes as text, those that are no UTF-8 as `\\xff`."""
        return {**self._asdict(), "raw": as_text(self.raw), "history": [step.document() for step in steps]}


class Step(NamedTuple):
    """One thing done about a dead letter. `sent` stood in the letter's place; `command_id` has the outcome."""

    made_at: datetime
    made_by: str
    step: str
    reason: str
    sent: bytes | None
    command_id: UUID | None

    def document(self) -> dict[str, Any]:
        """The step, with the `document` that stood in the letter's place as text."""
        rest = {name: value for name, value in self._asdict().items() if name != "sent"}
        return {**rest, "document": None if self.sent is None else as_text(self.sent)}


class Unfinished(NamedTuple):
    """An attempt whose result was never noted, with the document that it was made with (None: the letter as it came)."""

    document: bytes | None


def as_text(raw: bytes) -> str:
    """Bytes for people and JSON: those that are no UTF-8 as `\\xff`."""
    return raw.decode(errors="backslashreplace")


class DeadLetterLog:
    """Writes down what is done about dead letters; nothing is ever taken out of it."""

    def __init__(self, database: Database) -> None:
        """Raises DatabaseUnreachable, NotInitialised."""
        self._connection = database.connect(Role.WRITER, autocommit=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def alone_with(self, id: int) -> Iterator[None]:
        """Keep everybody else away from a letter meanwhile; waits for them first."""
        self._connection.execute(_LOCK, {"id": id})
        try:
            yield
        finally:
            if not self._connection.closed:
                self._connection.execute(_UNLOCK, {"id": id})

    def unfinished(self, id: int) -> Unfinished | None:
        """The attempt at a letter that was cut off, if the last one was."""
        row = self._connection.execute(_UNFINISHED, {"id": id}).fetchone()
        return None if row is None else Unfinished(row[0])

    def note(
        self, id: int, step: StepKind, *, by: str, reason: str, document: bytes | None = None, command_id: UUID | None = None
    ) -> None:
        """Add a step to a letter's history."""
        values = {"id": id, "by": by, "step": step.value, "reason": reason, "document": document, "command_id": command_id}
        self._connection.execute(_NOTE, values)
