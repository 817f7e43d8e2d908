"""The double-entry journal: what each document posts, and that nothing unbalanced ever stands in it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.integration.books import DAY, Books, line

from ltc_events.projections.tables.chart_of_accounts import Account
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.schemas.credit_note import CreditNoteIssued, RefundCreditNote
from ltc_events.schemas.invoice import DocumentCharge, InvoiceIssued, IssueInvoice
from ltc_events.schemas.order import LineQuantity, PlaceOrder
from ltc_events.schemas.payment import MoveOutPayment, RecoverWriteOff, RefundPayment, ReturnPayment, UnallocatePayment
from ltc_events.schemas.receivable import ReverseWriteOff, SendDunningNotice, WriteOffInvoice
from ltc_events.store import Commit, Database, EventStore, NewEvent, Role

TOMORROW = date(2026, 1, 2)
LATER = date(2026, 3, 1)
DATED = {one.table: "line_no" in one.key for one in PROJECTIONS if "dated_in_order" in one.checks}
"""The tables of movements that are held to the order of business dates, and whether an event makes several rows."""


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


def physical(table: str) -> str:
    """The table of today's version."""
    return next(one.physical() for one in PROJECTIONS if one.table == table)


def balances(books: Books, as_of: date = DAY, known_at: int | None = None) -> dict[str, str]:
    """What each account holds."""
    return dict(map(tuple, books.rows("trial-balance", "account", "balance", as_of=as_of, known_at=known_at)))


def test_an_invoice_with_tax_allowance_charge_and_rounding(books: Books) -> None:
    books.order("O", line(1, "3", "33.33", "19"), line(2, "1", "10.01", "7"))
    allowance = DocumentCharge(amount=Decimal(5), reason="loyalty", tax_rate=Decimal(19))
    charge = DocumentCharge(amount=Decimal("2.50"), reason="freight", tax_rate=Decimal(7))
    more: dict[str, Any] = {"allowances": (allowance,), "charges": (charge,), "cash_rounding": Decimal("0.05")}
    books.invoice("I", "O", prepaid=Decimal(20), **more)
    # 99.99 − 5 = 94.99 at 19 % is 18.05; 10.01 + 2.50 = 12.51 at 7 % is 0.88; 126.43 − 20 = 106.43 is 106.45 in coins.
    assert balances(books) == {
        "prepayments": "20",
        "receivables": "106.45",
        "revenue": "-107.5",
        "rounding": "-0.02",
        "tax_payable": "-18.93",
    }


def test_money_comes_in_is_put_against_invoices_and_goes_back(books: Books) -> None:
    books.bill("I", "100")
    books.receive("P", "130")
    assert balances(books) == {"cash": "130", "receivables": "100", "revenue": "-100", "unapplied_cash": "-130"}
    books.allocate("P")
    assert balances(books) == {"cash": "130", "receivables": "0", "revenue": "-100", "unapplied_cash": "-30"}
    books.do(RefundPayment(reason="paid too much"), "P")
    assert balances(books) == {"cash": "100", "receivables": "0", "revenue": "-100", "unapplied_cash": "0"}
    books.do(UnallocatePayment(invoice_id=books.id("I"), reason="wrong invoice"), "P")
    assert balances(books) == {"cash": "100", "receivables": "100", "revenue": "-100", "unapplied_cash": "-100"}
    books.do(ReturnPayment(reason="no funds"), "P")
    # The bank took back all 130, of which 30 had been refunded: those the customer owes.
    owed = {"receivables": "100", "customer_claims": "30"}
    assert balances(books) == {"cash": "-30", "revenue": "-100", "unapplied_cash": "0", **owed}


def test_credit_notes_and_write_offs(books: Books) -> None:
    books.order("O", line(1, "1", "100", "19"))
    books.invoice("I", "O")
    books.pay("P", "69")
    books.credit("C", "I", "50")
    # 59.50 credited: 50 was still owed, the rest stands to the customer's credit.
    assert balances(books) == {
        "cash": "69",
        "customer_credits": "-9.5",
        "receivables": "0",
        "revenue": "-50",
        "tax_payable": "-9.5",
        "unapplied_cash": "0",
    }
    books.bill("J", "40")
    books.do(WriteOffInvoice(reason="bankrupt"), "J")
    assert (balances(books)["bad_debt"], balances(books)["receivables"]) == ("40", "0")
    # Crediting what was given up takes the write-off back: it was no sale, and the customer has no claim.
    books.credit("D", "J", "30")
    after = balances(books)
    assert (after["bad_debt"], after["customer_credits"], after["revenue"]) == ("10", "-9.5", "-60")


def test_what_is_written_off_is_lost_without_its_tax_and_recovered_with_it(books: Books) -> None:
    books.order("O", line(1, "1", "100", "19"), line(2, "1", "100", "7"))
    books.invoice("I", "O")
    books.do(WriteOffInvoice(amount=Decimal(113), reason="bankrupt"), "I")
    # Half of the invoice: 9.50 at 19 % and 3.50 at 7 %.
    still = {"revenue": "-200"}
    assert balances(books) == {**still, "receivables": "113", "tax_payable": "-13", "bad_debt": "100"}
    books.receive("P", "56.50")
    books.do(RecoverWriteOff(invoice_id=books.id("I")), "P")
    half = {**still, "cash": "56.5", "unapplied_cash": "0", "tax_payable": "-19.5", "bad_debt": "50"}
    assert balances(books) == {**half, "receivables": "113"}
    books.do(ReverseWriteOff(reason="by mistake"), "I")
    assert balances(books) == {**half, "receivables": "169.5", "tax_payable": "-26", "bad_debt": "0"}


def test_what_was_prepaid_elsewhere_is_never_paid_out(books: Books) -> None:
    books.order("O", line(1, "1", "100"))
    books.invoice("I", "O", prepaid=Decimal(30))
    books.pay("P", "70")
    books.credit("C", "I")
    after = balances(books)
    assert (after["customer_credits"], after["prepayments"], after["cash"]) == ("-70", "0", "70")
    books.do(RefundCreditNote(reason="asked for"), "C")
    assert balances(books) == dict.fromkeys(after, "0")


def test_both_times_count(books: Books) -> None:
    books.bill("I", "100")
    known = books.catch_up()
    books.pay("P", "60", on=TOMORROW)
    assert "cash" not in balances(books)
    assert balances(books, TOMORROW)["cash"] == "60"
    assert "cash" not in balances(books, TOMORROW, known)


def test_each_currency_adds_up_to_nothing(books: Books) -> None:
    books.bill("I", "100")
    books.bill("J", "70", currency="USD")
    books.pay("P", "30", currency="USD")
    result = books.result("trial-balance")
    assert result.totals["balance"] == {"EUR": 0, "USD": 0}
    assert result.totals["debit"] == result.totals["credit"]


def test_every_account_of_the_chart_is_posted_to_and_no_other(books: Books) -> None:
    test_credit_notes_and_write_offs(books)
    books.order("O2", line(1, "1", "10.01"))
    books.invoice("I2", "O2", cash_rounding=Decimal("0.05"), prepaid=Decimal(1))
    books.bill("I3", "1000")
    books.do(SendDunningNotice(instalment=1), "I3", on=LATER)
    books.receive("P2", "20")
    books.do(RefundPayment(amount=Decimal(5), reason="too much"), "P2")
    books.do(ReturnPayment(reason="no funds"), "P2")
    books.receive("P3", "7")
    customer, another = books.customer, books.register("another")
    books.customer = customer
    other = MoveOutPayment(to_payment_id=books.id("P4"), to_customer_id=another, reason="theirs")
    books.do(other, "P3")
    # All of the 20 are gone from the bank, where 5 had gone back before: the customer owes them, and what the reminder claims.
    found = balances(books, LATER)
    claimed = -Decimal(found["dunning_fees"]) - Decimal(found["interest"])
    assert Decimal(found["customer_claims"]) == claimed + 5
    assert set(found) == {account.value for account in Account}
    assert all(account.meaning for account in Account)


def test_the_largest_invoice_is_paid_by_one_payment(books: Books) -> None:
    """Each line and each invoice is at most what a payment can be; every digit arrives in the books."""
    books.order("O", line(1, "1", "840336134453780", "19"), line(2, "1", "840336134453780", "19"))
    one = (LineQuantity(line=1, quantity=Decimal(1)),)
    books.invoice("I", "O", lines=one)
    books.pay("P", "999999999999999.99", ("I", "999999999999998.20"))
    assert balances(books)["cash"] == "999999999999999.99"
    assert (balances(books)["unapplied_cash"], balances(books).get("receivables", "0")) == ("-1.79", "0")
    books.order("O2", line(1, "1", "840336134453780", "19"), line(2, "1", "840336134453780", "19"))
    refused = books.send(IssueInvoice(order_id=books.id("O2"), basis="ordered"), "I2")
    assert [(reason.code, reason.field) for reason in refused.reasons] == [("invoice_too_large", "lines")]
    more = PlaceOrder(reason="?", currency="EUR", lines=(line(1, "10", "100000000000000"),))
    assert [reason.code for reason in books.send(more, "O3").reasons] == ["line_too_large"]


class TestTheDatabaseRefuses:
    @pytest.fixture
    def projector(self, books: Books) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        books.bill("I", "100")
        books.catch_up()
        with books.database.connect(Role.PROJECTOR, autocommit=True) as connection:
            yield connection

    @staticmethod
    def copy(connection: psycopg.Connection[tuple[Any, ...]], table: str, *rows: dict[str, Any]) -> None:
        names = ", ".join(rows[0])
        with connection.cursor() as cursor, cursor.copy(f"COPY ltc_read.{physical(table)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(list(row.values()))

    @staticmethod
    def posting(line_no: int, amount: str, **other: Any) -> dict[str, Any]:
        return {"position": 10**6, "line_no": line_no, "account": "cash", "amount": amount, "currency": "EUR", **other}

    @staticmethod
    def moved(line_no: int, amount: str, opportunity: Any, **other: Any) -> dict[str, Any]:
        row = {"position": 10**6, "line_no": line_no, "opportunity_id": opportunity, "term": "cash", "amount": amount}
        return {**row, "currency": "EUR", **other}

    def test_an_unbalanced_entry(self, projector: psycopg.Connection[tuple[Any, ...]]) -> None:
        with pytest.raises(psycopg.errors.CheckViolation, match=r"journal__v\d+ does not add up to zero.*0\.01"):
            self.copy(projector, "journal", self.posting(1, "100"), self.posting(2, "-99.99"))
        self.copy(projector, "journal", self.posting(1, "100"), self.posting(2, "-100"))

    def test_an_entry_that_balances_only_across_currencies(self, projector: psycopg.Connection[tuple[Any, ...]]) -> None:
        with pytest.raises(psycopg.errors.CheckViolation, match="does not add up"):
            self.copy(projector, "journal", self.posting(1, "100"), self.posting(2, "-100", currency="USD"))

    @pytest.mark.parametrize("table", ["journal", "revenue_bridge"])
    def test_any_change_of_what_stands(self, projector: psycopg.Connection[tuple[Any, ...]], table: str) -> None:
        name = physical(table)
        for change in (f"UPDATE ltc_read.{name} SET amount = 2 * amount", f"DELETE FROM ltc_read.{name}"):
            with pytest.raises(psycopg.errors.CheckViolation, match="refused"):
                projector.execute(change)

    def test_a_bridge_with_a_residual(self, projector: psycopg.Connection[tuple[Any, ...]]) -> None:
        deal = uuid4()
        with pytest.raises(psycopg.errors.CheckViolation, match=r"revenue_bridge__v\d+ does not add up"):
            self.copy(projector, "revenue_bridge", self.moved(1, "5", deal), self.moved(2, "-5", uuid4()))
        self.copy(projector, "revenue_bridge", self.moved(1, "5", deal), self.moved(2, "-5", deal))

    @pytest.mark.parametrize("table", sorted(DATED))
    def test_a_movement_that_is_dated_before_what_it_acts_on(
        self, projector: psycopg.Connection[tuple[Any, ...]], table: str
    ) -> None:
        row = {"position": 10**6, "effective_on": DAY, "not_before": DAY, **({"line_no": 1} if DATED[table] else {})}
        if table == "journal":
            row |= {"account": "cash", "amount": "0", "currency": "EUR"}
        if table == "revenue_bridge":
            row |= {"term": "cash", "amount": "0", "currency": "EUR"}
        with pytest.raises(
            psycopg.errors.CheckViolation, match=f"a row of ltc_read.{physical(table)} breaks its check dated_in_order"
        ):
            self.copy(projector, table, row | {"not_before": DAY + timedelta(days=1)})
        self.copy(projector, table, row)
        self.copy(projector, table, row | {"position": 10**6 + 1, "not_before": None})

    def test_a_bridge_of_no_deal_with_a_residual(self, projector: psycopg.Connection[tuple[Any, ...]]) -> None:
        with pytest.raises(psycopg.errors.CheckViolation, match=r"revenue_bridge__v\d+ does not add up"):
            self.copy(projector, "revenue_bridge", self.moved(1, "5", None), self.moved(2, "-5", uuid4()))
        with pytest.raises(psycopg.errors.CheckViolation, match=r"revenue_bridge__v\d+ does not add up"):
            self.copy(projector, "revenue_bridge", self.moved(1, "5", None), self.moved(2, "-5.01", None))
        self.copy(projector, "revenue_bridge", self.moved(1, "5", None), self.moved(2, "-5", None))

    @pytest.mark.parametrize(
        ("table", "column"), [("open_items", "outstanding"), ("invoices", "balance"), ("payments", "unapplied")]
    )
    def test_a_balance_that_does_not_add_up(self, books: Books, table: str, column: str) -> None:
        books.bill("I", "100")
        books.pay("P", "40")
        books.catch_up()
        change = f"UPDATE ltc_read.{physical(table)} SET {column} = {column} + 1"
        with books.database.connect(Role.PROJECTOR) as connection, pytest.raises(psycopg.errors.CheckViolation, match="adds_up"):
            connection.execute(change)

    def test_the_reader_writes_nothing(self, books: Books) -> None:
        books.catch_up()
        with books.database.connect(Role.READER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO ltc_read.journal VALUES (1, 1)")


def test_an_event_that_does_not_add_up_stops_the_journal_before_it(books: Books) -> None:
    books.bill("I", "100")
    (issued,) = [record for record in books.store.stream(books.id("I")) if isinstance(record.event, InvoiceIssued)]
    wrong = issued.event.model_copy(update={"number": "INV-0", "tax": Decimal("0.01")})
    origin = issued.command_id, issued.correlation_id, issued.causation_id, issued.actor
    new = NewEvent(uuid4(), 1, wrong, books.customer, issued.occurred_at, issued.effective_on, *origin)
    position = books.store.append(Commit(events=[new])) + 1
    books.bill("J", "40")
    books.catch_up()
    with books.database.connect(Role.READER) as connection:
        failed = "SELECT failed_position, failed_event, error FROM ltc_read.projection_status WHERE name = 'journal'"
        (found,) = connection.execute(failed).fetchall()
    assert found[:2] == (position, "invoice.issued.v1")
    assert "does not add up to zero" in found[2]
    assert balances(books) == {"receivables": "100", "revenue": "-100"}


def test_the_same_event_twice_posts_once(books: Books) -> None:
    books.bill("I", "100")
    first = books.catch_up()
    assert books.catch_up() == first
    assert balances(books) == {"receivables": "100", "revenue": "-100"}


def test_what_an_event_says_is_what_is_posted(books: Books) -> None:
    books.order("O", line(1, "7", "9.99", "19"))
    books.invoice("I", "O")
    books.credit("C", "I", "20")
    books.catch_up()
    issued = next(record.event for record in books.store.stream(books.id("I")) if isinstance(record.event, InvoiceIssued))
    credited = next(record.event for record in books.store.stream(books.id("C")) if isinstance(record.event, CreditNoteIssued))
    expected = issued.net - credited.net, issued.tax - credited.tax
    with books.database.connect(Role.READER) as connection:
        sums = dict(connection.execute("SELECT account, -sum(amount) FROM ltc_read.journal GROUP BY account").fetchall())
        kept = connection.execute(
            "SELECT recorded_at, invoice_id FROM ltc_read.journal WHERE document = 'credit_note'"
        ).fetchone()
    assert (sums["revenue"], sums["tax_payable"]) == expected
    assert kept is not None
    assert isinstance(kept[0], datetime)
    assert kept[1] == books.id("I")
