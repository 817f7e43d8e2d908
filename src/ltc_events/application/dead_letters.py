"""Trying dead letters again, and laying them aside: each letter by itself, each step on record, no effect twice."""

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

AS_IT_CAME = "asked for"


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
    """What an attempt came to: accepted, refused or undecodable."""

    step: StepKind
    detail: str
    command_id: UUID | None = None
    positions: tuple[int, ...] = ()
    reasons: tuple[Refusal, ...] = ()


class Attempt(Protocol):
    """How letters of one kind are tried again: as they came, or with a document in their place. Must be safe to repeat."""

    def __call__(self, letter: KeptDeadLetter, document: bytes | None) -> Result:
        """Try it."""
        ...


class Standing(NamedTuple):
    """Where a letter stands after we were asked to do something about it. `result` is None where nothing was to be done."""

    id: int
    state: DeadLetterState
    result: Result | None

    def document(self) -> dict[str, Any]:
        """For programs: where it stands, and what the attempt came to."""
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
    """Where somebody sees to dead letters. `attempts` says by the kind of a letter how it is tried again."""

    def __init__(self, store: EventStore, book: DeadLetterLog, attempts: Mapping[str, Attempt]) -> None:
        self._store = store
        self._book = book
        self._attempts = attempts

    def retry(self, id: int, *, by: str, reason: str = AS_IT_CAME, document: bytes | None = None) -> Standing:
        """Try a letter again, as it came or with `document` in its place, unless it was accepted before.

        An attempt that was cut off is brought to its end first: what it did, it did. Raises NoSuchLetter, and what the
        store raises when it is away; then the same call goes on from there. Raises CannotBeTried for a kind that has no way.
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
        """Lay a letter aside for good, and say why. Raises NoSuchLetter, AlreadyAccepted."""
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
    """A letter that was meant to be a command goes to the pipeline, like every other command.

    `read_message` makes the CloudEvent of a letter that came as a message, from its origin and its value; it raises
    Undecodable. `answer`, where there is one, tells the sender the outcome, before it is noted.
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
        """Decide and store the command. What is still none is no new dead letter: this one stays open."""
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
        """The command's CloudEvent: what was given in the letter's place, or the letter. Raises Undecodable."""
        if document is not None:
            return document
        return letter.raw if letter.origin is None else self._read_message(letter.origin, letter.raw)


def _standing(id: int, result: Result) -> Standing:
    states = {StepKind.ACCEPTED: DeadLetterState.ACCEPTED, StepKind.REFUSED: DeadLetterState.REFUSED}
    return Standing(id, states.get(result.step, DeadLetterState.OPEN), result)
