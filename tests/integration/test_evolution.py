"""Events change from release to release, and everybody who reads the store sees them as they are told today.

The code of the releases is that of docs/evolution.md.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import count, pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.evolution import blocks, release, run_blocks
from tests.integration.books import Books
from tests.projection_samples import NOON, TODAY, append, number, rows
from typer.testing import CliRunner

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.cli.events import app
from ltc_events.cli.session import Session
from ltc_events.projections.base import Operation, Projection, Put, column, on
from ltc_events.projections.digest import digest
from ltc_events.projections.errors import FoldStopped, ProjectionMisdeclared
from ltc_events.projections.rebuild import rebuild
from ltc_events.projections.runner import Runner, open_runner
from ltc_events.projections.status import ProjectionStatus, projection_status
from ltc_events.projections.switching import drop
from ltc_events.projections.verification import verify
from ltc_events.schemas.base import Event
from ltc_events.schemas.credit_note import CreditReason, IssueCreditNote
from ltc_events.schemas.envelope import document
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.order import OrderPlaced
from ltc_events.schemas.record import Record
from ltc_events.schemas.upcasting import UPCASTERS, Data, split, upcast
from ltc_events.store import Database, EventStore, NewEvent, Role, UnknownEvent
from ltc_events.store.errors import NewerEvent, UpcastFailed
from ltc_events.store.factory import open_repository

WHO = {"by": "ann", "reason": "test"}
PACKED, HANDED_OVER, DROPPED = "parcel.packed.v1", "parcel.handed_over.v1", "parcel.dropped.v1"


def first_release() -> Any:
    """What the page's first block defines."""
    return run_blocks(0)


def second_release() -> Any:
    """What its second and third block define."""
    return run_blocks(1, 2)


def happens(parcel: int, version: int, event: Event) -> NewEvent:
    command = number(10**12 + 100 * parcel + version)
    return NewEvent(number(parcel), version, event, None, NOON, TODAY, command, command, command, "tests")


def life(old: Any, parcel: int = 1, fee: str = "7") -> list[NewEvent]:
    """A parcel as the first release recorded it."""
    events = (
        old["ParcelPacked"](weight=Decimal("2.5")),
        old["ParcelHandedOver"](carrier="Ant", fee=Decimal(fee)),
        old["ParcelDropped"](reason="it fell"),
    )
    return [happens(parcel, version, event) for version, event in enumerate(events, 1)]


@pytest.fixture
def written(event_store: EventStore) -> EventStore:
    """A store that the first release has written: the page's parcel."""
    with release():
        append(event_store, *life(first_release()))
    return event_store


@pytest.fixture
def second(written: EventStore) -> Iterator[Any]:
    """The second release at work on that store."""
    with release():
        yield second_release()


def status(database: Database, name: str) -> ProjectionStatus:
    return next(one for one in projection_status(database) if one.name == name)


def told(records: list[Record]) -> list[tuple[str, str, str]]:
    """Records as the page shows them."""
    return [
        (
            f"{one.position}.{one.part}" if one.part > 1 else str(one.position),
            one.event.type,
            one.event.model_dump_json(exclude_none=True),
        )
        for one in records
    ]


def test_the_page_shows_what_is_stored_and_what_is_told(written: EventStore, second: Any) -> None:
    (shown,) = blocks("text")
    left, right = zip(*((shown_line[:55].split(), shown_line[55:].split()) for shown_line in shown.splitlines()), strict=True)
    stored = [[str(one.position), one.type, *one.data.decode().split()] for one in written.read_raw(0, 10)]
    assert [words for words in left if words] == stored
    assert list(right) == [" ".join(one).split() for one in told(written.read(0, 10))]


def test_everybody_sees_the_same(database: Database, written: EventStore, second: Any) -> None:
    append(written, happens(2, 1, second["ParcelPacked"](weight=Decimal(2), unit="lb", packer="Bo")))
    parcels, steps = second["Parcels"], second["ParcelSteps"]
    everything = written.read(0, 10)
    assert (
        [one for one in everything if one.subject == number(1)]
        == written.stream(number(1))
        == written.load([number(1)])[number(1)]
    )
    with open_repository(database, Role.PROJECTOR) as repository:
        found = repository.get(number(1), projector_func=lambda state, records: [*(state or []), *records])
    assert found == written.stream(number(1))
    assert [one.part for one in written.event(number(1), 2)] == [1, 2]
    with open_runner(database, [parcels, steps]) as runner:
        runner.catch_up()
    with database.connect(Role.READER) as reader:
        assert rows(reader, "parcels") == [
            (number(1), Decimal("2.5"), "Ant", Decimal(7), True),
            (number(2), Decimal("0.90718474"), None, Decimal(0), False),
        ]
        assert rows(reader, "parcel_steps") == [
            (1, 1, "parcel.packed.v2"),
            (2, 1, "parcel.sent.v1"),
            (2, 2, "parcel.billed.v1"),
            (4, 1, "parcel.packed.v2"),
        ]
    for projection in (parcels, steps):
        assert verify(database, projection).equal
        build = rebuild(database, projection, anew=True, page_events=1, **WHO)
        assert digest(database, projection, build).sha256 == digest(database, projection).sha256


def test_streams_are_found_by_what_they_begin_with_today(written: EventStore, second: Any) -> None:
    assert [(first.event.type, last) for first, last in written.company_streams("parcel.packed.v2")] == [("parcel.packed.v2", 3)]
    assert written.company_streams("parcel.sent.v1") == []
    customer = number(77)
    with release():
        handed_over = happens(5, 1, first_release()["ParcelHandedOver"](carrier="Bee", fee=Decimal(1)))
        append(written, handed_over._replace(customer_id=customer))
    assert written.streams_of([customer], "parcel.sent.v1") == {customer: [number(5)]}
    assert written.streams_of([customer], "parcel.billed.v1") == {}


def test_stored_bytes_are_as_they_were(written: EventStore, second: Any) -> None:
    assert [(one.type, one.data) for one in written.read_raw(0, 10)] == [
        (PACKED, b'{"weight":"2.5"}'),
        (HANDED_OVER, b'{"carrier":"Ant","fee":"7"}'),
        (DROPPED, b'{"reason":"it fell"}'),
    ]


def test_upcasters_are_chained(written: EventStore, second: Any) -> None:
    """A third release: packed has changed once more, and sent is several."""
    with release("parcel.packed.v2", "parcel.sent.v1"):

        class Packed(Event):
            type: ClassVar[str] = "parcel.packed.v3"
            grams: int

        class Left(Event):
            type: ClassVar[str] = "parcel.left.v1"

        class Noted(Event):
            type: ClassVar[str] = "parcel.noted.v1"
            note: str

        @upcast("parcel.packed.v2", "parcel.packed.v3")
        def in_grams(data: Data) -> Data:
            assert data["unit"] == "kg"
            return {"grams": int(Decimal(data["weight"]) * 1000)}

        @split("parcel.sent.v1", "parcel.left.v1", "parcel.noted.v1", many=["parcel.noted.v1"])
        def left(data: Data) -> list[tuple[str, Data]]:
            return [("parcel.left.v1", {}), *(("parcel.noted.v1", {"note": letter}) for letter in data["carrier"])]

        assert [(position, type) for position, type, _ in told(written.read(0, 2))] == [
            ("1", "parcel.packed.v3"),
            ("2", "parcel.left.v1"),
            ("2.2", "parcel.noted.v1"),
            ("2.3", "parcel.noted.v1"),
            ("2.4", "parcel.noted.v1"),
            ("2.5", "parcel.billed.v1"),
        ]


def test_a_table_to_which_one_stored_event_may_add_twice_says_which_part(second: Any) -> None:
    with pytest.raises(ProjectionMisdeclared, match=r"parcel\.handed_over\.v1 .* `part`"):

        class Wrong(Projection):
            """Without the part in the key."""

            table, version, key = "wrong", 1, ("position",)
            append_only = True
            columns = {"position": column("int8", "position")}

            @on(second["ParcelSent"], second["ParcelBilled"])
            def happened(self, event: Event, record: Record) -> Iterator[Operation]:
                yield Put(record.position)


def test_an_older_program_stops_at_a_newer_event_and_goes_on_after_the_upgrade(database: Database, written: EventStore) -> None:
    """In a rolling upgrade the second release writes already, and tables of the first meet that."""
    with release():
        second = second_release()
        append(
            written,
            happens(2, 1, second["ParcelPacked"](weight=Decimal(2), unit="lb")),
            happens(2, 2, second["ParcelLost"](reason="?")),
        )
    with release():
        old = first_release()

        class Weights(Projection):
            """Weights of parcels."""

            table, version, key = "weights", 1, ("parcel_id",)
            columns = {"parcel_id": column("uuid", "the parcel"), "weight": column("numeric", "its weight")}

            @on(old["ParcelPacked"])
            def packed(self, event: Any, record: Record) -> Iterator[Operation]:
                yield Put(record.subject, weight=event.weight)

        with pytest.raises(NewerEvent) as newer:
            written.read(0, 10)
        assert newer.value.details == {"position": 4, "type": "parcel.packed.v2", "known": PACKED}
        assert "upgrade this program" in newer.value.fix
        with pytest.raises(NewerEvent):
            written.stream(number(2))
        with pytest.raises(UnknownEvent) as unknown:
            written.read(4, 10, types=[DROPPED])
        assert unknown.value.details == {"position": 5, "type": "parcel.lost.v1"}
        with open_runner(database, [Weights]) as runner:
            runner.catch_up()
        stopped = status(database, "weights")
        assert (stopped.state, stopped.position, stopped.failed_position, stopped.failed_event) == (
            "failed",
            3,
            4,
            "parcel.packed.v2",
        )
    with release():
        second = second_release()

        class WeightsToday(Weights):
            """Weights of parcels."""

            table = "weights"

            @on(second["ParcelPacked"])
            def packed(self, event: Any, record: Record) -> Iterator[Operation]:
                yield Put(record.subject, weight=event.weight)

        with open_runner(database, [WeightsToday]) as runner:
            runner.catch_up()
        assert (status(database, "weights").state, status(database, "weights").position) == ("live", 5)
        assert verify(database, WeightsToday).comparison.rows == (2, 2)


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (KeyError("unit"), "KeyError: 'unit'"),
        ({"weight": "2.5"}, "unit: Field required"),
        ({"weight": "2.5", "unit": Decimal(1)}, "Decimal"),
        ("nothing", "ValueError"),
    ],
    ids=["raises", "does not fit", "is not JSON", "is no object"],
)
def test_a_bad_upcaster_is_named_with_the_position(database: Database, written: EventStore, made: Any, reason: str) -> None:
    """It stops the tables that the event concerns, before the event; the others go on."""
    with release():
        second = second_release()
        del UPCASTERS[PACKED]

        @upcast(PACKED, "parcel.packed.v2")
        def bad(data: Data) -> Data:
            if isinstance(made, Exception):
                raise made
            return made  # type: ignore[no-any-return]

        class Losses(Projection):
            """Lost parcels."""

            table, version, key = "losses", 1, ("parcel_id",)
            columns = {"parcel_id": column("uuid", "the parcel")}

            @on(second["ParcelLost"])
            def lost(self, event: Any, record: Record) -> Iterator[Operation]:
                yield Put(record.subject)

        with pytest.raises(UpcastFailed) as failed:
            written.stream(number(1))
        assert (failed.value.details["position"], failed.value.details["type"]) == (1, PACKED)
        assert reason in failed.value.message
        assert "mend the upcaster" in failed.value.fix
        with open_runner(database, [second["Parcels"], Losses]) as runner:
            runner.catch_up()
        parcels = status(database, "parcels")
        assert (parcels.state, parcels.position, parcels.failed_event) == ("failed", 0, PACKED)
        assert reason in str(parcels.error)
        assert (status(database, "losses").state, status(database, "losses").position) == ("live", 3)


def test_a_handler_that_fails_on_one_part_stops_before_the_whole_event(
    database: Database, written: EventStore, second: Any
) -> None:
    class Billed(Projection):
        """Breaks on the second part of the second event."""

        table, version, key = "billed", 1, ("parcel_id", "step")
        columns = {"parcel_id": column("uuid", "the parcel"), "step": column("text", "what happened")}

        @on(second["ParcelPacked"], second["ParcelSent"], second["ParcelBilled"], second["ParcelLost"])
        def happened(self, event: Event, record: Record) -> Iterator[Operation]:
            if event.type == "parcel.billed.v1":
                raise RuntimeError("I cannot read this bill")
            yield Put(record.subject, event.type)

    with open_runner(database, [Billed]) as runner:
        runner.catch_up()
    stopped = status(database, "billed")
    assert (stopped.state, stopped.position, stopped.failed_position) == ("failed", 1, 2)
    with database.connect(Role.READER) as reader:
        assert rows(reader, "billed") == [(number(1), "parcel.packed.v2")]
    with pytest.raises(FoldStopped) as folded:
        rebuild(database, Billed, anew=True, **WHO)
    assert folded.value.details["position"] == 2


_parcels = count(1)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fees=st.lists(st.sampled_from(["0", "7"]), min_size=1, max_size=6),
    cuts=st.lists(st.integers(1, 17), max_size=3),
    live_page=st.integers(1, 8),
    rebuild_page=st.integers(1, 8),
)
def test_pages_and_batches_never_end_between_the_parts_of_an_event(
    database: Database, fees: list[str], cuts: list[int], live_page: int, rebuild_page: int
) -> None:
    """One store takes in all examples."""
    with release():
        old = first_release()
        events = [event for fee in fees for event in life(old, next(_parcels), fee)]
    with (
        release(),
        EventStore(database, Role.WRITER) as writer,
        EventStore(database, Role.PROJECTOR) as log,
        database.connect(Role.PROJECTOR, autocommit=True) as connection,
    ):
        second = second_release()
        tables = [second["Parcels"], second["ParcelSteps"]]
        live = Runner(log, [connection], tables, page_events=live_page)
        live.catch_up()
        before = digest(database, second["ParcelSteps"]).rows
        for start, end in pairwise([0, *sorted({cut for cut in cuts if cut < len(events)}), len(events)]):
            append(writer, *events[start:end])
            live.catch_up()
        assert digest(database, second["ParcelSteps"]).rows - before == sum(2 + (fee != "0") for fee in fees)
        for table in tables:
            build = rebuild(database, table, anew=True, page_events=rebuild_page, **WHO)
            assert digest(database, table, build).sha256 == digest(database, table).sha256
            assert verify(database, table, page_events=rebuild_page + 1).equal
            drop(database, table, build, **WHO)


def test_commands_about_what_only_a_newer_program_can_read_are_not_refused(database: Database, event_store: EventStore) -> None:
    """They wait for the newer program: a refusal would be for good."""
    books = Books(database, event_store)
    books.bill("invoice", "100")
    command = IssueCreditNote(invoice_id=books.id("invoice"), reason=CreditReason.OTHER, bill_again=True)
    # The first is met when the streams of a batch are loaded, the second in the middle of deciding.
    for gone in (InvoiceIssued.type, OrderPlaced.type):
        with release(gone):
            pipeline = CommandPipeline(event_store, SystemClock())
            message = document(command, command_id=number(1), subject=number(2), customer_id=books.customer, source="test")
            with pytest.raises(UnknownEvent, match=gone.replace(".", r"\.")):
                pipeline.submit([message])
    assert event_store.outcomes([number(1)]) == {}
    books.close()


def test_no_state_is_kept_that_could_outlive_its_code(database: Database) -> None:
    """States of aggregates live in a pipeline's memory alone: no snapshots, neither ours nor the library's."""
    with database.connect(Role.OWNER) as owner:
        # A state would be kept by its stream.
        found = owner.execute(
            "SELECT DISTINCT table_name::text FROM information_schema.columns WHERE table_schema = 'ltc'"
            " AND (column_name IN ('stream_id', 'originator_id', 'subject') OR table_name LIKE '%%snapshot%%')"
        ).fetchall()
    assert found == [("events",)]
    with open_repository(database, Role.PROJECTOR) as repository:
        assert repository.snapshot_store is None
        assert repository.cache is None


def test_the_log_shows_what_is_told_and_what_is_stored(database: Database, written: EventStore, second: Any) -> None:
    session = Session(database_url=database.conninfo)

    def ltc(*words: str) -> str:
        result = CliRunner().invoke(app, words, obj=session, catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    assert [text.split()[0] for text in ltc("tail").splitlines()] == ["1", "2", "2.2", "3"]
    shown = json.loads(ltc("show", "2", "--json"))
    assert (shown["type"], shown["part"], shown["data"]) == ("ltc.parcel.sent.v1", 1, {"carrier": "Ant"})
    assert [(one["type"], one["part"], one["data"]) for one in shown["more_parts"]] == [("ltc.parcel.billed.v1", 2, {"fee": "7"})]
    assert shown["stored"] == {"type": f"ltc.{HANDED_OVER}", "data": {"carrier": "Ant", "fee": "7"}}
    assert f"ltc.{HANDED_OVER}" in ltc("show", "2")
    session.close()
