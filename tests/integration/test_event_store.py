"""The event store on a real PostgreSQL: what is stored together, what comes back, and who is turned away."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.commits import EFFECTIVE_ON, OCCURRED_AT, accepted, batch, new_event, one_command, refused

from ltc_events.schemas.campaign import CampaignCostRecorded
from ltc_events.schemas.record import Record
from ltc_events.store import (
    CommandAlreadyRecorded,
    Commit,
    Database,
    EventStore,
    NewEvent,
    Offset,
    OffsetMoved,
    Role,
    UnknownEvent,
    UnreadableEvent,
    VersionConflict,
)
from ltc_events.store.commit import LONE_EVENTS_MAX
from ltc_events.store.factory import open_repository

LONE, BATCHED = 1, 3


@pytest.fixture
def other_store(database: Database) -> Iterator[EventStore]:
    with EventStore(database, Role.WRITER) as store:
        yield store


def stored_as(record: Record) -> NewEvent:
    return NewEvent(*record[1:7], *record[8:12])


@pytest.mark.parametrize("commands", [LONE, BATCHED, 300])
def test_records_come_back_as_they_were_appended(event_store: EventStore, commands: int) -> None:
    commit = batch(commands)
    base = event_store.append(commit)
    records = event_store.read(0, 10_000)
    assert base == 0
    assert [stored_as(record) for record in records] == commit.events
    assert [record.position for record in records] == list(range(1, 2 * commands + 1))
    assert records[0].occurred_at == OCCURRED_AT
    assert records[0].effective_on == EFFECTIVE_ON
    assert {record.recorded_at for record in records} == {event_store.head()[1]}


@pytest.mark.parametrize("events", [0, 1, LONE_EVENTS_MAX, LONE_EVENTS_MAX + 1])
def test_an_outcome_bounds_the_positions_of_its_events(event_store: EventStore, events: int) -> None:
    event_store.append(batch(2))
    commit = one_command(events=events)
    base = event_store.append(commit)
    outcome = event_store.outcomes([commit.outcomes[0].command_id])[commit.outcomes[0].command_id]
    assert base == 4
    assert (outcome.first_position, outcome.last_position) == ((5, 4 + events) if events else (0, 0))
    assert event_store.head()[0] == 4 + events


@pytest.mark.parametrize("commands", [LONE, BATCHED])
def test_refusals_are_kept_with_their_reasons(event_store: EventStore, commands: int) -> None:
    outcomes = [refused(uuid4()) for _ in range(commands)]
    event_store.append(Commit(outcomes=outcomes))
    assert list(event_store.outcomes([one.command_id for one in outcomes]).values()) == outcomes
    assert event_store.head()[0] == 0


def test_unknown_commands_and_streams_are_absent(event_store: EventStore) -> None:
    commit = one_command(events=2)
    event_store.append(commit)
    known, unknown = commit.events[0].subject, uuid4()
    assert event_store.outcomes([unknown]) == {}
    assert event_store.stream(unknown) == []
    assert list(event_store.load([known, unknown])) == [known]


def test_a_stream_in_version_order(event_store: EventStore) -> None:
    stream = uuid4()
    for version in (1, 2, 3):
        event_store.append(one_command(stream, version))
    assert [record.version for record in event_store.stream(stream)] == [1, 2, 3]
    assert [record.version for record in event_store.stream(stream, after_version=2)] == [3]
    assert event_store.load([stream])[stream] == event_store.stream(stream)


def test_reading_a_page_of_some_types_up_to_a_position(event_store: EventStore) -> None:
    event_store.append(batch(10))
    types = [CampaignCostRecorded.type]
    assert [one.position for one in event_store.read(3, 4)] == [4, 5, 6, 7]
    assert [one.position for one in event_store.read(3, 100, upto=6)] == [4, 5, 6]
    assert [one.position for one in event_store.read(3, 3, types=types)] == [4, 6, 8]
    assert [one.position for one in event_store.read(3, 100, types=types, upto=7)] == [4, 6]
    assert event_store.read(0, 100, types=[]) == []
    assert event_store.read(20, 100) == []


def test_the_streams_of_a_customer_oldest_first(event_store: EventStore) -> None:
    customer, other = uuid4(), uuid4()
    first, second = uuid4(), uuid4()
    commit = Commit([new_event(first, 1, None, customer), new_event(uuid4(), 1, None, other)])
    commit.events += [new_event(second, 1, None, customer), new_event(first, 2, None, customer)]
    event_store.append(commit)
    assert event_store.streams_of([customer, uuid4()], "campaign.launched.v1") == {customer: [first, second]}
    assert event_store.streams_of([customer], "campaign.cost_recorded.v1") == {}


@pytest.mark.parametrize("commands", [LONE, BATCHED])
def test_a_version_can_be_taken_once(event_store: EventStore, other_store: EventStore, commands: int) -> None:
    first = one_command()
    event_store.append(first)
    taken = first.events[0].subject
    again = batch(commands)
    again.events[0] = again.events[0]._replace(subject=taken)
    again.events[1] = again.events[1]._replace(subject=taken)
    with pytest.raises(VersionConflict) as conflict:
        other_store.append(again)
    assert conflict.value.details["streams"] == [taken]
    assert other_store.head()[0] == 1
    assert other_store.outcomes([one.command_id for one in again.outcomes]) == {}


@pytest.mark.parametrize("commands", [LONE, BATCHED])
def test_a_command_happens_once(event_store: EventStore, other_store: EventStore, commands: int) -> None:
    first = one_command()
    event_store.append(first)
    again = batch(commands)
    command_id = first.outcomes[0].command_id
    again.outcomes[0] = accepted(command_id, 1, 2)
    # Its stream has moved on, too: that somebody has recorded the command is what matters.
    again.events[0] = first.events[0]
    with pytest.raises(CommandAlreadyRecorded) as recorded:
        other_store.append(again)
    assert recorded.value.details["command_ids"] == [command_id]
    assert other_store.head()[0] == 1


def test_offsets_advance_by_compare_and_set(event_store: EventStore, other_store: EventStore) -> None:
    event_store.append(batch(1, [Offset("commands", 0, 0, 5), Offset("commands", 1, 0, 7)]))
    event_store.append(batch(2, [Offset("commands", 1, 7, 9), Offset("commands", 0, 5, 6)]))
    for moved in ([Offset("commands", 0, 5, 8)], [Offset("commands", 0, 6, 8), Offset("commands", 2, 3, 4)]):
        with pytest.raises(OffsetMoved, match="partition"):
            other_store.append(batch(1, moved))
    with pytest.raises(OffsetMoved):
        other_store.append(Commit(offsets=[Offset("commands", 0, 0, 1)]))
    assert event_store.head()[0] == 6
    event_store.append(Commit(offsets=[Offset("commands", 0, 6, 8)]))


def test_the_feed_is_named_in_the_statement_without_harm(event_store: EventStore) -> None:
    feed = "it's; DROP TABLE ltc.offsets -- %s {}"
    event_store.append(batch(1, [Offset(feed, 0, 0, 1)]))
    with pytest.raises(OffsetMoved, match="DROP TABLE"):
        event_store.append(batch(1, [Offset(feed, 0, 0, 1)]))


def test_the_beginning_of_a_batch(event_store: EventStore, other_store: EventStore) -> None:
    first, second = one_command(events=2), one_command(events=3)
    event_store.append(first)
    ids = [first.outcomes[0].command_id, uuid4()]
    assert event_store.begin(ids, 2).changed == ()
    other_store.append(second)
    beginning = event_store.begin(ids, 2)
    assert beginning.position == 5
    assert list(beginning.outcomes) == ids[:1]
    assert beginning.changed == (second.events[0].subject,)


def test_the_position_at_a_moment(event_store: EventStore) -> None:
    assert event_store.position_at(datetime.now(UTC)) == 0
    moments = []
    for _ in range(5):
        event_store.append(batch(1))
        moments.append(event_store.head()[1])
        time.sleep(0.002)
    instant = timedelta(microseconds=1)
    assert [event_store.position_at(moment) for moment in moments] == [2, 4, 6, 8, 10]
    assert [event_store.position_at(moment - instant) for moment in moments] == [0, 2, 4, 6, 8]
    assert event_store.position_at(moments[-1] + timedelta(days=1)) == 10


def test_recorded_at_never_falls_even_if_the_clock_does(database: Database, event_store: EventStore) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with database.connect(Role.OWNER) as owner:
        owner.execute("UPDATE ltc.head SET recorded_at = %s", (ahead,))
    event_store.append(batch(1))
    assert event_store.read(0, 1)[0].recorded_at == ahead


def test_waiting_ends_with_an_append_or_the_timeout(event_store: EventStore, other_store: EventStore) -> None:
    started = time.monotonic()
    assert event_store.wait(0, 0.15) is False
    assert 0.15 <= time.monotonic() - started < 20
    writer = Thread(target=lambda: (time.sleep(0.1), other_store.append(batch(1))))
    writer.start()
    assert event_store.wait(0, 30) is True
    writer.join()
    assert event_store.wait(1, 0) is True


def test_an_event_of_an_unknown_type_is_named(database: Database, event_store: EventStore) -> None:
    event_store.append(batch(1))
    add_raw(database, 3, "campaign.teleported.v9", b"{}")
    with pytest.raises(UnknownEvent) as unknown:
        event_store.read(0, 10)
    assert unknown.value.details == {"position": 3, "type": "campaign.teleported.v9"}
    assert len(event_store.read(0, 2)) == 2


def test_an_event_that_cannot_be_decoded_is_named(database: Database, event_store: EventStore) -> None:
    add_raw(database, 1, CampaignCostRecorded.type, b'{"amount": "nonsense"}')
    with pytest.raises(UnreadableEvent, match=r"position 1.*amount|position 1.*cost_id"):
        event_store.read(0, 10)


def add_raw(database: Database, position: int, type_: str, data: bytes) -> None:
    with database.connect(Role.OWNER) as writer:
        writer.execute("UPDATE ltc.head SET position = %s", (position,))
        writer.execute(
            "INSERT INTO ltc.events (position, recorded_at, occurred_at, version, effective_on, stream_id, command_id,"
            " correlation_id, causation_id, type, actor, data) VALUES (%s, now(), now(), 1, now(), %s, %s, %s, %s, %s, '', %s)",
            (position, uuid4(), uuid4(), uuid4(), uuid4(), type_, data),
        )


def test_the_library_s_repository_folds_a_stream_up_to_a_version(database: Database, event_store: EventStore) -> None:
    stream = uuid4()
    event_store.append(one_command(stream, 1, events=3))

    def fold(state: list[Record] | None, records: Iterator[Record]) -> list[Record] | None:
        return [*(state or []), *records] or None

    with open_repository(database, Role.PROJECTOR) as repository:
        assert repository.get(stream, projector_func=fold) == event_store.stream(stream)
        assert [one.version for one in repository.get(stream, version=2, projector_func=fold)] == [1, 2]
        assert uuid4() not in repository


def test_stores_reconnect_when_an_idle_connection_was_ended(database: Database, event_store: EventStore) -> None:
    event_store.append(batch(BATCHED))
    assert not event_store.wait(6, 0)
    end_all_sessions(database)
    assert event_store.read(0, 100)[-1].position == 6
    assert event_store.wait(5, 0)
    assert event_store.append(batch(BATCHED)) == 6


def end_all_sessions(database: Database) -> None:
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("special", [date(1, 1, 1), date(9999, 12, 31)])
def test_dates_at_the_ends_of_the_calendar(event_store: EventStore, special: date) -> None:
    commit = batch(BATCHED)
    moment = datetime(special.year, special.month, special.day, tzinfo=UTC)
    commit.events[0] = commit.events[0]._replace(effective_on=special, occurred_at=moment)
    event_store.append(commit)
    event_store.append(lone := one_command())
    assert event_store.read(0, 1)[0].effective_on == special
    assert event_store.read(0, 1)[0].occurred_at == moment
    assert event_store.stream(lone.events[0].subject)[0].effective_on == EFFECTIVE_ON


def test_nothing_else_may_stand_at_a_position(database: Database, event_store: EventStore) -> None:
    event_store.append(batch(1))
    with pytest.raises(psycopg.errors.UniqueViolation, match="events_position_key"):
        add_raw(database, 2, "campaign.launched.v1", b"{}")


def test_ids_of_a_command_may_differ(event_store: EventStore) -> None:
    ids = [UUID(int=number) for number in (1, 2, 3)]
    commit = batch(1)
    commit.events[0] = commit.events[0]._replace(command_id=ids[0], correlation_id=ids[1], causation_id=ids[2])
    event_store.append(commit)
    assert event_store.read(0, 1)[0][8:11] == tuple(ids)
