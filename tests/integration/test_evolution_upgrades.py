"""Programs of several releases work on one store: what one of them cannot read it neither skips nor refuses for good.

The code of the releases is that of docs/evolution.md.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.builds import WHO, status
from tests.evolution import DROPPED, PACKED, first_release, happens, release, second_release
from tests.integration.books import Books
from tests.projection_samples import append, number, rows

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.projections.declaration.errors import FoldStopped
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.schemas.base import Event
from ltc_events.schemas.credit_note import CreditReason, IssueCreditNote
from ltc_events.schemas.envelope import document
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.order import OrderPlaced
from ltc_events.schemas.record import Record
from ltc_events.schemas.upcasting import UPCASTERS, Data, upcast
from ltc_events.store import Database, EventStore, Role, UnknownEvent
from ltc_events.store.errors import NewerEvent, UpcastFailed
from ltc_events.store.factory import open_repository


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
