"""What a read table has left out comes in again, by another try or by a rebuild; until then a proof says what is missing."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.projection_notes import TABLE, Mended, Parking, Skipping, bill, catch_up, seen, streams
from tests.projection_samples import Billed, append, number

from ltc_events.projections.catalog.skipped_events import Skipped, left_out, skipped_events
from ltc_events.projections.declaration.errors import NothingParked, Unexplained
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Operation, on
from ltc_events.projections.following.parked_retry import retry
from ltc_events.projections.following.store_runner import Runner
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.projections.rebuilding.switch import drop, switch
from ltc_events.projections.writing.checkpoints import Move
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore

pytestmark = pytest.mark.usefixtures("sample_events")


def test_a_retry_takes_in_what_comes_before_the_next_obstacle(
    database: Database, event_store: EventStore, projector: Connection
) -> None:
    append(event_store, bill(1, "a", 999), bill(1, "big", 5), bill(1, "b", -900), bill(1, "break"), bill(1, "c"))
    catch_up(database, Parking)
    (letter,) = skipped_events(projector)
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
    assert [(one.position, one.held) for one in skipped_events(projector)] == [(4, number(1))]


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
    prepared = track.applier.prepare(records)
    retry(database, Mended, by="ann")
    track.take_in(records, Move(0, track.position, head, epoch=track.epoch), prepared)
    runner.catch_up()
    assert seen(projector) == {1: ("b", 2), 2: ("y", 2)}


@pytest.mark.parametrize("page_events", [2, 100])
def test_a_rebuild_leaves_out_what_the_table_does_and_a_proof_says_so(
    database: Database, event_store: EventStore, projector: Connection, page_events: int
) -> None:
    append(event_store, bill(1, "a"), bill(2, "x"), bill(1, "break"), bill(2, "y"), bill(1, "b"), bill(3, "u"), bill(2, "z"))
    append(event_store, *(bill(1 + n % 2, "w") for n in range(8)))
    catch_up(database, Parking)
    build = rebuild(database, Parking, by="ann", reason="test", anew=True, page_events=page_events)
    assert left_out(projector, build) == left_out(projector, TABLE) == Skipped((), {number(1): 3})
    for one in (TABLE, build):
        proof = verify(database, Parking, one, page_events=page_events)
        assert (proof.equal, proof.is_whole) == (True, False)
        assert proof.left_out == (left_out(projector, one),) * 2
    assert switch(database, Parking, build, by="ann").now == build  # no worse than what readers saw

    retry(database, Mended, by="ann")
    proof = verify(database, Mended)
    assert (proof.build, proof.equal, proof.is_whole) == (build, True, True)
    proof = verify(database, Mended, TABLE)  # nobody tried again there
    assert (proof.equal, proof.left_out[1]) == (False, Skipped((), {}))
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
    assert skipped_events(projector, settled=True) == []


def test_a_table_that_lacks_more_is_not_shown_without_a_reason(
    database: Database, event_store: EventStore, projector: Connection
) -> None:
    append(event_store, bill(1, "break"), bill(2, "x"))
    catch_up(database, Mended)
    build = rebuild(database, Parking, by="ann", reason="test", anew=True)
    with pytest.raises(Unexplained, match="1 customers parked"):
        switch(database, Parking, build, by="ann")


History = list[tuple[int, str]]
HISTORIES = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["a", "b", "break"])), min_size=1, max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES, page_events=st.integers(1, 5))
def test_what_waited_becomes_what_it_would_have_been(
    database: Database,
    event_store: EventStore,
    log: EventStore,
    projector: Connection,
    history: History,
    page_events: int,
) -> None:
    """For any history: nobody waits for another's event, and once mended it is as if nothing had happened."""
    others = next(streams)  # each history has customers of its own
    append(event_store, *(bill(others + customer, note) for customer, note in history))
    Runner(log, [projector], [Parking], page_events=page_events).catch_up()
    stuck: set[int] = set()
    good: History = []
    for customer, note in history:
        if note == "break":
            stuck.add(customer)
        elif customer not in stuck:
            good.append((customer, note))
    assert ours(projector, others) == summary(good)
    assert {one.int - others for one in left_out(projector, TABLE).parked} == stuck
    if stuck:
        retry(database, Mended, by="ann")
    assert ours(projector, others) == summary(history)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES, page_events=st.integers(1, 5), stops_after=st.integers(0, 12))
def test_a_table_that_skips_is_as_if_those_events_had_never_been(
    database: Database,
    event_store: EventStore,
    log: EventStore,
    projector: Connection,
    history: History,
    page_events: int,
    stops_after: int,
) -> None:
    """For any history, pages of any size, and a projector that comes back in the middle; a proof says the same."""
    others = next(streams)
    before = event_store.head()[0]
    skipped: list[int] = []
    for part in (history[:stops_after], history[stops_after:]):
        if part:
            first = append(event_store, *(bill(others + customer, note) for customer, note in part)) - len(part) + 1
            skipped += [position for position, (_, note) in enumerate(part, first) if note == "break"]
        Runner(log, [projector], [Skipping], page_events=page_events).catch_up()
    assert ours(projector, others) == summary([one for one in history if one[1] != "break"])
    assert [one.position for one in skipped_events(projector) if one.position > before] == skipped
    proof = verify(database, Skipping)
    assert (proof.equal, proof.is_whole) == (True, not skipped_events(projector))


def summary(history: History) -> dict[int, tuple[str, int]]:
    """Of each customer the last note, and how many bills."""
    notes: dict[int, list[str]] = {}
    for customer, note in history:
        notes.setdefault(customer, []).append(note)
    return {customer: (several[-1], len(several)) for customer, several in notes.items()}


def ours(connection: Connection, others: int) -> dict[int, tuple[str, int]]:
    return {key - others: row for key, row in seen(connection).items() if 0 < key - others < 10}
