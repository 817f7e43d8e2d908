"""Answers on the topic of results whose outcome the store lacks after it went back.

A command is answered when its outcome is stored, and its events are published independently. So an answer may be all that is left
of an outcome. It may also arrive late: in flight to the broker while the store went back.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import ValidationError

from ltc_events.bus.cloudevents import SOURCE, result_message
from ltc_events.bus.consumer import Polled
from ltc_events.bus.event_decoding import headers_of
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.records import Outgoing
from ltc_events.schemas.outcome import Outcome, Result
from ltc_events.schemas.tracing import PARENT, STATE
from ltc_events.store import EventStore
from ltc_events.store.epochs import Epochs

REUSED = "command_id_reused"
# So many messages at the end of a partition are read first; twice as many each time that is not far enough back.
STEP = 200
# Clocks of the database and of those who answer may differ by so much.
MARGIN = timedelta(minutes=10)
_COPIED = {"correlationid": "ce_correlationid", PARENT: PARENT, STATE: STATE}


class Answered(NamedTuple):
    """An answer to a command, and the attributes of the command that came back with it."""

    epoch: str
    result: Result
    command: Mapping[str, Any]


def answers_ahead(offset_reader: OffsetReader, topic: str, store: EventStore) -> list[Answered]:
    """The answers of the current epoch, or of one that the store never had, whose outcome the store does not have.

    Of several answers to a command the last one counts. Each partition is read back to where the store has an outcome that was
    told, at most to the beginning of the epoch. Raises BusUnreachable, TopicMissing.
    """
    epochs, found = store.epochs(), []
    firsts = offset_reader.offsets_at(topic, (epochs.current.begun_at - MARGIN).timestamp())
    for partition, beyond in offset_reader.ends(topic).items():
        last: dict[Any, Answered] = {}
        missing: list[Answered] = []
        first, end, step = firsts[partition], beyond, STEP
        while end > first:
            begin = max(first, end - step)
            messages = offset_reader.read(topic, {partition: begin}, {partition: end})[partition]
            last = {one.result.command_id: one for one in answered(messages, epochs)} | last
            recorded = store.outcomes(list(last))
            missing = [one for id, one in last.items() if not is_recorded(one.result, recorded.get(id))]
            if len(missing) < len(last):
                break
            end, step = begin, step * 2
        found += missing
    return found


def answered(messages: Iterable[Polled], epochs: Epochs) -> Iterator[Answered]:
    """What messages say of recorded outcomes, in the current epoch or in one that the store never had."""
    for message in messages:
        headers = headers_of(message)
        name = (headers.get("ce_epoch") or epochs.first.name.encode()).decode(errors="replace")
        if headers.get("ce_source") != SOURCE.encode() or (name != epochs.current.name and epochs.knows(name)):
            continue
        result = _result(message)
        if result is not None:
            texts = {name: value.decode(errors="replace") for name, value in headers.items() if value is not None}
            command = {name: texts[header] for name, header in _COPIED.items() if header in texts}
            key = (message.key or b"").decode(errors="replace")
            yield Answered(name, result, {"partitionkey": key, "subject": texts.get("ce_subject", ""), **command})


def _result(message: Polled) -> Result | None:
    """What an answer says of a recorded outcome; None: it is none, or about what is no command, or another one under its id."""
    try:
        answer = Result.model_validate_json(message.value or b"")
    except ValidationError:
        return None
    has_outcome = answer.first_outcome is not None and all(reason.code != REUSED for reason in answer.reasons)
    return answer if has_outcome else None


def is_recorded(told: Result, outcome: Outcome | None) -> bool:
    """Whether the store has this outcome, with the events that were told of."""
    if outcome is None:
        return False
    return (outcome.status, outcome.document()["positions"]) == (told.first_outcome, told.positions)


def unrecorded(outcomes: Iterable[Outcome], store: EventStore) -> list[Outcome]:
    """Those that the store does not have as they are about to be told."""
    told = [one for one in outcomes if all(reason.code != REUSED for reason in one.reasons)]
    recorded = store.outcomes([one.command_id for one in told])
    return [one for one in told if _place(one) != _place(recorded.get(one.command_id))]


def _place(outcome: Outcome | None) -> tuple[Any, ...] | None:
    return outcome and (outcome.status, outcome.first_position, outcome.last_position)


def corrections(
    offset_reader: OffsetReader, topic: str, store: EventStore, ahead: Iterable[Answered], *, since: datetime, after: int
) -> list[tuple[Answered, Outcome]]:
    """Commands that have to be answered again in an epoch that begins behind the position `after`, and their outcomes.

    Those that were told otherwise than the store has it (`ahead`), and those told since a moment that have events behind `after`:
    who was told takes these events for void. Commands without an outcome are answered when they are decided.
    Raises BusUnreachable, TopicMissing.
    """
    begins = offset_reader.offsets_at(topic, (since - MARGIN).timestamp())
    read, epochs = offset_reader.read(topic, begins, offset_reader.ends(topic)), store.epochs()
    told = {one.result.command_id: one for one in ahead}
    told |= {one.result.command_id: one for messages in read.values() for one in answered(messages, epochs)}
    outcomes = store.outcomes(list(told))
    pairs = [(one, outcomes[id]) for id, one in told.items() if id in outcomes]
    return [(one, outcome) for one, outcome in pairs if outcome.last_position > after or not is_recorded(one.result, outcome)]


def corrected(pairs: Iterable[tuple[Answered, Outcome]], epoch: str, now: datetime) -> list[Outgoing]:
    """The answers that are true, told in an epoch."""
    return [result_message(outcome._replace(duplicate=True), one.command, now, epoch) for one, outcome in pairs]
