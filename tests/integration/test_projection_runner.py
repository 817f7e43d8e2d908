"""Read tables follow the log: nothing twice and nothing left out, whoever crashes, races or gets no wake-up."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import psycopg
import pytest
from tests.builds import status, until
from tests.projection_samples import ALL, Bills, Chatter, append, bill, chatter, number, payment, rows, story

from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.following import store_runner
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role

pytestmark = pytest.mark.usefixtures("sample_events")
WAIT_S = 4.0
"""For those who follow, instead of half a second: what comes sooner did not come with the next look, also on a slow machine."""


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
    until(lambda: {one.position for one in projection_status(database)} == {head})
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert rows(reader, "fragile")[0][1] == 60
    assert sum(row[3] for row in rows(reader, "bills")) == Decimal("30.00")
    assert len(rows(reader, "ledger")) == 240


class Trap:
    """A log that springs something on its reader before the `nth` page."""

    def __init__(self, log: EventStore, nth: int, spring: Callable[[], None]) -> None:
        self._log = log
        self._left = nth
        self._spring = spring

    def head(self) -> tuple[int, datetime]:
        return self._log.head()

    def readable(self, after: int, upto: int) -> int:
        return self._log.readable(after, upto)

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


def test_following_shows_new_events_within_moments(
    database: Database, event_store: EventStore, reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_runner, "WAIT_S", WAIT_S)
    stop = threading.Event()
    with open_runner(database, ALL) as runner:
        thread = threading.Thread(target=runner.follow, args=(stop,))
        thread.start()
        started = time.monotonic()
        for n in range(1, 11):
            append(event_store, bill(n, "1"))
            until(lambda n=n: len(rows(reader, "bills")) == n)  # type: ignore[misc]
        assert time.monotonic() - started < 10 * WAIT_S / 2  # each came with its wake-up, not with the next look
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def test_a_lost_wake_up_costs_milliseconds(
    database: Database,
    event_store: EventStore,
    reader: Connection,
    log: EventStore,
    projector: Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_runner, "WAIT_S", WAIT_S)
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
    waited = until(lambda: len(rows(reader, "bills")) == 2)
    stop.set()
    thread.join(60)
    assert waited < WAIT_S


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
