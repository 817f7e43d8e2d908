"""What earlier releases wrote stays readable, explainable, and projectable to the same digests, by every later version.

See tests/golden: `python -m tests.golden.make`.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from tests.evolution import release
from tests.golden import store as golden
from tests.ties import untied

from ltc_events.application.batch import fold
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.as_of import digests_as_of
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.payments import Payments
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.registry import all_reports
from ltc_events.reports.runner import run
from ltc_events.schemas.base import EVENTS
from ltc_events.schemas.upcasting import Data, stored_as, upcast
from ltc_events.store import Database, EventStore, Role

NEW_TABLES = "note what it holds with `python -m tests.golden.make --tables`, and commit the result"


@pytest.fixture(scope="module", params=golden.RELEASES)
def name(request: pytest.FixtureRequest) -> str:
    """A release."""
    return str(request.param)


@pytest.fixture(scope="module")
def database(server: Any, name: str) -> Iterator[Database]:
    """Its golden store, with the read tables of today."""
    created = server.create()
    found = server.at(created)
    golden.load(found, golden.events_of(name))
    golden.catch_up(found)
    yield found
    server.drop(created)


def test_the_first_release_is_there() -> None:
    assert "v0.1" in golden.RELEASES


def test_the_last_release_has_every_type_of_event() -> None:
    """Whoever adds an event adds it to the store of the release that is being made, or with the next one at the latest."""
    shown = {event["type"] for event in golden.events_of(golden.RELEASES[-1])}
    missing = [name for name in EVENTS if shown.isdisjoint(stored_as([name]))]
    assert not missing, f"tests/golden/rare.py makes none of {missing}; then `python -m tests.golden.make` the next release"


def test_it_is_in_the_store_byte_for_byte(database: Database, name: str) -> None:
    def utc(moment: datetime) -> str:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

    with EventStore(database, Role.PROJECTOR) as store:
        stored = store.read_raw(0, 100_000)
    assert [
        (one.position, one.type, one.data.decode(), str(one.subject), one.version, str(one.command_id), utc(one.recorded_at))
        for one in stored
    ] == [
        (*(event[name] for name in ("position", "type", "data", "stream_id", "version", "command_id", "recorded_at")),)
        for event in golden.events_of(name)
    ]


def test_every_table_holds_the_same(database: Database, name: str) -> None:
    expected = golden.expected(name, golden.TABLES)
    seen = golden.table_digests(database)
    unknown = {(table, version) for table, found in seen.items() for version in found if version not in expected.get(table, {})}
    assert not unknown, f"of {sorted(unknown)} nothing is noted; {NEW_TABLES}"
    different = [table for table, found in seen.items() for version in found if found[version] != expected[table][version]]
    assert not different, f"{different} hold otherwise than {name} had it; if that is meant, they need another version"


def test_live_tables_are_what_folding_afresh_makes(database: Database) -> None:
    with EventStore(database, Role.PROJECTOR) as store:
        afresh = digests_as_of(database, PROJECTIONS, store.head()[0], page_events=97)
    live = golden.table_digests(database)
    assert {one.name: one.sha256 for one in afresh} == {
        table: held["sha256"] for table, versions in live.items() for held in versions.values()
    }


def test_every_invoice_has_its_story(database: Database, name: str) -> None:
    expected = golden.expected(name, golden.STORIES)
    seen = golden.stories(database)
    assert seen.keys() == expected.keys()
    assert {number: golden.lost(story, seen[number]) for number, story in expected.items()} == {number: [] for number in expected}


def test_its_reports_tie_to_its_books(database: Database, name: str) -> None:
    events = golden.events_of(name)
    days = sorted({date.fromisoformat(event["effective_on"]) for event in events})
    assert untied(database, days[:: len(days) // 6], [None]) == []
    assert untied(database, [days[-1]], range(0, len(events), len(events) // 6)) == []


def test_every_stream_has_its_state(database: Database, name: str) -> None:
    with EventStore(database, Role.PROJECTOR) as store:
        streams = store.load(list({one.subject for one in store.read(0, 100_000)}))
    ends: dict[str, int] = defaultdict(int)
    for event in golden.events_of(name):
        ends[event["stream_id"]] = max(ends[event["stream_id"]], event["version"])
    assert {str(id): fold(records).version for id, records in streams.items()} == ends


def test_any_prefix_of_the_log_gives_the_state_as_of_then(server: Any, database: Database, name: str) -> None:
    """Tables and reports of a ledger that ended there are those of the whole one as of that position."""
    events = golden.events_of(name)
    position = int(len(events) * 0.61)
    created = server.create()
    prefix = server.at(created)
    golden.load(prefix, events, upto=position)
    golden.catch_up(prefix)
    as_of = {one.name: (one.rows, one.sha256) for one in digests_as_of(database, PROJECTIONS, position)}
    then = {table: next(iter(found.values())) for table, found in golden.table_digests(prefix).items()}
    assert as_of == {table: (found["rows"], found["sha256"]) for table, found in then.items()}
    day = date.fromisoformat(events[position - 1]["effective_on"])
    for report in (one.name for one in all_reports() if not any(parameter.required for parameter in one.parameters.values())):
        known, found = run(database, report, as_of=day, known_at=position), run(prefix, report, as_of=day)
        assert (report, known.rows) == (report, found.rows)
    server.drop(created)


def test_the_same_log_under_older_names_and_in_another_shape_reads_the_same(server: Any) -> None:
    """As if the release had renamed every type, and wrapped the data of all of them, after it had written its log."""
    last = golden.RELEASES[-1]
    created = server.create()
    database = server.at(created)

    def older(type: str, data: str) -> tuple[str, str]:
        assert type.endswith(".v1")
        return type.replace(".v1", ".v0"), orjson.dumps({"was": orjson.loads(data)}).decode()

    golden.load(database, golden.events_of(last), stored=older)
    with release():
        for type in {event["type"] for event in golden.events_of(last)}:

            @upcast(type.replace(".v1", ".v0"), type)
            def unwrapped(data: Data) -> Data:
                was: Data = data["was"]
                return was

        golden.catch_up(database)
        expected = golden.expected(last, golden.TABLES)
        for table, versions in golden.table_digests(database).items():
            assert (table, versions) == (table, {version: expected[table].get(version) for version in versions})
        assert golden.stories(database) == golden.expected(last, golden.STORIES)
    server.drop(created)


def test_another_meaning_is_noticed(server: Any) -> None:
    """The guard guards: what an upcaster tells otherwise gives another digest, in the tables that it reaches alone."""
    last = golden.RELEASES[-1]
    expected = golden.expected(last, golden.TABLES)
    created = server.create()
    database = server.at(created)
    received = "payment.received.v1"
    golden.load(database, golden.events_of(last), stored=lambda type, data: (type.replace("received.v1", "received.v0"), data))
    with release():

        @upcast("payment.received.v0", received)
        def without_the_reference(data: Data) -> Data:
            return {**data, "reference": "?"}

        with open_runner(database, [Payments, Customers]) as runner:
            runner.catch_up()
    for projection, is_same in ((Payments, False), (Customers, True)):
        noted = expected[projection.table][str(projection.version)]["sha256"]
        assert (digest(database, projection).sha256 == noted) is is_same
    server.drop(created)
