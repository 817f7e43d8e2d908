"""Events change from release to release, and everybody who reads the store sees them as they are told today.

The code of the releases is that of docs/evolution.md.
"""

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import count, pairwise
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builds import WHO
from tests.evolution import DROPPED, HANDED_OVER, PACKED, blocks, first_release, happens, life, release, second_release
from tests.projection_samples import append, number, rows
from typer.testing import CliRunner

from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.cli.events import app
from ltc_events.projections.declaration.errors import ProjectionMisdeclared
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.proving.verify import verify
from ltc_events.projections.rebuilding.rebuild import rebuild
from ltc_events.projections.rebuilding.switch import drop
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record
from ltc_events.schemas.upcasting import Data, split, upcast
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.factory import open_repository


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


def _gathered(state: list[Any] | None, records: Iterable[Any]) -> list[Any] | None:
    return [*(state or []), *records]


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
        found = repository.get(number(1), projector_func=_gathered)
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

            def in_words(self) -> str:
                return f"packed, {self.grams} g"

        class Left(Event):
            type: ClassVar[str] = "parcel.left.v1"

            def in_words(self) -> str:
                return "left"

        class Noted(Event):
            type: ClassVar[str] = "parcel.noted.v1"
            note: str

            def in_words(self) -> str:
                return self.note

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


def test_the_log_shows_what_is_told_and_what_is_stored(database: Database, written: EventStore, second: Any) -> None:
    services = Services(load_settings(database_url=database.conninfo))

    def ltc(*words: str) -> str:
        result = CliRunner().invoke(app, words, obj=services, catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    assert [text.split()[0] for text in ltc("tail").splitlines()] == ["1", "2", "2.2", "3"]
    shown = json.loads(ltc("show", "2", "--json"))
    assert (shown["type"], shown["part"], shown["data"]) == ("ltc.parcel.sent.v1", 1, {"carrier": "Ant"})
    assert [(one["type"], one["part"], one["data"]) for one in shown["more_parts"]] == [("ltc.parcel.billed.v1", 2, {"fee": "7"})]
    assert shown["stored"] == {"type": f"ltc.{HANDED_OVER}", "data": {"carrier": "Ant", "fee": "7"}}
    assert f"ltc.{HANDED_OVER}" in ltc("show", "2")
    services.close()
