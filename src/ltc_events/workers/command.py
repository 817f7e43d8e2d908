"""The command worker: decides a batch of messages from Kafka in one transaction, and answers each of them.

The store keeps two offsets per partition. The *effect* offset moves in the transaction that stores the effects of the messages
before it, so each takes effect exactly once. The *answer* offset follows when their answers are on Kafka. After a crash the
messages between the two, two batches at most, are answered again from the recorded outcomes: answers are delivered at least
once.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, NamedTuple

import structlog

from ltc_events.application.clock import SystemClock
from ltc_events.application.parsing import Prepared, Received
from ltc_events.application.pipeline import Answer, CommandPipeline, Submission
from ltc_events.bootstrap.services import open_store
from ltc_events.bus.cloudevents import command_parts, result_message, undecodable_message
from ltc_events.bus.consumer import SESSION_TIMEOUT_MS, FeedExpired, PartitionConsumer, Polled
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.origin import origin_of
from ltc_events.bus.outcome_messages import dead_letter_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topics import COMMANDS, DEAD_LETTERS, RESULTS, Bus
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.collector import collections_rare, collector_paused
from ltc_events.recovery.expired import expired_error, expired_of
from ltc_events.recovery.outcomes_ahead import unrecorded
from ltc_events.recovery.topic_comparison import refuse_answers_ahead, refuse_events_ahead
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store import Database, EventStore, Offset, OffsetMoved, Role
from ltc_events.workers.command_log import log_dead_letter, log_refused
from ltc_events.workers.epoch_check import require_current_epoch
from ltc_events.workers.metrics import TimedStore, command_metrics
from ltc_events.workers.spans import spans, under

log = structlog.get_logger()

GROUP = "command-worker"
WAIT_S = 0.5


class _Place(NamedTuple):
    """The offsets of a partition up to which effects are stored, answers produced, and answers recorded as produced."""

    stored: int
    answered: int
    recorded: int


class _Taken(NamedTuple):
    """Messages with their documents and parsed commands."""

    messages: Sequence[Polled]
    received: Sequence[Received]
    batch: Sequence[Prepared]
    spans: Any


class _UnderWay(NamedTuple):
    """A batch being stored: whether each message was processed before, its answer then, and when the batch was begun."""

    taken: _Taken
    stored: Sequence[bool]
    recalled: Sequence[Answer]
    moves: Sequence[Offset]
    submission: Submission | None
    begun_at: float


class CommandWorker:
    """Submits commands from Kafka to the pipeline. Several workers share the partitions."""

    def __init__(
        self,
        bus: Bus,
        store: EventStore,
        publisher: Publisher,
        clock: Clock,
        *,
        group: str = GROUP,
        session_timeout_ms: int = SESSION_TIMEOUT_MS,
    ) -> None:
        """Raises BusUnreachable, TopicMissing."""
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._pipeline = CommandPipeline(store, clock, principal=bus.sender)
        self._epoch = store.epochs().current.name
        self._places: dict[int, _Place] = {}
        self._under_way: _UnderWay | None = None
        self._on_their_way: dict[int, int] = {}
        """By partition, up to where answers were sent that may not be on Kafka yet."""
        self._spans = spans()
        self._results, self._dead_letters = bus.topic(RESULTS), bus.topic(DEAD_LETTERS)
        group = f"{group}.{bus.source}" if bus.source else group
        self._feed = PartitionConsumer(bus, COMMANDS, group, assigned=self._find_places, session_timeout_ms=session_timeout_ms)

    @property
    def partitions(self) -> tuple[int, ...]:
        """The assigned partitions."""
        return tuple(self._places)

    def step(self) -> None:
        """Process one batch: effects first, then answers. Without new messages, record which answers were produced.

        While a batch is being stored, the next one is fetched and validated; it is decided when the previous one is answered.
        """
        with collector_paused():
            is_free = self._under_way is None
            taken = self._fetch(WAIT_S if is_free else 0)
            try:
                if is_free:
                    self._settle()
                self._complete()
                if taken:
                    self._begin(taken)
                elif is_free:
                    self._record_answers()
            except OffsetMoved as moved:
                _log_offset_moved(moved)
                self._feed.rewind()

    def finish(self) -> None:
        """Answer the batch in flight and record its answers, so that none is repeated."""
        try:
            self._complete()
        except OffsetMoved as moved:
            _log_offset_moved(moved)
        self._settle()
        with suppress(OffsetMoved):  # they are another worker's now
            self._record_answers()

    def close(self) -> None:
        """Leave the group."""
        self._feed.close()

    def _find_places(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The offsets to begin at: the recorded answer offset, which is never beyond the effect offset.

        Raises CommandsExpired.
        """
        self.finish()
        topic, answers = self._feed.topic, f"{self._feed.topic}/answers"
        found = self._store.offsets(topic, answers)
        first = self._feed.beginnings(partitions)
        stored = {partition: found.get((topic, partition), 0) for partition in partitions}
        if expired := expired_of(stored, first):
            raise expired_error(topic, expired)
        self._places = {}
        for partition in partitions:
            recorded = found.get((answers, partition), 0)
            answered = max(recorded, min(first[partition], stored[partition]))
            if answered > recorded:
                log.warning("answers_expired", topic=topic, partition=partition, first=recorded, next=answered)
            self._places[partition] = _Place(stored[partition], answered, recorded)
        return {partition: place.answered for partition, place in self._places.items()}

    def _fetch(self, wait_s: float) -> _Taken | None:
        try:
            messages = self._feed.poll(wait_s)
        except FeedExpired as gone:
            self._complete()
            places = {partition: place.stored for partition, place in self._places.items()}
            first = {gone.details["partition"]: gone.details["begin"]}
            raise expired_error(self._feed.topic, expired_of(places, first)) from gone
        if not messages:
            return None
        received = [_received(self._feed.topic, message) for message in messages]
        begun = self._spans.of_commands(self._feed.topic, [one.document for one in received]) if self._spans else None
        if begun:
            received = [_under(span, one) for span, one in zip(begun, received, strict=True)]
        return _Taken(messages, received, self._pipeline.prepare(received), begun)

    def _begin(self, taken: _Taken) -> None:
        """Decide the new messages and begin to store them."""
        places, begun_at = self._places, time.monotonic()
        stored = [message.offset < places[message.partition].stored for message in taken.messages]
        old = [one for one, is_stored in zip(taken.batch, stored, strict=True) if is_stored]
        new = [one for one, is_stored in zip(taken.batch, stored, strict=True) if not is_stored]
        recalled = self._pipeline.recall(old) if old else []
        moves = self._moves(taken.messages)
        submission = self._pipeline.begin(new, moves, source=self._feed.topic) if new else None
        self._under_way = _UnderWay(taken, stored, recalled, moves, submission, begun_at)

    def _complete(self) -> None:
        """Wait until the batch in flight is stored, and answer it."""
        batch, self._under_way = self._under_way, None
        if batch is None:
            return
        submitted: Sequence[Answer] = ()
        if batch.submission is not None:
            submitted = batch.submission.finish()
            command_metrics().taken(submitted)
            self._note(batch.moves)
        left_new, left_old = iter(submitted), iter(batch.recalled)
        answers = [next(left_old if is_stored else left_new) for is_stored in batch.stored]
        self._settle()
        self._answer(batch.taken, answers, batch.begun_at)
        if self._spans and batch.taken.spans:
            self._spans.end_commands(batch.taken.spans, answers)

    def _moves(self, messages: Sequence[Polled]) -> list[Offset]:
        """The offsets that the transaction of these messages moves: effect offsets, and answer offsets of earlier messages."""
        moves = self._unrecorded()
        ends = {message.partition: message.offset + 1 for message in messages}
        for partition, end in ends.items():
            stored = self._places[partition].stored
            if end > stored:
                moves.append(Offset(self._feed.topic, partition, stored, end))
        return moves

    def _unrecorded(self) -> list[Offset]:
        return [
            Offset(f"{self._feed.topic}/answers", partition, place.recorded, place.answered)
            for partition, place in self._places.items()
            if place.answered > place.recorded
        ]

    def _note(self, moves: Iterable[Offset]) -> None:
        for feed, partition, _, reached in moves:
            changed = {"stored": reached} if feed == self._feed.topic else {"recorded": reached}
            self._places[partition] = self._places[partition]._replace(**changed)

    def _answer(self, taken: _Taken, answers: Sequence[Answer], begun_at: float) -> None:
        now = self._clock.now()
        results: list[Outgoing] = []
        letters: list[Outgoing] = []
        for message, received, answer in zip(taken.messages, taken.received, answers, strict=True):
            document = received.document
            if isinstance(answer, Outcome) and not isinstance(document, Undecodable):
                if answer.reasons and not answer.duplicate:
                    log_refused(answer, document)
                results.append(result_message(answer, document, now, self._epoch))
            elif isinstance(answer, Undecodable):
                origin = (self._feed.topic, message.partition, message.offset)
                log_dead_letter(answer, document, origin)
                letters.append(dead_letter_message(message.key, message.value, message.headers, origin, answer))
                told = undecodable_message(message.key, answer, now, self._epoch)
                if told is not None:
                    results.append(told)
        self._publisher.send(self._dead_letters, letters)
        outcomes = [one for one in answers if isinstance(one, Outcome)]
        self._publisher.send(self._results, results, before_send=lambda: self._require_current_epoch(outcomes, begun_at))
        self._on_their_way = {message.partition: message.offset + 1 for message in taken.messages}

    def _require_current_epoch(self, outcomes: Sequence[Outcome], begun_at: float) -> None:
        def lost() -> str:
            count = len(unrecorded(outcomes, self._store))
            return f"it has no such outcome of {count} commands that were about to be answered" if count else ""

        require_current_epoch(self._store, self._epoch, begun_at, lost)

    def _settle(self) -> None:
        """Wait until the answers sent are acknowledged; they were in flight while the next messages were fetched."""
        self._publisher.settle()
        for partition, end in self._on_their_way.items():
            place = self._places[partition]
            self._places[partition] = place._replace(answered=max(place.answered, end))
        self._on_their_way = {}

    def _record_answers(self) -> None:
        moves = self._unrecorded()
        if moves:
            self._store.advance(moves)
            self._note(moves)
            self._feed.hint({move.partition: move.next for move in moves})


@contextmanager
def open_command_worker(bus: Bus, database: Database, publisher: Publisher) -> Iterator[CommandWorker]:
    """A command worker with its own connections; the publisher is closed with it.

    Raises StoreWentBack where Kafka has answers or events that the store does not have: new decisions would take their place.
    """
    with publisher, open_store(database, Role.WRITER, TimedStore) as store, collections_rare():
        with OffsetReader(bus) as offset_reader:
            refuse_events_ahead(bus, store, offset_reader=offset_reader)
            refuse_answers_ahead(bus, store, offset_reader=offset_reader)
        worker = CommandWorker(bus, store, publisher, SystemClock())
        try:
            yield worker
            worker.finish()
        finally:
            worker.close()


def _log_offset_moved(moved: OffsetMoved) -> None:
    """Log that another worker took over our partitions, or that a commit was stored whose answer was lost."""
    log.warning("command_feed_moved", detail=moved.message)


def _under(span: Any, received: Received) -> Received:
    """The message with its trace moved on to the span."""
    return received if isinstance(received.document, Undecodable) else received._replace(document=under(span, received.document))


def _received(topic: str, message: Polled) -> Received:
    document: Mapping[str, Any] | Undecodable
    data = None
    try:
        document, data = command_parts(message.headers, message.key, message.value)
    except Undecodable as error:
        document = error
    return Received(document, message.value or b"", partial(origin_of, topic, message), data)
