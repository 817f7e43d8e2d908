"""What a read table cannot take in stops it alone, whatever the database calls it; what passes is tried again, and told."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from tests.builds import B1, WHO, state, status, until
from tests.long_keys import LONG, take_references
from tests.projection_samples import ALL, Billed, Bills, Ledger, append, bill, chatter, rows
from typer.testing import CliRunner, Result

from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.cli.projections import app as projections_cli
from ltc_events.diagnosis.database import examine_database
from ltc_events.projections.catalog.lifecycle import State
from ltc_events.projections.catalog.skipped_events import skipped_events
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.following import failures
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.proving.as_of import digests_as_of
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.rebuild import rebuild, rebuild_together
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customer_references import CustomerReferences
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.metrics import PROJECTOR_FAILED, PROJECTOR_RETRYING
from ltc_events.workers.probes import ProjectorProbe


class Keyed(Projection):
    """Bills by what is written on them."""

    table, version, key = "keyed", 1, ("note",)
    columns = {"note": column("text", "what is written on it"), "bill_id": column("uuid", "the last such bill")}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        yield Put(event.note or "", bill_id=record.subject)


class Added(Projection):
    """Every bill; has its key and its index only when it is filled."""

    table, version, key, append_only = "added", 1, ("position",), True
    columns = {"position": column("int8", "the event"), "note": column("text", "what is written on it")}
    indexes = (("note",),)

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        yield Put(record.position, note=event.note)


class Skipping(Added):
    """The same, without what cannot be indexed."""

    table, version, on_failure = "added", 1, "skip"


class Parking(Added):
    """The same, without customers of whom something cannot be indexed."""

    table, version, on_failure = "added", 1, "park"


@pytest.mark.parametrize("page_events", [1, 3, 100])
@pytest.mark.usefixtures("sample_events")
def test_a_key_that_no_index_takes_stops_the_tables_that_have_it_alone(
    database: Database, event_store: EventStore, projector: Connection, log: EventStore, page_events: int
) -> None:
    head = append(event_store, bill(1, "1"), bill(2, "2", LONG), bill(3, "3"))
    Runner(log, [projector], (*ALL, Keyed, Added), page_events=page_events).catch_up()
    found = {one.name: one for one in projection_status(database)}
    assert {name for name, one in found.items() if one.state == "failed"} == {"bills", "keyed", "added"}
    for name in ("bills", "keyed", "added"):
        one = found[name]
        assert (one.position, one.failed_position, one.failed_event, one.fault) == (1, 2, "sample.billed.v1", "event")
        assert "exceeds btree" in str(one.error)
        assert "`ltc events show 2`" in str(one.fix)
    assert {found[name].position for name in ("ledger", "fragile")} == {head}
    assert len(rows(projector, "keyed")) == 1


@pytest.mark.usefixtures("sample_events")
def test_what_no_index_takes_stops_a_rebuild_at_the_event_too(database: Database, event_store: EventStore) -> None:
    """A table gets its indexes when it is full, and PostgreSQL does not say then which event it was."""
    append(event_store, bill(1, "1"))
    tables = (Bills, Keyed, Added, Ledger)
    with open_runner(database, tables) as runner:
        runner.catch_up()
    head = append(event_store, bill(2, "2", LONG), bill(3, "3"))
    for anew in (True, False):
        with pytest.raises(FoldStopped, match="exceeds btree") as caught:
            rebuild_together(database, tables if anew else tables[:3], anew=anew, **WHO)
        assert caught.value.details["position"] == 2
    found = {(one.name, one.build): one for one in projection_status(database)}
    for name in ("bills", "keyed", "added"):
        one = found[name, 1]
        assert (one.state, one.position, one.failed_position) == ("failed", 1, 2), name
    assert (found["ledger", 1].life, found["ledger", 1].position) == ("ready", head)
    assert state(database, B1) is State.CATCHING_UP


@pytest.mark.parametrize("policy", [Skipping, Parking])
@pytest.mark.usefixtures("sample_events")
def test_a_table_that_goes_on_without_such_an_event_is_the_same_live_rebuilt_and_folded_afresh(
    database: Database, event_store: EventStore, projector: Connection, policy: type[Projection]
) -> None:
    head = append(event_store, bill(1, "1"), bill(2, "2", LONG), bill(3, "3"))
    with open_runner(database, [policy]) as runner:
        runner.catch_up()
    build = rebuild(database, policy, anew=True, **WHO)
    assert [(one.build.build, one.position) for one in skipped_events(projector)] == [(0, 2), (1, 2)]
    for one in (None, build):
        found = verify(database, policy, one)
        assert (found.equal, found.position, found.comparison.rows) == (True, head, (2, 2))


@pytest.mark.usefixtures("sample_events")
def test_a_table_can_be_told_as_it_was_before_such_an_event(database: Database, event_store: EventStore) -> None:
    append(event_store, bill(1, "1"), bill(2, "2", LONG), bill(3, "3"))
    with open_runner(database, [Keyed, Added]) as runner:
        runner.catch_up()
    assert [one.rows for one in digests_as_of(database, [Keyed, Added], 1)] == [1, 1]
    for table in (Keyed, Added):
        with pytest.raises(FoldStopped, match="position 2: ProgramLimitExceeded"):
            digests_as_of(database, [table], 3)


@pytest.fixture
def harmed(event_store: EventStore) -> int:
    """A ledger of an older version: it took a reference of 3,000 characters. The position of the last event."""
    return take_references(event_store, "one", LONG, "two")


@pytest.fixture
def ltc(database: Database) -> Any:
    services = Services(load_settings(database_url=database.conninfo))

    def run(*words: str) -> Result:
        return CliRunner().invoke(projections_cli.app, words, obj=services, catch_exceptions=False)

    yield run
    services.close()


def test_one_long_reference_stops_one_read_table_and_not_the_others(database: Database, harmed: int, ltc: Any) -> None:
    done = ltc("catch-up", "--json")
    assert done.exit_code == 1
    assert '"name": "customer_references"' in done.stdout
    told = ltc("catch-up")
    assert told.exit_code == 1
    assert "but for these" in told.stderr
    assert "customer_references stopped before customer.registered" in told.stderr
    found = {one.name: one for one in projection_status(database)}
    assert len(found) == len(PROJECTIONS)
    assert {name for name, one in found.items() if one.state != "live"} == {"customer_references"}
    assert {one.position for name, one in found.items() if name != "customer_references"} == {harmed}
    stopped = found["customer_references"]
    assert (stopped.position, stopped.failed_position, stopped.attempts) == (1, 2, 2)

    checks = {one.name: one for one in examine_database(database, is_embedded=True)}
    assert not checks["read tables"].healthy
    assert "customer_references stopped before customer.registered" in checks["read tables"].detail
    assert "`ltc events show 2`" in checks["read tables"].fix
    shown = ltc("status")
    assert (shown.exit_code, "`ltc events show 2`" in shown.stderr) == (1, True)
    readings = {one[::2]: one.value for one in ProjectorProbe(database).measure(None).readings}
    assert readings[PROJECTOR_FAILED, ("customer_references",)] == 1
    assert readings[PROJECTOR_FAILED, ("customers",)] == 0

    with pytest.raises(FoldStopped, match=r"customer_references_b1 .* position 2"):
        rebuild_together(database, PROJECTIONS, anew=True, **WHO)
    rebuilt = {one.name: one for one in projection_status(database) if one.build == 1}
    assert {name for name, one in rebuilt.items() if one.life != "ready"} == {"customer_references"}
    assert rebuilt["customer_references"].state == "failed"


def test_processes_that_rebuild_together_find_it_as_one_does(database: Database, harmed: int) -> None:
    tables = [Customers, CustomerReferences, CustomerProfiles]
    with pytest.raises(FoldStopped, match=r"customer_references .* position 2: ProgramLimitExceeded"):
        rebuild_together(database, tables, processes=2, **WHO)
    found = {one.name: (one.life, one.state, one.position) for one in projection_status(database)}
    assert found == {
        "customers": ("ready", "live", harmed),
        "customer_references": ("catching_up", "failed", 1),
        "customer_profiles": ("ready", "live", harmed),
    }


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that met passing trouble is tried again at once."""
    monkeypatch.setattr(failures, "PAUSE_MIN_S", 0.0)
    monkeypatch.setattr(failures, "PAUSE_MAX_S", 0.0)


@pytest.mark.usefixtures("sample_events", "impatient")
def test_a_table_that_somebody_locks_waits_alone_leaves_word_and_goes_on(
    database: Database, event_store: EventStore, projector: Connection, log: EventStore, reader: Connection
) -> None:
    head = append(event_store, bill(1, "1"), bill(2, "2"))
    runner = Runner(log, [projector], ALL)
    projector.execute("SET lock_timeout = '50ms'")
    with database.connect(Role.OWNER) as owner:
        owner.execute("LOCK TABLE ltc_read.bills__v1")
        for attempt in (1, 2):
            assert runner.catch_up() == head
            found = {one.name: one for one in projection_status(database)}
            held_up = found.pop("bills")
            assert {(one.state, one.position) for one in found.values()} == {("live", head)}
            assert (held_up.state, held_up.position, held_up.attempts, held_up.fault) == ("retrying", 0, attempt, "retry")
            assert (held_up.failed_position, held_up.failed_event) == (1, "sample.billed.v1")
            assert str(held_up.error).startswith("LockNotAvailable: canceling statement due to lock timeout")
            assert "pg_blocking_pids" in str(held_up.fix)
        checks = {one.name: one for one in examine_database(database, is_embedded=False)}
        assert "bills does not get past sample.billed.v1 at position 1" in checks["read tables"].detail
        readings = {one[::2]: one.value for one in ProjectorProbe(database).measure(None).readings}
        assert (readings[PROJECTOR_RETRYING, ("bills",)], readings[PROJECTOR_FAILED, ("bills",)]) == (1, 0)
    runner.catch_up()
    assert len(rows(reader, "bills")) == 2
    assert {(one.state, one.attempts) for one in projection_status(database)} == {("live", None)}


@pytest.mark.usefixtures("sample_events", "impatient")
@pytest.mark.parametrize("sqlstate", ["53100", "53200", "57014", "40001", "25006"])
def test_trouble_that_passes_never_skips_an_event(
    database: Database, event_store: EventStore, log: EventStore, projector: Connection, sqlstate: str
) -> None:
    """Whatever the table declares: a full disk is no reason to go on without an event."""
    runner = Runner(log, [projector], [Skipping, Ledger])
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{sqlstate}'; END $$".encode()
        )
        owner.execute("CREATE TRIGGER harm BEFORE INSERT ON ltc_read.added__v1 EXECUTE FUNCTION harm()")
        head = append(event_store, bill(1, "1"))
        runner.catch_up()
        found = {one.name: one for one in projection_status(database)}
        assert (found["ledger"].state, found["ledger"].position) == ("live", head)
        assert (found["added"].state, found["added"].position, skipped_events(projector)) == ("retrying", 0, [])
        if sqlstate == "53100":
            assert "no space is left" in str(found["added"].fix)
        owner.execute("DROP TRIGGER harm ON ltc_read.added__v1")
    runner.catch_up()
    assert (status(database, "added").state, len(rows(projector, "added"))) == ("live", 1)


@pytest.mark.usefixtures("sample_events")
def test_what_no_table_gets_past_is_for_whoever_runs_them_to_wait_for(
    database: Database, event_store: EventStore, log: EventStore, projector: Connection
) -> None:
    append(event_store, bill(1, "1"))
    runner = Runner(log, [projector], [Bills])
    projector.execute("SET lock_timeout = '50ms'")
    with database.connect(Role.OWNER) as owner:
        owner.execute("LOCK TABLE ltc_read.bills__v1")
        for _ in range(2):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                runner.catch_up()
        assert (status(database, "bills").state, status(database, "bills").attempts) == ("retrying", 2)
    runner.catch_up()
    assert status(database, "bills").state == "live"


@pytest.mark.usefixtures("sample_events")
def test_a_connection_that_is_ended_again_and_again_leaves_word_over_another(database: Database, event_store: EventStore) -> None:
    with open_runner(database, [Bills]) as runner:
        runner.catch_up()
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(
            "CREATE FUNCTION harm() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
            " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
        )
        owner.execute("CREATE TRIGGER harm BEFORE INSERT ON ltc_read.bills__v1 EXECUTE FUNCTION harm()")
        append(event_store, bill(1, "1"))
        for attempt in (1, 2):
            with pytest.raises(psycopg.OperationalError), open_runner(database, [Bills]) as runner:
                runner.catch_up()
            found = status(database, "bills")
            assert (found.state, found.attempts, found.failed_position) == ("retrying", attempt, 1)
            assert "AdminShutdown" in str(found.error)


@pytest.mark.usefixtures("sample_events")
def test_a_writer_that_waits_is_seen_while_it_does(database: Database, event_store: EventStore, ltc: Any) -> None:
    append(event_store, bill(1, "1"))
    with open_runner(database, [Bills]) as runner:
        runner.catch_up()
        append(event_store, bill(2, "2"))
        with database.connect(Role.OWNER) as owner:
            owner.execute("LOCK TABLE ltc_read.bills__v1")
            thread = threading.Thread(target=runner.catch_up)
            thread.start()
            until(lambda: status(database, "bills").state == "waiting")
            waiting = status(database, "bills")
            assert f"held by process {owner.info.backend_pid}" in str(waiting.error)
            assert f"pid IN ({owner.info.backend_pid})" in str(waiting.fix)
            told = ltc("status")
            assert (told.exit_code, "bills: its writer waits for a lock since" in told.stderr) == (1, True)
        thread.join()
    assert status(database, "bills").state == "live"


@pytest.mark.usefixtures("sample_events")
def test_a_checkpoint_that_somebody_holds_stops_its_table_alone(
    database: Database, event_store: EventStore, log: EventStore, projector: Connection
) -> None:
    """Tables that nothing concerns move their checkpoints together: one that is held must not hold the others."""

    class Voids(Bills):
        """Bills, once more."""

        table, version = "voids", 1

    runner = Runner(log, [projector], [Bills, Voids])
    runner.catch_up()
    projector.execute("SET lock_timeout = '50ms'")
    with database.connect(Role.PROJECTOR) as other:
        other.execute("SELECT FROM ltc_read.checkpoints WHERE projection = 'bills' FOR UPDATE")
        head = append(event_store, chatter())
        runner.catch_up()
        found = {one.name: (one.state, one.position) for one in projection_status(database)}
        assert found == {"bills": ("retrying", 0), "voids": ("live", head)}
