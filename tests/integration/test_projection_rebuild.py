"""Operators build read tables anew beside those that readers see: with the same rows, wherever they were interrupted."""

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
from tests.builds import B1, V1, WHO, state, until
from tests.projection_samples import ALL, Bills, Fragile, Ledger, append, bill, chatter, payment, void

from ltc_events.projections.catalog.installed_tables import position_of
from ltc_events.projections.catalog.lifecycle import State, transitions_of
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import FoldStopped, InUse, NothingToCancel, RebuildCancelled, RebuildRunning
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.proving.as_of import digests_as_of
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding import job
from ltc_events.projections.rebuilding import rebuild as rebuilding
from ltc_events.projections.rebuilding.rebuild import Progress, cancel, rebuild
from ltc_events.projections.rebuilding.switch import drop, switch
from ltc_events.store import Database, EventStore, NewEvent, Role
from ltc_events.store.database import LOCK_TIMEOUT_S

pytestmark = pytest.mark.usefixtures("sample_events")

ROOT = Path(__file__).parents[2]


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
        thread.join(60)
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
from ltc_events.projections.rebuilding.rebuild import rebuild
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


def test_whom_another_one_was_quicker_than_finds_the_rebuild_done(
    database: Database, head: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two started at once share a rebuild: between the log's head and the end anybody may take it up, and finish it."""
    fill = job.run_job

    def fill_and_be_overtaken(*args: Any, **options: Any) -> Any:
        done = fill(*args, **options)
        monkeypatch.setattr(rebuilding, "run_job", fill)
        assert rebuild(database, Bills, **WHO) == B1
        assert state(database, B1) is State.READY
        assert fill(*args, **options) == {}, "who comes even later has nothing left to do"
        return done

    monkeypatch.setattr(rebuilding, "run_job", fill_and_be_overtaken)
    assert rebuild(database, Bills, anew=True, **WHO) == B1
    with database.connect(Role.PROJECTOR) as connection:
        assert [one.state for one in transitions_of(connection, "bills") if one.build == B1].count(State.READY) == 1
    assert switch(database, Bills, **WHO).now == B1


def test_a_rebuild_can_be_cancelled(database: Database, head: int, reader: Connection) -> None:
    threads: list[threading.Thread] = []

    def on_progress(_: Progress) -> None:
        if not threads:
            threads.append(threading.Thread(target=cancel, args=(database, Bills), kwargs=WHO))
            threads[0].start()
            until(lambda: state(database, B1) is State.CANCELLING)

    with pytest.raises(RebuildCancelled):
        rebuild(database, Bills, anew=True, page_events=3, report=on_progress, **WHO)
    threads[0].join(60)
    assert state(database, B1) is State.CANCELLED
    assert reader.execute("SELECT to_regclass('ltc_read.bills_b1__v1')").fetchone() == (None,)
    with pytest.raises(NothingToCancel):
        cancel(database, Bills, **WHO)
    assert rebuild(database, Bills, anew=True, **WHO) == Build("bills", 1, 2), "numbers are not used twice"


@pytest.mark.parametrize("again", [cancel, rebuild])
def test_a_cancel_that_is_refused_has_not_cancelled(
    database: Database, head: int, reader: Connection, monkeypatch: pytest.MonkeyPatch, again: Callable[..., Build]
) -> None:
    """Whoever builds the table may take longer over a page than anybody waits: the table is there, and so is its rebuild."""
    monkeypatch.setattr(job, "_LOCK_TIMEOUT_S", 0.1)
    there = "SELECT to_regclass('ltc_read.bills_b1__v1') IS NOT NULL"

    def refuse(_: Progress) -> None:
        with pytest.raises(RebuildRunning):
            cancel(database, Bills, **WHO)
        assert state(database, B1) is State.CANCELLING
        assert reader.execute(there).fetchone() == (True,)

    with pytest.raises(RebuildCancelled):
        rebuild(database, Bills, anew=True, page_events=3, report=refuse, **WHO)
    assert (state(database, B1), reader.execute(there).fetchone()) == (State.CANCELLING, (True,))
    again(database, Bills, **WHO, **({"anew": True} if again is rebuild else {}))
    assert (state(database, B1), reader.execute(there).fetchone()) == (State.CANCELLED, (False,))


def test_how_long_a_rebuild_waits_for_its_lock_is_not_left_behind(database: Database, head: int) -> None:
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        with job.alone(connection, "bills", "ledger"):
            assert connection.execute("SHOW lock_timeout").fetchone() == (f"{LOCK_TIMEOUT_S}s",)
        assert connection.execute("SHOW lock_timeout").fetchone() == (f"{LOCK_TIMEOUT_S}s",)


def test_a_rebuild_stops_before_the_event_that_it_cannot_take_in(database: Database, event_store: EventStore, head: int) -> None:
    broken = append(event_store, bill(70, "1"), bill(71, "1", "break"), bill(72, "1")) - 1
    for _ in range(2):
        with pytest.raises(FoldStopped, match=f"position {broken}"):
            rebuild(database, Fragile, anew=True, **WHO)
        with database.connect(Role.PROJECTOR) as connection:
            assert position_of(connection, Build("fragile", 1, 1)) == broken - 1


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
