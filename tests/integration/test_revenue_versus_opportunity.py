"""From what a deal was won for to the cash it brought: every difference has its name, and nothing is left over."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.books import DAY, Books, line, rows_of, short

from ltc_events.projections.tables.bridge_terms import Term
from ltc_events.schemas.credit_note import ApplyCreditNote, RefundCreditNote
from ltc_events.schemas.invoice import DocumentCharge
from ltc_events.schemas.opportunity import LoseOpportunity, LossReason, ReopenOpportunity
from ltc_events.schemas.order import AmendOrder, CancelOrder, LineQuantity, PlaceOrder, ReportDelivery
from ltc_events.schemas.payment import RefundPayment, ReturnPayment
from ltc_events.schemas.receivable import WriteOffInvoice
from ltc_events.store import Database, EventStore, Role

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
    "unapplied",
)
AMOUNTS = ("won_amount", *DIFFERENCES, "cash")
FAR = DAY + timedelta(days=400)


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def bridge(books: Books, as_of: date = DAY, known_at: int | None = None) -> dict[str, str]:
    """The only row's amounts that are not zero; what is the same in every report is checked on the way."""
    ((_, amounts),) = bridges(books, as_of, known_at)
    return amounts


def bridges(books: Books, as_of: date = DAY, known_at: int | None = None, **parameters: Any) -> list[tuple[str, dict[str, str]]]:
    """Each row's status, and its amounts that are not zero; residuals and ties are checked on the way."""
    result = books.result("revenue-vs-opportunity", as_of, known_at, **parameters)
    assert [tie.difference for tie in result.ties] == [0] * len(result.ties)
    return [_amounts(row) for row in rows_of(result)]


def _amounts(row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    amounts = {name: row[name] for name in AMOUNTS}
    assert row["residual"] == 0
    assert sum(amounts[name] for name in DIFFERENCES) + amounts["won_amount"] == amounts["cash"]
    return row["status"], {name: short(amount) for name, amount in amounts.items() if amount}


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
    # 1.73 of the 10.40 given up is tax, which is owed no longer.
    assert bridge(books, day(4)) == {**still, "tax": "66.67", "written_off": "-8.67", "cash": "400"}
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
    assert bridge(books) == {"won_amount": "1000", "scope_change": "300", "discount": "-130", "not_delivered": "-1170"}


def test_an_extra_order_does_not_hide_the_discount(books: Books) -> None:
    placed(books, "D", "100", line(1, "1", "100"), discount="20")
    assert bridge(books) == {"won_amount": "100", "discount": "-20", "not_delivered": "-80"}
    books.order("O", line(1, "1", "50"), deal="D", on=day(1))
    assert bridge(books, day(1)) == {"won_amount": "100", "discount": "-20", "scope_change": "50", "not_delivered": "-130"}
    assert bridge(books) == {"won_amount": "100", "discount": "-20", "not_delivered": "-80"}


def test_what_is_ordered_beyond_one_quote_does_not_hide_what_is_not_ordered_of_another(books: Books) -> None:
    books.open("D", "100")
    books.quote("Q", "D", line(1, "1", "60"))
    books.quote("R", "D", line(1, "1", "40"))
    books.close_deal("D", "Q")
    books.order("O", line(1, "1", "30"), deal="D")
    assert bridge(books) == {"won_amount": "100", "scope_change": "30", "not_ordered": "-100", "not_delivered": "-30"}


def test_a_quote_that_is_ordered_again_after_its_order_was_cancelled(books: Books) -> None:
    placed(books, "D", "100", line(1, "1", "100"))
    books.do(CancelOrder(reason="late"), "order of D")
    books.do(PlaceOrder(quote_id=books.id("quote of D")), "again")
    assert bridge(books) == {"won_amount": "100", "scope_change": "100", "cancelled": "-100", "not_delivered": "-100"}


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


def test_what_no_deal_brought_has_a_row_of_each_customer(books: Books) -> None:
    books.bill("I", "100")
    books.pay("P", "30")
    books.pay("O", "50", ("I", "20"), on=day(1))
    assert bridges(books) == [("no opportunity", {"scope_change": "100", "not_delivered": "-100", "billed_ahead": "100",
                                                  "unpaid": "-70", "cash": "30"})]  # fmt: skip
    later = {"scope_change": "100", "not_delivered": "-100", "billed_ahead": "100", "unpaid": "-50", "unapplied": "30"}
    assert bridges(books, day(1)) == [("no opportunity", {**later, "cash": "80"})]
    mill, other = books.customer, books.register("Other")
    assert bridges(books, day(1), customer=other) == []
    books.receive("Q", "5", on=day(1))
    assert bridges(books, day(1), customer=other) == [("no opportunity", {"unapplied": "5", "cash": "5"})]
    assert [status for status, _ in bridges(books, day(1))] == ["no opportunity"] * 2
    assert bridges(books, day(1), customer=mill) == [("no opportunity", {**later, "cash": "80"})]


def test_a_deal_that_is_not_won_has_a_row_once_it_is_ordered(books: Books) -> None:
    books.open("D", "1000")
    books.quote("Q", "D", line(1, "1", "1000", "19"), discount="10")
    books.do(PlaceOrder(quote_id=books.id("Q")), "O", on=day(1))
    books.invoice("I", "O", on=day(2))
    books.close_deal("D", "Q", on=day(3))
    assert bridges(books) == []
    ordered = {"scope_change": "1000", "discount": "-100", "not_delivered": "-900"}
    assert bridges(books, day(1)) == [("not won", ordered)]
    billed = {**ordered, "billed_ahead": "900", "tax": "171", "unpaid": "-1071"}
    assert bridges(books, day(2)) == [("not won", billed)]
    del billed["scope_change"]
    assert bridges(books, day(3)) == [("won", {**billed, "won_amount": "1000"})]


def test_a_deal_that_is_lost_keeps_what_was_billed_for_it(books: Books) -> None:
    books.open("D", "1000")
    books.order("O", line(1, "1", "70"), deal="D")
    books.invoice("I", "O")
    books.do(LoseOpportunity(reason=LossReason.PRICE), "D", on=day(2))
    billed = {"scope_change": "70", "not_delivered": "-70", "billed_ahead": "70", "unpaid": "-70"}
    assert bridges(books, day(1)) == [("not won", billed)]
    assert bridges(books, day(2)) == [("lost", billed)]


def test_a_deal_that_is_opened_again_is_what_it_was_on_each_day(books: Books) -> None:
    books.open("D", "1000")
    books.order("O", line(1, "1", "70"), deal="D")
    books.invoice("I", "O")
    lost = books.do(LoseOpportunity(reason=LossReason.PRICE), "D", on=day(2))
    books.do(ReopenOpportunity(reason="they called back"), "D", on=day(4))
    won = books.close_deal("D", on=day(6))
    books.do(ReopenOpportunity(reason="another deal was meant"), "D", on=day(8))
    billed = {"scope_change": "70", "not_delivered": "-70", "billed_ahead": "70", "unpaid": "-70"}
    sold = {"won_amount": "1000", "not_ordered": "-930", "not_delivered": "-70", "billed_ahead": "70", "unpaid": "-70"}
    for on, status, bridge in ((1, "not won", billed), (2, "lost", billed), (4, "not won", billed), (6, "won", sold)):
        assert bridges(books, day(on)) == [(status, bridge)]
    assert bridges(books, day(8)) == [("not won", billed)]
    assert bridges(books, FAR, lost) == [("lost", billed)]
    assert bridges(books, FAR, won) == [("won", sold)]


def test_a_deal_that_was_won_by_a_quote_and_opened_again_leaves_what_the_quote_says(books: Books) -> None:
    books.open("D", "1000")
    books.quote("Q", "D", line(1, "1", "900"))
    books.close_deal("D", "Q", on=day(2))
    books.do(ReopenOpportunity(reason="not signed yet"), "D", on=day(3))
    assert bridges(books, day(3)) == []
    books.close_deal("D", "Q", on=day(4))
    assert bridges(books, day(4)) == bridges(books, day(2))


def test_credit_of_one_deal_that_pays_another_one(books: Books) -> None:
    for deal in ("D", "E"):
        books.win(deal, "100")
        books.order(f"order of {deal}", line(1, "1", "100"), deal=deal)
        books.invoice(f"invoice of {deal}", f"order of {deal}")
    books.pay("P", "100", ("invoice of D", "100"))
    books.credit("C", "invoice of D", "40")
    books.do(ApplyCreditNote(), "C")
    (_, first), (_, second) = sorted(bridges(books), key=lambda row: row[1]["cash"], reverse=True)
    assert (first["cash"], second["cash"]) == ("60", "40")
    head = books.catch_up()
    for position in range(head + 1):
        bridges(books, FAR, position)


def test_it_ties_to_the_books_at_every_position_and_in_every_currency(books: Books) -> None:
    placed(books, "D", "1000", line(1, "10", "90", "20"), discount="5")
    books.invoice("I", "order of D")
    books.bill("J", "70", on=day(1), currency="JPY")
    books.pay("P", "1500", on=day(2))
    books.pay("Q", "99", on=day(3), currency="JPY")
    books.credit("C", "I", "100", on=day(4))
    books.do(RefundCreditNote(reason="asked for"), "C", on=day(5))
    books.do(RefundPayment(reason="too much", amount=Decimal(2)), "Q", on=day(5))
    books.do(ReturnPayment(reason="no funds"), "P", on=day(6))
    head = books.catch_up()
    for position in range(head + 1):
        bridges(books, date.max, position)
    for as_of in (date.min, *map(day, range(7))):
        bridges(books, as_of)
    ties = books.result("revenue-vs-opportunity", date.max).ties
    assert [(tie.column, tie.currency, short(tie.total), short(tie.booked)) for tie in ties] == [
        ("revenue", "EUR", "755", "755"),
        ("revenue", "JPY", "70", "70"),
        ("cash", "EUR", "-120", "-120"),
        ("cash", "JPY", "97", "97"),
    ]


def test_a_total_that_does_not_tie_is_seen(books: Books) -> None:
    """The guard guards: what is in the books beside the report stands at its foot."""
    books.bill("I", "70")
    books.catch_up()
    with books.database.connect(Role.PROJECTOR) as connection:
        connection.execute(
            "INSERT INTO ltc_read.journal (position, line_no, effective_on, account, amount, currency)"
            " VALUES (1, 1, '2026-01-01', 'cash', 5, 'EUR'), (1, 2, '2026-01-01', 'rounding', -5, 'EUR')"
        )
    cash = next(tie for tie in books.result("revenue-vs-opportunity").ties if tie.column == "cash")
    assert (cash.total, cash.booked, cash.difference) == (0, 5, -5)


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
