"""Retries and discards dead letters: one at a time, with every step recorded, and no effect twice."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import orjson

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.envelope import parse
from ltc_events.schemas.outcome import Outcome, Refusal
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store import EventStore
from ltc_events.store.dead_letters import DeadLetterLog, DeadLetterState, KeptDeadLetter, StepKind


class NoSuchLetter(LtcError):
    """there is no dead letter {id}"""

    remedy = "`ltc dead-letters list` shows those there are"


class AlreadyAccepted(LtcError):
    """dead letter {id} was accepted when it was tried again: there is nothing to discard"""

    remedy = "`ltc dead-letters show {id}` says by which command; correct it by another one"


class CannotBeTried(LtcError):
    """dead letter {id} was meant to be an {kind}, and those cannot be tried again"""

    remedy = "look at it with `ltc dead-letters show {id}`; `ltc dead-letters discard {id}` lays it aside"


class Result(NamedTuple):
    """The result of an attempt: accepted, refused or undecodable."""

    step: StepKind
    detail: str
    command_id: UUID | None = None
    positions: tuple[int, ...] = ()
    reasons: tuple[Refusal, ...] = ()


class Attempt(Protocol):
    """Retries dead letters of one kind: as received, or with a corrected document. Must be safe to repeat."""

    def __call__(self, letter: KeptDeadLetter, document: bytes | None) -> Result:
        """Make the attempt."""
        ...


class Standing(NamedTuple):
    """The state of a dead letter after a retry or discard. `result` is None where nothing had to be done."""

    id: int
    state: DeadLetterState
    result: Result | None

    def document(self) -> dict[str, Any]:
        """The state and the result of the attempt as JSON-ready values."""
        result = self.result
        return {
            "id": self.id,
            "state": self.state.value,
            "result": None if result is None else result.step.value,
            "detail": "" if result is None else result.detail,
            "command_id": None if result is None or result.command_id is None else str(result.command_id),
            "positions": [] if result is None else list(result.positions),
            "reasons": [] if result is None else [reason.model_dump() for reason in result.reasons],
        }


def find_dead_letter(store: EventStore, id: int) -> KeptDeadLetter:
    """The dead letter with this id. Raises NoSuchLetter."""
    found = store.dead_letters(id - 1, 1)
    if not found or found[0].id != id:
        raise NoSuchLetter(id=id)
    return found[0]


class DeadLetterService:
    """Retries and discards dead letters. `attempts` has an Attempt for each kind of dead letter that can be retried."""

    def __init__(self, store: EventStore, book: DeadLetterLog, attempts: Mapping[str, Attempt]) -> None:
        self._store = store
        self._book = book
        self._attempts = attempts

    def retry(self, id: int, *, by: str, reason: str = "", document: bytes | None = None) -> Standing:
        """Retry a dead letter, as received or with `document` in its place, unless it was accepted before.

        An interrupted attempt is completed first, since its effects may be stored. Raises NoSuchLetter, the store's errors when
        it is unavailable (the same call then continues), and CannotBeTried for a kind without an Attempt.
        """
        kind = self._find(id).kind
        if kind not in self._attempts:
            raise CannotBeTried(id=id, kind=kind)
        with self._book.alone_with(id):
            letter = self._find(id)
            cut_off = self._book.unfinished(id)
            if cut_off is not None:
                result = self._finish(letter, cut_off.document, by)
                if result.step is StepKind.ACCEPTED or cut_off.document == document:
                    return _standing(id, result)
            elif letter.state == DeadLetterState.ACCEPTED:
                return Standing(id, DeadLetterState.ACCEPTED, None)
            self._book.note(id, StepKind.ATTEMPTED, by=by, reason=reason, document=document)
            return _standing(id, self._finish(letter, document, by))

    def discard(self, id: int, *, by: str, reason: str) -> Standing:
        """Discard a dead letter for good, with a reason. Raises NoSuchLetter, AlreadyAccepted."""
        self._find(id)
        with self._book.alone_with(id):
            cut_off = self._book.unfinished(id)
            if cut_off is not None:
                self._finish(self._find(id), cut_off.document, by)
            letter = self._find(id)
            if letter.state == DeadLetterState.ACCEPTED:
                raise AlreadyAccepted(id=id)
            if letter.state != DeadLetterState.DISCARDED:
                self._book.note(id, StepKind.DISCARDED, by=by, reason=reason)
        return Standing(id, DeadLetterState.DISCARDED, None)

    def _find(self, id: int) -> KeptDeadLetter:
        return find_dead_letter(self._store, id)

    def _finish(self, letter: KeptDeadLetter, document: bytes | None, by: str) -> Result:
        result = self._attempts[letter.kind](letter, document)
        self._book.note(letter.id, result.step, by=by, reason=result.detail, command_id=result.command_id)
        return result


class CommandAttempt:
    """Submits a dead letter of the kind command to the pipeline, like any other command.

    `read_message` builds the CloudEvent of a dead letter that came as a message, from its origin and its value; it raises
    Undecodable. `answer`, where given, publishes the outcome to the sender before the step is recorded.
    """

    def __init__(
        self,
        pipeline: CommandPipeline,
        read_message: Callable[[Mapping[str, Any], bytes], Mapping[str, Any]],
        answer: Callable[[Outcome, Mapping[str, Any]], object] | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._read_message = read_message
        self._answer = answer

    def __call__(self, letter: KeptDeadLetter, document: bytes | None) -> Result:
        """Decide and store the command. A document that is still undecodable makes no new dead letter: this one stays open."""
        try:
            given = self._document(letter, document)
            parse(given, letter.received_at)
        except Undecodable as error:
            return Result(StepKind.UNDECODABLE, error.message.replace("\0", "\\0"))
        (outcome,) = self._pipeline.submit([given])
        if isinstance(outcome, Undecodable):
            raise TypeError("what can be parsed is a command")
        if self._answer is not None:
            self._answer(outcome, orjson.loads(given) if isinstance(given, bytes) else given)
        positions = tuple(outcome.document()["positions"])
        detail = "; ".join(reason.message for reason in outcome.reasons) or "accepted"
        return Result(StepKind(outcome.status.value), detail, outcome.command_id, positions, outcome.reasons)

    def _document(self, letter: KeptDeadLetter, document: bytes | None) -> bytes | Mapping[str, Any]:
        """The command's CloudEvent: the corrected document, or the dead letter itself. Raises Undecodable."""
        if document is not None:
            return document
        return letter.raw if letter.origin is None else self._read_message(letter.origin, letter.raw)


def _standing(id: int, result: Result) -> Standing:
    states = {StepKind.ACCEPTED: DeadLetterState.ACCEPTED, StepKind.REFUSED: DeadLetterState.REFUSED}
    return Standing(id, states.get(result.step, DeadLetterState.OPEN), result)
