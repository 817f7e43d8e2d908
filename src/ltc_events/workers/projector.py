"""The projector on Kafka: updates read tables from `ltc.events`; several projectors share its partitions.

The checkpoint of each table in each partition is stored with its rows in one transaction; offsets committed to Kafka are for
monitoring alone. So redelivered events change nothing, and a projector that lost a partition while it slept finds the
checkpoints moved and writes nothing. Tables fed by the store are brought to its head and switched to the topic first.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import structlog

from ltc_events.bootstrap.services import open_store
from ltc_events.bus.consumer import SESSION_TIMEOUT_MS, FeedExpired, FeedReplaced, PartitionConsumer, Polled
from ltc_events.bus.event_decoding import NoEvent, epoch_of, head_of, headers_of, is_word_of_an_epoch, read_head, row_of
from ltc_events.bus.origin import origin_of
from ltc_events.bus.topics import EVENTS, Bus
from ltc_events.kernel.partitioning import partition_of
from ltc_events.projections.catalog.event_source import Source
from ltc_events.projections.catalog.lifecycle import last_transition
from ltc_events.projections.declaration.errors import CheckpointMoved, EventMisplaced, EventsGone, PartitionsChanged
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.failures import Failure, recording_failures
from ltc_events.projections.following.partition_runner import PartitionRunner
from ltc_events.projections.following.partition_track import Arrivals
from ltc_events.projections.following.source_switch import Adoption, adopting, agree
from ltc_events.projections.following.store_runner import WRITERS, rare_collections
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.recovery.topic_comparison import refuse_events_ahead
from ltc_events.schemas.record import Record
from ltc_events.schemas.tracing import PARENT, Trace
from ltc_events.store import Database, DeadLetter, EventStore, Role, StoreWentBack, UnreadableEvent
from ltc_events.store.foreign_messages import store_foreign
from ltc_events.store.reading import to_records
from ltc_events.workers.spans import spans

log = structlog.get_logger()

GROUP = "projector"
BATCH_MESSAGES_MAX = 5_000
WAIT_S = 0.5
# While we know of an event that is not here yet, or of a checkpoint that is behind.
WAIT_SHORT_S = 0.02
MARK_EVERY_S = 0.25
# It takes the broker's time and ours, so less often where most partitions move by themselves.
MARK_BUSY_EVERY_S = 0.5
CHECK_EVERY_S = 1.0


class Projector:
    """Updates read tables from the topic of events, in the assigned partitions."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        store: EventStore,
        connection: Connection,
        writers: Sequence[Connection],
        projections: Sequence[type[Projection]],
        *,
        group: str = GROUP,
        session_timeout_ms: int = SESSION_TIMEOUT_MS,
    ) -> None:
        """`store` and the connections act as the projector, the latter in autocommit mode; `writers` are in use all the time.

        Raises BusUnreachable, TopicMissing, FedFromStore, PartitionsChanged, StoreWentBack.
        """
        refuse_events_ahead(bus, store)
        self._read_epochs(store)
        self._database = database
        self._store = store
        self._connection = connection
        self._projections = projections
        self._feed = PartitionConsumer(
            bus, EVENTS, group, assigned=self._begin, batch_max=BATCH_MESSAGES_MAX, session_timeout_ms=session_timeout_ms
        )
        self._source = Source(self._feed.topic, self._feed.partitions)
        self._runner = PartitionRunner(writers, projections, self._source)
        self._closing = ExitStack()
        self._closing.callback(self._feed.close)
        self._closing.callback(self._runner.close)
        self._spans = spans()
        self._adoption: tuple[Adoption, ExitStack] | None = None
        self._seen: dict[int, int] = {}
        self._head = 0
        self._marks: dict[int, tuple[int, int]] = {}
        self._marked = 0
        self._marked_at = self._checked_at = 0.0
        with ExitStack() as undone:
            undone.enter_context(self._closing)
            self._runner.refresh()
            agree(self._connection, self._source)
            undone.pop_all()

    @property
    def partitions(self) -> tuple[int, ...]:
        """The assigned partitions."""
        return tuple(self._seen)

    def step(self) -> None:
        """Write the next events, or switch some tables that the store still feeds.

        Raises FedFromStore, PartitionsChanged, EventMisplaced and EventsGone, which an operator has to resolve.
        """
        if self._runner.waiting:
            self._adopt()
        if not self._runner.has_tables:
            if self._adoption is None:
                time.sleep(WAIT_S)  # somebody else hands them over
            self._check_tables()
            return
        try:
            messages = self._feed.poll(WAIT_SHORT_S if self._marks or self._adoption or self._runner.has_idle else WAIT_S)
            if messages:
                self._take(messages)
            else:
                self._runner.finish()
            self._mark(MARK_BUSY_EVERY_S if messages else MARK_EVERY_S)
            self._check_tables()
        except CheckpointMoved as moved:
            # Another worker has our partitions, or a table was brought to the head from the store meanwhile.
            log.warning("projector_feed_moved", detail=moved.message)
            self._feed.rewind()
        except FeedReplaced as error:
            raise EventsGone(begin=0, **error.details) from error
        except FeedExpired as error:
            raise EventsGone(end=self._feed.ends([error.details["partition"]]).popitem()[1], **error.details) from error

    def finish(self) -> None:
        """Write the events received."""
        self._runner.finish_quietly()

    def unnoted(self) -> list[Failure]:
        """The tables whose connection ended with an error."""
        return self._runner.unnoted()

    def close(self) -> None:
        """Leave the group."""
        self._closing.close()

    def _begin(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The offsets to begin at after a change of assignment."""
        agree(self._connection, self._source)
        if any(partition >= self._source.partitions for partition in partitions):
            raise PartitionsChanged(topic=self._feed.topic, partitions=max(partitions) + 1, known=self._source.partitions)
        begins = self._runner.begin(partitions)
        # Afterwards: where an epoch begins in between, checkpoints do not move, and we begin once more.
        self._read_epochs(self._store)
        if set(self._seen) != set(partitions):
            log.info("projector_partitions", partitions=list(partitions))
        self._seen = dict.fromkeys(partitions, 0)
        self._marks, self._marked = {}, 0
        for partition, first in self._feed.beginnings(partitions).items():
            if begins[partition] < first and self._runner.has_tables:
                end = self._feed.ends([partition])[partition]
                raise EventsGone(topic=self._feed.topic, partition=partition, begin=first, end=end, offset=begins[partition])
        return begins

    def _take(self, messages: Sequence[Polled]) -> None:
        letters: list[DeadLetter] = []
        arrivals: dict[int, Arrivals] = {}
        by_partition: dict[int, list[Polled]] = {}
        for message in messages:
            by_partition.setdefault(message.partition, []).append(message)
        for partition, found in by_partition.items():
            records = self._records(partition, found, letters)
            arrivals[partition] = Arrivals(records, self._seen[partition], found[-1].offset + 1)
        if letters:
            store_foreign(self._database, letters)
            for letter in letters:
                log.warning("foreign_message", topic=self._feed.topic, reason=letter.reason)
        with self._spans.projecting(self._feed.topic, _traces(messages)) if self._spans else nullcontext():
            self._runner.take(arrivals)

    def _records(self, partition: int, messages: Sequence[Polled], letters: list[DeadLetter]) -> list[Record]:
        """The events that any table handles; messages that are no events become dead letters."""
        seen, known = self._seen[partition], len(letters)
        rows = self._rows(partition, messages, letters)
        try:
            return to_records(row for row, _ in rows)
        except UnreadableEvent:
            foreign = list(self._foreign(rows))
        if not foreign:
            return self._up_to_unreadable(partition, rows)
        # They said that they stand somewhere in the log, which is not true: once more, without them.
        del letters[known:]
        letters += [_dead_letter(self._feed.topic, message, error) for message, error in foreign]
        offsets = {message.offset for message, _ in foreign}
        self._seen[partition] = seen
        return self._records(partition, [one for one in messages if one.offset not in offsets], letters)

    def _rows(
        self, partition: int, messages: Sequence[Polled], letters: list[DeadLetter]
    ) -> list[tuple[tuple[Any, ...], Polled]]:
        rows: list[tuple[tuple[Any, ...], Polled]] = []
        seen, concerns = self._seen[partition], self._runner.concerns
        for message in messages:
            try:
                headers: dict[str, bytes] = {}
                position, kind = read_head(message)
                if not position or concerns(kind):
                    headers = headers_of(message)
                    position, kind = head_of(headers)
                if (epoch := epoch_of(message)) != self._epoch and self._is_void(epoch, position):
                    continue
                if position <= seen:
                    continue
                self._check(message, position, kind)
                if concerns(kind):
                    rows.append((row_of(message, headers, position, kind), message))
            except NoEvent as error:
                if not is_word_of_an_epoch(message):
                    letters.append(_dead_letter(self._feed.topic, message, error))
            else:
                seen = position
        self._seen[partition] = seen
        return rows

    def _foreign(self, rows: Sequence[tuple[tuple[Any, ...], Polled]]) -> Iterator[tuple[Polled, NoEvent]]:
        """The messages that cannot be decoded and are not in the store."""
        for row, message in rows:
            try:
                to_records([row])
            except UnreadableEvent as error:
                if not self._is_stored(row[0], row[3], message.value):
                    yield message, NoEvent(reason=error.message)

    def _up_to_unreadable(self, partition: int, rows: Sequence[tuple[tuple[Any, ...], Polled]]) -> list[Record]:
        """The records after the last undecodable event; each such event stops the tables that handle it, right before it."""
        records: list[Record] = []
        for row, message in rows:
            try:
                records += to_records([row])
            except UnreadableEvent as error:
                self._runner.take({partition: Arrivals(records, row[0] - 1, message.offset)})
                self._runner.leave_out(partition, error)
                records = []
        return records

    def _is_stored(self, position: int, kind: str, value: bytes | None) -> bool:
        return any((one.type, one.data) == (kind, value) for one in self._store.read_raw(position - 1, 1))

    def _check(self, message: Polled, position: int, kind: str) -> None:
        """Raise NoEvent for a message not sent by the relay, and EventMisplaced for an event on the wrong partition."""
        if position > self._head:
            self._head = self._store.head()[0]
            if position > self._head:
                if epoch_of(message) == self._epoch:
                    what = f"{self._feed.topic} has the event {position}, and the head of the store is {self._head}"
                    raise StoreWentBack(what=what)
                raise NoEvent(reason=f"its position {position} is not in the store")
        home = None if message.key is None else partition_of(message.key, self._source.partitions)
        if home != message.partition:
            if home is not None and self._is_stored(position, kind, message.value):
                raise EventMisplaced(position=position, partition=message.partition, topic=self._feed.topic, home=home)
            raise NoEvent(reason="by its key it does not belong on this partition")

    def _read_epochs(self, store: EventStore) -> None:
        self._epochs = store.epochs()
        self._epoch: bytes | None = self._epochs.current.name.encode()

    def _is_void(self, epoch: bytes | None, position: int) -> bool:
        """Whether an event of another epoch was lost when the store went back. Raises StoreWentBack."""
        name = self._epochs.first.name if epoch is None else epoch.decode(errors="replace")
        if not self._epochs.knows(name):
            self._read_epochs(self._store)
            if not self._epochs.knows(name):
                raise StoreWentBack(what=f"{self._feed.topic} has an event of the epoch {name}, which the store never had")
        return not self._epochs.holds(name, position)

    def _mark(self, every_s: float) -> None:
        """Advance the checkpoints of idle partitions.

        Everything that the relay has published lies before the end offsets read afterwards. So a partition read up to its end
        has no further event up to the relay's position, unless the topic has new partitions, which is checked last. Raises
        PartitionsChanged.
        """
        if self._seen and not self._marks and time.monotonic() - self._marked_at > every_s:
            self._marked_at = time.monotonic()
            sent = self._store.offsets(self._feed.topic).get((self._feed.topic, 0), 0)
            if sent > self._marked:
                now = self._feed.partitions_now()
                if now != self._source.partitions:
                    raise PartitionsChanged(topic=self._feed.topic, partitions=now, known=self._source.partitions)
                self._marks = {partition: (sent, end) for partition, end in self._feed.ends(self._seen).items()}
                self._marked = sent
        reached = {partition: self._feed.reached(partition) for partition in self._marks}
        done = {one: mark for one, mark in self._marks.items() if (at := reached[one]) is not None and at >= mark[1]}
        if done:
            self._runner.read_up_to(done)
            for partition in done:
                del self._marks[partition]

    def _check_tables(self) -> None:
        """Check at intervals whether tables were built, dropped or switched."""
        if time.monotonic() - self._checked_at < CHECK_EVERY_S:
            return
        self._checked_at = time.monotonic()
        head = self._store.head()[0]
        if head < self._head:
            raise StoreWentBack(what=f"its head is {head}, and was {self._head}")
        if self._runner.is_due or last_transition(self._connection) != self._runner.life:
            self._renew()
        elif self._seen:
            self._feed.hint(self._runner.offsets())

    def _renew(self) -> None:
        if self._seen:
            self._feed.rewind()
        else:
            agree(self._connection, self._source)
            self._runner.refresh()

    def _adopt(self) -> None:
        """Switch some tables that the store still feeds, unless another projector does."""
        if self._adoption is None:
            stack = ExitStack()
            adoption = stack.enter_context(adopting(self._database, self._projections, self._source))
            if adoption is None:
                stack.close()
                return
            self._adoption = adoption, self._closing.enter_context(stack)
        adoption, stack = self._adoption
        if adoption.step(self._feed.ends):
            log.info("projector_adopted", topic=self._feed.topic)
            stack.close()
            self._adoption = None
            self._runner.finish_quietly()
            self._renew()
            self._runner.waiting = False  # what stopped at an event waits for people


@contextmanager
def open_projector(
    bus: Bus,
    database: Database,
    *,
    projections: Sequence[type[Projection]] = PROJECTIONS,
    group: str = GROUP,
    session_timeout_ms: int = SESSION_TIMEOUT_MS,
) -> Iterator[Projector]:
    """A projector with its own connections. Raises the errors of `Projector`."""
    with ExitStack() as stack:
        stack.enter_context(rare_collections())
        store = stack.enter_context(open_store(database, Role.PROJECTOR))
        connect = partial(database.connect, Role.PROJECTOR, autocommit=True)
        connection, *writers = [stack.enter_context(connect()) for _ in range(1 + WRITERS)]
        worker = Projector(
            bus, database, store, connection, writers, projections, group=group, session_timeout_ms=session_timeout_ms
        )
        stack.callback(worker.close)
        with recording_failures(database, worker.unnoted):
            yield worker
            worker.finish()


def _dead_letter(topic: str, message: Polled, error: NoEvent) -> DeadLetter:
    return DeadLetter(topic, message.value or b"", error.message, origin_of(topic, message))


def _traces(messages: Sequence[Polled]) -> dict[int, Trace]:
    """The traces received with events, by position."""
    traces: dict[int, Trace] = {}
    for message in messages:
        headers = headers_of(message)
        if PARENT in headers:
            told = {name: value.decode(errors="replace") for name, value in headers.items() if value is not None}
            trace = Trace.of(told)
            if trace is not None and told.get("ce_position", "").isdecimal():
                traces[int(told["ce_position"])] = trace
    return traces
