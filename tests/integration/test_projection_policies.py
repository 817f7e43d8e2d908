"""A read table that meets an event it cannot take in does as it declares: it stops, skips the event, or parks the customer."""

import json

import pytest
from tests.projection_notes import TABLE, Mended, Notes, Parking, Skipping, bill, catch_up, seen
from tests.projection_samples import append, number
from typer.testing import CliRunner, Result

from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.cli.projections import app as app_cli
from ltc_events.cli.projections import verify as verify_cli
from ltc_events.projections.catalog.skipped_events import left_out, skipped_events, waiting
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.errors import FoldStopped, NothingParked
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection
from ltc_events.projections.following.parked_retry import retry
from ltc_events.projections.following.store_runner import Runner
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.metrics import PROJECTOR_FAILED, PROJECTOR_PARKED, PROJECTOR_SKIPPED
from ltc_events.workers.probes import ProjectorProbe

pytestmark = pytest.mark.usefixtures("sample_events")


@pytest.mark.parametrize("page_events", [1, 2, 100])
def test_a_table_that_skips_goes_on_without_the_event(
    event_store: EventStore, log: EventStore, projector: Connection, page_events: int
) -> None:
    head = append(event_store, bill(1, "a"), bill(2, "x"), bill(1, "break"), bill(2, "y"), bill(1, "b"))
    runner = Runner(log, [projector], [Skipping], page_events=page_events)
    assert runner.catch_up() == head
    assert seen(projector) == {1: ("b", 2), 2: ("y", 2)}
    (letter,) = skipped_events(projector)
    assert (letter.build, letter.position, letter.event, letter.customer_id) == (TABLE, 3, "sample.billed.v1", number(1))
    assert (letter.held, letter.cause) == (None, "RuntimeError: I cannot read this note")
    assert letter.subject == event_store.read_raw(2, 1)[0].subject


@pytest.mark.parametrize("page_events", [1, 2, 100])
def test_a_table_that_parks_lets_the_customer_wait_and_goes_on_with_the_rest(
    database: Database, event_store: EventStore, log: EventStore, projector: Connection, page_events: int
) -> None:
    append(event_store, bill(1, "a"), bill(2, "x"), bill(1, "break"), bill(2, "y"), bill(1, "b"))
    runner = Runner(log, [projector], [Parking], page_events=page_events)
    runner.catch_up()
    head = append(event_store, bill(1, "break"), bill(2, "z"), bill(1, "c"))
    runner.catch_up()
    assert seen(projector) == {1: ("a", 1), 2: ("z", 3)}
    assert left_out(projector, TABLE).parked == {number(1): 3}
    assert waiting(projector, TABLE, Notes.types) == {number(1): 4}
    (status,) = projection_status(database)
    assert (status.state, status.position) == ("live", head)

    (done,) = retry(database, Parking, by="ann")
    assert done.obstacle is not None
    assert (done.held, done.taken, done.obstacle.position) == (number(1), 0, 3)
    (done,) = retry(database, Mended, by="ann")
    assert (done.taken, done.obstacle) == (4, None)
    assert seen(projector) == {1: ("c", 5), 2: ("z", 3)}
    assert skipped_events(projector) == []
    (letter,) = skipped_events(projector, settled=True)
    assert (letter.settled_by, letter.position) == ("ann", 3)
    append(event_store, bill(1, "d"))
    runner.catch_up()  # the same runner, which believed that the customer waits
    assert seen(projector)[1] == ("d", 6)
    with pytest.raises(NothingParked):
        retry(database, Parking, by="ann")


@pytest.mark.parametrize("policy", [Skipping, Parking])
def test_where_no_event_is_to_blame_a_table_stops_whatever_it_declares(
    database: Database, event_store: EventStore, projector: Connection, policy: type[Projection]
) -> None:
    append(event_store, bill(1, "a"))
    catch_up(database, policy)
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("REVOKE INSERT, UPDATE ON ltc_read.notes__v1 FROM ltc_projector")
        strange = append(event_store, bill(1, "b"))
        catch_up(database, policy)
        (status,) = projection_status(database)
        assert (status.state, status.position, skipped_events(projector)) == ("failed", strange - 1, [])
        owner.execute("GRANT INSERT, UPDATE ON ltc_read.notes__v1 TO ltc_projector")
        owner.execute("ALTER TABLE ltc.events DISABLE TRIGGER append_only")
        owner.execute("UPDATE ltc.events SET type = 'ltc.sample.newer.v1' WHERE position = %s", (strange,))
    catch_up(database, policy)
    (status,) = projection_status(database)
    assert (status.state, status.position, skipped_events(projector)) == ("failed", strange - 1, [])
    assert "UnknownEvent" in str(status.error)


@pytest.mark.parametrize("page_events", [1, 100])
@pytest.mark.parametrize("policy", [Skipping, Parking, Notes])
def test_an_event_that_cannot_be_decoded_is_left_out_too(
    database: Database,
    event_store: EventStore,
    log: EventStore,
    projector: Connection,
    policy: type[Notes],
    page_events: int,
) -> None:
    head = append(event_store, bill(1, "a"), bill(1, "lost"), bill(2, "x"), bill(1, "b"))
    data = event_store.read_raw(1, 1)[0].data
    spoil(database, 2, b"{}")
    Runner(log, [projector], [policy], page_events=page_events).catch_up()
    expected = {Skipping: {1: ("b", 2), 2: ("x", 1)}, Parking: {1: ("a", 1), 2: ("x", 1)}, Notes: {1: ("a", 1)}}[policy]
    assert seen(projector) == expected
    (status,) = projection_status(database)
    if policy is Notes:
        assert (status.state, status.failed_position) == ("failed", 2)
        with pytest.raises(FoldStopped, match="position 2"):
            rebuild(database, policy, by="ann", reason="test", anew=True)
        return
    assert (status.state, status.position) == ("live", head)
    build = rebuild(database, policy, by="ann", reason="test", anew=True, page_events=page_events)
    assert verify(database, policy, build).comparison.equal
    if policy is Parking:
        (done,) = retry(database, Mended, by="ann")
        assert done.obstacle is not None
        assert done.obstacle.position == 2
        spoil(database, 2, data)
        retry(database, Mended, by="ann")
        assert seen(projector)[1] == ("b", 3)


def spoil(database: Database, position: int, data: bytes) -> None:
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("ALTER TABLE ltc.events DISABLE TRIGGER append_only")
        owner.execute("UPDATE ltc.events SET data = %s WHERE position = %s", (data, position))


def test_operators_see_what_to_do_next(
    database: Database, event_store: EventStore, projector: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table stops, one parks, the third goes on, and readers of all keep what is good."""

    class Stopping(Notes):
        """The same, and it stops."""

        table, version = "stopping", 1

    class Whole(Mended):
        """The same, and it has no trouble."""

        table, version = "whole", 1

    for module in (app_cli, verify_cli):
        monkeypatch.setattr(module, "PROJECTIONS", (Parking, Stopping, Whole))
    services = Services(load_settings(database_url=database.conninfo))

    def ltc(*words: str) -> Result:
        return CliRunner().invoke(app_cli.app, words, obj=services, catch_exceptions=False)

    append(event_store, bill(1, "a"), bill(2, "x"), bill(1, "break"), bill(1, "b"), bill(2, "y"))
    assert ltc("catch-up").exit_code == 1
    good = {1: ("a", 1), 2: ("x", 1)}
    assert seen(projector, "stopping") == good
    assert seen(projector, "whole") == {1: ("b", 3), 2: ("y", 2)}
    status = ltc("status")
    assert status.exit_code == 1
    for told in (
        "stopping stopped before sample.billed.v1 at position 3: look at it with `ltc events show 3`",
        "`ltc projections catch-up`",
        "notes: see `ltc projections letters notes`; once it is mended, `ltc projections retry notes --build v1`",
    ):
        assert told in status.stderr
    by_name = {one["name"]: one for one in json.loads(ltc("status", "--json").stdout)["projections"]}
    assert "I cannot read this note" in by_name["stopping"]["error"]
    assert (by_name["stopping"]["on_failure"], by_name["notes"]["on_failure"]) == ("stop", "park")
    assert by_name["notes"]["parked"] == [{"held": str(number(1)), "since": 3, "waiting": 2}]
    assert ltc("status", "notes").exit_code == 0
    (letter,) = json.loads(ltc("letters", "notes", "--json").stdout)["letters"]
    assert (letter["position"], letter["event"], letter["customer_id"]) == (3, "sample.billed.v1", str(number(1)))
    proof = ltc("verify", "notes")
    assert proof.exit_code == 1
    assert "the table goes without 0 events skipped, 1 customers parked" in " ".join(proof.stderr.split())
    stuck = ltc("retry", "notes", "--by", "ann")
    assert (stuck.exit_code, "stuck at 3" in stuck.stderr) == (1, True)
    for module in (app_cli, verify_cli):
        monkeypatch.setattr(module, "PROJECTIONS", (Mended, Stopping, Whole))
    assert ltc("retry", "notes", "--customer", str(number(1)), "--by", "ann").exit_code == 0
    assert seen(projector) == seen(projector, "whole")
    assert ltc("verify", "notes").exit_code == 0
    with pytest.raises(NothingParked):
        ltc("retry", "stopping")


def test_metrics_count_what_is_left_out(database: Database, event_store: EventStore) -> None:
    append(event_store, bill(1, "break"), bill(2, "x"))
    catch_up(database, Parking)
    readings = {one[::2]: one.value for one in ProjectorProbe(database).measure(None).readings}
    assert readings[PROJECTOR_PARKED, ("notes",)] == 1
    assert readings[PROJECTOR_SKIPPED, ("notes",)] == readings[PROJECTOR_FAILED, ("notes",)] == 0
