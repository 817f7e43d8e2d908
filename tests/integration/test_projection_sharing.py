"""What a batch of a topic brings for several tables is written together, and what concerns none of them follows."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
import pytest
from tests.commands import rename
from tests.projectors import Patient, Touchy, assert_true, fill

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.partitioning import partition_of
from ltc_events.projections.catalog.event_source import Source, vector_of
from ltc_events.projections.catalog.skipped_events import Skipped
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.declaration.projection import Operation, build_of
from ltc_events.projections.declaration.projection import Projection as Table
from ltc_events.projections.following import partition_runner, partition_track
from ltc_events.projections.following.partition_runner import PartitionRunner
from ltc_events.projections.following.partition_track import Arrivals, PartitionTrack, Share
from ltc_events.projections.following.source_switch import hand_over
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.payments import Payments
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.projections.writing.table_writer import Writer
from ltc_events.schemas.record import Record, routing_key
from ltc_events.store import Database, EventStore, Role

TOPIC = Source("some.events", 2)


@contextmanager
def fed_by_topic(database: Database, *tables: type[Table]) -> Iterator[PartitionRunner]:
    """A runner with both partitions of a topic, which feeds the tables from the first event on. It has one connection."""
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        hand_over(connection, tables, TOPIC, {0: 0, 1: 0}, 0)
        runner = PartitionRunner([connection], tables, TOPIC)
        runner.begin([0, 1])
        try:
            yield runner
        finally:
            runner.close()


def arrivals(store: EventStore, after: int = 0) -> Mapping[int, Arrivals]:
    """All events after a position as they come of the topic, whose offsets are their positions."""
    found: dict[int, list[Record]] = {0: [], 1: []}
    for record in store.read(after, 10_000):
        found[partition_of(routing_key(record), 2)].append(record)
    if not all(found.values()):  # all customers are on one of them: such is chance
        fill(store, 12)
        return arrivals(store, after)
    return {one: Arrivals(records, records[-1].position, records[-1].position) for one, records in found.items()}


def taken_with_idle_behind(runner: PartitionRunner, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> Mapping[int, Arrivals]:
    """A batch that is written, while the checkpoints of tables that it does not concern have yet to follow."""
    monkeypatch.setattr(partition_runner, "IDLE_EVERY_S", 3_600.0)
    runner._moved_idle_at = time.monotonic()
    fill(store)
    batch = arrivals(store)
    runner.take(batch)
    runner._wait()
    return batch


def stored(database: Database, table: type[Table]) -> dict[int, int]:
    with database.connect(Role.PROJECTOR) as connection:
        return vector_of(connection, build_of(table)).positions


def ends(batch: Mapping[int, Arrivals]) -> dict[int, int]:
    return {partition: one.position for partition, one in batch.items()}


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were written by themselves."""
    told: list[str] = []
    original: Callable[[PartitionTrack, Share], None] = PartitionTrack.take_in

    def take_in(track: PartitionTrack, share: Share) -> None:
        told.append(track.name[0])
        original(track, share)

    monkeypatch.setattr(PartitionTrack, "take_in", take_in)
    return told


def test_a_small_batch_is_written_for_all_tables_together(
    database: Database, event_store: EventStore, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = (Timeline, Customers, Touchy)
    with fed_by_topic(database, *tables) as runner:
        fill(event_store)
        first = arrivals(event_store)
        runner.take(first)
        runner.finish()
        assert alone == []
        assert all(stored(database, table) == ends(first) for table in tables)
        assert_true(database, *tables)

        monkeypatch.setattr(partition_track, "TOGETHER_MAX", 3)
        after = event_store.head()[0]
        fill(event_store)
        runner.take(arrivals(event_store, after))
        runner.finish()
        assert set(alone) == {"timeline", "customers", "touchy"}
    assert_true(database, *tables)


@pytest.mark.parametrize("table", [Touchy, Patient])
def test_an_event_in_the_way_of_one_table_is_not_in_the_way_of_those_beside_it(
    database: Database, event_store: EventStore, alone: list[str], table: type[Table]
) -> None:
    tables = (Timeline, Customers, table)
    with fed_by_topic(database, *tables) as runner:
        customers, pipeline = fill(event_store), CommandPipeline(event_store, SystemClock())
        pipeline.submit([rename("Bad", customers[0])])
        bad = event_store.head()[0]
        pipeline.submit([rename(f"Later {number}", one) for number, one in enumerate(customers)])
        batch = arrivals(event_store)
        runner.take(batch)
        runner.finish()
        assert len(alone) == len(tables)
        assert stored(database, Timeline) == stored(database, Customers) == ends(batch)
        assert_true(database, Timeline, Customers)
        stopped = {one.failed_position for one in projection_status(database)} - {None}
        if table is Patient:
            assert stopped == set()
            assert stored(database, table) == ends(batch)
            found = verify(database, table)
            assert (found.equal, found.left_out[0]) == (True, Skipped((), {customers[0]: bad}))
        else:
            assert stopped == {bad}
            home = partition_of(str(customers[0]).encode(), 2)
            assert stored(database, table) == {**ends(batch), home: bad - 1}


def test_what_the_database_refuses_of_one_table_is_undone_of_all_and_written_of_the_rest(
    database: Database, event_store: EventStore, alone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = (Timeline, Customers, Touchy)
    original, written = Writer.apply, []

    def apply(writer: Writer, operations: Sequence[Operation]) -> None:
        original(writer, operations)
        written.append(writer)
        if len(written) == len(tables):
            raise psycopg.errors.CheckViolation("the last table refuses a row, and the others are written")

    monkeypatch.setattr(Writer, "apply", apply)
    with fed_by_topic(database, *tables) as runner:
        fill(event_store)
        batch = arrivals(event_store)
        runner.take(batch)
        runner.finish()
        assert (len(written), len(alone)) == (len(tables), len(tables))
        assert all(stored(database, table) == ends(batch) for table in tables)
    assert_true(database, *tables)


def test_checkpoints_of_tables_that_nothing_concerns_follow(
    database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fed_by_topic(database, Customers, Payments) as runner:
        batch = taken_with_idle_behind(runner, event_store, monkeypatch)
        assert stored(database, Customers) == ends(batch)
        assert stored(database, Payments) == {0: 0, 1: 0}
        assert runner.has_idle
        runner.finish()
        assert stored(database, Payments) == ends(batch)
        assert not runner.has_idle

        monkeypatch.setattr(partition_runner, "IDLE_EVERY_S", 0.0)
        after = event_store.head()[0]
        fill(event_store)
        batch = arrivals(event_store, after)
        runner.take(batch)
        runner._wait()
        assert stored(database, Payments) == ends(batch)


def test_a_mark_that_comes_while_a_batch_is_written_is_for_afterwards(database: Database, event_store: EventStore) -> None:
    with fed_by_topic(database, Customers, Payments) as runner, database.connect(Role.PROJECTOR) as other:
        fill(event_store)
        batch = arrivals(event_store)
        other.execute("SELECT FROM ltc_read.checkpoints WHERE projection = 'customers' FOR UPDATE")
        runner.take(batch)
        beyond = event_store.head()[0] + 7
        runner.read_up_to(dict.fromkeys(batch, (beyond, beyond)))
        threading.Timer(0.2, other.rollback).start()
        runner._wait()
        assert stored(database, Customers) == ends(batch)
        runner.finish()
        assert stored(database, Customers) == stored(database, Payments) == {0: beyond, 1: beyond}
        assert runner.offsets() == {0: beyond, 1: beyond}


def test_partitions_that_are_no_longer_ours_are_left_to_others(
    database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fed_by_topic(database, Customers, Payments) as runner:
        batch = taken_with_idle_behind(runner, event_store, monkeypatch)
        assert stored(database, Payments) == {0: 0, 1: 0}
        with database.connect(Role.PROJECTOR) as another:
            another.execute("UPDATE ltc_read.checkpoints SET position = 1 WHERE projection = 'payments' AND partition = 1")
        runner.begin([0])
        assert stored(database, Payments) == {0: batch[0].position, 1: 1}


def test_a_checkpoint_that_somebody_else_moved_is_named_and_nothing_is_written(
    database: Database, event_store: EventStore
) -> None:
    with fed_by_topic(database, Timeline, Customers) as runner:
        fill(event_store)
        with database.connect(Role.PROJECTOR) as another:
            another.execute("UPDATE ltc_read.checkpoints SET position = 1 WHERE projection = 'customers' AND partition = 1")
        runner.take(arrivals(event_store))
        with pytest.raises(CheckpointMoved, match="projection customers is no longer at position 0"):
            runner.finish()
        assert stored(database, Timeline) == {0: 0, 1: 0}
        with database.connect(Role.PROJECTOR) as connection:
            assert connection.execute("SELECT count(*) FROM ltc_read.timeline").fetchone() == (0,)
