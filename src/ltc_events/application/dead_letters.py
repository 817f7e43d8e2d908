"""Trying dead letters again, and laying them aside: each letter by itself, each step on record, no effect twice."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import orjson

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import command_document
from ltc_events.bus.origin import message_of
from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.envelope import Undecodable, parse
from ltc_events.schemas.outcome import Outcome, Refusal
from ltc_events.store import EventStore
from ltc_events.store.letters import KeptLetter, LetterBook, LetterState, StepKind

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

    def __call__(self, letter: KeptLetter, document: bytes | None) -> Result:
        """Try it."""
        ...


class Standing(NamedTuple):
    """Where a letter stands after we were asked to do something about it. `result` is None where nothing was to be done."""

    id: int
    state: LetterState
    result: Result | None


class LetterDesk:
    """Where somebody sees to dead letters. `attempts` says by the kind of a letter how it is tried again."""

    def __init__(self, store: EventStore, book: LetterBook, attempts: Mapping[str, Attempt]) -> None:
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
            elif letter.state == LetterState.ACCEPTED:
                return Standing(id, LetterState.ACCEPTED, None)
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
            if letter.state == LetterState.ACCEPTED:
                raise AlreadyAccepted(id=id)
            if letter.state != LetterState.DISCARDED:
                self._book.note(id, StepKind.DISCARDED, by=by, reason=reason)
        return Standing(id, LetterState.DISCARDED, None)

    def _find(self, id: int) -> KeptLetter:
        found = self._store.dead_letters(id - 1, 1)
        if not found or found[0].id != id:
            raise NoSuchLetter(id=id)
        return found[0]

    def _finish(self, letter: KeptLetter, document: bytes | None, by: str) -> Result:
        result = self._attempts[letter.kind](letter, document)
        self._book.note(letter.id, result.step, by=by, reason=result.detail, command_id=result.command_id)
        return result


class CommandAttempt:
    """A letter that was meant to be a command goes to the pipeline, like every other command.

    `answer`, where there is one, tells the sender the outcome, before it is noted.
    """

    def __init__(self, pipeline: CommandPipeline, answer: Callable[[Outcome, Mapping[str, Any]], object] | None = None) -> None:
        self._pipeline = pipeline
        self._answer = answer

    def __call__(self, letter: KeptLetter, document: bytes | None) -> Result:
        """Decide and store the command. What is still none is no new dead letter: this one stays open."""
        try:
            given = _document(letter, document)
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


def _document(letter: KeptLetter, document: bytes | None) -> bytes | Mapping[str, Any]:
    """The command's CloudEvent: what was given in the letter's place, or the letter. Raises Undecodable."""
    if document is not None:
        return document
    if letter.origin is None:
        return letter.raw
    key, value, headers = message_of(letter.origin, letter.raw)
    return command_document(headers, key, value)


def _standing(id: int, result: Result) -> Standing:
    states = {StepKind.ACCEPTED: LetterState.ACCEPTED, StepKind.REFUSED: LetterState.REFUSED}
    return Standing(id, states.get(result.step, LetterState.OPEN), result)
