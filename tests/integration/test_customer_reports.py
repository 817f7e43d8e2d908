"""Reports on how deals close, goods arrive, customers pay and come back, held against figures worked out by hand."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.integration.books import Books, line
from tests.small_company import Company, figures

from ltc_events.reports.runner import run
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.opportunity import LossReason, OpportunityLost, OpportunityReopened
from ltc_events.schemas.order import CancelOrder, LineQuantity, ReportDelivery
from ltc_events.schemas.payment import ReturnPayment
from ltc_events.schemas.receivable import DisputeInvoice, ResolveDispute, WriteOffInvoice
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore

YEAR_END = date(2026, 12, 31)


def day(month: int, of_month: int) -> date:
    return date(2026, month, of_month)


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


@pytest.fixture
def deals(database: Database, event_store: EventStore) -> Company:
    """D1 won after 20 days (30 from its lead), D2 after 50, D3 lost after 59, D4 won in dollars, D5 won, opened again and won."""
    company = Company(database, event_store)
    company.capture("L1", on="2026-01-01")
    company.qualify("L1", on="2026-01-02")
    company.convert("L1", "D1", on="2026-01-11")
    company.win("D1", on="2026-01-31", amount="1000.10")
    company.open("D2", on="2026-01-01", owner="Otto", channel=Channel.REFERRAL)
    company.win("D2", on="2026-02-20", amount="300")
    company.open("D3", on="2026-01-01", amount="500")
    lost = OpportunityLost(from_stage="proposal", amount=Decimal(500), currency="EUR", reason=LossReason.PRICE)
    company.record("D3", lost, on="2026-03-01")
    company.open("D4", on="2026-01-31", currency="USD", owner="Otto")
    company.win("D4", on="2026-01-31", amount="70", currency="USD")
    company.open("D5", on="2026-02-01")
    company.win("D5", on="2026-02-02", amount="999")
    reopened = OpportunityReopened(
        was="won",
        stage="proposal",
        probability=Decimal(50),
        amount=Decimal(999),
        currency="EUR",
        reason="wrong deal",
        policy_version=0,
    )
    company.record("D5", reopened, on="2026-02-03")
    company.win("D5", on="2026-03-13", amount="99.90")
    return company


class TestBookings:
    """R-43: what was closed in a period, as it stood on the date."""

    COLUMNS = (
        "period",
        "segment",
        "currency",
        "won",
        "amount",
        "average_amount",
        "lost",
        "lost_amount",
        "win_rate",
        "amount_win_rate",
    )

    def test_by_month_a_deal_counts_when_it_was_closed_last(self, deals: Company) -> None:
        assert figures(deals.report("bookings"), *self.COLUMNS) == [
            ("2026-01", None, "EUR", 1, "1000.1", "1000.1", 0, "0", "100", "100"),
            ("2026-01", None, "USD", 1, "70", "70", 0, "0", "100", "100"),
            ("2026-02", None, "EUR", 1, "300", "300", 0, "0", "100", "100"),
            ("2026-03", None, "EUR", 1, "99.9", "99.9", 1, "500", "50", "16.653"),  # 99.90 ÷ 599.90
        ]

    def test_before_it_was_opened_again_it_was_booked(self, deals: Company) -> None:
        then = deals.report("bookings", as_of="2026-02-02")
        assert figures(then, "period", "currency", "won", "amount") == [
            ("2026-01", "EUR", 1, "1000.1"),
            ("2026-01", "USD", 1, "70"),
            ("2026-02", "EUR", 1, "999"),
        ]
        assert figures(deals.report("bookings", as_of="2026-02-03"), "period", "won") == [("2026-01", 1), ("2026-01", 1)]

    def test_by_quarter_and_owner_or_channel(self, deals: Company) -> None:
        by_owner = deals.report("bookings", period="quarter", group_by="owner")
        assert figures(by_owner, "period", "segment", "currency", "won", "amount", "lost") == [
            ("2026-Q1", "Olga", "EUR", 2, "1100", 1),
            ("2026-Q1", "Otto", "EUR", 1, "300", 0),
            ("2026-Q1", "Otto", "USD", 1, "70", 0),
        ]
        by_channel = deals.report("bookings", period="year", group_by="channel", from_="2026-02-01", to="2026-02-28")
        assert figures(by_channel, "period", "segment", "won", "amount") == [("2026", "referral", 1, "300")]


class TestSalesCycle:
    """R-39: days from the opening of a deal, or from its lead, to its end."""

    def test_won_and_lost_apart(self, deals: Company) -> None:
        columns = ("segment", "outcome", "deals", "mean_days", "median_days", "p90_days", "shortest_days", "longest_days")
        assert figures(deals.report("sales-cycle"), *columns) == [
            # 0, 20, 40 and 50 days: mean 27.5, median 30, p90 40 + 0.7 × 10
            (None, "won", 4, "27.5", "30", "47", 0, 50),
            (None, "lost", 1, "59", "59", "59", 59, 59),
        ]

    def test_from_the_lead(self, deals: Company) -> None:
        result = deals.report("sales-cycle", start="lead", group_by="month")
        assert figures(result, "segment", "outcome", "deals", "mean_days") == [
            ("2026-01", "won", 2, "15"),  # 30 from its lead, and 0
            ("2026-02", "won", 1, "50"),
            ("2026-03", "won", 1, "40"),
            ("2026-03", "lost", 1, "59"),
        ]


class TestPaymentBehaviour:
    """R-67, R-69."""

    COLUMNS = (
        "customer", "instalments", "paid", "mean_days_to_pay", "median_days_to_pay", "weighted_days_to_pay",
        "late", "late_percent", "mean_days_late", "outstanding", "overdue",
    )  # fmt: skip

    @pytest.fixture
    def books(self, books: Books) -> Books:
        """Due after 30 days each: I1 paid after 10 days, I2 after 40, in two parts; I3 is credited, I4 owed, I5 returned."""
        books.bill("I1", "100", on=day(1, 1))
        books.bill("I2", "300", on=day(1, 1))
        books.bill("I3", "70", on=day(1, 1))
        books.bill("I4", "50", on=day(2, 1))
        books.bill("I5", "20", on=day(6, 1))
        books.pay("P1", "100", ("I1", "100"), on=day(1, 11))
        books.pay("P2", "120", ("I2", "120"), on=day(1, 21))
        books.receive("P3", "180", on=day(2, 10))
        books.allocate("P3", ("I2", "180"), on=day(3, 25))  # somebody put it there late: the customer paid on the 10th
        books.credit("C1", "I3", on=day(1, 5))
        books.pay("P5", "20", ("I5", "20"), on=day(6, 2))
        books.do(ReturnPayment(reason="no funds"), "P5", on=day(6, 9))
        return books

    def test_days_to_pay_and_what_is_late(self, books: Books) -> None:
        assert books.rows("payment-behaviour", *self.COLUMNS, as_of=day(6, 15)) == [
            # 10 and 40 days; weighted (100 × 10 + 300 × 40) ÷ 400; late by 10 days; I4 and I5 are owed, I4 since March 3rd
            ["Mill & Sons", 2, "400", "25", "25", "32.5", 1, "50", "10", "70", "50"],
        ]

    def test_what_the_bank_takes_back_was_not_paid(self, books: Books) -> None:
        assert books.rows("payment-behaviour", "instalments", "outstanding", as_of=day(6, 8)) == [[3, "50"]]

    def test_the_period_is_that_of_the_payment(self, books: Books) -> None:
        chosen = {"from": day(1, 1), "to": day(1, 31)}
        rows = books.rows("payment-behaviour", "instalments", "late", "outstanding", as_of=day(6, 15), **chosen)
        assert rows == [[1, 0, "70"]]

    def test_it_is_tied_to_the_receivables(self, books: Books) -> None:
        (tie,) = books.result("payment-behaviour", as_of=day(6, 15)).ties
        assert (tie.total, tie.booked) == (70, 70)
        other = books.register("Other Ltd")
        books.bill("I9", "33", on=day(6, 1))
        (tie,) = books.result("payment-behaviour", as_of=day(6, 15), customer=other).ties
        assert (tie.total, tie.booked) == (33, 33)


def deliver(books: Books, order: str, *lines: tuple[int, str], on: date) -> None:
    quantities = tuple(LineQuantity(line=number, quantity=Decimal(quantity)) for number, quantity in lines)
    books.do(ReportDelivery(delivery_id=uuid4(), lines=quantities), order, on=on)


class TestOrderToCash:
    """R-57 … R-70."""

    def test_the_steps_add_up(self, books: Books) -> None:
        for order, delivered, billed, paid in (("O1", 11, 13, 23), ("O2", 5, 5, 31)):
            books.order(order, line(1, "2", "50"), on=day(1, 1))
            deliver(books, order, (1, "2"), on=day(1, delivered))
            books.invoice(f"I {order}", order, on=day(1, billed))
            books.pay(f"P {order}", "100", (f"I {order}", "100"), on=day(1, paid))
        books.order("O3", line(1, "2", "50"), on=day(1, 1))  # billed and paid ahead, and only half of it delivered
        books.invoice("I3", "O3", on=day(1, 2))
        books.pay("P3", "100", ("I3", "100"), on=day(1, 3))
        deliver(books, "O3", (1, "1"), on=day(1, 4))
        columns = ("step", "orders", "mean_days", "median_days", "longest_days")
        assert books.rows("order-to-cash", *columns, as_of=YEAR_END) == [
            ["order to delivery", 2, "7", "7", 10],
            ["delivery to invoice", 2, "1", "1", 2],
            ["invoice to cash", 2, "18", "18", 26],
            ["order to cash", 2, "26", "26", 30],
        ]
        deliver(books, "O3", (1, "1"), on=day(1, 12))
        assert books.rows("order-to-cash", *columns, as_of=YEAR_END) == [
            ["order to delivery", 3, "8.33", "10", 11],
            ["delivery to invoice", 3, "-2.67", "0", 2],  # 2, 0 and −10
            ["invoice to cash", 3, "12.33", "10", 26],
            ["order to cash", 3, "18", "22", 30],
        ]
        assert books.rows("order-to-cash", "orders", as_of=day(1, 30)) == [[2]] * 4
        assert books.rows("order-to-cash", "orders", as_of=YEAR_END, **{"from": day(1, 20), "to": day(1, 25)}) == [[1]] * 4


class TestOnTimeDelivery:
    """R-60, R-61."""

    @pytest.fixture
    def books(self, books: Books) -> Books:
        """Wanted by January 10th: O1 comes on the day, O2 a line late, O3 not, O4 was cancelled. O5 is wanted in February."""
        for order in ("O1", "O2", "O3", "O4"):
            books.order(order, line(1, "2", "50"), line(2, "1", "9"), on=day(1, 1), requested_delivery_on=day(1, 10))
        books.order("O5", line(1, "1", "50"), on=day(1, 1), requested_delivery_on=day(2, 10))
        books.order("O6", line(1, "1", "50"), on=day(1, 1))  # nobody said when
        deliver(books, "O1", (1, "1"), on=day(1, 5))
        deliver(books, "O1", (1, "1"), (2, "1"), on=day(1, 10))
        deliver(books, "O2", (1, "2"), on=day(1, 9))
        deliver(books, "O2", (2, "1"), on=day(1, 17))
        deliver(books, "O3", (1, "1"), on=day(1, 9))
        books.do(CancelOrder(reason="changed their mind"), "O4", on=day(1, 6))
        return books

    COLUMNS = ("orders", "on_time", "on_time_percent", "lines", "lines_on_time", "lines_late", "lines_missing", "mean_days_late")

    def test_by_month(self, books: Books) -> None:
        assert books.rows("on-time-delivery", "month", *self.COLUMNS, as_of=day(1, 20)) == [
            ["2026-01", 3, 1, "33.333", 6, 3, 1, 2, "7"],
        ]
        assert books.rows("on-time-delivery", "month", "orders", as_of=day(1, 10)) == [], "the day has not passed"
        assert books.rows("on-time-delivery", "lines_late", "lines_missing", as_of=day(1, 16)) == [[0, 3]]
        assert books.rows("on-time-delivery", "month", "orders", as_of=YEAR_END) == [["2026-01", 3], ["2026-02", 1]]

    def test_by_customer_and_thing(self, books: Books) -> None:
        by_customer = books.rows("on-time-delivery", "customer", *self.COLUMNS[:3], as_of=day(1, 20), group_by="customer")
        assert by_customer == [["Mill & Sons", 3, 1, "33.333"]]
        by_sku = books.rows("on-time-delivery", "sku", *self.COLUMNS[:7], as_of=day(1, 20), group_by="sku")
        assert by_sku == [["A-1", 3, 2, "66.667", 3, 2, 0, 1], ["A-2", 3, 1, "33.333", 3, 1, 1, 1]]


def test_disputes_over_time(books: Books) -> None:
    for invoice, amount in (("I1", "100"), ("I2", "40"), ("I3", "60")):
        books.bill(invoice, amount, on=day(1, 1))
    books.pay("P", "30", ("I1", "30"), on=day(1, 5))
    books.do(DisputeInvoice(reason="price"), "I1", on=day(1, 10))
    books.do(DisputeInvoice(reason="damaged"), "I2", on=day(1, 20))
    books.do(ResolveDispute(resolution="credited"), "I1", on=day(2, 4))
    books.do(DisputeInvoice(reason="not received"), "I3", on=day(2, 20))
    books.do(ResolveDispute(resolution="proof sent"), "I2", on=day(4, 20))
    books.do(DisputeInvoice(reason="price again"), "I1", on=day(4, 30))
    columns = ("period", "begun", "contested", "settled", "mean_days", "open")
    assert books.rows("disputes", *columns, as_of=YEAR_END) == [
        ["2026-01", 2, "110", 0, None, 2],  # 70 of I1 and 40 of I2
        ["2026-02", 1, "60", 1, "25", 2],
        ["2026-04", 1, "70", 1, "90", 2],
    ]
    assert books.rows("disputes", *columns, as_of=day(2, 10)) == [
        ["2026-01", 2, "110", 0, None, 2],
        ["2026-02", 0, "0", 1, "25", 1],
    ]
    assert books.rows("disputes", *columns, as_of=YEAR_END, period="year") == [["2026", 4, "240", 2, "57.5", 2]]


@pytest.fixture
def regulars(books: Books) -> Books:
    """Mill buys in Q1 and Q2, Other in Q1 alone (and never pays), Third begins in Q2."""
    books.bill("M1", "100", on=day(1, 10))
    books.bill("M2", "60", on=day(4, 2))
    books.credit("C1", "M2", "10", on=day(4, 20))
    books.pay("P1", "100", ("M1", "100"), on=day(2, 1))
    books.register("Other")
    books.bill("O1", "50", on=day(3, 31))
    books.do(WriteOffInvoice(reason="gone"), "O1", on=day(9, 1))
    books.register("Third")
    books.bill("T1", "30", on=day(6, 30))
    return books


def test_customers_by_lifetime_value(regulars: Books) -> None:
    columns = (
        "customer",
        "active_months",
        "orders",
        "invoices",
        "revenue",
        "losses",
        "value",
        "share",
        "average_invoice",
        "cash",
        "outstanding",
    )
    result = regulars.result("customer-value", as_of=YEAR_END)
    assert figures(result, *columns) == [
        ("Mill & Sons", 4, 2, 2, "150", "0", "150", "83.333", "75", "100", "50"),  # 150 ÷ 180
        ("Third", 1, 1, 1, "30", "0", "30", "16.667", "30", "0", "30"),
        ("Other", 1, 1, 1, "50", "50", "0", "0", "50", "0", "0"),
    ]
    assert {tie.column: tie.difference for tie in result.ties} == {"revenue": 0, "losses": 0, "cash": 0, "outstanding": 0}
    before = figures(regulars.result("customer-value", as_of=day(3, 31)), "customer", "value", "share")
    assert before == [("Mill & Sons", "100", "66.667"), ("Other", "50", "33.333")]


def test_cohorts(regulars: Books) -> None:
    columns = ("cohort", "age", "period", "customers", "active", "retention", "revenue", "per_customer")
    assert regulars.rows("cohorts", *columns, as_of=YEAR_END) == [
        ["2026-Q1", 0, "2026-Q1", 2, 2, "100", "150", "75"],
        ["2026-Q1", 1, "2026-Q2", 2, 1, "50", "50", "100"],  # 60 − 10; 200 ÷ 2 by then
        ["2026-Q2", 0, "2026-Q2", 1, 1, "100", "30", "30"],
    ]
    by_month = regulars.rows("cohorts", "cohort", "age", "active", as_of=YEAR_END, period="month")
    assert by_month == [["2026-01", 0, 1], ["2026-01", 3, 1], ["2026-03", 0, 1], ["2026-06", 0, 1]]


def test_a_back_dated_first_invoice_moves_a_customer_to_another_cohort(regulars: Books) -> None:
    known = regulars.catch_up()
    regulars.bill("T0", "5", on=day(2, 2))  # of Third, who was registered last
    assert regulars.rows("cohorts", "cohort", "age", "customers", as_of=YEAR_END)[:3] == [["2026-Q1", 0, 3], ["2026-Q1", 1, 3]]
    assert regulars.rows("cohorts", "cohort", "age", "customers", as_of=YEAR_END, known_at=known)[-1] == ["2026-Q2", 0, 1]


@pytest.fixture(scope="module")
def totals(company: Database) -> dict[str, dict[str, Any]]:
    """The totals of reports on a simulated company."""
    names = ("bookings", "sales-cycle", "revenue-vs-opportunity", "customer-value", "cohorts", "payment-behaviour", "disputes")
    return {name: run(company, name, as_of=ENDS_ON).totals for name in names}


def test_a_company_books_what_it_won(totals: dict[str, dict[str, Any]]) -> None:
    assert totals["bookings"]["amount"] == totals["revenue-vs-opportunity"]["won_amount"]
    assert totals["sales-cycle"]["deals"] == totals["bookings"]["won"] + totals["bookings"]["lost"] > 0


def test_its_customers_bring_its_revenue(totals: dict[str, dict[str, Any]]) -> None:
    assert totals["customer-value"]["revenue"] == totals["cohorts"]["revenue"] == totals["revenue-vs-opportunity"]["revenue"]
    assert totals["payment-behaviour"]["outstanding"] == totals["customer-value"]["outstanding"]
    assert 0 < totals["payment-behaviour"]["late"] < totals["payment-behaviour"]["instalments"]
    assert totals["disputes"]["begun"] >= totals["disputes"]["settled"] > 0
