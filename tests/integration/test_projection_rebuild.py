"""Operators build read tables anew beside those that readers see, look at the difference, switch and switch back."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.projection_samples import (
    Billed,
    Bills,
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

from ltc_events.projections.as_of import digests_as_of
from ltc_events.projections.base import Operation, Projection, Put, column, on
from ltc_events.projections.catalogue import Build, position_of
from ltc_events.projections.digest import digest
from ltc_events.projections.errors import (
    AlreadyBuilt,
    Behind,
    DependentsInTheWay,
    FoldStopped,
    InUse,
    NoSuchBuild,
    NothingToCancel,
    ReadersInTheWay,
    ReasonMissing,
    RebuildCancelled,
    RebuildRunning,
    Unexplained,
)
from ltc_events.projections.lifecycle import State, states_of, transitions_of
from ltc_events.projections.naming import Connection
from ltc_events.projections.rebuild import Progress, cancel, rebuild
from ltc_events.projections.runner import Runner, open_runner
from ltc_events.projections.switching import drop, switch
from ltc_events.projections.verification import Touch, verify
from ltc_events.projections.versions import diff
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, NewEvent, Role

ROOT = Path(__file__).parents[2]
ALL: tuple[type[Projection], ...] = (Bills, Ledger, Fragile)
V1, V2 = Build("bills", 1, 0), Build("bills", 2, 0)
B1 = Build("bills", 1, 1)
WHO = {"by": "ann", "reason": "test"}


class Noted(Bills):
    """One row per bill that still counts, its note in capitals."""

    table, version = "bills", 2
    columns = {**Bills.columns, "shouted": column("bool", "whether the note is in capitals")}
    changed = {"note": "notes are in capitals"}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        note = None if event.note is None else event.note.upper()
        yield Put(record.subject, billed=event.amount, note=note, last_position=record.position, shouted=note is not None)


@pytest.fixture(autouse=True)
def _events() -> Iterator[None]:
    with known_events():
        yield


@pytest.fixture
def reader(database: Database) -> Iterator[Connection]:
    with database.connect(Role.READER, autocommit=True) as connection:
        yield connection


@pytest.fixture
def head(database: Database, event_store: EventStore) -> int:
    """Thirty bills with what happened to them, and read tables that show it."""
    head = append(event_store, *story())
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    return head


def story() -> list[NewEvent]:
    bills = [bill(n, f"{n}.50", "x" if n % 3 == 0 else None) for n in range(1, 31)]
    return [*bills, chatter(), payment(1, "1.00"), payment(2, "0.50"), payment(2, "2.00"), void(3), chatter()]


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    tick = threading.Event()
    while not done():
        assert time.monotonic() < deadline
        tick.wait(0.005)


def state(database: Database, build: Build) -> State:
    with database.connect(Role.PROJECTOR) as connection:
        return states_of(connection, build.name)[build]


@pytest.mark.parametrize("page_events", [1, 7, 1000])
@pytest.mark.parametrize("projection", ALL)
def test_built_anew_a_table_is_the_same(
    database: Database, head: int, reader: Connection, projection: type[Projection], page_events: int
) -> None:
    before = digest(database, projection)
    progress: list[Progress] = []
    build = rebuild(database, projection, anew=True, page_events=page_events, report=progress.append, **WHO)
    assert build == Build(projection.table, 1, 1)
    assert digest(database, projection) == before, "readers still see the old one"
    assert digest(database, projection.table, build)._replace(build=before.build) == before
    assert [one.position for one in progress] == sorted(one.position for one in progress)
    assert (progress[-1].position, progress[-1].head, progress[-1].seconds_left) == (head, head, 0)
    switched = switch(database, projection, **WHO)
    assert (switched.was.build, switched.now, switched.position) == (0, build, head)
    assert switched.comparison is not None
    assert switched.comparison.equal
    assert digest(database, projection).build == build
    found = reader.execute(
        "SELECT t.relname, count(*) FROM pg_class t JOIN pg_index i ON i.indrelid = t.oid WHERE t.relname IN (%s, %s) GROUP BY 1",
        (build.physical, f"{projection.table}__v1"),
    ).fetchall()
    assert len({count for _, count in found}) == 1, "the same keys and indexes"


def test_a_new_version_is_looked_at_and_switched_to_and_back(
    database: Database, event_store: EventStore, head: int, reader: Connection
) -> None:
    with open_runner(database, [Bills]) as old, open_runner(database, [Ledger]):
        assert rebuild(database, Noted, **WHO) == V2
        with open_runner(database, [Noted]) as new:
            head = append(event_store, bill(40, "1", "y"), payment(40, "0.40"))
            new.catch_up()
            assert len(rows(reader, "bills")[0]) == 6, "a rebuilt version is shown when an operator says so"
            old.catch_up()
            found = diff(database, Noted, V1, V2)
            assert found.position == head
            assert (found.comparison.by_column, found.comparison.added, found.comparison.dropped) == (
                {"note": 10},
                ("shouted",),
                (),
            )
            assert (found.comparison.only_left, found.comparison.only_right) == (0, 0)
            assert found.by_event == {"sample.billed.v1": 9, "sample.paid.v1": 1}
            assert found.findings[-1].difference.columns == {"note": ("y", "Y")}
            assert found.findings[-1].last == Touch(head, "sample.paid.v1")
            assert switch(database, Noted, **WHO).now == V2
            assert [row[:2] for row in rows(reader, "bills") if row[0] == number(40)] == [(number(40), "Y")]
            append(event_store, bill(41, "1", "z"))
            old.catch_up()
            new.catch_up()
            assert switch(database, Noted, back=True, **WHO).now == V1
            assert rows(reader, "bills")[-1][:2] == (number(41), "z")
            assert switch(database, Noted, back=True, **WHO).now == V2, "and back again is forward"
        with pytest.raises(InUse, match="shown"):
            drop(database, Noted, V2, **WHO)
        drop(database, Noted, V1, **WHO)
        append(event_store, bill(42, "1"))
        old.catch_up()
    with open_runner(database, [Bills]) as old:
        old.catch_up()
    assert reader.execute("SELECT to_regclass('ltc_read.bills__v1')").fetchone() == (None,), "nobody makes it again"
    with database.connect(Role.PROJECTOR) as connection:
        told = [(str(one.build), one.state.value, one.made_by) for one in transitions_of(connection, "bills")]
    assert told[:6] == [
        ("v1", "shown", "projector"),
        ("v2", "filling", "ann"),
        ("v2", "indexing", "ann"),
        ("v2", "catching_up", "ann"),
        ("v2", "ready", "ann"),
        ("v1", "retired", "ann"),
    ]
    assert told[-1] == ("v1", "dropped", "ann")


def test_followers_take_on_what_was_built_while_they_run(database: Database, event_store: EventStore, head: int) -> None:
    stop = threading.Event()
    with open_runner(database, ALL) as runner:
        thread = threading.Thread(target=runner.follow, args=(stop,))
        thread.start()
        build = rebuild(database, Bills, anew=True, **WHO)
        head = append(event_store, bill(50, "1"))
        with database.connect(Role.PROJECTOR, autocommit=True) as connection:
            until(lambda: position_of(connection, build) == position_of(connection, V1) == head)
            switch(database, Bills, **WHO)
            drop(database, Bills, V1, **WHO)
            head = append(event_store, bill(51, "1"))
            until(lambda: position_of(connection, build) == head)
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
    assert verify(database, Bills).equal


def test_an_interrupted_rebuild_goes_on_where_it_was(database: Database, head: int) -> None:
    class Interrupted(Exception):
        pass

    for place in range(1, 60):
        seen = 0

        def interrupt(progress: Progress, place: int = place) -> None:
            nonlocal seen
            seen += 1
            if seen == 3:
                raise Interrupted

        try:
            build = rebuild(database, Ledger, anew=place == 1, page_events=4, report=interrupt, **WHO)
        except Interrupted:
            with pytest.raises(InUse):
                switch(database, Ledger, Build("ledger", 1, 1), **WHO)
        else:
            break
    assert place > 2
    assert build == Build("ledger", 1, 1)
    assert verify(database, Ledger, build).equal


KILLED = """
import os, sys
from tests.projection_samples import Ledger, known_events
from ltc_events.projections.rebuild import rebuild
from ltc_events.store import Database
def report(progress):
    print(progress.state, progress.position, flush=True)
with known_events():
    rebuild(Database(sys.argv[1]), Ledger, by="bob", reason="test", anew=len(sys.argv) > 2, page_events=50, report=report)
"""


def test_a_rebuild_that_is_killed_goes_on_where_it_was(database: Database, event_store: EventStore, head: int) -> None:
    for _ in range(20):
        head = append(event_store, *(bill(int(time.time_ns()) + n, "1") for n in range(500)))
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    positions = []
    for after in (3, 40, 90):
        command = [sys.executable, "-c", KILLED, database.conninfo, *(["anew"] if after == 3 else [])]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            lines = [process.stdout.readline() for _ in range(after)]
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        positions += [int(line.split()[1]) for line in (lines[0], lines[-1])]
    assert positions == sorted(positions), "each goes on from what the one before has written"
    assert 0 < positions[-1] < head
    build = rebuild(database, Ledger, **WHO)
    assert verify(database, Ledger, build).equal
    assert switch(database, Ledger, **WHO).position == head


def test_two_rebuilds_of_one_table_do_not_meet(database: Database, head: int) -> None:
    def meet(_: Progress) -> None:
        with pytest.raises(RebuildRunning):
            rebuild(database, Bills, anew=True, **WHO)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(database, Bills, anew=True, report=meet, **WHO)


def test_a_rebuild_can_be_cancelled(database: Database, head: int, reader: Connection) -> None:
    threads: list[threading.Thread] = []

    def on_progress(_: Progress) -> None:
        if not threads:
            threads.append(threading.Thread(target=cancel, args=(database, Bills), kwargs=WHO))
            threads[0].start()
            until(lambda: state(database, B1) is State.CANCELLED)

    with pytest.raises(RebuildCancelled):
        rebuild(database, Bills, anew=True, page_events=3, report=on_progress, **WHO)
    threads[0].join(10)
    assert reader.execute("SELECT to_regclass('ltc_read.bills_b1__v1')").fetchone() == (None,)
    with pytest.raises(NothingToCancel):
        cancel(database, Bills, **WHO)
    assert rebuild(database, Bills, anew=True, **WHO) == Build("bills", 1, 2), "numbers are not used twice"


def test_what_an_operator_must_not_do_by_accident(database: Database, event_store: EventStore, head: int) -> None:
    with pytest.raises(AlreadyBuilt):
        rebuild(database, Bills, **WHO)
    with pytest.raises(NoSuchBuild):
        switch(database, Bills, **WHO)
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("UPDATE ltc_read.bills__v1 SET paid = 0.01 WHERE bill_id = %s", [number(7)])
    rebuild(database, Bills, anew=True, **WHO)
    with pytest.raises(Unexplained, match="1 × paid"):
        switch(database, Bills, **WHO)
    with pytest.raises(ReasonMissing):
        switch(database, Bills, by="ann", force=True)
    assert switch(database, Bills, by="ann", force=True, reason="a cell was changed by hand").now == B1
    with database.connect(Role.PROJECTOR) as connection:
        assert "a cell was changed by hand" in transitions_of(connection, "bills")[-1].reason
    rebuild(database, Noted, **WHO)
    drop(database, Noted, V1, **WHO)
    append(event_store, bill(60, "1"))
    with open_runner(database, [Noted]) as runner:
        runner.catch_up()
    switched = switch(database, Noted, wait_s=0.2, **WHO)
    assert switched.comparison is not None
    assert switched.comparison.by_column == {"note": 9}, "compared where the old one was left behind"
    append(event_store, bill(61, "1"))
    with open_runner(database, [Noted]) as runner:
        runner.catch_up()
    with pytest.raises(Behind, match="v1b1 is at position 36"):
        switch(database, Noted, back=True, wait_s=0.2, **WHO)
    assert switch(database, Noted, back=True, force=True, wait_s=0.2, by="ann", reason="the new one is wrong").now == B1


def test_a_rebuild_stops_before_the_event_that_it_cannot_take_in(database: Database, event_store: EventStore, head: int) -> None:
    broken = append(event_store, bill(70, "1"), bill(71, "1", "break"), bill(72, "1")) - 1
    for _ in range(2):
        with pytest.raises(FoldStopped, match=f"position {broken}"):
            rebuild(database, Fragile, anew=True, **WHO)
        with database.connect(Role.PROJECTOR) as connection:
            assert position_of(connection, Build("fragile", 1, 1)) == broken - 1


def test_readers_never_see_an_error_or_half_a_state(database: Database, event_store: EventStore, head: int) -> None:
    """They poll while commands come and operators switch to and fro: always one whole table, and never the past."""
    rebuild(database, Noted, **WHO)
    stop, seen, troubles = threading.Event(), [0], []

    def poll() -> None:
        last = 0
        try:
            with database.connect(Role.READER, autocommit=True) as reader:
                while not stop.is_set():
                    found = reader.execute("SELECT note, last_position FROM ltc_read.bills").fetchall()
                    notes = {row[0] for row in found}
                    assert notes in ({None, "x"}, {None, "X"}), notes
                    newest = max(row[1] for row in found)
                    assert newest >= last
                    last = newest
                    seen[0] += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall say so
            troubles.append(error)

    def follow(projection: type[Projection]) -> None:
        with open_runner(database, [projection]) as runner:
            runner.follow(stop)

    def work() -> None:
        n = 100
        with EventStore(database, Role.WRITER) as store:
            while not stop.is_set():
                append(store, bill(n, "1"))
                n += 1
                stop.wait(0.002)

    threads = [threading.Thread(target=poll) for _ in range(2)]
    threads += [threading.Thread(target=follow, args=(one,)) for one in (Bills, Noted)] + [threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    try:
        for back in (False, True, True, True):
            before = seen[0]
            switch(database, Noted, back=back, **WHO)
            until(lambda before=before: seen[0] > before + 5 or bool(troubles))  # type: ignore[misc]
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert troubles == []
    assert not any(thread.is_alive() for thread in threads)


def test_a_switch_waits_for_a_reader_but_not_for_ever(database: Database, head: int) -> None:
    rebuild(database, Noted, **WHO)
    with database.connect(Role.READER) as reader:
        reader.execute("SELECT count(*) FROM ltc_read.bills")
        with pytest.raises(ReadersInTheWay):
            switch(database, Noted, wait_s=0.3, **WHO)
        assert state(database, V2) is State.READY
    assert switch(database, Noted, **WHO).now == V2


class Shorter(Noted):
    """One row per bill that still counts, without a note."""

    table, version = "bills", 3
    columns = {name: one for name, one in Noted.columns.items() if name != "note"}
    indexes = ()
    changed = {"shouted": "nobody shouts any more"}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, billed=event.amount, last_position=record.position)


def test_what_analysts_built_on_a_view_survives_or_is_named(database: Database, head: int, reader: Connection) -> None:
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("CREATE VIEW public.due AS SELECT bill_id, billed - paid AS due, note FROM ltc_read.bills")
        owner.execute("GRANT SELECT ON ltc_read.bills TO ltc_writer")
        rebuild(database, Noted, **WHO)
        switch(database, Noted, **WHO)
        assert owner.execute("SELECT count(*) FROM public.due WHERE note = 'X'").fetchone() == (9,)
        switch(database, Noted, back=True, **WHO)  # nobody built on the column that only the new table has
        assert owner.execute("SELECT count(*) FROM public.due WHERE note = 'x'").fetchone() == (9,)
        assert owner.execute("SELECT count(*), count(shouted) FROM ltc_read.bills").fetchone() == (29, 0)
        switch(database, Noted, back=True, **WHO)
        assert owner.execute("SELECT count(shouted) > 0 FROM ltc_read.bills").fetchone() == (True,)
        rebuild(database, Shorter, **WHO)
        with pytest.raises(DependentsInTheWay, match=r"columns note .* due"):
            switch(database, Shorter, **WHO)
        owner.execute("DROP VIEW public.due")
        switch(database, Shorter, **WHO)
        may = owner.execute("SELECT has_table_privilege('ltc_writer', 'ltc_read.bills', 'SELECT')").fetchone()
        assert may == (True,), "grants stay"
    assert columns_of(reader, "bills") == ["bill_id", "billed", "paid", "payments", "last_position", "shouted"]


def columns_of(reader: Connection, table: str) -> list[str]:
    description = reader.execute(f"SELECT * FROM ltc_read.{table}".encode()).description or []
    return [one.name for one in description]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("bill"), st.integers(1, 6), st.sampled_from([None, "a", "b"])),
        st.tuples(st.just("payment"), st.integers(1, 6), st.integers(1, 50)),
        st.tuples(st.just("void"), st.integers(1, 6), st.none()),
        st.tuples(st.just("chatter"), st.integers(1, 6), st.none()),
    ),
    min_size=1,
    max_size=30,
)


class Loose(Bills):
    """One row per bill, whatever is paid for it."""

    table, version, checks = "loose", 1, {}


class Streams:
    """Bills are told apart by numbers that no other example has."""

    def __init__(self) -> None:
        self.used = 10**6

    def events(self, history: list[tuple[str, int, Any]]) -> list[NewEvent]:
        self.used += 100
        billed: dict[int, int] = {}
        made = []
        for position, (kind, n, more) in enumerate(history):
            key = billed.setdefault(n, self.used + n)
            if kind == "bill":
                key = billed[n] = self.used + 10 + position
                made.append(bill(key, "100", more))
            elif kind == "payment":
                made.append(payment(key, f"{more}.25"))
            else:
                made.append(void(key) if kind == "void" else chatter())
        return made


@pytest.fixture(scope="module")
def shared(server: Any) -> Iterator[Database]:
    name = server.create()
    yield server.at(name)
    server.drop(name)


_streams = Streams()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.lists(st.integers(1, 29), max_size=4), st.integers(1, 12), st.integers(1, 40))
def test_live_is_rebuilt_is_folded_afresh(
    shared: Database, history: list[tuple[str, int, Any]], cuts: list[int], live_page: int, rebuild_page: int
) -> None:
    """Whatever happened, and wherever its batches ended; and what was seen between them is seen as of then for ever."""
    events = _streams.events(history)
    seen: dict[int, list[str]] = {}
    with (
        EventStore(shared, Role.WRITER) as writer,
        EventStore(shared, Role.PROJECTOR) as log,
        shared.connect(Role.PROJECTOR, autocommit=True) as connection,
    ):
        live = Runner(log, [connection], [Loose, Ledger], page_events=live_page)
        for start, end in pairwise([0, *sorted({cut for cut in cuts if cut < len(events)}), len(events)]):
            append(writer, *events[start:end])
            position = live.catch_up()
            seen[position] = [digest(shared, projection).sha256 for projection in (Loose, Ledger)]
        for projection in (Loose, Ledger):
            build = rebuild(shared, projection, anew=True, page_events=rebuild_page, **WHO)
            before = digest(shared, projection)
            assert verify(shared, projection, page_events=rebuild_page + 1).equal
            assert digest(shared, projection, build).sha256 == before.sha256
            drop(shared, projection, build, **WHO)
    for position, digests in seen.items():
        as_of = digests_as_of(shared, [Loose, Ledger], position, page_events=live_page + 2)
        assert ([one.sha256 for one in as_of], as_of[0].position) == (digests, position)
