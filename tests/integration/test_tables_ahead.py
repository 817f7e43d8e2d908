"""Read tables that are ahead of a store that has gone back: nobody goes on with them, and nobody tells figures from them."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.commands import publish_billing
from tests.e2e.test_cli import Ltc
from tests.projectors import SOME, fill
from tests.went_back import go_back

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.diagnosis.database import examine_database
from ltc_events.projections.catalog.ddl import prepare
from ltc_events.projections.catalog.tables_ahead import tables_ahead
from ltc_events.projections.declaration.errors import CheckpointMoved
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import temporary
from ltc_events.projections.following.bulk_loader import BulkLoader
from ltc_events.projections.following.catch_up import catch_up
from ltc_events.projections.following.source_switch import catch_up_partitions, to_store
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.proving.as_of import make_temporary
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.job import run_job
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.policies import PolicyVersions
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.recovery.recover import recover
from ltc_events.reports.runner import run
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role, StoreWentBack


def follow(database: Database) -> None:
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()


def positions(connection: Connection) -> set[int]:
    return {position for (position,) in connection.execute("SELECT position FROM ltc_read.checkpoints")}


def stay_behind(database: Database, store: EventStore) -> None:
    """The store ends before the tables do."""
    go_back(database, 40)


def grow_beyond(database: Database, store: EventStore) -> None:
    """The store ends behind the tables again, with other events."""
    go_back(database, 40)
    fill(store, 120)


@pytest.mark.parametrize("went_back", [stay_behind, grow_beyond])
def test_whoever_takes_tables_along_stops(
    database: Database, event_store: EventStore, went_back: Callable[[Database, EventStore], None]
) -> None:
    fill(event_store)
    follow(database)
    before = event_store.head()[0]
    went_back(database, event_store)
    with database.connect(Role.PROJECTOR) as connection:
        found = tables_ahead(connection)
    assert {one.projection for one in found} == {one.table for one in PROJECTIONS}
    assert {one.position for one in found} == {before}
    goers: list[Callable[[], object]] = [
        lambda: follow(database),
        lambda: catch_up_partitions(database, SOME),
        lambda: to_store(database, SOME, by="ann", reason="a test"),
        lambda: run_job(database, [Customers], by="ann"),
    ]
    for go in goers:
        with pytest.raises(StoreWentBack, match=f"took in events up to position {before}"):
            go()
    with database.connect(Role.PROJECTOR) as connection:
        assert tables_ahead(connection) == found, "nothing was written"


@pytest.mark.parametrize("went_back", [stay_behind, grow_beyond])
def test_no_figure_is_told_from_them(
    database: Database, event_store: EventStore, went_back: Callable[[Database, EventStore], None]
) -> None:
    fill(event_store)
    follow(database)
    run(database, "trial-balance")
    went_back(database, event_store)
    with pytest.raises(StoreWentBack, match="trial-balance reads"):
        run(database, "trial-balance")
    ltc = Ltc(LTC_DATABASE_URL=database.conninfo)
    for words in (("report", "trial-balance"), ("report", "trial-balance", "--as-is")):
        told = ltc.json(*words, exits=1)
        assert told["error"]["code"] == "store_went_back"
        assert "ltc recover" in told["error"]["fix"]


def test_status_and_doctor_say_it(database: Database, event_store: EventStore) -> None:
    fill(event_store)
    follow(database)
    ltc = Ltc(LTC_DATABASE_URL=database.conninfo)
    ltc.json("projections", "status")
    go_back(database, 40)
    told = ltc.json("projections", "status", exits=1)
    assert {one["ahead"] for one in told["projections"]} == {True}
    assert {one["state"] for one in told["projections"]} == {"ahead"}
    checks = {one.name: one for one in examine_database(database, is_embedded=False)}
    assert not checks["read tables"].healthy
    assert "ltc recover" in checks["read tables"].fix
    assert "does not have" in checks["read tables"].detail
    assert checks["epoch"].detail.startswith("1-")


def test_a_running_follower_notices(database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with open_runner(database, SOME) as runner:
        runner.catch_up()
        go_back(database, 40)
        with pytest.raises(StoreWentBack):
            runner.catch_up()


def test_a_running_follower_notices_when_the_store_has_grown_again(database: Database, event_store: EventStore) -> None:
    fill(event_store)
    with open_runner(database, SOME) as runner, database.connect(Role.PROJECTOR) as connection:
        runner.catch_up()
        before = positions(connection)
        grow_beyond(database, event_store)
        with pytest.raises(StoreWentBack, match="took in events up to position 60"):
            runner.catch_up()
        assert positions(connection) == before, "nobody takes it further"


class Sleeps:
    """A log whose reader sleeps, with its first page in hand, while something happens."""

    def __init__(self, log: EventStore, meanwhile: Callable[[], object]) -> None:
        self._log, self._meanwhile = log, meanwhile
        self._slept = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def read(self, *given: Any, **options: Any) -> list[Record]:
        records = self._log.read(*given, **options)
        if not self._slept:
            self._slept = True
            self._meanwhile()
        return records


def go_back_and_grow(database: Database, store: EventStore) -> None:
    """Nobody sees it: no table was ahead."""
    go_back(database, 20)
    fill(store, 100)


def recover_and_grow(database: Database, store: EventStore) -> None:
    """Another table was ahead, so that it was seen, and the next epoch began."""
    catch_up(database, [Timeline])
    go_back(database, 20)
    assert recover(database, None, discard=True, by="ann", reason="a test").tables == ("timeline",)
    CommandPipeline(store, SystemClock()).submit([publish_billing("5")])
    fill(store, 100)


@pytest.mark.parametrize("meanwhile", [go_back_and_grow, recover_and_grow])
def test_a_follower_that_slept_with_a_page_in_hand_takes_in_nothing_that_is_void(
    database: Database, event_store: EventStore, meanwhile: Callable[[Database, EventStore], None]
) -> None:
    fill(event_store)
    log = Sleeps(event_store, lambda: meanwhile(database, event_store))
    with database.connect(Role.PROJECTOR, autocommit=True) as one, database.connect(Role.PROJECTOR, autocommit=True) as other:
        Runner(log, [one, other], [Customers, PolicyVersions]).catch_up()
    follow(database)
    for table in (Customers, PolicyVersions):
        assert verify(database, table).equal


def test_a_follower_that_slept_passes_by_nothing_of_the_next_epoch(database: Database, event_store: EventStore) -> None:
    """What it read means nothing to its table; what the store has there now does."""

    fill(event_store)
    log = Sleeps(event_store, lambda: recover_and_grow(database, event_store))
    with database.connect(Role.PROJECTOR, autocommit=True) as one:
        Runner(log, [one], [PolicyVersions]).catch_up()
    follow(database)
    assert verify(database, PolicyVersions).equal


@pytest.mark.parametrize("meanwhile", [go_back_and_grow, recover_and_grow])
def test_who_builds_a_table_and_slept_writes_nothing(
    database: Database, event_store: EventStore, meanwhile: Callable[[Database, EventStore], None]
) -> None:
    fill(event_store)
    log = Sleeps(event_store, lambda: meanwhile(database, event_store))
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        prepare(connection, [])
        table = temporary(Customers)
        make_temporary(connection, table)
        with pytest.raises(CheckpointMoved, match="or the store went back"):
            BulkLoader(log, connection, table).fill(0, 60)
        assert connection.execute("SELECT position FROM pg_temp.checkpoints").fetchall() == [(0,)]


def test_tables_that_are_not_ahead_go_on(database: Database, event_store: EventStore) -> None:
    fill(event_store, 40)
    follow(database)
    fill(event_store)
    go_back(database, 40)
    fill(event_store)
    follow(database)
    with database.connect(Role.READER) as reader:
        assert tables_ahead(reader) == []  # type: ignore[arg-type]
    run(database, "trial-balance")


def test_what_an_older_release_left_is_known_by_its_position(database: Database, event_store: EventStore) -> None:
    fill(event_store)
    follow(database)
    with database.connect(Role.PROJECTOR) as connection:
        connection.execute("UPDATE ltc_read.checkpoints SET epoch = NULL, mark_position = NULL")
    follow(database)
    go_back(database, 40)
    with pytest.raises(StoreWentBack):
        follow(database)


def test_an_older_program_beside_ours_moves_checkpoints_without_their_mark(database: Database, event_store: EventStore) -> None:
    fill(event_store)
    follow(database)
    fill(event_store, 10)
    with database.connect(Role.PROJECTOR) as connection:
        connection.execute("UPDATE ltc_read.checkpoints SET position = position + 1 WHERE projection = 'payments'")
        assert tables_ahead(connection) == []


def test_a_rebuild_that_was_cut_off_is_not_taken_up(database: Database, event_store: EventStore) -> None:
    fill(event_store)
    follow(database)
    go_back(database, 40)
    build = rebuild(database, Customers, by="ann", reason="a test", anew=True)
    assert build.build == 1, "a new table is filled from what the store has now"
