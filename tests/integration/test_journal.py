"""The double-entry journal: what each document posts, and that nothing unbalanced ever stands in it."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.integration.books import DAY, Books, line

from ltc_events.projections.accounts import Account
from ltc_events.schemas.credit_note import CreditNoteIssued
from ltc_events.schemas.invoice import DocumentCharge, InvoiceIssued, WriteOffInvoice
from ltc_events.schemas.payment import RefundPayment, ReturnPayment, UnallocatePayment
from ltc_events.store import Commit, Database, EventStore, NewEvent, Role

TOMORROW = date(2026, 1, 2)


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


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
    assert balances(books) == {"cash": "0", "receivables": "100", "revenue": "-100", "unapplied_cash": "0"}


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
    assert set(balances(books)) == {account.value for account in Account}
    assert all(account.meaning for account in Account)


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
        with connection.cursor() as cursor, cursor.copy(f"COPY ltc_read.{table}__v1 ({names}) FROM STDIN") as copy:
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
        with pytest.raises(psycopg.errors.CheckViolation, match=r"journal__v1 does not add up to zero.*0\.01"):
            self.copy(projector, "journal", self.posting(1, "100"), self.posting(2, "-99.99"))
        self.copy(projector, "journal", self.posting(1, "100"), self.posting(2, "-100"))

    def test_an_entry_that_balances_only_across_currencies(self, projector: psycopg.Connection[tuple[Any, ...]]) -> None:
        with pytest.raises(psycopg.errors.CheckViolation, match="does not add up"):
            self.copy(projector, "journal", self.posting(1, "100"), self.posting(2, "-100", currency="USD"))

    @pytest.mark.parametrize("table", ["journal", "revenue_bridge"])
    def test_any_change_of_what_stands(self, projector: psycopg.Connection[tuple[Any, ...]], table: str) -> None:
        for change in (f"UPDATE ltc_read.{table}__v1 SET amount = 2 * amount", f"DELETE FROM ltc_read.{table}__v1"):
            with pytest.raises(psycopg.errors.CheckViolation, match="refused"):
                projector.execute(change)

    def test_a_bridge_with_a_residual(self, projector: psycopg.Connection[tuple[Any, ...]]) -> None:
        deal = uuid4()
        with pytest.raises(psycopg.errors.CheckViolation, match="revenue_bridge__v1 does not add up"):
            self.copy(projector, "revenue_bridge", self.moved(1, "5", deal), self.moved(2, "-5", uuid4()))
        self.copy(projector, "revenue_bridge", self.moved(1, "5", deal), self.moved(2, "-5", deal))

    @pytest.mark.parametrize(
        ("table", "column"), [("open_items", "outstanding"), ("invoices", "balance"), ("payments", "unapplied")]
    )
    def test_a_balance_that_does_not_add_up(self, books: Books, table: str, column: str) -> None:
        books.bill("I", "100")
        books.pay("P", "40")
        books.catch_up()
        change = f"UPDATE ltc_read.{table}__v1 SET {column} = {column} + 1"
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
