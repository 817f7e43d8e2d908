"""The totals of reports are what the books have: in a whole company, at any date and position, and at their foot."""

import io
import json
from datetime import date, timedelta

from rich.console import Console
from tests.ties import TIED, untied

from ltc_events.reports.base import ColumnType
from ltc_events.reports.registry import all_reports
from ltc_events.reports.render import write_json, write_table
from ltc_events.reports.runner import open_report, run
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore, Role


def test_revenue_cash_receivables_and_what_is_unapplied_are_tied() -> None:
    tied = {(one.name, column) for one in all_reports() for column in one.ties}
    assert tied >= {
        ("revenue-vs-opportunity", "revenue"),
        ("revenue-vs-opportunity", "cash"),
        ("receivables-aging", "receivables"),
        ("receivables-aging", "unapplied_cash"),
        ("receivables-aging", "customer_credits"),
        ("dso", "receivables"),
        ("dso", "unapplied"),
    }


def test_every_report_with_money_says_what_it_ties_to() -> None:
    with_money = {one.name for one in all_reports() if any(column.type is ColumnType.MONEY for column in one.columns)}
    assert with_money == {one.name for one in all_reports() if one.ties_to}


def test_a_company_ties_at_any_date_and_position(company: Database) -> None:
    with EventStore(company, Role.PROJECTOR) as store:
        head = store.head()[0]
    assert untied(company, [date(1900, 6, 1), ENDS_ON - timedelta(days=200), ENDS_ON, date.max], [None]) == []
    assert untied(company, [ENDS_ON - timedelta(days=90), date.max], [0, *(head * part // 7 for part in range(1, 8))]) == []


def test_what_no_won_deal_brought_is_a_part_of_it(company: Database) -> None:
    result = run(company, "revenue-vs-opportunity", as_of=ENDS_ON)
    assert {row[0] for row in result.rows} >= {"won", "no opportunity"}
    assert all(total.values() for total in result.totals.values() if isinstance(total, dict))


def test_the_foot_shows_both_numbers_and_the_difference(company: Database) -> None:
    as_table, as_json = io.StringIO(), io.StringIO()
    with open_report(company, "revenue-vs-opportunity", as_of=ENDS_ON) as answer:
        write_table(answer, Console(file=as_table, width=400))
    with open_report(company, "revenue-vs-opportunity", as_of=ENDS_ON) as answer:
        write_json(answer, as_json)
    document = json.loads(as_json.getvalue())
    (balance,) = [row for row in run(company, "trial-balance", as_of=ENDS_ON).rows if row[:2] == ("revenue", "EUR")]
    revenue, cash = document["ties"]
    amount = f"{-balance[4]:.2f}"
    expected = {"column": "revenue", "currency": "EUR", "against": "revenue in the trial balance", "total": amount}
    assert revenue == {**expected, "booked": amount, "difference": "0.00"}
    assert document["totals"]["revenue"] == {"EUR": amount}
    assert (cash["column"], cash["difference"]) == ("cash", "0.00")
    spoken = f"{-balance[4]:,.2f}"
    assert f"revenue {spoken} EUR; revenue in the trial balance {spoken}; difference 0.00" in as_table.getvalue()


def test_reports_that_are_held_against_nothing_say_nothing(company: Database) -> None:
    assert "pipeline" not in TIED
    stream = io.StringIO()
    with open_report(company, "pipeline", as_of=ENDS_ON) as answer:
        write_json(answer, stream)
    assert "ties" not in json.loads(stream.getvalue())
