"""From what a deal was won for to the cash it brought: every difference has its name, and nothing is left over."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.books import DAY, Books, line, short

from ltc_events.projections.bridge import Term
from ltc_events.schemas.invoice import DocumentCharge, WriteOffInvoice
from ltc_events.schemas.order import AmendOrder, CancelOrder, LineQuantity, PlaceOrder, ReportDelivery
from ltc_events.schemas.payment import ReturnPayment
from ltc_events.store import Database, EventStore

DIFFERENCES = (
    "scope_change",
    "discount",
    "not_ordered",
    "amended",
    "cancelled",
    "not_delivered",
    "not_billed",
    "billed_ahead",
    "allowances",
    "charges",
    "credited",
    "tax",
    "rounding",
    "prepaid",
    "unpaid",
    "customer_credit",
    "written_off",
)
AMOUNTS = ("won_amount", *DIFFERENCES, "cash")


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def bridge(books: Books, as_of: date = DAY, known_at: int | None = None) -> dict[str, str]:
    """The only deal's amounts that are not zero; what is the same in every report is checked on the way."""
    (row,) = books.report("revenue-vs-opportunity", as_of, known_at)
    amounts = {name: row[name] for name in AMOUNTS}
    assert row["residual"] == 0
    assert sum(amounts[name] for name in DIFFERENCES) + amounts["won_amount"] == amounts["cash"]
    return {name: short(amount) for name, amount in amounts.items() if amount}


def placed(books: Books, deal: str, amount: str, *lines: Any, discount: str = "0") -> None:
    """A deal that is won by a quote, and ordered."""
    books.open(deal, amount)
    books.quote(f"quote of {deal}", deal, *lines, discount=discount)
    books.close_deal(deal, f"quote of {deal}")
    books.do(PlaceOrder(quote_id=books.id(f"quote of {deal}")), f"order of {deal}")


def deliver(books: Books, deal: str, *parts: tuple[int, str], on: date = DAY) -> int:
    lines = tuple(LineQuantity(line=number, quantity=Decimal(quantity)) for number, quantity in parts)
    return books.do(ReportDelivery(delivery_id=books.id(f"{deal} {parts} {on}"), lines=lines), f"order of {deal}", on=on)


def test_the_whole_way(books: Books) -> None:
    placed(books, "D", "1000", line(1, "10", "90", "20"), line(2, "1", "100", "20"), discount="5")
    assert bridge(books) == {"won_amount": "1000", "discount": "-50", "not_delivered": "-950"}
    deliver(books, "D", (1, "4"), on=day(1))
    # 4 of 10 at 855 are 342.
    assert bridge(books, day(1)) == {"won_amount": "1000", "discount": "-50", "not_delivered": "-608", "not_billed": "-342"}
    books.invoice("I", "order of D", basis="delivered", on=day(2))
    still = {"won_amount": "1000", "discount": "-50", "not_delivered": "-608", "tax": "68.4"}
    assert bridge(books, day(2)) == {**still, "unpaid": "-410.4"}
    books.pay("P", "400", on=day(3))
    assert bridge(books, day(3)) == {**still, "unpaid": "-10.4", "cash": "400"}
    books.do(WriteOffInvoice(reason="small"), "I", on=day(4))
    assert bridge(books, day(4)) == {**still, "written_off": "-10.4", "cash": "400"}
    books.credit("C", "I", "100", on=day(5))
    # It takes back what was written off before it gives credit.
    credited = {**still, "tax": "48.4", "credited": "-100", "customer_credit": "109.6", "cash": "400"}
    assert bridge(books, day(5)) == credited
    books.do(CancelOrder(reason="moved away"), "order of D", on=day(6))
    cancelled = {**credited, "cancelled": "-608"}
    del cancelled["not_delivered"]
    assert bridge(books, day(6)) == cancelled
    books.do(ReturnPayment(reason="no funds"), "P", on=day(7))
    returned = {**cancelled, "unpaid": "-400"}
    del returned["cash"]
    assert bridge(books, day(7)) == returned
    (row,) = books.report("revenue-vs-opportunity", day(7))
    assert (short(row["invoiced"]), short(row["revenue"])) == ("342", "242")


def test_each_date_and_position_has_its_own(books: Books) -> None:
    placed(books, "D", "100", line(1, "1", "100"))
    known = books.catch_up()
    deliver(books, "D", on=day(5))
    before = {"won_amount": "100", "not_delivered": "-100"}
    assert bridge(books, day(4)) == before
    assert bridge(books, day(5)) == {"won_amount": "100", "not_billed": "-100"}
    assert bridge(books, day(5), known) == before


def test_what_was_agreed_differs_from_what_it_was_won_for(books: Books) -> None:
    placed(books, "D", "1000", line(1, "1", "1300"), discount="10")
    assert bridge(books) == {"won_amount": "1000", "scope_change": "170", "not_delivered": "-1170"}


def test_a_shortfall_is_discount_as_far_as_one_was_given(books: Books) -> None:
    placed(books, "D", "1000", line(1, "1", "800"), discount="10")
    assert bridge(books) == {"won_amount": "1000", "discount": "-80", "scope_change": "-200", "not_delivered": "-720"}


def test_a_deal_that_is_won_without_a_quote_is_ordered_bit_by_bit(books: Books) -> None:
    books.win("D", "1000")
    assert bridge(books) == {"won_amount": "1000", "not_ordered": "-1000"}
    books.order("O", line(1, "1", "400"), deal="D")
    assert bridge(books) == {"won_amount": "1000", "not_ordered": "-600", "not_delivered": "-400"}
    books.order("P", line(1, "1", "700"), deal="D")
    assert bridge(books) == {"won_amount": "1000", "scope_change": "100", "not_delivered": "-1100"}


def test_a_quote_that_is_accepted_and_not_ordered(books: Books) -> None:
    books.open("D", "1000")
    books.quote("Q", "D", line(1, "1", "900"))
    books.quote("R", "D", line(1, "1", "60"))
    books.close_deal("D", "Q")
    assert bridge(books) == {"won_amount": "1000", "scope_change": "-40", "not_ordered": "-960"}
    books.do(PlaceOrder(quote_id=books.id("R")), "O")
    assert bridge(books) == {"won_amount": "1000", "scope_change": "-40", "not_ordered": "-900", "not_delivered": "-60"}


def test_a_deal_that_is_won_for_a_reason_although_it_has_a_quote(books: Books) -> None:
    books.open("D", "1000")
    books.quote("Q", "D", line(1, "1", "900"))
    books.close_deal("D")
    assert bridge(books) == {"won_amount": "1000", "scope_change": "-100", "not_ordered": "-900"}


def test_amendments_have_their_own_name(books: Books) -> None:
    placed(books, "D", "100", line(1, "1", "100"))
    books.do(AmendOrder(reason="more", lines=(line(1, "1", "100"), line(2, "2", "15"))), "order of D")
    assert bridge(books) == {"won_amount": "100", "amended": "30", "not_delivered": "-130"}


def test_billed_before_delivery(books: Books) -> None:
    placed(books, "D", "100", line(1, "1", "100"))
    books.invoice("I", "order of D", ("50", 0), ("50", 30))
    assert bridge(books) == {"won_amount": "100", "not_delivered": "-100", "billed_ahead": "100", "unpaid": "-100"}
    deliver(books, "D")
    assert bridge(books) == {"won_amount": "100", "unpaid": "-100"}


def test_what_one_order_billed_ahead_does_not_hide_what_another_has_not_billed(books: Books) -> None:
    books.win("D", "100")
    books.order("order of D", line(1, "1", "60"), deal="D")
    books.order("O", line(1, "1", "40"), deal="D")
    deliver(books, "D")
    books.invoice("I", "O")
    found = {"won_amount": "100", "not_delivered": "-40", "not_billed": "-60", "billed_ahead": "40", "unpaid": "-40"}
    assert bridge(books) == found


def test_allowances_charges_rounding_and_what_was_prepaid(books: Books) -> None:
    placed(books, "D", "100", line(1, "1", "100", "19"))
    deliver(books, "D")
    allowance = DocumentCharge(amount=Decimal(10), reason="loyalty", tax_rate=Decimal(19))
    charge = DocumentCharge(amount=Decimal("2.52"), reason="freight", tax_rate=Decimal(19))
    more: dict[str, Any] = {"allowances": (allowance,), "charges": (charge,), "cash_rounding": Decimal("0.05")}
    books.invoice("I", "order of D", prepaid=Decimal(20), **more)
    # 92.52 and 17.58 tax are 110.10; less 20 are 90.10.
    found = {"won_amount": "100", "allowances": "-10", "charges": "2.52", "tax": "17.58", "prepaid": "-20", "unpaid": "-90.1"}
    assert bridge(books) == found


def test_every_difference_names_its_events(books: Books) -> None:
    placed(books, "D", "1000", line(1, "1", "1000", "19"), discount="5")
    deliver(books, "D")
    books.invoice("I", "order of D")
    books.pay("P", "100")
    (row,) = books.report("revenue-vs-opportunity")
    types = {record.position: record.event.type for record in books.store.read(0, 1000)}
    named = {term: [types[position] for position in positions] for term, positions in row["events"].items()}
    assert named == {
        "won": ["opportunity.won.v1"],
        "scope_change": ["quote.accepted.v1", "opportunity.won.v1", "order.placed.v1"],
        "discount": ["order.placed.v1"],
        "not_ordered": ["quote.accepted.v1", "order.placed.v1"],
        "not_delivered": ["order.placed.v1", "order.delivered.v1"],
        "not_billed": ["order.delivered.v1", "invoice.issued.v1"],
        "tax": ["invoice.issued.v1"],
        "unpaid": ["invoice.issued.v1", "invoice.payment_applied.v1"],
        "cash": ["invoice.payment_applied.v1"],
    }


def test_a_deal_that_was_won_for_nothing_is_in_it(books: Books) -> None:
    books.win("D", "0")
    assert bridge(books) == {}
    books.order("O", line(1, "1", "70"), deal="D")
    assert bridge(books) == {"scope_change": "70", "not_delivered": "-70"}


def test_deals_that_are_not_won_are_not_in_it(books: Books) -> None:
    books.open("D", "1000")
    books.quote("Q", "D", line(1, "1", "900"))
    assert books.report("revenue-vs-opportunity") == []
    books.close_deal("D", "Q", on=day(3))
    assert books.report("revenue-vs-opportunity", day(2)) == []
    assert books.rows("revenue-vs-opportunity", "title", "won_on", as_of=day(3)) == [["D", day(3)]]


def test_every_term_is_a_column_of_the_report(books: Books) -> None:
    columns = {column.name for column in books.result("revenue-vs-opportunity").columns}
    assert {term.value for term in Term} - {"won"} <= columns
    assert all(term.meaning for term in Term)


def test_the_revenue_is_that_of_the_journal(books: Books) -> None:
    placed(books, "D", "1000", line(1, "10", "90", "20"), discount="5")
    deliver(books, "D", (1, "7"))
    books.invoice("I", "order of D", basis="delivered")
    books.credit("C", "I", "33.33")
    result = books.result("revenue-vs-opportunity")
    (posted,) = [row for row in books.report("trial-balance") if row["account"] == "revenue"]
    assert result.totals["revenue"] == {"EUR": -posted["balance"]}
