"""Several read tables are built with one read of the log, in one process or in several: with the same rows as ever."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import psutil
import pytest
from tests.broker import until
from tests.builds import WHO
from tests.projection_samples import Bills, Fragile, Ledger, append, bill, chatter, known_events, payment, void

from ltc_events.bootstrap.services import open_pipeline
from ltc_events.projections.catalog.installed_tables import position_of
from ltc_events.projections.catalog.lifecycle import State, states_of, transitions_of
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import AlreadyBuilt, FoldStopped, RebuildCancelled
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.job import Progress
from ltc_events.projections.rebuilding.parallel import share_out
from ltc_events.projections.rebuilding.rebuild import cancel, rebuild_together
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.simulation import simulate
from ltc_events.store import Database, EventStore, Role

ROOT = Path(__file__).parents[2]
SAMPLES: tuple[type[Projection], ...] = (Bills, Ledger, Fragile)


@pytest.fixture
def head(database: Database, event_store: EventStore) -> Iterator[int]:
    """Sixty bills with what happened to them, and read tables that show it."""
    with known_events():
        bills = [bill(n, f"{n}.50", "x" if n % 3 == 0 else None) for n in range(1, 61)]
        head = append(event_store, *bills, chatter(), payment(1, "1.00"), payment(2, "0.50"), payment(2, "2.00"), void(3))
        with open_runner(database, SAMPLES) as runner:
            runner.catch_up()
        yield head


@pytest.fixture(scope="module")
def company(server) -> Iterator[Database]:  # type: ignore[no-untyped-def]
    """Twelve customers' quarter, in all read tables."""
    name = server.create()
    database = server.at(name)
    with open_pipeline(database) as pipeline:
        documents = list(simulate(7, 12, 90))
        for start in range(0, len(documents), 500):
            pipeline.submit(documents[start : start + 500])
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    yield database
    server.drop(name)


def digests(database: Database, projections: tuple[type[Projection], ...], builds: list[Build] | None = None) -> list[str]:
    return [digest(database, one, build).sha256 for one, build in zip(projections, builds or repeat(None), strict=False)]


def states(database: Database) -> dict[str, State]:
    with database.connect(Role.PROJECTOR) as connection:
        return {f"{build.name} {build}": state for build, state in states_of(connection).items()}


@pytest.mark.parametrize("page_events", [1, 7, 1000])
def test_tables_that_are_built_together_are_the_same(database: Database, head: int, page_events: int) -> None:
    before = digests(database, SAMPLES)
    progress: list[Progress] = []
    builds = rebuild_together(database, SAMPLES, anew=True, page_events=page_events, report=progress.append, **WHO)
    assert digests(database, SAMPLES, builds) == before
    assert [one.position for one in progress] == sorted(one.position for one in progress)
    assert progress[-1].position == head
    with database.connect(Role.PROJECTOR) as connection:
        ready = {transitions_of(connection, one.table)[-1].state for one in SAMPLES}
    assert ready == {State.READY}


def test_all_of_them_are_begun_or_none(database: Database, head: int) -> None:
    rebuild_together(database, [Ledger], anew=True, **WHO)
    with pytest.raises(AlreadyBuilt):
        rebuild_together(database, SAMPLES, **WHO)
    assert set(states(database)) == {"bills v1", "fragile v1", "ledger v1", "ledger v1b1"}


def test_interrupted_anywhere_all_of_them_go_on(database: Database, head: int) -> None:
    """Also where one had been written a stretch further than the others."""

    class Interrupted(Exception):
        pass

    before, place, builds = digests(database, SAMPLES), 0, []
    while not builds:
        place += 1
        seen = Counter[str]()

        def interrupt(progress: Progress, seen: Counter[str] = seen) -> None:
            seen["stretch"] += 1
            if seen["stretch"] == 2:
                raise Interrupted

        try:
            builds = rebuild_together(database, SAMPLES, anew=place == 1, page_events=6, report=interrupt, **WHO)
        except Interrupted:
            assert set(states(database).values()) & {State.READY} == set(), "none before all"
            if place == 2:  # as a kill between two tables' transactions leaves them
                with pytest.raises(Interrupted):
                    rebuild_together(database, [Ledger], page_events=6, report=interrupt_at_once(Interrupted), **WHO)
                with database.connect(Role.PROJECTOR) as connection:
                    ahead, behind = (position_of(connection, Build(name, 1, 1)) for name in ("ledger", "bills"))
                assert ahead > behind
    assert place > 4
    assert digests(database, SAMPLES, builds) == before


def interrupt_at_once(error: type[Exception]):  # type: ignore[no-untyped-def]
    def interrupt(_: Progress) -> None:
        raise error

    return interrupt


def test_a_table_that_cannot_go_on_stops_alone(database: Database, event_store: EventStore, head: int) -> None:
    broken = append(event_store, bill(70, "1"), bill(71, "1", "break"), bill(72, "1")) - 1
    for page_events in (3, 1000):
        with pytest.raises(FoldStopped, match=f"position {broken}") as stopped:
            rebuild_together(database, SAMPLES, anew=True, page_events=page_events, **WHO)
        assert stopped.value.details["projection"] == "fragile_b1"
        with database.connect(Role.PROJECTOR) as connection:
            assert position_of(connection, Build("fragile", 1, 1)) == broken - 1
    found = states(database)
    assert [found[name] for name in ("bills v1b1", "bills v1b2", "ledger v1b2", "fragile v1b1")] == [
        State.READY,
        State.READY,
        State.READY,
        State.FILLING,
    ]
    with open_runner(database, [Bills, Ledger]) as runner:
        runner.catch_up()
    assert verify(database, Bills, Build("bills", 1, 2)).equal
    assert verify(database, Ledger, Build("ledger", 1, 2)).equal


def test_one_that_is_cancelled_ends_the_rebuild_of_all_and_the_others_go_on_later(database: Database, head: int) -> None:
    def end(_: Progress) -> None:
        with database.connect(Role.PROJECTOR, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO ltc_read.projection_transitions (projection, version, build, state, position, made_at, made_by,"
                " reason) VALUES ('bills', 1, 1, 'cancelled', 0, now(), 'bob', 'test')"
            )

    with pytest.raises(RebuildCancelled, match="bills"):
        rebuild_together(database, SAMPLES, anew=True, page_events=5, report=end, **WHO)
    rebuild_together(database, [Ledger, Fragile], **WHO)
    with pytest.raises(Exception, match="no rebuild"):
        cancel(database, Ledger, **WHO)


def test_every_table_is_somebodys(company: Database) -> None:
    with EventStore(company, Role.PROJECTOR) as store:
        sample = store.read(0, 2_000)
    for parts in (1, 2, 3):
        shares = share_out(PROJECTIONS, sample, parts)
        assert Counter(one for share in shares for one in share) == Counter(PROJECTIONS)
        assert len(shares) == parts
        assert max(map(len, shares)) < len(PROJECTIONS) or parts == 1


def test_two_processes_build_what_one_does(company: Database) -> None:
    before = digests(company, PROJECTIONS)
    seen: list[Progress] = []
    builds = rebuild_together(company, PROJECTIONS, anew=True, processes=2, page_events=200, report=seen.append, **WHO)
    assert digests(company, PROJECTIONS, builds) == before
    assert seen[-1].position == seen[-1].head


KILLED = """
import sys
from ltc_events.projections.rebuilding.rebuild import rebuild_together
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database
if __name__ == "__main__":
    rebuild_together(
        Database(sys.argv[1]), PROJECTIONS, by="bob", reason="test", anew=True, processes=2, page_events=20
    )
"""


def filling(company: Database) -> dict[Build, int]:
    """The builds that are being filled, and how far they are."""
    with company.connect(Role.PROJECTOR) as connection:
        states = states_of(connection)
        return {build: position_of(connection, build) for build, state in states.items() if state is State.FILLING}


def test_killed_its_processes_end_with_it_and_all_tables_go_on(company: Database, tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, str(script), company.conninfo]
    with subprocess.Popen(command, env=environment) as process:
        # Not by how far one has come: the other may not have begun all of its tables by then.
        until(lambda: len(begun := filling(company)) == len(PROJECTIONS) and max(begun.values()) > 0)
        members = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    assert len(members) >= 2
    _, alive = psutil.wait_procs(members, timeout=20)
    assert alive == []
    begun = filling(company)
    assert len(begun) == len(PROJECTIONS)
    builds = rebuild_together(company, PROJECTIONS, **WHO)
    assert set(builds) == set(begun)
    assert digests(company, PROJECTIONS, builds) == digests(company, PROJECTIONS)
