"""What a ledger holds from before a rule is listed by `ltc doctor`, and is no fault."""

from datetime import UTC, datetime
from uuid import uuid4

from tests.commits import one_command
from tests.integration.books import Books

from ltc_events.diagnosis.check import Check
from ltc_events.diagnosis.database import examine_database
from ltc_events.schemas.limits import EVENT_BYTES_MAX
from ltc_events.store import Database, EventStore, Role

_LARGE = (
    "WITH taken AS (SELECT base FROM ltc.take_head_positions(1, NULL))"
    " INSERT INTO ltc.events (position, recorded_at, occurred_at, version, effective_on, stream_id, command_id, correlation_id,"
    " causation_id, type, actor, data)"
    " SELECT base + 1, now(), %(at)s, 1, %(at)s::date, %(id)s, %(id)s, %(id)s, %(id)s, 'campaign.launched.v1', 'ann',"
    " convert_to(rpad('{}', %(size)s), 'UTF8') FROM taken"
)


def listed(database: Database) -> dict[str, Check]:
    return {one.name: one for one in examine_database(database, is_embedded=False)}


def test_customers_without_a_record_are_listed(database: Database, event_store: EventStore) -> None:
    books = Books(database, event_store)
    books.close()
    assert listed(database)["customers"] == Check("customers", True, "each has a record")
    strangers = [uuid4() for _ in range(7)]
    for stranger in strangers:
        commit = one_command(events=1)
        commit.events[0] = commit.events[0]._replace(customer_id=stranger)
        event_store.append(commit)
    found = listed(database)["customers"]
    assert found.healthy
    assert found.detail.startswith(f"7 customers have no record: {strangers[0]} (position ")
    assert "; …" in found.detail


def test_events_that_are_larger_than_allowed_today_are_listed(database: Database, event_store: EventStore) -> None:
    event_store.append(one_command())
    sizes = listed(database)["sizes of events"]
    assert sizes == Check("sizes of events", True, "none has more than 8,388,608 bytes")
    with database.connect(Role.WRITER, autocommit=True) as writer:
        for size in (EVENT_BYTES_MAX, EVENT_BYTES_MAX + 1):
            writer.execute(_LARGE, {"at": datetime(2026, 1, 2, tzinfo=UTC), "id": uuid4(), "size": size})
    sizes = listed(database)["sizes of events"]
    assert sizes.healthy
    assert sizes.detail == (
        "1 events have more than 8,388,608 bytes: campaign.launched.v1 of 8,388,609 bytes (position 3);"
        " topics must allow for them"
    )
