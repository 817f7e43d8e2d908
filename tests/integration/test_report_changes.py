"""What changed in a report between two states of knowledge, row by row, and the events that came in between."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console
from tests.commands import rename
from tests.conftest import TestServer
from tests.integration.books import DAY, Books

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.base import ParameterType
from ltc_events.reports.changes import EVENTS_MAX, open_changes
from ltc_events.reports.changes_render import write_changes_csv, write_changes_json, write_changes_text
from ltc_events.reports.errors import NothingBetween
from ltc_events.reports.registry import NAMES, report
from ltc_events.reports.render import write_json
from ltc_events.reports.runner import Result, run
from ltc_events.schemas.payment import PaymentAllocated
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore, Role

RELATIVE = {"percent_of_previous", "percent_of_first", "share", "price_index"}
"""Columns that change with other rows of the same report."""
Document = dict[str, Any]


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


def changes(database: Database, name: str, since: int | str, **more: Any) -> Document:
    stream = io.StringIO()
    with open_changes(database, name, since, **more) as found:
        write_changes_json(found, stream)
    document: Document = json.loads(stream.getvalue())
    return document


def customer_of(database: Database) -> UUID:
    """The one to whom most happened."""
    with database.connect(Role.READER) as connection:
        query = (
            "SELECT customer_id FROM ltc_read.timeline WHERE customer_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        )
        ((customer,),) = connection.execute(query).fetchall()
    return UUID(str(customer))


def variants(name: str, customer: UUID) -> Iterator[dict[str, Any]]:
    """The report with every combination of its choices."""
    found = report(name)
    choices = {one.name: one.choices for one in found.parameters.values() if one.choices}
    given = {one.name: customer for one in found.parameters.values() if one.type is ParameterType.CUSTOMER and one.required}
    if "limit" in found.parameters:
        given["limit"] = 1_000_000  # what a limit cuts off follows from other rows
    for chosen in product(*choices.values()):
        yield {**given, **dict(zip(choices, chosen, strict=True))}


def by_key(result: Result) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows by the report's key, which no two of them share."""
    stream = io.StringIO()
    write_json(result, stream)
    places = [(column.sql_name, named.name) for column, named in zip(result.report.columns, result.columns, strict=True)]
    rows = {}
    for row in json.loads(stream.getvalue())["rows"]:
        key = tuple(row[name] for sql_name, name in places if sql_name in result.report.key)
        assert key not in rows, key
        rows[key] = row
    return rows


@pytest.mark.parametrize("name", [name for name in NAMES if name != "payments-in-transit"])  # see test_payments_in_transit
def test_changes_are_what_two_runs_of_the_report_differ_in(company: Database, name: str) -> None:
    customer = customer_of(company)
    with EventStore(company, Role.PROJECTOR) as store:
        head = store.head()[0]
        since, upto = store.command_end(head * 7 // 10), store.command_end(head * 9 // 10)
    differed = False
    for given in variants(name, customer):
        asked: dict[str, Any] = {"as_of": ENDS_ON, "parameters": given}
        then, now = (by_key(run(company, name, known_at=position, **asked)) for position in (since, upto))
        document = changes(company, name, since, known_at=upto, **asked)
        assert (document["changed_since"]["position"], document["position"]) == (since, upto)
        expected = {}
        for key in {*then, *now}:
            was, is_ = then.get(key, {}), now.get(key, {})
            columns = {one: {"then": was.get(one), "now": is_.get(one)} for one in was or is_ if was.get(one) != is_.get(one)}
            if was != is_:
                expected[key] = ("changed" if was and is_ else "gone" if was else "added", columns)
        found = {tuple(row["key"].values()): (row["change"], row["columns"]) for row in document["rows"]}
        # A row that came or went has all its columns, also those that are null.
        told = {
            key: (kind, {one: both for one, both in columns.items() if both["then"] != both["now"]})
            for key, (kind, columns) in found.items()
        }
        assert told == expected
        counts = [sum(kind == one for kind, _ in found.values()) for one in ("added", "gone", "changed")]
        assert [document["totals"][one] for one in ("added", "gone", "changed")] == counts
        for row in document["rows"]:
            positions = [event["position"] for event in row["events"]]
            assert positions == sorted(positions)
            assert all(since < position <= upto for position in positions)
            assert row["event_count"] >= len(set(positions)) == min(row["event_count"], EVENTS_MAX)
            assert positions or set(row["columns"]) <= RELATIVE, row
        differed |= bool(found)
    assert differed


def test_the_difference_of_the_totals_is_that_of_two_runs(company: Database) -> None:
    with EventStore(company, Role.PROJECTOR) as store:
        since = store.head()[0] * 8 // 10
    for name in ("revenue-vs-opportunity", "trial-balance", "receivables-aging", "pipeline"):
        then, now = (run(company, name, as_of=ENDS_ON, known_at=known).totals for known in (since, None))
        told = changes(company, name, since, as_of=ENDS_ON)["totals"]["difference"]
        for column, total in now.items():
            if isinstance(total, dict):
                for currency, amount in total.items():
                    grown = amount - then[column].get(currency, 0)
                    assert str(float(told[column].get(currency, 0))) == str(float(grown)), (name, column)


def test_a_back_dated_payment_is_named_and_nothing_else(books: Books) -> None:
    books.bill("I", "100")
    books.bill("J", "50")
    known = books.catch_up()
    books.receive("P", "60", on=DAY + timedelta(days=3))
    paid = books.allocate("P", ("I", "60"), on=DAY + timedelta(days=3))
    books.bill("K", "70", on=DAY + timedelta(days=90))
    books.catch_up()
    as_of = DAY + timedelta(days=40)
    (row,) = changes(books.database, "receivables-aging", known, as_of=as_of)["rows"]
    assert (row["change"], row["key"]["document_id"]) == ("changed", str(books.id("I")))
    assert row["columns"]["paid"] == {"then": "0.00", "now": "60.00"}
    assert row["columns"]["outstanding"] == {"then": "100.00", "now": "40.00"}
    assert set(row["columns"]) == {"paid", "outstanding", "receivables", "days_1_30", "remaining"}
    (event,) = row["events"]
    assert row["event_count"] == 1
    with EventStore(books.database, Role.PROJECTOR) as store:
        (record,) = [one for one in store.stream(books.id("P")) if isinstance(one.event, PaymentAllocated)]
    assert known < record.position <= paid
    assert event == {
        "position": record.position,
        "type": "payment.allocated.v1",
        "effective_on": str(DAY + timedelta(days=3)),
        "recorded_at": record.recorded_at.isoformat().replace("+00:00", "Z"),
        "actor": "ann",
        "summary": "60 EUR allocated, 0 unapplied",
    }
    by_time = changes(books.database, "receivables-aging", known_time(books, known), as_of=as_of)
    assert by_time["rows"] == [row]


def known_time(books: Books, position: int) -> str:
    with EventStore(books.database, Role.PROJECTOR) as store:
        (record,) = store.read(position - 1, 1)
    return record.recorded_at.isoformat()


def test_nothing_is_different_where_nothing_happened(books: Books) -> None:
    books.bill("I", "100")
    known = books.catch_up()
    for name in ("receivables-aging", "trial-balance", "funnel"):
        document = changes(books.database, name, known, as_of=DAY)
        assert (document["rows"], document["totals"]["changed"]) == ([], 0)


def test_the_later_must_not_come_first(books: Books) -> None:
    books.bill("I", "100")
    known = books.catch_up()
    with pytest.raises(NothingBetween, match=f"position {known} comes after what was known at position 2"):
        changes(books.database, "funnel", known, known_at=2)


def test_csv_has_a_line_per_value_and_text_says_it_in_words(books: Books) -> None:
    books.bill("I", "100")
    known = books.catch_up()
    books.pay("P", "60", ("I", "60"))
    books.catch_up()
    for write in (write_changes_csv, write_changes_text):
        stream = io.StringIO()
        with open_changes(books.database, "receivables-aging", known, as_of=DAY) as found:
            if write is write_changes_csv:
                write_changes_csv(found, stream)
                lines = list(csv.DictReader(io.StringIO(stream.getvalue())))
                assert [(one["change"], one["column"], one["then"], one["now"]) for one in lines] == [
                    ("changed", "paid", "0.00", "60.00"),
                    ("changed", "outstanding", "100.00", "40.00"),
                    ("changed", "receivables", "100.00", "40.00"),
                    ("changed", "not_due", "100.00", "40.00"),
                    ("changed", "remaining", "100.00", "40.00"),
                ]
                assert all(one["events"].endswith(" payment.allocated.v1") for one in lines)
            else:
                write_changes_text(found, Console(file=stream, width=200))
                assert "    paid: 0.00 → 60.00\n" in stream.getvalue()
                assert "payment.allocated.v1, recorded " in stream.getvalue()
                assert "0 rows added, 0 rows gone, 1 rows changed" in stream.getvalue()
                assert "  outstanding: -60.00 EUR" in stream.getvalue()


def test_no_report_learns_of_what_was_recorded_later(server: TestServer, company: Database) -> None:
    name = server.create_from(company)
    database = server.at(name)
    customer = customer_of(database)

    def documents(position: int) -> dict[str, list[Any]]:
        return {
            one: [
                run(database, one, as_of=ENDS_ON, known_at=position, parameters=given).rows for given in variants(one, customer)
            ]
            for one in NAMES
        }

    with EventStore(database, Role.WRITER) as store, database.connect(Role.READER) as connection:
        position = store.head()[0]
        seen = documents(position)
        customers = [row[0] for row in connection.execute("SELECT customer_id FROM ltc_read.customers")]
        connection.rollback()
        later = datetime.combine(ENDS_ON, time(9), UTC)
        renamed = [json.dumps(rename("Renamed", one, time=later)).encode() for one in customers]
        answers = CommandPipeline(store, SystemClock()).submit(renamed)
        assert [one for one in answers if str(one.status) != "accepted"] == []  # type: ignore[union-attr]
        with open_runner(database, PROJECTIONS) as runner:
            runner.catch_up()
    assert documents(position) == seen
    (row, *_) = changes(database, "order-tracking", position, as_of=ENDS_ON)["rows"]
    assert row["columns"]["customer"]["now"] == "Renamed"
    assert [event["type"] for event in row["events"]] == ["customer.profile_updated.v1"]
    server.drop(name)
