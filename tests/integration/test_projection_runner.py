"""Read tables follow the log: nothing twice, nothing left out, and one that breaks stops alone."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs
from tests.projection_samples import (
    Billed,
    Bills,
    Chatter,
    Fragile,
    Ledger,
    append,
    bill,
    chatter,
    known_events,
    number,
    payment,
    rows,
    void,
)

from ltc_events.projections.base import Add, Operation, Projection, Put, column, on
from ltc_events.projections.errors import TableDiffers
from ltc_events.projections.naming import Connection
from ltc_events.projections.runner import WAIT_S, Runner, open_runner
from ltc_events.projections.status import ProjectionStatus, projection_status
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, NotInitialised, Role
from ltc_events.store.database import LOCK_TIMEOUT_S

ALL: tuple[type[Projection], ...] = (Bills, Ledger, Fragile)


@pytest.fixture(autouse=True)
def _events() -> Iterator[None]:
    with known_events():
        yield


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with database.connect(Role.READER, autocommit=True) as connection:
        yield connection


@pytest.fixture
def projector(database: Database) -> Iterator[Connection]:
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        yield connection


@pytest.fixture
def log(database: Database) -> Iterator[EventStore]:
    """The event store as the projector sees it."""
    store = EventStore(database, Role.PROJECTOR)
    yield store
    store.close()


def status(database: Database, name: str) -> ProjectionStatus:
    return next(one for one in projection_status(database) if one.name == name)


def story(store: EventStore) -> int:
    """Bills 1 to 9 with payments, one void, and talk in between."""
    return append(
        store,
        *(bill(n, f"{n}.50") for n in range(1, 10)),
        chatter(),
        payment(1, "1.00"),
        payment(1, "0.50"),
        payment(2, "2.00"),
        void(3),
        chatter(),
        payment(4, "4.50"),
        chatter(),
    )


def test_tables_show_the_log(database: Database, event_store: EventStore, reader: Connection) -> None:
    head = story(event_store)
    with open_runner(database, ALL) as runner:
        assert runner.catch_up() == head
    bills = rows(reader, "bills")
    assert bills[:2] == [
        (number(1), None, Decimal("1.50"), Decimal("1.50"), 2, 12),
        (number(2), None, Decimal("2.50"), Decimal("2.00"), 1, 13),
    ]
    assert [row[0].int for row in bills] == [1, 2, 4, 5, 6, 7, 8, 9]
    assert rows(reader, "ledger")[0] == (1, 1, "receivable", Decimal("1.50"), {"amount": "1.50"})
    assert rows(reader, "fragile") == [(datetime(2025, 3, 1).date(), 9)]  # noqa: DTZ001
    assert {(one.position, one.lag_events, one.lag_seconds) for one in projection_status(database)} == {(head, 0, 0.0)}


@pytest.mark.parametrize("page_events", [1, 2, 3, 7, 100])
def test_the_size_of_a_page_does_not_matter(
    database: Database, event_store: EventStore, projector: Connection, reader: Connection, page_events: int, log: EventStore
) -> None:
    story(event_store)
    Runner(log, [projector], ALL, page_events=page_events).catch_up()
    seen = {name: rows(reader, name) for name in ("bills", "ledger", "fragile")}
    assert sum(row[3] for row in seen["ledger"]) == 0
    assert (len(seen["bills"]), len(seen["ledger"])) == (8, 26)
    assert seen["bills"][0][2:5] == (Decimal("1.50"), Decimal("1.50"), 2)


def test_the_checkpoint_passes_events_that_mean_nothing(database: Database, event_store: EventStore) -> None:
    with open_runner(database, [Bills]) as runner:
        head = append(event_store, *(chatter() for _ in range(30)))
        assert runner.catch_up() == head == status(database, "bills").position
        head = append(event_store, chatter())
        assert runner.catch_up() == head == status(database, "bills").position


def test_a_second_run_over_the_same_events_changes_nothing(
    database: Database, event_store: EventStore, reader: Connection
) -> None:
    story(event_store)
    for _ in range(2):
        with open_runner(database, ALL) as runner:
            runner.catch_up()
            seen = rows(reader, "bills")
            runner.catch_up()
            assert rows(reader, "bills") == seen
    assert rows(reader, "fragile")[0][1] == 9


def test_two_projectors_on_the_same_tables_never_count_twice(
    database: Database, event_store: EventStore, reader: Connection
) -> None:
    """Whoever comes second is refused by the checkpoint, reads it again and goes on from there."""
    with open_runner(database, ALL) as first, open_runner(database, ALL) as second:
        for _ in range(3):
            story_of_one(event_store)
            first.catch_up()
            head = append(event_store, chatter())
            second.catch_up()
            assert {one.position for one in projection_status(database)} == {head}
    assert rows(reader, "fragile")[0][1] == 3
    assert sum(row[3] for row in rows(reader, "bills")) == Decimal("1.50")


_bills = iter(range(1000, 10**6))


def story_of_one(store: EventStore) -> int:
    n = next(_bills)
    return append(store, bill(n, "1.00"), payment(n, "0.50"))


def test_projectors_that_race_never_count_twice(database: Database, event_store: EventStore, reader: Connection) -> None:
    stop = threading.Event()

    def follow() -> None:
        with open_runner(database, ALL) as runner:
            runner.follow(stop)

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        head = story_of_one(event_store)
    until(lambda: all(one.position == head for one in projection_status(database)), 10)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert rows(reader, "fragile")[0][1] == 60
    assert sum(row[3] for row in rows(reader, "bills")) == Decimal("30.00")
    assert len(rows(reader, "ledger")) == 240


def until(done: Callable[[], bool], seconds: float) -> float:
    """Wait for something; how long it took."""
    started = time.monotonic()
    while not done():
        assert time.monotonic() - started < seconds
        time.sleep(0.005)
    return time.monotonic() - started


class Trap:
    """A log that springs something on its reader before the `nth` page."""

    def __init__(self, log: EventStore, nth: int, spring: Callable[[], None]) -> None:
        self._log = log
        self._left = nth
        self._spring = spring

    def head(self) -> tuple[int, datetime]:
        return self._log.head()

    def wait(self, after: int, timeout: float) -> bool:
        return self._log.wait(after, timeout)

    def read(self, after: int, limit: int, *, types: Sequence[str] | None = None, upto: int | None = None) -> list[Record]:
        self._left -= 1
        if not self._left:
            self._spring()
        return self._log.read(after, limit, types=types, upto=upto)


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_crash_between_batches_loses_and_doubles_nothing(
    database: Database, event_store: EventStore, reader: Connection, nth: int, log: EventStore
) -> None:
    head = story(event_store)

    def kill() -> None:
        with database.connect(Role.OWNER, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))

    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        runner = Runner(Trap(log, nth, kill), [connection], ALL, page_events=3)
        with pytest.raises(psycopg.OperationalError):
            runner.catch_up()
    assert {one.state for one in projection_status(database)} == {"live"}  # the database's trouble is not theirs
    assert min(one.position for one in projection_status(database)) < head
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    assert rows(reader, "fragile")[0][1] == 9
    assert rows(reader, "bills")[0][2:5] == (Decimal("1.50"), Decimal("1.50"), 2)
    assert len(rows(reader, "ledger")) == 26


@pytest.mark.parametrize("page_events", [1, 3, 100])
def test_a_projection_that_cannot_take_an_event_in_stops_alone(
    database: Database, event_store: EventStore, reader: Connection, projector: Connection, page_events: int, log: EventStore
) -> None:
    append(event_store, bill(1, "1"), bill(2, "2"), bill(3, "3", "break"), bill(4, "4"))
    runner = Runner(log, [projector], ALL, page_events=page_events)
    runner.catch_up()
    assert rows(reader, "fragile")[0][1] == 2  # what came before it is in
    stopped = status(database, "fragile")
    assert (stopped.state, stopped.position, stopped.failed_position) == ("failed", 2, 3)
    assert stopped.failed_event == "sample.billed.v1"
    assert stopped.error == "RuntimeError: I cannot read this note"
    assert stopped.lag_events == 2
    assert stopped.lag_seconds > 0
    head = append(event_store, bill(5, "5"))
    runner.catch_up()
    assert [(one.name, one.state, one.position) for one in projection_status(database)] == [
        ("bills", "live", head),
        ("fragile", "failed", 2),
        ("ledger", "live", head),
    ]


def test_one_that_stops_names_the_command_it_stopped_at(
    database: Database, event_store: EventStore, projector: Connection, log: EventStore
) -> None:
    append(event_store, bill(1, "1"), bill(2, "2", "break"))
    with capture_logs() as logs:
        Runner(log, [projector], ALL).catch_up()
    (told,) = [one for one in logs if one["event"] == "projection_stopped"]
    (record,) = event_store.read_raw(1, 1)
    assert (told["table"], told["position"], told["log_level"]) == ("fragile", 2, "error")
    assert told["command_id"] == str(record.command_id)
    assert (told["correlation_id"], told["causation_id"]) == (str(record.correlation_id), str(record.causation_id))


def test_a_mended_projection_goes_on_where_it_stopped(database: Database, event_store: EventStore, reader: Connection) -> None:
    class Mended(Projection):
        """Counts bills."""

        table, version, key, columns = Fragile.table, Fragile.version, Fragile.key, Fragile.columns

        @on(Billed)
        def billed(self, event: Billed, record: Record) -> Sequence[Operation]:
            return (Add(record.effective_on, bills=1),)

    head = append(event_store, bill(1, "1"), bill(2, "2", "break"), bill(3, "3"))
    for projection in (Fragile, Mended):
        with open_runner(database, [projection]) as runner:
            runner.catch_up()
    assert rows(reader, "fragile")[0][1] == 3
    mended = status(database, "fragile")
    assert (mended.state, mended.position, mended.failed_position, mended.error) == ("live", head, None, None)


@pytest.mark.parametrize("page_events", [1, 100])
def test_rows_that_the_database_refuses_stop_their_projection_alone(
    database: Database, event_store: EventStore, reader: Connection, projector: Connection, page_events: int, log: EventStore
) -> None:
    """An entry that does not balance, and a payment beyond the bill: each names its event."""
    head = append(
        event_store, bill(1, "1"), bill(2, "2", "unbalanced"), bill(3, "3"), payment(3, "2.50"), payment(3, "1"), bill(4, "4")
    )
    Runner(log, [projector], ALL, page_events=page_events).catch_up()
    ledger, bills = status(database, "ledger"), status(database, "bills")
    assert (ledger.state, ledger.failed_position, ledger.position) == ("failed", 2, 1)
    assert "an entry of ltc_read.ledger__v1 does not add up to zero" in str(ledger.error)
    assert '"position": 2' in str(ledger.error)
    assert (bills.state, bills.failed_position, bills.failed_event) == ("failed", 5, "sample.paid.v1")
    assert "breaks its check not_overpaid" in str(bills.error)
    assert status(database, "fragile").position == head
    assert [row[:2] for row in rows(reader, "ledger")] == [(1, 1), (1, 2)]
    assert rows(reader, "bills")[2][2:4] == (Decimal(3), Decimal("2.50"))


def test_trouble_of_the_database_is_not_a_failure_of_the_projection(
    database: Database, event_store: EventStore, projector: Connection, reader: Connection, log: EventStore
) -> None:
    append(event_store, bill(1, "1"))
    runner = Runner(log, [projector], [Bills])
    projector.execute("SET lock_timeout = '100ms'")
    with database.connect(Role.OWNER) as owner:
        owner.execute("LOCK TABLE ltc_read.bills__v1")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            runner.catch_up()
    assert status(database, "bills").state == "live"
    runner.catch_up()
    assert len(rows(reader, "bills")) == 1


def test_an_event_that_cannot_be_decoded_stops_only_those_that_handle_it(database: Database, event_store: EventStore) -> None:
    append(event_store, bill(1, "1"), bill(2, "2"), void(1))
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE ltc.events DISABLE TRIGGER append_only")
        owner.execute("UPDATE ltc.events SET data = '{}' WHERE position = 3")
    head = append(event_store, bill(3, "3"))
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    bills = status(database, "bills")
    assert (bills.state, bills.position, bills.failed_position, bills.failed_event) == ("failed", 2, 3, "sample.voided.v1")
    assert (status(database, "ledger").position, status(database, "fragile").position) == (head, head)


def test_following_shows_new_events_within_moments(database: Database, event_store: EventStore, reader: Connection) -> None:
    stop = threading.Event()
    with open_runner(database, ALL) as runner:
        thread = threading.Thread(target=runner.follow, args=(stop,))
        thread.start()
        started = time.monotonic()
        for n in range(1, 11):
            append(event_store, bill(n, "1"))
            until(lambda n=n: len(rows(reader, "bills")) == n, 5)  # type: ignore[misc]
        assert time.monotonic() - started < 10 * WAIT_S / 2  # each came with its wake-up, not with the next look
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def test_a_lost_wake_up_costs_milliseconds(
    database: Database, event_store: EventStore, reader: Connection, log: EventStore, projector: Connection
) -> None:
    append(event_store, bill(1, "1"))
    stop = threading.Event()
    runner = Runner(log, [projector], [Bills])
    runner.catch_up()
    thread = threading.Thread(target=runner.follow, args=(stop,))
    thread.start()
    time.sleep(0.05)  # it listens by now
    with database.connect(Role.OWNER) as owner:  # another bill, of which nobody is told
        owner.execute("UPDATE ltc.head SET position = position + 1")
        owner.execute(
            "INSERT INTO ltc.events SELECT (jsonb_populate_record(e, jsonb_build_object("
            "'position', e.position + 1, 'stream_id', gen_random_uuid()))).* FROM ltc.events e"
        )
    waited = until(lambda: len(rows(reader, "bills")) == 2, 5)
    stop.set()
    thread.join(5)
    assert waited < WAIT_S


def test_analysts_read_the_views_and_nothing_else(database: Database, event_store: EventStore, reader: Connection) -> None:
    story(event_store)
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    assert reader.execute("SELECT count(*) FROM ltc_read.bills").fetchone() == (8,)
    assert reader.execute("SELECT count(*) FROM ltc_read.projection_status").fetchone() == (3,)
    for statement in (
        "SELECT * FROM ltc.events",
        "DELETE FROM ltc_read.bills",
        "UPDATE ltc_read.bills__v1 SET paid = 0",
        "DELETE FROM ltc_read.checkpoints",
        "CREATE TABLE ltc_read.mine (a int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.encode())


def test_who_reads_the_status_holds_up_no_projector(database: Database, event_store: EventStore, reader: Connection) -> None:
    with open_runner(database, ALL):
        pass
    story(event_store)
    with reader.transaction():
        reader.execute("SELECT FROM ltc_read.projection_status")
        begun = time.monotonic()
        with open_runner(database, ALL) as runner:
            runner.catch_up()
        assert time.monotonic() - begun < LOCK_TIMEOUT_S, "it waited for the reader, or took the view from under it"
    assert reader.execute("SELECT min(position) FROM ltc_read.projection_status").fetchone() == (event_store.head()[0],)


def test_the_catalogue_says_what_columns_mean(database: Database, reader: Connection) -> None:
    with open_runner(database, ALL):
        pass
    for name in ("bills", "bills__v1"):
        said = reader.execute(
            "SELECT obj_description(%s::regclass), col_description(%s::regclass, 3)", [f"ltc_read.{name}"] * 2
        ).fetchone()
        assert said == ("One row per bill that still counts.", "amount of the bill")
    indexes = reader.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'bills__v1'").fetchone()
    assert indexes == (3,)


def test_entries_stay_as_they_were_written(database: Database, event_store: EventStore, projector: Connection) -> None:
    append(event_store, bill(1, "1"))
    with open_runner(database, [Ledger]) as runner:
        runner.catch_up()
    for statement in ("UPDATE ltc_read.ledger__v1 SET amount = 0", "DELETE FROM ltc_read.ledger__v1 WHERE line = 1"):
        with pytest.raises(psycopg.errors.CheckViolation, match="stay as they were written"):
            projector.execute(statement.encode())
    with pytest.raises(psycopg.errors.CheckViolation, match='"off_by": 5'):
        projector.execute("INSERT INTO ltc_read.ledger__v1 VALUES (9, 1, 'cash', 5, NULL)")
    with pytest.raises(psycopg.errors.NotNullViolation):
        projector.execute("INSERT INTO ltc_read.ledger__v1 VALUES (9, 1, 'cash', NULL, NULL)")


def heir(base: type[Projection], **changes: Any) -> type[Projection]:
    return type("Heir", (base,), {"__doc__": base.__doc__, "table": base.table, **changes})


def test_a_new_version_is_shown_when_it_has_caught_up(database: Database, event_store: EventStore, reader: Connection) -> None:
    story(event_store)
    wider = heir(Bills, version=2, columns={**Bills.columns, "remark": column("text", "unused")})
    with open_runner(database, [Bills]) as runner:
        runner.catch_up()
        with open_runner(database, [wider]) as newer:
            assert len(rows(reader, "bills")[0]) == 6  # still the old one
            newer.catch_up()
            assert len(rows(reader, "bills")[0]) == 7
            assert [row[:6] for row in rows(reader, "bills")] == rows(reader, "bills__v1")
    with open_runner(database, [Bills]) as runner:
        runner.catch_up()
        assert len(rows(reader, "bills")[0]) == 7  # an older program does not turn it back


def test_a_table_that_is_not_as_declared_is_refused(database: Database) -> None:
    with open_runner(database, [Bills]):
        pass
    changed = heir(Bills, columns={**Bills.columns, "remark": column("text", "added without a new version")})
    with pytest.raises(TableDiffers, match="bills__v1"), open_runner(database, [changed]):
        pass


def test_status_needs_a_ledger(bare_database: Database, database: Database) -> None:
    with pytest.raises(NotInitialised):
        projection_status(database)


def test_rare_events_are_found_in_a_long_log(
    database: Database, event_store: EventStore, reader: Connection, log: EventStore
) -> None:
    class Talk(Projection):
        """What was said."""

        table, version, key = "talk", 1, ("position",)
        columns = {"position": column("int8", "the event"), "text": column("text", "what was said")}
        append_only = True

        @on(Chatter)
        def said(self, event: Chatter, record: Record) -> Iterator[Operation]:
            yield Put(record.position, text=event.text)

    for block in range(20):
        append(event_store, *(bill(block * 100 + n, "1") for n in range(37)), chatter(f"block {block}"))
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        reports: list[tuple[int, int]] = []
        runner = Runner(log, [connection], [Talk], page_events=4)
        runner.catch_up(lambda position, head: reports.append((position, head)))
    assert rows(reader, "talk") == [((block + 1) * 38, f"block {block}") for block in range(20)]
    assert [position for position, _ in reports] == sorted({position for position, _ in reports})
    assert reports[-1] == (760, 760)
