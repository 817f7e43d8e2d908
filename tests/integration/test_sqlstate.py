"""Whose an error of the database is: each kind is provoked on a real PostgreSQL, and judged in one place."""

import os
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.long_keys import LONG

from ltc_events.store import (
    ConnectionLost,
    Database,
    DatabaseUnreachable,
    Fault,
    Role,
    UnknownEvent,
    diagnose,
    is_connection_gone,
    is_events_own,
    waits,
)
from ltc_events.store.sqlstate import RULES

SOURCE = Path(__file__).parents[2] / "src" / "ltc_events"
Connection = psycopg.Connection[Any]


def raised(connection: Connection, statement: str, *values: object) -> psycopg.Error:
    """The error that a statement ends with."""
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement.encode(), values or None)
    return caught.value


@pytest.fixture
def owner(database: Database) -> Any:
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (k text PRIMARY KEY, n int4, CONSTRAINT small CHECK (n < 10))")
        yield connection


@pytest.mark.parametrize(
    ("state", "statement", "value"),
    [
        ("22003", "INSERT INTO t SELECT 'a', 1::int8 << 40 + length(%s)", "x"),
        ("22P02", "SELECT %s::int4", "one"),
        ("23505", "INSERT INTO t SELECT x, 1 FROM unnest(ARRAY['a', 'a', %s]) x", "b"),
        ("23514", "INSERT INTO t VALUES (%s, 11)", "a"),
        ("23502", "INSERT INTO t SELECT nullif(%s, 'a'), 1", "a"),
        ("21000", "INSERT INTO t SELECT x, 1 FROM unnest(ARRAY['a', %s]) x ON CONFLICT (k) DO UPDATE SET n = 2", "a"),
        ("54000", "INSERT INTO t VALUES (%s, 1)", LONG),
    ],
)
def test_what_fails_again_for_the_same_row_is_the_events_own(owner: Connection, state: str, statement: str, value: str) -> None:
    error = raised(owner, statement, value)
    assert error.sqlstate == state
    assert (diagnose(error).fault, is_events_own(error), waits(error)) == (Fault.EVENT, True, False)
    assert not is_connection_gone(error, owner)


def test_an_index_key_that_is_too_long_is_no_outage(owner: Connection) -> None:
    """PostgreSQL says it with an error that psycopg sorts under OperationalError, where a lost connection is, too."""
    error = raised(owner, "INSERT INTO t VALUES (%s, 1)", LONG)
    assert isinstance(error, psycopg.OperationalError)
    assert "exceeds btree" in str(error)
    assert "running" not in diagnose(error).fix


def test_what_could_not_even_be_sent_is_the_events_own(owner: Connection) -> None:
    for value in ("a\0b", object()):
        error = raised(owner, "SELECT %s", value)
        assert (error.sqlstate, diagnose(error).fault) == (None, Fault.EVENT)
    assert diagnose(ValueError("a handler's own")).fault is Fault.EVENT


def test_somebody_elses_lock_passes(database: Database, owner: Connection) -> None:
    with database.connect(Role.OWNER, autocommit=True) as other:
        other.execute("SET lock_timeout = '50ms'")
        with owner.transaction():
            owner.execute("LOCK TABLE t")
            error = raised(other, "SELECT count(*) FROM t")
    assert error.sqlstate == "55P03"
    told = diagnose(error)
    assert (told.fault, told.waits, told.code) == (Fault.RETRY, True, "locked")
    assert "pg_blocking_pids" in told.fix


def test_two_that_wait_for_each_other_and_two_that_wrote_at_once_pass(database: Database, owner: Connection) -> None:
    owner.execute("INSERT INTO t VALUES ('a', 1), ('b', 1)")
    with database.connect(Role.OWNER, autocommit=True) as other:
        owner.execute("SET deadlock_timeout = '50ms'")
        owner.execute("BEGIN; UPDATE t SET n = 2 WHERE k = 'a'")
        other.execute("BEGIN; UPDATE t SET n = 2 WHERE k = 'b'")
        found: list[psycopg.Error] = []

        def cross(connection: Connection, key: str) -> None:
            try:
                connection.execute("UPDATE t SET n = 3 WHERE k = %s", (key,))
            except psycopg.Error as error:
                found.append(error)
            connection.execute("ROLLBACK")

        thread = threading.Thread(target=cross, args=(other, "a"))
        thread.start()
        cross(owner, "b")
        thread.join()
        owner.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM t")
        other.execute("UPDATE t SET n = 4")
        found.append(raised(owner, "UPDATE t SET n = 5"))
        owner.execute("ROLLBACK")
    assert [one.sqlstate for one in found] == ["40P01", "40001"]
    assert {diagnose(one).fault for one in found} == {Fault.RETRY}


def test_a_cancelled_statement_passes(owner: Connection) -> None:
    owner.execute("SET statement_timeout = '20ms'")
    error = raised(owner, "SELECT pg_sleep(5)")
    assert (error.sqlstate, diagnose(error).fault, diagnose(error).code) == ("57014", Fault.RETRY, "cancelled")
    assert not is_connection_gone(error, owner)


def test_a_connection_that_was_ended_passes_and_is_known_to_be_gone(database: Database, owner: Connection) -> None:
    other = database.connect(Role.OWNER, autocommit=True)
    other.execute("SET client_min_messages = error")
    owner.execute("SELECT pg_terminate_backend(%s)", (other.info.backend_pid,))
    error = raised(other, "SELECT 1")
    assert (error.sqlstate, diagnose(error).fault, is_connection_gone(error, other)) == ("57P01", Fault.RETRY, True)
    again = raised(other, "SELECT 1")
    assert (again.sqlstate, diagnose(again).fault, is_connection_gone(again, other)) == (None, Fault.RETRY, True)


def test_a_link_that_broke_passes(database: Database) -> None:
    """08006, as psycopg tells it: an operational error without SQLSTATE."""
    other = database.connect(Role.OWNER, autocommit=True)
    with socket.socket(fileno=os.dup(other.fileno())) as link:
        link.shutdown(socket.SHUT_RDWR)
    error = raised(other, "SELECT 1")
    assert (error.sqlstate, diagnose(error).fault, is_connection_gone(error, other)) == (None, Fault.RETRY, True)
    assert "running" in diagnose(error).fix
    other.close()


def test_a_server_that_is_not_there_passes() -> None:
    with pytest.raises(DatabaseUnreachable) as caught:
        Database("host=127.0.0.1 port=1 dbname=nobody").connect(Role.READER)
    assert (diagnose(caught.value).fault, waits(caught.value)) == (Fault.RETRY, True)
    assert "running" in diagnose(caught.value).fix
    assert waits(ConnectionLost(reason="x"))


def test_a_missing_right_is_the_operators_and_stops_the_table(database: Database, owner: Connection) -> None:
    with database.connect(Role.READER, autocommit=True) as reader:
        error = raised(reader, "INSERT INTO t VALUES ('a', 1)")
    told = diagnose(error)
    assert (error.sqlstate, told.fault, told.waits, told.code) == ("42501", Fault.OPERATOR, False, "privilege")
    assert "group" in told.fix
    absent = diagnose(raised(owner, "SELECT FROM nowhere"))
    assert (absent.fault, absent.waits, "ltc init" in absent.fix) == (Fault.OPERATOR, False, True)


def test_a_server_that_takes_no_writes_is_the_operators_and_is_waited_for(owner: Connection) -> None:
    owner.execute("SET default_transaction_read_only = on")
    told = diagnose(raised(owner, "INSERT INTO t VALUES ('a', 1)"))
    assert (told.fault, told.waits, told.code) == (Fault.OPERATOR, True, "read_only")


def test_a_limit_of_the_server_is_the_operators_and_is_waited_for(owner: Connection) -> None:
    owner.execute("SET temp_file_limit = '100kB'; SET work_mem = '64kB'")
    error = raised(owner, "SELECT x FROM generate_series(1, 1000000) x ORDER BY x DESC")
    assert (error.sqlstate, diagnose(error).fault, waits(error)) == ("53400", Fault.OPERATOR, True)


@pytest.mark.parametrize(
    ("state", "code", "says"),
    [
        ("53100", "disk_full", "no space is left"),
        ("53200", "out_of_memory", "memory"),
        ("53300", "connections", "max_connections"),
    ],
)
def test_a_server_that_is_short_of_something_says_of_what(owner: Connection, state: str, code: str, says: str) -> None:
    """Raised by a function of the server, as a full disk cannot be had here."""
    error = raised(owner, f"DO $$ BEGIN RAISE EXCEPTION 'short' USING ERRCODE = '{state}'; END $$")
    assert isinstance(error, psycopg.OperationalError)
    told = diagnose(error)
    assert (told.fault, told.waits, told.code) == (Fault.OPERATOR, True, code)
    assert says in told.fix
    assert "is running" not in told.fix


def test_what_is_damaged_is_waited_for_by_nobody(owner: Connection) -> None:
    error = raised(owner, "DO $$ BEGIN RAISE EXCEPTION 'bad page' USING ERRCODE = 'XX002'; END $$")
    assert (diagnose(error).fault, waits(error)) == (Fault.OPERATOR, False)


def test_an_event_of_a_newer_version_is_not_the_events_fault() -> None:
    newer = UnknownEvent(position=1, type="x.v9")
    assert (diagnose(newer).fault, is_events_own(newer), waits(newer)) == (Fault.OPERATOR, False, False)
    assert diagnose(MemoryError()).fault is Fault.OPERATOR


@pytest.mark.parametrize("state", ["08", "22", "23", "25", "28", "40", "42", "53", "54", "55", "57", "58", "XX"])
def test_every_class_that_can_come_has_a_rule_with_a_fix(state: str) -> None:
    assert RULES[state].fix


def test_nobody_else_decides_what_an_error_means() -> None:
    """`except psycopg.OperationalError` takes a long key for an outage; whoever needs to know asks `diagnose`."""
    wanted: Callable[[str], Any] = re.compile(r"(psycopg\.|database_errors\.)OperationalError|psycopg\.InterfaceError").findall
    found = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if wanted(path.read_text())}
    assert found == {
        "store/sqlstate.py",
        "store/database.py",  # connecting, where there is no other reason
        "store/embedded_server.py",  # likewise
        "store/event_store.py",  # of a wake-up that is lost with its connection
        "store/pipelined_sql.py",  # of the link alone: what the server refuses comes as a result
    }
