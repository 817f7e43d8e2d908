"""Recovers lost events and outcomes of commands from Kafka."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import ValidationError

from ltc_events.application.parsing import prepare
from ltc_events.bus.cloudevents import PRINCIPAL, command_document
from ltc_events.bus.consumer import Polled
from ltc_events.bus.event_decoding import headers_of
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topics import COMMANDS, RESULTS, Bus
from ltc_events.recovery.assessment import Assessment
from ltc_events.recovery.outcomes_ahead import MARGIN, REUSED
from ltc_events.recovery.topic_comparison import PublishedEvent
from ltc_events.schemas.envelope import Message
from ltc_events.schemas.outcome import Outcome, Result, Status
from ltc_events.schemas.record import RawRecord
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store import EventStore
from ltc_events.store.commit import StoredTrace

UNKNOWN = "unknown"
_Answer = tuple[Result, str | None]
"""An answer, with the principal who sent the command."""


class TopicRecovery(NamedTuple):
    """Events to put back, the missing outcomes of commands, and the traces of the events."""

    records: list[RawRecord]
    outcomes: list[Outcome]
    traces: list[StoredTrace]


def heal(bus: Bus, store: EventStore, findings: Assessment) -> TopicRecovery:
    """Collect what can be put back, by the assessment `findings`. Raises BusUnreachable, TopicMissing."""
    records = [one.record for one in findings.lost if one.record is not None]
    since = (store.recorded_at(findings.common or 0) or datetime.fromtimestamp(0, UTC)) - MARGIN
    with OffsetReader(bus) as offset_reader:
        answers = list(_answers(_since(offset_reader, bus.topic(RESULTS), since)))
        commands = _commands(_unread(offset_reader, bus.topic(COMMANDS), store))
    ids = {one.command_id for one, _ in answers} | {one.command_id for one in records}
    outcomes = dict.fromkeys(ids - store.outcomes(list(ids)).keys())
    return TopicRecovery(records, list(_outcomes(outcomes, records, answers, commands)), list(_traces(findings.lost)))


def _traces(lost: Iterable[PublishedEvent]) -> Iterator[StoredTrace]:
    """The trace of each command's events, as it was published."""
    for _, part in groupby((one for one in lost if one.record is not None), key=lambda one: one.record and one.record.command_id):
        events = list(part)
        if (trace := events[0].trace) is not None:
            yield StoredTrace(events[0].position, events[-1].position, trace)


# What is answered so says nothing of what is recorded under the id.
_NO_OUTCOME = ("duplicate", "undecodable")


def _outcomes(
    wanted: Iterable[UUID], records: Sequence[RawRecord], answers: Sequence[_Answer], commands: dict[UUID, Message]
) -> Iterator[Outcome]:
    """As they were recorded, as far as Kafka says.

    Accepted with events: the events say so. Without events, or refused: the answer does. What was answered and whose events
    are not there is left open, to be decided anew. Of a command that came by another door than Kafka nobody knows the content:
    sent again, it is refused as another one under the same id, and has no second effect.
    """
    spans: dict[UUID, tuple[int, int]] = {}
    for one in records:
        first, _ = spans.get(one.command_id, (one.position, 0))
        spans[one.command_id] = first, one.position
    senders = {answer.command_id: principal for answer, principal in answers if not _is_reuse(answer)}
    told = {one.command_id: one for one, _ in answers if one.status not in _NO_OUTCOME and not _is_reuse(one)}
    for id in wanted:
        message, answer = commands.get(id), told.get(id)
        kind, content_hash = (message.type, message.content_hash) if message else (UNKNOWN, b"")
        if id in spans:
            yield Outcome(id, kind, content_hash, Status.ACCEPTED, *spans[id], principal=senders.get(id))
        elif answer is not None and answer.first_outcome is not None and not answer.positions:
            refused = answer.first_outcome is Status.REFUSED
            content = message.content if message and refused else None
            reasons, sender = tuple(answer.reasons), senders.get(id)
            yield Outcome(id, kind, content_hash, answer.first_outcome, 0, 0, reasons, content, principal=sender)


def _is_reuse(answer: Result) -> bool:
    """Whether the answer is about another command with the same id."""
    return any(reason.code == REUSED for reason in answer.reasons)


def _answers(messages: Iterable[Polled]) -> Iterator[_Answer]:
    for message in messages:
        try:
            answer = Result.model_validate_json(message.value or b"")
        except ValidationError:
            continue
        principal = headers_of(message).get(PRINCIPAL)
        yield answer, None if principal is None else principal.decode(errors="replace")


def _commands(messages: Iterable[Polled]) -> dict[UUID, Message]:
    """Commands by id, each as first received."""
    found: dict[UUID, Message] = {}
    for one in messages:
        try:
            parsed: Any = prepare(command_document(one.headers, one.key, one.value), datetime.now(UTC)).parsed
        except Undecodable:
            continue
        if isinstance(parsed, Message):
            found.setdefault(parsed.command_id, parsed)
    return found


def _since(offset_reader: OffsetReader, topic: str, moment: datetime) -> Iterator[Polled]:
    begins = offset_reader.offsets_at(topic, moment.timestamp())
    for messages in offset_reader.read(topic, begins, offset_reader.ends(topic)).values():
        yield from messages


def _unread(offset_reader: OffsetReader, topic: str, store: EventStore) -> Iterator[Polled]:
    """The commands after the store's present offsets, which will be processed again."""
    ends = offset_reader.ends(topic)
    taken = store.offsets(topic)
    for messages in offset_reader.read(topic, {number: taken.get((topic, number), 0) for number in ends}, ends).values():
        yield from messages
