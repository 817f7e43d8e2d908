"""What an SQL file must say to be a report, and what its values look like outside."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ltc_events.reports.base import Column, ColumnType, declare
from ltc_events.reports.errors import ReportMisdeclared
from ltc_events.reports.parameters import parse_as_of, parse_known_at, parse_parameters
from ltc_events.reports.registry import NAMES, all_reports, report
from ltc_events.reports.totals import Sums
from ltc_events.reports.values import amount_text, json_value, number_text

HEAD = """/*
title = "Leads"
definition = "Leads by channel."
key = ["{group_by}"]
events = "SELECT position, channel AS group_by FROM ltc_read.timeline WHERE effective_on <= %(as_of)s"

[parameters]
group_by = { type = "choice", choices = ["channel", "origin"], default = "channel", meaning = "what a row is" }

[columns]
"{group_by}" = { type = "text", meaning = "channel or origin" }
leads = { type = "integer", meaning = "how many", total = true }
*/
"""
SQL = "SELECT CASE %(group_by)s WHEN 'channel' THEN channel ELSE origin END AS group_by, 1 AS leads FROM ltc_read.leads"


def test_a_file_is_a_report() -> None:
    leads = declare("leads", HEAD + SQL)
    assert (leads.title, leads.definition, leads.tables, leads.sql) == ("Leads", "Leads by channel.", {"leads"}, SQL)
    assert (leads.key, leads.event_tables) == (("group_by",), {"timeline"})
    assert [column.sql_name for column in leads.columns] == ["group_by", "leads"]


@pytest.mark.parametrize(
    ("change", "into", "problem"),
    [
        ("/*\n", "-- ", "does not begin with a comment"),
        ('title = "Leads"', "title = Leads", "Invalid value"),
        ('title = "Leads"', 'title = "Leads"\ncolour = "red"', "colour"),
        ("%(group_by)s", "%(group)s", "uses group, which is no parameter"),
        ("CASE %(group_by)s WHEN 'channel' THEN channel ELSE origin END", "channel", "the parameter group_by is not used"),
        ('default = "channel"', 'default = "campaign"', "the default of group_by is none of its choices"),
        ('type = "choice"', 'type = "text"', "only a choice has them"),
        ('type = "choice"', 'type = "colour"', "colour"),
        ("{group_by}", "{by}", "named by no parameter"),
        (
            'type = "integer", meaning = "how many", total = true',
            'type = "money", meaning = "worth"',
            "no column currency beside",
        ),
        ('"channel or origin"', '"channel or origin", total = true', "cannot be added up"),
        ('title = "Leads"', 'title = "Leads"\nsections = "part"', "no column part"),
        ("ltc_read.leads", "leads", "reads no table of ltc_read"),
        ('key = ["{group_by}"]\n', "", "key"),
        ('key = ["{group_by}"]', "key = []", "the key names no column"),
        ('key = ["{group_by}"]', 'key = ["lead"]', "no column lead to be part of the key"),
        ('key = ["{group_by}"]', 'key = ["leads"]\nkey_where = { "{group_by}" = "leads > 0" }', "and is not part of the key"),
        ("%(as_of)s", "%(day)s", "uses day, which is no parameter"),
        (
            'type = "integer", meaning = "how many", total = true',
            'type = "money", meaning = "worth", currency = "{group_by}", total = true',
            "does not say what that ties_to",
        ),
        ("*/", '[ties]\nleads = "leads in the books"\n*/', "the tie of leads is of no amount that is added up"),
        ('title = "Leads"', 'title = "Leads"\nbooks = "SELECT 1"', "ties need a query books"),
        ('title = "Leads"', 'title = "Leads"\nbooks = "SELECT %(day)s"', "uses day, which is no parameter"),
    ],
)
def test_a_file_that_declares_it_wrongly_is_refused(change: str, into: str, problem: str) -> None:
    text = (HEAD + SQL).replace(change, into)
    assert text != HEAD + SQL
    with pytest.raises(ReportMisdeclared, match=problem):
        declare("leads", text)


def test_the_tables_of_the_books_count_as_read() -> None:
    amount = 'amount = { type = "money", currency = "{group_by}", total = true, meaning = "?" }'
    books = 'ties_to = "the journal"\nbooks = "SELECT * FROM ltc_read.journal"'
    text = HEAD.replace("leads = { type", f"{amount}\nleads = {{ type").replace("definition", f"{books}\ndefinition")
    leads = declare("leads", text.replace("*/", '[ties]\namount = "what is booked"\n*/') + SQL)
    assert (leads.ties, leads.ties_to, leads.tables) == ({"amount": "what is booked"}, "the journal", {"leads", "journal"})


def test_every_report_of_the_catalogue_is_declared_and_says_what_it_means() -> None:
    assert len(set(NAMES)) == len(NAMES)
    for one in all_reports():
        assert one.title
        assert len(one.definition) > 80
        assert all(part.meaning for part in one.columns)
        assert all(part.meaning for part in one.parameters.values())


def test_parameters_are_parsed_and_default() -> None:
    funnel = report("funnel")
    assert parse_parameters(funnel, {"from": "2026-01-31", "channel": " email "}) == {
        "basis": "cohort",
        "from": date(2026, 1, 31),
        "to": None,
        "channel": "email",
    }
    assert parse_parameters(report("worklist"), {"days": "7"})["days"] == 7


@pytest.mark.parametrize(
    ("given", "means"),
    [
        (None, None),
        ("1500", 1500),
        (0, 0),
        ("2026-03-31", datetime(2026, 3, 31, 23, 59, 59, 999999, UTC)),
        ("2026-03-31T18:00:00", datetime(2026, 3, 31, 18, tzinfo=UTC)),
        ("2026-03-31T18:00:00+02:00", datetime(2026, 3, 31, 16, tzinfo=UTC)),
        ("2026-03-31T16:00:00Z", datetime(2026, 3, 31, 16, tzinfo=UTC)),
        (datetime(2026, 3, 31, 16), datetime(2026, 3, 31, 16, tzinfo=UTC)),  # noqa: DTZ001 - that is the case
    ],
)
def test_known_at_is_a_position_or_a_moment(given: Any, means: Any) -> None:
    assert parse_known_at(given) == means


def test_as_of_is_a_date() -> None:
    assert parse_as_of("2026-03-31") == parse_as_of(date(2026, 3, 31)) == date(2026, 3, 31)


def test_totals_never_add_currencies() -> None:
    columns = (
        Column("deals", ColumnType.INTEGER, "-", total=True),
        Column("currency", ColumnType.TEXT, "-"),
        Column("amount", ColumnType.MONEY, "-", total=True),
        Column("days", ColumnType.DECIMAL, "-", total=True),
        Column("share", ColumnType.PERCENT, "-"),
    )
    rows = [
        (2, "EUR", Decimal("0.10"), Decimal("1.5"), Decimal(50)),
        (None, "USD", Decimal("0.20"), None, Decimal(25)),
        (1, "EUR", Decimal("1e20"), Decimal(1), Decimal(25)),
        (1, None, None, Decimal(0), None),
    ]
    sums = Sums(columns)
    assert sums.totals() == {"deals": 0, "amount": {}, "days": Decimal(0)}
    for row in rows:
        sums.add(row)
    assert sums.totals() == {
        "deals": 4,
        "amount": {"EUR": Decimal("100000000000000000000.10"), "USD": Decimal("0.20")},
        "days": Decimal("2.5"),
    }


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.5", "EUR", "1234.50"),
        ("1234", "EUR", "1234.00"),
        ("-0.1250", "EUR", "-0.125"),
        ("7.00", "JPY", "7"),
        ("7.5", "KWD", "7.500"),
        ("1E+3", "EUR", "1000.00"),
        ("1", None, "1.00"),
    ],
)
def test_amounts_have_the_digits_of_their_currency_and_no_idle_ones(amount: str, currency: str | None, text: str) -> None:
    assert amount_text(Decimal(amount), currency) == text


def test_json_values() -> None:
    assert number_text(Decimal("12.500")) == "12.5"
    assert number_text(Decimal(100)) == "100"
    assert json_value(datetime(2026, 3, 31, 16, 30, tzinfo=UTC)) == "2026-03-31T16:30:00Z"
    assert json_value(date(2026, 3, 31)) == "2026-03-31"
    assert json_value(None) is None
