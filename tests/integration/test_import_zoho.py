"""The CRM export: its known answers come out of our reports, and none of its traps crashes or changes a number."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.imported import Imported, imported, money, source
from tests.ties import untied
from tests.unit.shared_data import need

pytestmark = need("zoho_crm")
FOLDER = "zoho_crm"


@pytest.fixture(scope="module")
def crm(server: Any) -> Iterator[Imported]:
    with imported(server, FOLDER) as company:
        yield company


def test_every_control_total_comes_out(crm: Imported) -> None:
    result = crm.results[FOLDER]
    assert result.balanced
    totals = {control.name: control.ledger for control in result.controls}
    assert totals["leads"] == 3900
    assert totals["leads converted"] == 3632
    assert totals["potentials won"] == 89_066_200
    assert totals["potentials lost"] == 485
    assert totals["invoice grand totals"] == 16_030_187
    assert {file.name: file.rows for file in result.files} == {
        "campaigns": 110,
        "leads": 3900,
        "potentials": 3632,
        "quotes": 3000,
        "orders": 2061,
        "invoices": 1300,
        "accounts": 2229,
    }
    assert sum(count.accepted for count in result.commands.values()) == sum(count.sent for count in result.commands.values())


def test_its_reports_tie_to_its_books(crm: Imported) -> None:
    head = crm.store.head()[0]
    assert untied(crm.database, [date(2018, 1, 1), date(2021, 6, 1), date.max], [None]) == []
    assert untied(crm.database, [date.max], [head // 3, head // 2, head - 7]) == []


def test_importing_twice_changes_nothing(crm: Imported) -> None:
    head = crm.store.head()
    again = crm.again(FOLDER)
    assert crm.store.head() == head
    assert sum(count.accepted for count in again.commands.values()) == 0
    assert [control.ledger for control in again.controls] == [control.ledger for control in crm.results[FOLDER].controls]


def test_the_funnel_ends_in_won_deals(crm: Imported) -> None:
    leads = {row["step"]: row["leads"] for row in crm.report("funnel")}
    assert leads == {
        "captured": 3900,
        "accepted": 3878,
        "assigned": 3878,
        "contacted": 0,
        "qualified": 3682,
        "converted": 3632,
        "won": 1425,
    }


def test_won_lost_and_open_deals_are_worth_what_the_source_says(crm: Imported) -> None:
    worth = Counter[str]()
    for potential in source(FOLDER, "Potentials.csv"):
        worth[potential["Forecast Type"]] += money(potential["Amount"])  # type: ignore[assignment]
    won = crm.totals("channels")
    assert (won["won"], won["won_amount"]) == (1425, {"USD": 89_066_200})
    lost = crm.totals("loss-reasons")
    assert (lost["lost"], lost["amount"]) == (485, {"USD": worth["Lost"]})
    still_open = crm.totals("pipeline")
    assert (still_open["opportunities"], still_open["amount"]) == (1722, {"USD": worth["Open"]})


def test_leads_marked_junk_or_lost_are_converted_all_the_same(crm: Imported) -> None:
    found = crm.rows(
        "SELECT status, count(*) FROM leads WHERE external_references->>'zoho_status' IN ('Junk Lead', 'Lost Lead') GROUP BY 1"
    )
    assert dict(found) == {"converted": 737, "rejected": 22, "disqualified": 21}


def test_the_channel_of_a_deal_is_its_leads_and_not_its_own(crm: Imported) -> None:
    """Only 321 of 3,632 lead sources agree with the potential's."""
    leads = {lead["LEADID"]: lead["Lead Source"] for lead in source(FOLDER, "Leads.csv")}
    potentials = source(FOLDER, "Potentials.csv")
    assert sum(leads[potential["LEADID"]] == potential["Lead Source"] for potential in potentials) == 321
    won = Counter(leads[potential["LEADID"]] for potential in potentials if potential["Stage"] == "Closed Won")
    rows = crm.report("channels", group_by="origin")
    assert {row["origin"]: row["won"] for row in rows if row["origin"] is not None} == won


def test_campaign_costs_in_thousands_are_read_in_full(crm: Imported) -> None:
    cost = sum(money(campaign["Actual Cost"].rstrip("K")) * 1000 for campaign in source(FOLDER, "Campaigns.csv"))
    assert crm.totals("channels", group_by="campaign")["cost"] == {"USD": cost}


def test_quote_discounts_are_known_to_the_cent(crm: Imported) -> None:
    quotes = source(FOLDER, "Quotes.csv")
    discounts = dict(crm.rows("SELECT external_references->>'zoho', list_total - net FROM quotes"))
    assert discounts == {quote["QUOTEID"]: money(quote["Discount"]) for quote in quotes}


def test_every_invoice_is_payable_as_the_source_states_it(crm: Imported) -> None:
    """Grand total = subtotal − discount − tax, rounded: a tax that lowers the total, which EN 16931 does not know."""
    stated = {row["INVOICEID"]: money(row["Grand Total"]) for row in source(FOLDER, "Invoices.csv") if row["Grand Total"]}
    assert (len(stated), sum(stated.values())) == (1030, 16_030_187)
    billed = crm.rows("SELECT external_references->>'zoho', payable, tax, rounding FROM invoices")
    assert {id: payable for id, payable, _, _ in billed} == stated
    assert all(tax == 0 and abs(rounding) <= Decimal("0.50") for _, _, tax, rounding in billed)


def test_cancelled_invoices_are_issued_and_credited(crm: Imported) -> None:
    rows = [row for row in source(FOLDER, "Invoices.csv") if row["Grand Total"]]
    cancelled = sum(money(row["Grand Total"]) for row in rows if row["Invoice Status"] == "Cancelled")
    assert crm.totals("receivables-aging")["outstanding"] == {"USD": 16_030_187 - cancelled}
    assert crm.rows("SELECT count(*), sum(payable) FROM credit_notes") == [(272, cancelled)]


def test_the_270_invoices_without_an_order_are_refused_and_listed(crm: Imported) -> None:
    result = crm.results[FOLDER]
    orders = {row["SALESORDERID"] for row in source(FOLDER, "Sales_Orders.csv")}
    # No field of this file spans lines, so rows and lines go together.
    lines = {
        line: row["Sales Order Id"]
        for line, row in enumerate(source(FOLDER, "Invoices.csv"), 2)
        if row["Sales Order Id"] not in orders
    }
    assert len(lines) == result.refused == 270
    assert {row.line for row in result.refused_rows} == lines.keys()
    assert all(lines[row.line] in row.reason and row.file == "Invoices.csv" and row.fix for row in result.refused_rows)


def test_rows_that_a_join_leaves_out_are_told(crm: Imported) -> None:
    (invoices,) = (one for one in crm.results["zoho_crm"].files if one.name == "invoices")
    orders = {row["SALESORDERID"] for row in source("zoho_crm", "Sales_Orders.csv")}
    alone = [row for row in source("zoho_crm", "Invoices.csv") if row["Sales Order Id"] not in orders]
    assert invoices.unmatched["by steps/71-issue.sql, without a match in orders"] == len(alone)


def test_dates_of_all_three_formats_are_read_days_first(crm: Imported) -> None:
    assert crm.rows("SELECT placed_on FROM orders WHERE external_references->>'zoho' = '21001204'") == [(date(2021, 3, 5),)]
    assert crm.rows("SELECT effective_on FROM leads WHERE external_references->>'zoho' = '4563'") == [(date(2021, 4, 15),)]
    assert crm.rows("SELECT starts_on FROM campaigns WHERE external_references->>'zoho' = '24000011'") == [(date(2021, 4, 25),)]
    months = {row["Created Time"][3:5] for row in source(FOLDER, "Sales_Orders.csv")}
    assert months == {f"{month:02}" for month in range(1, 13)}, "the second number is the month"


def test_a_name_damaged_in_two_ways_is_one_customer(crm: Imported) -> None:
    assert crm.rows("SELECT name FROM customers WHERE name LIKE 'Official All Star%'") == [("Official All Star Café",)]


def test_orders_and_the_journal_add_up(crm: Imported) -> None:
    tracking = crm.totals("order-tracking")
    assert crm.rows("SELECT count(*) FROM orders") == [(2061,)]
    assert tracking["ordered"]["USD"] == tracking["delivered"]["USD"] + tracking["cancelled"]["USD"] + tracking["open"]["USD"]
    assert crm.totals("trial-balance")["balance"] == {"USD": 0}
    assert len(crm.report("quote-turnaround")) > 0
