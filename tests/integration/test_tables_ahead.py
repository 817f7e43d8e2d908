"""Read tables that are ahead of a store that has gone back: nobody goes on with them, and nobody tells figures from them."""

from collections.abc import Callable

import pytest
from tests.e2e.test_cli import Ltc
from tests.projectors import SOME, fill
from tests.went_back import go_back

from ltc_events.diagnosis.database import examine_database
from ltc_events.projections.catalog.tables_ahead import tables_ahead
from ltc_events.projections.following.source_switch import catch_up_partitions, to_store
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.rebuilding.job import run_job
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.runner import run
from ltc_events.store import Database, EventStore, Role, StoreWentBack


def follow(database: Database) -> None:
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()


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
