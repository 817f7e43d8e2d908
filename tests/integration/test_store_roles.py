"""Who may do what: the log is append-only for everybody, and the analyst sees the read tables and nothing else."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.commits import batch, one_command

from ltc_events.store import (
    Database,
    DatabaseTooOld,
    DatabaseUnreachable,
    EventStore,
    NotInitialised,
    Role,
)
from ltc_events.store import database as database_module

Connection = psycopg.Connection[tuple[object, ...]]
APPEND_ONLY = (
    "events", "outcomes", "dead_letters", "dead_letter_steps", "traces", "epochs", "expired_messages", "tlog_hashes",
    "tlog_checkpoints", "tlog_signatures", "tlog_refusals", "tlog_rolls",
)  # fmt: skip
CHANGES = {
    "update": "UPDATE ltc.{} SET {} = {}",
    "update of nothing": "UPDATE ltc.{} SET {} = {} WHERE false",
    "delete": "DELETE FROM ltc.{}",
    "truncate": "TRUNCATE ltc.{}",
    "merge": "MERGE INTO ltc.{0} t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET {1} = {2}",
}
COLUMNS = {
    "events": "actor",
    "outcomes": "status",
    "dead_letters": "reason",
    "dead_letter_steps": "made_by",
    "traces": "state",
    "epochs": "reason",
    "expired_messages": "reason",
    "tlog_hashes": "hashes",
    "tlog_checkpoints": "note",
    "tlog_signatures": "line",
    "tlog_refusals": "command_id",
    "tlog_rolls": "leaf",
}


@pytest.fixture
def filled(database: Database, event_store: EventStore) -> Database:
    event_store.append(batch(3))
    return database


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", list(CHANGES))
def test_nobody_changes_what_is_recorded(filled: Database, role: Role, table: str, change: str) -> None:
    column = sql.Identifier(COLUMNS[table])
    statement = sql.SQL(CHANGES[change]).format(sql.Identifier(table), column, column)
    with filled.connect(role, autocommit=True) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(statement)
    # The owner has every privilege; what stops it is the trigger.
    assert refused.value.sqlstate == ("LTC01" if role is Role.OWNER else "42501")


def test_nor_does_an_owner_who_claims_to_be_a_replica(filled: Database) -> None:
    with filled.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error, match="append-only"):
            owner.execute("DELETE FROM ltc.events")
        with pytest.raises(psycopg.Error, match="append-only"):
            owner.execute(
                "INSERT INTO ltc.outcomes SELECT * FROM ltc.outcomes ON CONFLICT (command_id) DO UPDATE SET status = 'refused'"
            )


def test_nor_does_the_writer_move_the_log_elsewhere(filled: Database) -> None:
    for statement in (
        "DROP TABLE ltc.events",
        "ALTER TABLE ltc.events DISABLE TRIGGER append_only",
        "DROP TRIGGER append_only ON ltc.events",
        "DELETE FROM ltc.head",
        "CREATE TABLE ltc.mine (a int)",
        "SET session_replication_role = replica",
    ):
        with filled.connect(Role.WRITER, autocommit=True) as writer, pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(statement)


@pytest.fixture
def reader(filled: Database) -> Iterator[Connection]:
    with filled.connect(Role.PROJECTOR, autocommit=True) as projector:
        projector.execute("CREATE TABLE ltc_read.open_items__v1 (invoice_id uuid, balance numeric)")
        projector.execute("CREATE VIEW ltc_read.open_items AS SELECT * FROM ltc_read.open_items__v1")
        projector.execute("INSERT INTO ltc_read.open_items__v1 VALUES (gen_random_uuid(), 12)")
    with filled.connect(Role.READER, autocommit=True) as reader:
        yield reader


def test_the_reader_reads_what_the_projector_makes(reader: Connection) -> None:
    assert reader.execute("SELECT balance FROM ltc_read.open_items").fetchall() == [(12,)]
    reader.execute("CREATE TEMPORARY TABLE as_of AS SELECT * FROM ltc_read.open_items__v1")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM ltc.events",
        "SELECT * FROM ltc.head",
        "SELECT ltc.advance_offset('commands', 0, 0, 1)",
        "INSERT INTO ltc_read.open_items__v1 VALUES (gen_random_uuid(), 1)",
        "UPDATE ltc_read.open_items SET balance = 0",
        "DELETE FROM ltc_read.open_items__v1",
        "TRUNCATE ltc_read.open_items__v1",
        "DROP VIEW ltc_read.open_items",
        "CREATE TABLE ltc_read.mine (a int)",
        "CREATE TABLE public.mine (a int)",
    ],
)
def test_the_reader_does_nothing_else(reader: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement)


def test_the_projector_reads_the_log_and_writes_none_of_it(filled: Database) -> None:
    with EventStore(filled, Role.PROJECTOR) as store:
        assert len(store.read(0, 100)) == 6
        for commit in (one_command(), batch(3)):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                store.append(commit)
        assert store.head()[0] == 6


def test_laying_out_the_ledger_twice_changes_nothing(filled: Database) -> None:
    filled.initialise()
    with EventStore(filled, Role.WRITER) as store:
        assert store.head()[0] == 6
        assert store.append(batch(1)) == 6


def test_a_database_without_a_ledger_says_so(bare_database: Database) -> None:
    with EventStore(bare_database, Role.WRITER) as store, pytest.raises(NotInitialised):
        store.head()


def test_an_owner_who_is_no_superuser_can_lay_out_the_ledger(bare_database: Database) -> None:
    dbname = str(conninfo_to_dict(bare_database.conninfo)["dbname"])
    name = f"owner_of_{dbname}"
    with bare_database.connect(Role.OWNER, autocommit=True) as superuser:
        superuser.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'secret'").format(sql.Identifier(name)))
        superuser.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(dbname), sql.Identifier(name)))
        # The groups are the server's: whoever did not make them needs to be let in.
        superuser.execute(
            sql.SQL("GRANT ltc_writer, ltc_relay, ltc_projector, ltc_reader, ltc_notary TO {} WITH ADMIN OPTION").format(
                sql.Identifier(name)
            )
        )
    try:
        theirs = Database(make_conninfo(bare_database.conninfo, user=name, password="secret"))
        theirs.initialise()
        with EventStore(theirs, Role.WRITER) as store:
            assert store.append(batch(1)) == 0
    finally:
        with bare_database.connect(Role.OWNER, autocommit=True) as superuser:
            superuser.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(sql.Identifier(name)))
            superuser.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
            superuser.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_server_that_is_not_there_is_named() -> None:
    nowhere = Database("host=127.0.0.1 port=1 dbname=ledger connect_timeout=2")
    with pytest.raises(DatabaseUnreachable, match="port 1") as unreachable:
        nowhere.initialise()
    assert "LTC_DATABASE_URL" in unreachable.value.fix


def test_a_server_that_is_too_old_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "SERVER_VERSION_MIN", 99)
    with pytest.raises(DatabaseTooOld, match="needs 99 or newer"):
        database.connect(Role.READER)
