"""Without a date, reports and explanations are of the business day that it is for the company, wherever it is."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.integration.books import Books
from typer.testing import CliRunner

from ltc_events.aggregates.policies import policy_id
from ltc_events.cli.main import app
from ltc_events.reports.changes import open_changes
from ltc_events.reports.runner import open_report
from ltc_events.schemas.policy import Company, PublishPolicy
from ltc_events.store import Database, EventStore

ZONES = ("UTC", "Pacific/Kiritimati", "Etc/GMT+12")
"""At any moment two of them, at least, have different dates."""


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


def move_to(books: Books, zone: str) -> None:
    content = Company(kind="company", legal_name="Acme", functional_currency="EUR", time_zone=zone)
    books.do(PublishPolicy(content=content), policy_id("company"), customer=policy_id("company"))
    books.catch_up()


def days(zone: str) -> set[date]:
    """The date that it is there, now and a minute ago: a test may run at midnight."""
    now = datetime.now(ZoneInfo(zone))
    return {now.date(), (now - timedelta(minutes=1)).date()}


def test_a_report_without_a_date_is_of_the_companys_day(books: Books, database: Database) -> None:
    books.bill("I", "100")
    seen = set()
    for zone in ZONES:
        move_to(books, zone)
        with open_report(database, "receivables-aging") as answer:
            assert answer.as_of in days(zone)
            seen.add(answer.as_of)
        with open_changes(database, "receivables-aging", 1) as changes:
            assert {changes.then.as_of, changes.now.as_of} <= days(zone)
    assert len(seen) > 1


def test_so_is_an_explanation(books: Books, database: Database) -> None:
    books.bill("I", "100")
    seen = set()
    for zone in ZONES:
        move_to(books, zone)
        words = ["--database-url", database.conninfo, "explain", "invoice", "INV-2026-000001", "--json"]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        as_of = date.fromisoformat(json.loads(done.stdout)["as_of"])
        assert as_of in days(zone)
        seen.add(as_of)
    assert len(seen) > 1


def test_the_end_of_a_day_is_where_the_company_is(books: Books, database: Database) -> None:
    """What is measured up to the end of a day ends with the company's day."""
    move_to(books, "America/New_York")
    with open_report(database, "worklist", as_of="2026-03-31") as answer:
        assert answer.as_of == date(2026, 3, 31)
    with open_changes(database, "worklist", 1, as_of="2026-03-31") as changes:
        assert changes.now.moment == datetime(2026, 4, 1, 4, 0, tzinfo=UTC)
