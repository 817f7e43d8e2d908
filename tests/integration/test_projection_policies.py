"""A read table that meets an event it cannot take in does as it declares: it stops, skips the event, or parks the customer."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.projection_samples import NOON, TODAY, Billed, append, known_events, number, rows
from typer.testing import CliRunner, Result

from ltc_events.cli import leaving_out, projections, proofs
from ltc_events.cli.session import Session
from ltc_events.projections.base import Add, Operation, Projection, Put, column, on
from ltc_events.projections.catalogue import Build
from ltc_events.projections.errors import FoldStopped, NothingParked, Unexplained
from ltc_events.projections.letters import LeftOut, left_out, letters, waiting
from ltc_events.projections.naming import Connection
from ltc_events.projections.rebuild import rebuild
from ltc_events.projections.retrying import retry
from ltc_events.projections.runner import Runner, open_runner
from ltc_events.projections.status import projection_status
from ltc_events.projections.switching import drop, switch
from ltc_events.projections.verification import verify
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, NewEvent, Role
from ltc_events.workers.lag import ProjectorProbe
from ltc_events.workers.metrics import PROJECTOR_FAILED, PROJECTOR_PARKED, PROJECTOR_SKIPPED

TABLE = Build("notes", 1, 0)


class Notes(Projection):
    """The notes of a customer's bills in their order, and how many bills that were; one row per customer."""

    table, version, key = "notes", 1, ("customer_id",)
    columns = {
        "customer_id": column("uuid", "the customer"),
        "last": column("text", "note of the last bill"),
        "bills": column("int4", "how many bills", default="0"),
        "total": column("numeric", "what they come to", default="0"),
    }
    checks = {"small": "NEW.total < 1000"}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        customer = record.customer_id or record.subject
        yield Add(customer, bills=1, total=event.amount)
        if event.note == "break":
            raise RuntimeError("I cannot read this note")
        yield Put(customer, last=event.note)


class Mended(Notes):
    """The same, with all notes readable."""

    table, version, on_failure = "notes", 1, "park"

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        customer = record.customer_id or record.subject
        yield Add(customer, bills=1, total=event.amount)
        yield Put(customer, last=event.note)


class Skipping(Notes):
    """The same, without what cannot be read."""

    table, version, on_failure = "notes", 1, "skip"


class Parking(Notes):
    """The same, without customers of whom something cannot be read."""

    table, version, on_failure = "notes", 1, "park"


@pytest.fixture(autouse=True)
def _events() -> Iterator[None]:
    with known_events():
        yield


@pytest.fixture
def projector(database: Database) -> Iterator[Connection]:
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        yield connection


@pytest.fixture
def log(database: Database) -> Iterator[EventStore]:
    with EventStore(database, Role.PROJECTOR) as store:
        yield store


_streams = iter(range(10**9, 10**12, 10))


def bill(customer: int, note: str, amount: int = 1) -> NewEvent:
    """A bill of a customer, each a stream of its own."""
    stream, command = number(next(_streams)), number(next(_streams))
    event = Billed(amount=Decimal(amount), note=note)
    return NewEvent(stream, 1, event, number(customer), NOON, TODAY, command, command, command, "tests")


def catch_up(database: Database, projection: type[Projection]) -> None:
    with open_runner(database, [projection]) as runner:
        runner.catch_up()


def seen(connection: Connection, table: str = "notes") -> dict[int, tuple[str, int]]:
    return {row[0].int: row[1:3] for row in rows(connection, table)}


@pytest.mark.parametrize("page_events", [1, 2, 100])
def test_a_table_that_skips_goes_on_without_the_event(
    event_store: EventStore, log: EventStore, projector: Connection, page_events: int
) -> None:
    head = append(event_store, bill(1, "a"), bill(2, "x"), bill(1, "break"), bill(2, "y"), bill(1, "b"))
    runner = Runner(log, [projector], [Skipping], page_events=page_events)
    assert runner.catch_up() == head
    assert seen(projector) == {1: ("b", 2), 2: ("y", 2)}
    (letter,) = letters(projector)
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
    assert letters(projector) == []
    (letter,) = letters(projector, settled=True)
    assert (letter.settled_by, letter.position) == ("ann", 3)
    append(event_store, bill(1, "d"))
    runner.catch_up()  # the same runner, which believed that the customer waits
    assert seen(projector)[1] == ("d", 6)
    with pytest.raises(NothingParked):
        retry(database, Parking, by="ann")


def test_a_retry_takes_in_what_comes_before_the_next_obstacle(
    database: Database, event_store: EventStore, projector: Connection
) -> None:
    append(event_store, bill(1, "a", 999), bill(1, "big", 5), bill(1, "b", -900), bill(1, "break"), bill(1, "c"))
    catch_up(database, Parking)
    (letter,) = letters(projector)
    assert "breaks its check small" in letter.cause

    class Half(Mended):
        """The same with larger rows, and still not every note readable."""

        table, version, on_failure = "notes", 1, "park"

        @on(Billed)
        def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
            if event.note == "break":
                raise RuntimeError("I cannot read this note")
            if event.note != "big":
                yield from Mended.billed(self, event, record)

    (done,) = retry(database, Half, by="ann", only=number(1))
    assert done.obstacle is not None
    assert (done.taken, done.obstacle.position) == (2, 4)
    assert seen(projector) == {1: ("b", 2)}
    assert [(one.position, one.held) for one in letters(projector)] == [(4, number(1))]


def test_who_writes_while_somebody_tries_again_leaves_nothing_out(
    database: Database, event_store: EventStore, log: EventStore, projector: Connection
) -> None:
    """A page was read while the customer waited, and is written when he does no longer: it is made anew."""
    append(event_store, bill(1, "break"), bill(2, "x"))
    catch_up(database, Parking)
    runner = Runner(log, [projector], [Parking])
    head = append(event_store, bill(1, "b"), bill(2, "y"))
    (track,) = runner._tracks
    records = log.read(2, 10)
    prepared = track.intake.prepare(records)
    retry(database, Mended, by="ann")
    track.take_in(records, head, prepared)
    runner.catch_up()
    assert seen(projector) == {1: ("b", 2), 2: ("y", 2)}


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
        assert (status.state, status.position, letters(projector)) == ("failed", strange - 1, [])
        owner.execute("GRANT INSERT, UPDATE ON ltc_read.notes__v1 TO ltc_projector")
        owner.execute("ALTER TABLE ltc.events DISABLE TRIGGER append_only")
        owner.execute("UPDATE ltc.events SET type = 'ltc.sample.newer.v1' WHERE position = %s", (strange,))
    catch_up(database, policy)
    (status,) = projection_status(database)
    assert (status.state, status.position, letters(projector)) == ("failed", strange - 1, [])
    assert "UnknownEvent" in str(status.error)


@pytest.mark.parametrize("page_events", [2, 100])
def test_a_rebuild_leaves_out_what_the_table_does_and_a_proof_says_so(
    database: Database, event_store: EventStore, projector: Connection, page_events: int
) -> None:
    append(event_store, bill(1, "a"), bill(2, "x"), bill(1, "break"), bill(2, "y"), bill(1, "b"), bill(3, "u"), bill(2, "z"))
    append(event_store, *(bill(1 + n % 2, "w") for n in range(8)))
    catch_up(database, Parking)
    build = rebuild(database, Parking, by="ann", reason="test", anew=True, page_events=page_events)
    assert left_out(projector, build) == left_out(projector, TABLE) == LeftOut((), {number(1): 3})
    for one in (TABLE, build):
        proof = verify(database, Parking, one, page_events=page_events)
        assert (proof.equal, proof.is_whole) == (True, False)
        assert proof.left_out == (left_out(projector, one),) * 2
    assert switch(database, Parking, build, by="ann").now == build  # no worse than what readers saw

    retry(database, Mended, by="ann")
    proof = verify(database, Mended)
    assert (proof.build, proof.equal, proof.is_whole) == (build, True, True)
    proof = verify(database, Mended, TABLE)  # nobody tried again there
    assert (proof.equal, proof.left_out[1]) == (False, LeftOut((), {}))
    (difference,) = proof.comparison.differences
    assert difference.columns["bills"] == (1, 7)


def test_a_table_that_skipped_is_made_whole_by_a_rebuild(
    database: Database, event_store: EventStore, projector: Connection
) -> None:
    append(event_store, bill(1, "a"), bill(1, "break"), bill(1, "b"))
    catch_up(database, Skipping)
    with pytest.raises(NothingParked):
        retry(database, Mended, by="ann")
    proof = verify(database, Skipping)
    assert (proof.equal, proof.is_whole, proof.left_out[0].skipped) == (True, False, (2,))
    build = rebuild(database, Mended, by="ann", reason="mended", anew=True)
    switch(database, Mended, build, by="ann", force=True, reason="mended")
    assert seen(projector) == {1: ("b", 3)}
    assert verify(database, Mended).is_whole
    drop(database, Mended, TABLE, by="ann", reason="it lacks an event")
    assert letters(projector, settled=True) == []


def test_a_table_that_lacks_more_is_not_shown_without_a_reason(
    database: Database, event_store: EventStore, projector: Connection
) -> None:
    append(event_store, bill(1, "break"), bill(2, "x"))
    catch_up(database, Mended)
    build = rebuild(database, Parking, by="ann", reason="test", anew=True)
    with pytest.raises(Unexplained, match="1 customers parked"):
        switch(database, Parking, build, by="ann")


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

    for module in (projections, proofs, leaving_out):
        monkeypatch.setattr(module, "PROJECTIONS", (Parking, Stopping, Whole))
    session = Session(database_url=database.conninfo)

    def ltc(*words: str) -> Result:
        return CliRunner().invoke(projections.app, words, obj=session, catch_exceptions=False)

    append(event_store, bill(1, "a"), bill(2, "x"), bill(1, "break"), bill(1, "b"), bill(2, "y"))
    assert ltc("catch-up").exit_code == 0
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
    for module in (projections, proofs, leaving_out):
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


HISTORIES = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["a", "b", "break"])), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES, page_events=st.integers(1, 5))
def test_what_waited_becomes_what_it_would_have_been(
    database: Database,
    event_store: EventStore,
    log: EventStore,
    projector: Connection,
    history: list[tuple[int, str]],
    page_events: int,
) -> None:
    """For any history: nobody waits for another's event, and once mended it is as if nothing had happened."""
    others = next(_streams)  # each history has customers of its own
    append(event_store, *(bill(others + customer, note) for customer, note in history))
    Runner(log, [projector], [Parking], page_events=page_events).catch_up()
    good: dict[int, list[str]] = {}
    stuck: set[int] = set()
    for customer, note in history:
        if note == "break":
            stuck.add(customer)
        elif customer not in stuck:
            good.setdefault(customer, []).append(note)
    assert ours(projector, others) == {customer: (notes[-1], len(notes)) for customer, notes in good.items()}
    assert {one.int - others for one in left_out(projector, TABLE).parked} == stuck
    if stuck:
        retry(database, Mended, by="ann")
    by_customer: dict[int, list[str]] = {}
    for customer, note in history:
        by_customer.setdefault(customer, []).append(note)
    assert ours(projector, others) == {customer: (notes[-1], len(notes)) for customer, notes in by_customer.items()}


def ours(connection: Connection, others: int) -> dict[int, tuple[str, int]]:
    return {key - others: row for key, row in seen(connection).items() if 0 < key - others < 10}
