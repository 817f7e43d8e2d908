"""Readers find views that say what they mean, and how up to date they are; what is in them only the projector changes."""

import time
from typing import Any

import psycopg
import pytest
from tests.projection_samples import ALL, Bills, Ledger, append, bill, rows, story

from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.declaration.errors import TableDiffers
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection, column
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.store import Database, EventStore, NotInitialised
from ltc_events.store.database import LOCK_TIMEOUT_S

pytestmark = pytest.mark.usefixtures("sample_events")


def test_analysts_read_the_views_and_nothing_else(database: Database, event_store: EventStore, reader: Connection) -> None:
    story(event_store)
    with open_runner(database, ALL) as runner:
        runner.catch_up()
    assert reader.execute("SELECT count(*) FROM ltc_read.bills").fetchone() == (8,)
    assert reader.execute("SELECT count(*) FROM ltc_read.projection_status").fetchone() == (3,)
    for statement in (
        "SELECT * FROM ltc.events",
        "DELETE FROM ltc_read.bills",
        "UPDATE ltc_read.bills__v1 SET paid = 0",
        "DELETE FROM ltc_read.checkpoints",
        "CREATE TABLE ltc_read.mine (a int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.encode())


def test_who_reads_the_status_holds_up_no_projector(database: Database, event_store: EventStore, reader: Connection) -> None:
    with open_runner(database, ALL):
        pass
    story(event_store)
    with reader.transaction():
        reader.execute("SELECT FROM ltc_read.projection_status")
        begun = time.monotonic()
        with open_runner(database, ALL) as runner:
            runner.catch_up()
        assert time.monotonic() - begun < LOCK_TIMEOUT_S, "it waited for the reader, or took the view from under it"
    assert reader.execute("SELECT min(position) FROM ltc_read.projection_status").fetchone() == (event_store.head()[0],)


def test_the_catalogue_says_what_columns_mean(database: Database, reader: Connection) -> None:
    with open_runner(database, ALL):
        pass
    for name in ("bills", "bills__v1"):
        said = reader.execute(
            "SELECT obj_description(%s::regclass), col_description(%s::regclass, 3)", [f"ltc_read.{name}"] * 2
        ).fetchone()
        assert said == ("One row per bill that still counts.", "amount of the bill")
    indexes = reader.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'bills__v1'").fetchone()
    assert indexes == (3,)


def test_entries_stay_as_they_were_written(database: Database, event_store: EventStore, projector: Connection) -> None:
    append(event_store, bill(1, "1"))
    with open_runner(database, [Ledger]) as runner:
        runner.catch_up()
    for statement in ("UPDATE ltc_read.ledger__v1 SET amount = 0", "DELETE FROM ltc_read.ledger__v1 WHERE line = 1"):
        with pytest.raises(psycopg.errors.CheckViolation, match="stay as they were written"):
            projector.execute(statement.encode())
    with pytest.raises(psycopg.errors.CheckViolation, match='"off_by": 5'):
        projector.execute("INSERT INTO ltc_read.ledger__v1 VALUES (9, 1, 'cash', 5, NULL)")
    with pytest.raises(psycopg.errors.NotNullViolation):
        projector.execute("INSERT INTO ltc_read.ledger__v1 VALUES (9, 1, 'cash', NULL, NULL)")


def heir(base: type[Projection], **changes: Any) -> type[Projection]:
    return type("Heir", (base,), {"__doc__": base.__doc__, "table": base.table, **changes})


def test_a_new_version_is_shown_when_it_has_caught_up(database: Database, event_store: EventStore, reader: Connection) -> None:
    story(event_store)
    wider = heir(Bills, version=2, columns={**Bills.columns, "remark": column("text", "unused")})
    with open_runner(database, [Bills]) as runner:
        runner.catch_up()
        with open_runner(database, [wider]) as newer:
            assert len(rows(reader, "bills")[0]) == 6  # still the old one
            newer.catch_up()
            assert len(rows(reader, "bills")[0]) == 7
            assert [row[:6] for row in rows(reader, "bills")] == rows(reader, "bills__v1")
    with open_runner(database, [Bills]) as runner:
        runner.catch_up()
        assert len(rows(reader, "bills")[0]) == 7  # an older program does not turn it back


def test_a_table_that_is_not_as_declared_is_refused(database: Database) -> None:
    with open_runner(database, [Bills]):
        pass
    changed = heir(Bills, columns={**Bills.columns, "remark": column("text", "added without a new version")})
    with pytest.raises(TableDiffers, match="bills__v1"), open_runner(database, [changed]):
        pass


def test_status_needs_a_ledger_and_no_read_tables(bare_database: Database, database: Database) -> None:
    assert projection_status(database) == []
    with pytest.raises(NotInitialised):
        projection_status(bare_database)
