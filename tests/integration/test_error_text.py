"""No text of a database error that is logged, shown or recorded holds a value of a row."""

import json
from collections.abc import Callable, Iterator

import psycopg
import pytest
import structlog
from pydantic import BaseModel, Field
from structlog.testing import capture_logs
from tests.builds import status
from tests.projection_samples import Bills, append, bill, payment

from ltc_events.bootstrap.logs import configure_logging
from ltc_events.cli.exit_status import exit_with_error
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.following.store_runner import Runner
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.error_text import error_text, without_row_values

NAME = "Erika Mustermann"
PEOPLE = """
CREATE TEMP TABLE people (
    id int PRIMARY KEY, name text CHECK (length(name) < 5) UNIQUE, code varchar(3) NOT NULL DEFAULT '', pay numeric(4, 2)
)
"""


@pytest.fixture
def owner(database: Database) -> Iterator[Connection]:
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute(PEOPLE)
        yield connection


def by_statement(statement: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(statement.encode())


def by_copy(connection: Connection) -> None:
    with connection.cursor().copy("COPY people (id, name) FROM STDIN") as copy:
        copy.write(f"{NAME}\tMax\n")


@pytest.mark.parametrize(
    ("fail", "says"),
    [
        (by_statement(f"INSERT INTO people VALUES (1, '{NAME}')"), "constraint people_name_check"),
        (by_statement(f"INSERT INTO people VALUES (1, '{NAME[:4]}'), (2, '{NAME[:4]}')"), "constraint people_name_key"),
        (by_statement(f"INSERT INTO people VALUES (1, '{NAME[:4]}', NULL)"), "column code"),
        (by_statement(f"INSERT INTO people VALUES (1, 'Max', '{NAME}')"), "SQLSTATE 22001"),
        (by_statement(f"SELECT '{NAME}'::uuid"), "invalid input syntax for type uuid"),
        (by_statement('SELECT \'{"a": "Erika" Mustermann}\'::jsonb'), "SQLSTATE 22P02"),
        (by_statement(f"SELECT 'a \"b\" {NAME}'::date"), "SQLSTATE 22007"),
        (by_statement("INSERT INTO people (id, pay) VALUES (1, 123456)"), "numeric field overflow"),
        (by_copy, "SQLSTATE 22P02"),
    ],
)
def test_an_error_names_what_failed_and_no_value(
    owner: Connection, fail: Callable[[Connection], object], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(psycopg.Error) as raised:
        fail(owner)
    text = error_text(raised.value)
    assert says in text
    for value in ("Erika", "Erik", "Muster", "123456"):
        assert value not in text
    with pytest.raises(SystemExit):
        exit_with_error(raised.value, as_json=True, log_format="json")
    written = capsys.readouterr()
    assert says in json.loads(written.out)["error"]["message"]
    assert "Erik" not in written.out + written.err


def test_a_value_that_psycopg_cannot_send_is_masked() -> None:
    assert NAME not in error_text(psycopg.DataError(f"cannot adapt '{NAME}'"))


def test_a_traceback_has_no_values(owner: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither of the error itself nor of what it came from, in the log or on stderr."""
    configure_logging("json")
    try:
        try:
            owner.execute(f"INSERT INTO people VALUES (1, '{NAME}')".encode())
        except psycopg.Error as error:
            raise RuntimeError("a defect") from error
    except RuntimeError as defect:
        structlog.get_logger().exception("failed")
        with pytest.raises(SystemExit):
            exit_with_error(defect, as_json=False, log_format="console")
        without_row_values(ExceptionGroup("several", [defect]))
    written = capsys.readouterr().err
    assert "people_name_check" in written
    assert "Erika" not in written


class Person(BaseModel):
    """Whose name is too long."""

    name: str = Field(max_length=3)


@pytest.mark.parametrize("depth", [0, 1, 2], ids=["itself", "its cause", "the cause of its cause"])
def test_what_pydantic_refuses_is_named_by_its_field_and_no_value(depth: int, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json")
    try:
        fail_with_causes(depth)
    except ValueError as defect:
        structlog.get_logger().exception("failed")
        structlog.get_logger().error("failed", exc_info=defect)
        with pytest.raises(SystemExit):
            exit_with_error(defect, as_json=True, log_format="console")
    written = capsys.readouterr()
    assert written.err.count("name: string_too_long") >= 3
    assert "Erika" not in written.err + written.out


def fail_with_causes(depth: int) -> None:
    if not depth:
        Person(name=NAME)
    try:
        fail_with_causes(depth - 1)
    except ValueError as error:
        raise ValueError("a defect") from error


def test_a_stopped_table_names_the_check_and_no_value(
    database: Database, event_store: EventStore, projector: Connection, log: EventStore, sample_events: None
) -> None:
    """The row has the bill's note and amount; both stay out of the log and out of what `status` shows."""
    append(event_store, bill(1, "1", NAME), payment(1, "2.75"))
    with capture_logs() as written:
        Runner(log, [projector], [Bills]).catch_up()
    assert projection_status(database)
    told = str(status(database, "bills").error)
    assert "breaks its check not_overpaid" in told
    logged = str(written)
    assert "projection_stopped" in logged
    for value in ("Erika", "2.75"):
        assert value not in told + logged
