"""Several writers at once, and connections that break: nothing is skipped, nothing is stored twice or half."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Barrier, Event, Thread
from uuid import uuid4
from weakref import ref

import psycopg
import pytest
from psycopg.pq.abc import PGresult
from tests.commits import accepted, batch, new_event, one_command
from tests.conftest import TestServer
from tests.proxy import LastRows, Predicate, Proxy, asks_for_rows, committed

from ltc_events.kernel.collector import collector_paused
from ltc_events.schemas.record import Record
from ltc_events.store import (
    Commit,
    CommitUnknown,
    ConnectionLost,
    Database,
    EventStore,
    HeadHeld,
    Offset,
    OffsetMoved,
    Reads,
    Role,
    StaleRead,
    VersionConflict,
)
from ltc_events.store.append import _Batch
from ltc_events.store.pipelined_sql import Running
from ltc_events.store.queries import query

WRITERS, COMMITS = 4, 25
LONE, BATCHED = 1, 3


class Tail(Thread):
    """Follows the log from its beginning, as a projection does, and keeps what it sees."""

    def __init__(self, database: Database) -> None:
        super().__init__(daemon=True)
        self._database = database
        self.seen: list[Record] = []
        self.enough = Event()
        self.start()

    def run(self) -> None:
        with EventStore(self._database, Role.PROJECTOR) as store:
            while not (self.enough.is_set() and store.head()[0] == len(self.seen)):
                if store.wait(len(self.seen), 0.2):
                    self.seen += store.read(len(self.seen), 7)

    def positions(self) -> list[int]:
        """What was seen up to the head of the log."""
        self.enough.set()
        self.join(timeout=30)
        return [record.position for record in self.seen]


@pytest.fixture
def tail(database: Database) -> Iterator[Tail]:
    tail = Tail(database)
    yield tail
    tail.positions()


def sizes(number: int) -> Commit:
    """Commits of both kinds: lone commands and batches."""
    return one_command(events=2) if number % 2 else batch(1 + number % 5)


def test_a_tailing_reader_misses_nothing_of_many_writers(database: Database, tail: Tail) -> None:
    barrier = Barrier(WRITERS)
    written: list[int] = []

    def work() -> None:
        with EventStore(database, Role.WRITER) as store:
            barrier.wait()
            for number in range(COMMITS):
                commit = sizes(number)
                base = store.append(commit)
                written.extend(range(base + 1, base + len(commit.events) + 1))

    writers = [Thread(target=work) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(written) == list(range(1, len(written) + 1))
    assert tail.positions() == sorted(written)


@contextmanager
def slow_writer(database: Database, commit: Commit) -> Iterator[Callable[[], None]]:
    """A writer that is inside its transaction, with the head row locked, until what it gives is called."""
    held, released = Event(), Event()
    packed = _Batch(commit)

    def after_a_while(results: Sequence[PGresult]) -> bytes:
        held.set()
        released.wait(60)
        return packed.copies()[1].rows(results)

    def write_slowly() -> None:
        Running(connection, packed.script, [packed.copies()[0], packed.copies()[1]._replace(rows=after_a_while)]).finish()

    with database.connect(Role.WRITER, autocommit=True) as connection:
        writer = Thread(target=write_slowly)
        writer.start()
        assert held.wait(60)
        yield released.set
        released.set()
        writer.join()


def test_a_slow_writer_keeps_nobody_from_seeing_everything(database: Database, event_store: EventStore, tail: Tail) -> None:
    """One writer is slow inside its transaction: after it, in it or before it, no position may appear out of order."""
    event_store.append(batch(1))
    others = Thread(target=lambda: [event_store.append(sizes(number)) for number in range(6)])
    with slow_writer(database, batch(2)), EventStore(database, Role.PROJECTOR) as reader:
        others.start()
        time.sleep(0.3)
        assert reader.head()[0] == 2
        assert len(reader.read(0, 100)) == 2
    others.join()
    head = event_store.head()[0]
    assert tail.positions() == list(range(1, head + 1))
    assert [record.version for record in tail.seen[2:6]] == [1, 2, 1, 2]


@pytest.mark.parametrize("commands", [LONE, BATCHED])
@pytest.mark.parametrize("is_read", [True, False])
def test_what_was_read_is_held_against_whatever_commits_before_us(
    database: Database, event_store: EventStore, commands: int, is_read: bool
) -> None:
    """Our statement has begun when another writer, whom it waits for, commits to a stream that we have read."""
    read, written = uuid4(), uuid4()
    event_store.append(one_command(read))
    ours = one_command(written) if commands == LONE else batch(commands)
    ours.reads = Reads(since=1, streams=[(read if is_read else uuid4()).int])
    answers: list[object] = []

    def work() -> None:
        try:
            answers.append(event_store.append(ours))
        except StaleRead as error:
            answers.append(error.details)

    with slow_writer(database, Commit([new_event(read, 2)])) as release, database.connect(Role.OWNER, autocommit=True) as watch:
        writer = Thread(target=work)
        writer.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        deadline = time.monotonic() + 10
        while watch.execute(waiting).fetchone() != (1,):
            assert time.monotonic() < deadline, "nobody waits for the head"
        release()
        writer.join()
    assert answers == ([{"since": 1}] if is_read else [2])
    assert event_store.head()[0] == (2 if is_read else 2 + len(ours.events))


@pytest.mark.parametrize("commands", [LONE, BATCHED])
def test_a_customer_whose_streams_were_listed_has_no_new_one(event_store: EventStore, commands: int) -> None:
    customer, stream = uuid4(), uuid4()
    event_store.append(Commit([new_event(stream, 1, customer_id=customer)]))
    ours = one_command(uuid4()) if commands == LONE else batch(commands)
    ours.reads = Reads(since=1, streams=(), customers=[customer.int])
    event_store.append(Commit([new_event(stream, 2, customer_id=customer), new_event(uuid4(), 1, customer_id=uuid4())]))
    assert event_store.append(ours) == 3
    again = one_command(uuid4()) if commands == LONE else batch(commands)
    again.reads = Reads(since=0, streams=(), customers=[customer.int])
    with pytest.raises(StaleRead):
        event_store.append(again)


def test_a_rolled_back_writer_leaves_no_gap(database: Database, event_store: EventStore, tail: Tail) -> None:
    event_store.append(batch(2))
    with database.connect(Role.WRITER) as connection:
        assert connection.execute("SELECT ltc.take_head_positions(5, NULL)").fetchone() is not None
        connection.rollback()
    taken = event_store.read(0, 1)[0].subject
    with pytest.raises(VersionConflict):
        event_store.append(Commit([new_event(uuid4(), 1), new_event(taken, 1)]))
    event_store.append(batch(2))
    assert tail.positions() == list(range(1, 9))


def test_a_head_that_somebody_keeps_is_named(database: Database, event_store: EventStore) -> None:
    event_store.append(batch(1))
    event_store._connections["write"].execute("SET lock_timeout = '100ms'")
    with database.connect(Role.WRITER) as other:
        other.execute(query("await_head"))
        for commit in (batch(LONE), batch(BATCHED)):
            with pytest.raises(HeadHeld):
                event_store.append(commit)
    assert event_store.append(batch(BATCHED)) == 2


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    proxy = Proxy(database)
    yield proxy
    proxy.close()


@pytest.fixture
def far_store(proxy: Proxy) -> Iterator[EventStore]:
    """A store behind the proxy, connected."""
    with EventStore(proxy.database, Role.WRITER) as store:
        store.append(batch(LONE))
        yield store


@pytest.mark.parametrize("commands", [LONE, BATCHED])
def test_a_lost_reply_of_commit_is_resolved_from_the_recorded_outcome(far_store: EventStore, proxy: Proxy, commands: int) -> None:
    commit = batch(commands)
    ids = [one.command_id for one in commit.outcomes]
    proxy.cut_reply = committed
    with pytest.raises(CommitUnknown):
        far_store.append(commit)
    assert proxy.cuts == 1
    recorded = far_store.outcomes(ids)
    assert list(recorded) == ids
    assert [(one.first_position, one.last_position) for one in recorded.values()] == [
        (3 + 2 * number, 4 + 2 * number) for number in range(commands)
    ]
    assert far_store.append(batch(LONE)) == 2 + 2 * commands


def test_a_commit_that_was_begun_is_stored_whether_or_not_anybody_waits_for_it(far_store: EventStore, proxy: Proxy) -> None:
    commit = batch(BATCHED)
    proxy.cut_reply = committed
    end = far_store.begin_append(commit)
    with EventStore(proxy.database, Role.PROJECTOR) as watching:
        assert watching.wait(2, 10), "the server has all it needs"
    with pytest.raises(CommitUnknown):
        end()
    assert len(far_store.outcomes([one.command_id for one in commit.outcomes])) == BATCHED


def test_a_refusal_is_told_although_the_connection_ended_meanwhile(far_store: EventStore, proxy: Proxy) -> None:
    refused = batch(BATCHED)
    refused.offsets.append(Offset("feed", 0, 7, 8))
    end = far_store.begin_append(refused)
    proxy.cut()
    with pytest.raises(OffsetMoved):
        end()
    assert far_store.append(batch(BATCHED)) == 2


def test_a_commit_that_was_begun_on_a_dead_connection_is_sent_once_more(far_store: EventStore, proxy: Proxy) -> None:
    assert proxy.cut() == 1
    end = far_store.begin_append(batch(BATCHED))
    assert end() == 2


def test_a_commit_that_never_arrived_is_resolved_likewise(far_store: EventStore, proxy: Proxy) -> None:
    commit = batch(BATCHED)
    proxy.cut_request = LastRows()
    with pytest.raises(CommitUnknown):
        far_store.append(commit)
    assert far_store.outcomes([one.command_id for one in commit.outcomes]) == {}
    assert far_store.append(commit) == 2


def test_the_answer_waits_for_a_commit_that_is_still_under_way(far_store: EventStore, proxy: Proxy) -> None:
    """The client has lost the connection; its last words reach the server later, and commit."""
    commit = batch(BATCHED)
    proxy.cut_request, proxy.hold_s = LastRows(), 3.0
    started = time.monotonic()
    with pytest.raises(CommitUnknown):
        far_store.append(commit)
    assert time.monotonic() - started < 2.5
    assert len(far_store.begin([one.command_id for one in commit.outcomes], 2).outcomes) == BATCHED
    assert time.monotonic() - started >= 3.0


def test_a_connection_lost_before_the_rows_are_sent_is_tried_once_more(far_store: EventStore, proxy: Proxy) -> None:
    proxy.cut_reply = asks_for_rows
    assert far_store.append(batch(BATCHED)) == 2
    assert proxy.cuts == 1


def test_a_connection_lost_twice_is_an_error_and_nothing_is_stored(far_store: EventStore, proxy: Proxy) -> None:
    commit = batch(BATCHED)
    proxy.cut_reply, proxy.times = asks_for_rows, 2
    with pytest.raises(ConnectionLost):
        far_store.append(commit)
    assert far_store.head()[0] == 2
    assert far_store.append(commit) == 2


def test_reading_survives_a_lost_connection(far_store: EventStore, proxy: Proxy) -> None:
    assert len(far_store.read(0, 10)) == 2
    data_row: Predicate = lambda reply: reply.kind == b"D"  # noqa: E731
    proxy.cut_reply = data_row
    assert len(far_store.read(0, 10)) == 2
    assert proxy.cuts == 1


def test_a_stored_batch_is_gone_without_the_collector(database: Database) -> None:
    commit = batch(BATCHED)
    event = ref(commit.events[0].event)
    with EventStore(database, Role.WRITER) as store, collector_paused():
        store.append(commit)
        assert event() is not None
        del commit
        assert event() is None, "what a batch holds is held by a cycle, for the collector to find"


def test_an_interrupted_append_leaves_the_store_usable(database: Database) -> None:
    def interrupted(_: object) -> bytes:
        raise KeyboardInterrupt

    connection = database.connect(Role.WRITER, autocommit=True)
    commit = _Batch(Commit([new_event(uuid4(), 1)], [accepted(uuid4(), 1, 1)]))
    with pytest.raises(KeyboardInterrupt):
        Running(connection, commit.script, [commit.copies()[0], commit.copies()[1]._replace(rows=interrupted)])
    assert connection.closed
    with EventStore(database, Role.WRITER) as store:
        assert store.append(batch(BATCHED)) == 0


def test_a_statement_that_fails_is_rolled_back_and_the_connection_goes_on(database: Database) -> None:
    with database.connect(Role.WRITER, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            Running(connection, b"BEGIN; SELECT 1/0; COMMIT", []).finish()
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_copy_without_rows_is_no_success(database: Database) -> None:
    with database.connect(Role.WRITER, autocommit=True) as connection:
        script = query("copy_outcomes").as_bytes()
        with pytest.raises(ValueError, match="COPY"):
            Running(connection, b"BEGIN; " + script + b"; COMMIT", []).finish()
        assert connection.closed


def test_a_store_that_finds_another_server_in_its_place_goes_on_with_nothing(server: TestServer) -> None:
    """As after a failover, or a restore: whoever knew what was there has to begin anew, and see."""
    name, older = server.create(), server.create()
    with EventStore(server.at(name), Role.WRITER) as store:
        store.append(one_command())
        assert store.head()[0] == 1
        server.put_in_place_of(older, name)
        with pytest.raises(ConnectionLost, match="another one"):
            store.head()
        assert store.head()[0] == 0, "who asks again has begun anew"
        store.append(one_command())
    server.drop(name)


def test_a_store_whose_connections_were_cut_goes_on(server: TestServer) -> None:
    name = server.create()
    with EventStore(server.at(name), Role.WRITER) as store:
        store.append(one_command())
        with server.at(name).connect(Role.OWNER, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        assert store.head()[0] == 1
    server.drop(name)
