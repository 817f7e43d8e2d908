"""What the writer's group may do to the log and no more: append what follows it, and move offsets forward."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.commits import accepted, batch, new_event, one_command

from ltc_events.store import Database, EventStore, Role
from ltc_events.store.commit import Commit

Connection = psycopg.Connection[tuple[object, ...]]
INSERT = (
    "INSERT INTO ltc.events (position, recorded_at, occurred_at, version, effective_on, stream_id, command_id, correlation_id,"
    " causation_id, type, actor, data) SELECT p, now(), now(), v, now(), s, s, s, s, '', '', '' FROM"
    " unnest(%s::bigint[], %s::bigint[], %s::uuid[]) AS e (p, v, s)"
)


@pytest.fixture
def writer(database: Database, event_store: EventStore) -> Iterator[Connection]:
    """A writer's connection to a log of six events in which no position is taken."""
    event_store.append(batch(3))
    with database.connect(Role.WRITER) as connection:
        yield connection


def append(writer: Connection, taken: int, rows: list[tuple[int, int, UUID]]) -> None:
    """Take positions and append these rows (position, version, stream), in one transaction."""
    with writer.transaction():
        writer.execute("SELECT ltc.take_head_positions(%s, NULL)", (taken,))
        if rows:
            writer.execute(INSERT, tuple(map(list, zip(*rows, strict=True))))


NEW = uuid4()
OTHER = uuid4()


@pytest.mark.parametrize(
    ("taken", "rows"),
    [
        (2, [(7, 1, NEW), (8, 2, NEW)]),
        (2, [(8, 1, NEW), (7, 1, OTHER)]),
        (0, []),
    ],
)
def test_what_follows_the_log_is_appended(writer: Connection, taken: int, rows: list[tuple[int, int, UUID]]) -> None:
    append(writer, taken, rows)
    assert writer.execute("SELECT count(*), max(position) FROM ltc.events").fetchall() == [(6 + taken, 6 + taken)]


@pytest.mark.parametrize(
    ("taken", "rows"),
    [
        (0, [(7, 1, NEW)]),  # a position that was not taken
        (1, [(9, 1, NEW)]),  # another one than was taken
        (2, [(7, 1, NEW)]),  # the second is left out
        (2, [(8, 1, NEW)]),  # the first is left out
        (3, [(7, 1, NEW), (9, 2, NEW)]),  # one in between is left out
        (1, []),  # taken, and nothing appended
        (1, [(7, 2, NEW)]),  # the first version of a stream is missing
        (2, [(7, 1, NEW), (8, 3, NEW)]),  # a version in between is missing
        (1, [(7, -1, NEW)]),
    ],
)
def test_what_would_leave_a_gap_is_refused(writer: Connection, taken: int, rows: list[tuple[int, int, UUID]]) -> None:
    with pytest.raises(psycopg.Error) as refused:
        append(writer, taken, rows)
    assert refused.value.sqlstate == "LTC04"
    assert writer.execute("SELECT count(*), (SELECT position FROM ltc.head) FROM ltc.events").fetchall() == [(6, 6)]


def rows_read(database: Database) -> int:
    """How many rows of the log have been read since it was laid out, by whoever."""
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("SELECT pg_stat_force_next_flush()")
        ((rows,),) = owner.execute(
            "SELECT sum(seq_tup_read) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relid = 'ltc.events'::regclass)"
            " FROM pg_stat_user_tables WHERE relid = 'ltc.events'::regclass"
        ).fetchall()
    return int(rows)


def test_what_an_append_reads_does_not_grow_with_the_log(database: Database) -> None:
    streams = [uuid4() for _ in range(200)]
    read = []
    for version in range(1, 9):
        before = rows_read(database)
        commit = Commit()
        for number, stream in enumerate(streams, 1):
            command_id = uuid4()
            commit.events.append(new_event(stream, version, command_id))
            commit.outcomes.append(accepted(command_id, number, number))
        with EventStore(database, Role.WRITER) as store:  # what a session has read is counted when it ends
            store.append(commit)
        read.append(rows_read(database) - before)
    assert max(read) <= 3 * len(streams), read


def test_nothing_is_put_into_a_stream_that_has_gone_on(writer: Connection, event_store: EventStore) -> None:
    stream = event_store.read(0, 1)[0].subject
    last = len(event_store.stream(stream))
    for version in (0, last + 2):
        with pytest.raises(psycopg.Error, match="do not follow each other"):
            append(writer, 1, [(7, version, stream)])
    append(writer, 1, [(7, last + 1, stream)])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ltc.head SET position = 0",
        "UPDATE ltc.head SET recorded_at = now() + interval '1 year'",
        "SELECT FROM ltc.head FOR UPDATE",
        "INSERT INTO ltc.offsets VALUES ('ltc.commands', 0, 7)",
        "UPDATE ltc.offsets SET next_offset = 0",
        "DELETE FROM ltc.offsets",
        "DROP TRIGGER contiguous ON ltc.events",
        "ALTER TABLE ltc.head DISABLE TRIGGER filled",
        "CREATE OR REPLACE FUNCTION ltc.require_filled() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    ],
)
def test_head_and_offsets_move_by_functions_alone(writer: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute(statement)


def test_the_guards_hold_for_an_owner_who_claims_to_be_a_replica(database: Database, event_store: EventStore) -> None:
    event_store.append(one_command())
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error, match="do not follow the log"):
            owner.execute(INSERT, ([9], [1], [NEW]))
        with pytest.raises(psycopg.Error, match="no event was appended at position 99"):
            owner.execute("UPDATE ltc.head SET position = 99")


def test_positions_and_offsets_never_go_back(writer: Connection) -> None:
    with pytest.raises(psycopg.Error, match="never taken back"), writer.transaction():
        writer.execute("SELECT ltc.take_head_positions(-1, NULL)")
    writer.execute("SELECT ltc.advance_offset('ltc.commands', 0, 0, 7)")
    with pytest.raises(psycopg.Error, match="would go back from 7 to 3"), writer.transaction():
        writer.execute("SELECT ltc.advance_offset('ltc.commands', 0, 7, 3)")


def test_laying_out_again_keeps_the_guards_and_takes_old_rights_away(database: Database) -> None:
    with database.connect(Role.OWNER) as owner:
        owner.execute("GRANT UPDATE ON ltc.head TO ltc_writer; GRANT INSERT, UPDATE ON ltc.offsets TO ltc_writer")
    database.initialise()
    with database.connect(Role.WRITER, autocommit=True) as writer:
        for statement in ("UPDATE ltc.head SET position = 0", "UPDATE ltc.offsets SET next_offset = 0"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ltc.dead_letters (source, raw, reason) VALUES ('', '', '')",
        "SELECT ltc.take_head_positions(1, NULL)",
        "SELECT ltc.advance_offset('ltc.commands', 0, 0, 7)",
        "SELECT ltc.advance_published('ltc.commands', 0, 0, 7)",
        "SELECT ltc.set_offset('ltc.commands', 0, 0, 7)",
        "SELECT content FROM ltc.outcomes",
        "CREATE TABLE ltc_read.mine (a int)",
    ],
)
def test_the_relay_moves_what_is_published_and_nothing_else(writer: Connection, database: Database, statement: str) -> None:
    with database.connect(Role.RELAY, autocommit=True) as relay:
        assert relay.execute("SELECT count(*) FROM ltc.events").fetchall() == [(6,)]
        relay.execute("SELECT ltc.advance_published('ltc.events', 0, 0, 6)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            relay.execute(statement)
    for mine in ("advance_offset", "advance_published"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), writer.transaction():
            writer.execute(f"SELECT ltc.{mine}('ltc.events', 0, 6, 7)")
