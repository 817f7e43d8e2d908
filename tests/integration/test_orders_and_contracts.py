"""Order tracking, billable and renewals, against figures worked out by hand."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.books import DAY, Books, line

from ltc_events.schemas.contract import RenewContract, SignContract, TerminateContract
from ltc_events.schemas.credit_note import CreditLine, CreditReason, IssueCreditNote
from ltc_events.schemas.order import AmendOrder, CancelOrder, LineQuantity, PlaceOrder, ReportDelivery, ShipOrder
from ltc_events.store import Database, EventStore

TRACKED = ("status", "ordered", "delivered", "cancelled", "open", "invoiced")


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def deliver(books: Books, order: str, *parts: tuple[int, str], on: date = DAY) -> int:
    lines = tuple(LineQuantity(line=number, quantity=Decimal(quantity)) for number, quantity in parts)
    delivery = books.id(f"{order} {on} {parts}")
    return books.do(ReportDelivery(delivery_id=delivery, lines=lines), order, on=on)


class TestOrderTracking:
    def test_from_placed_to_delivered(self, books: Books) -> None:
        books.order("O", line(1, "3", "10"), line(2, "1", "0.10"), on=day(0), requested_delivery_on=day(5))
        deliver(books, "O", (1, "1"), on=day(2))
        books.invoice("I", "O", basis="delivered", on=day(3))
        deliver(books, "O", on=day(7))
        columns = (*TRACKED, "days_late", "last_delivery_on")
        track = [books.rows("order-tracking", *columns, as_of=day(number)) for number in (0, 2, 3, 6, 7)]
        assert track == [
            [["placed", "30.1", "0", "0", "30.1", "0", None, None]],
            [["partly delivered", "30.1", "10", "0", "20.1", "0", None, day(2)]],
            [["partly delivered", "30.1", "10", "0", "20.1", "10", None, day(2)]],
            [["partly delivered", "30.1", "10", "0", "20.1", "10", 1, day(2)]],
            [["delivered", "30.1", "30.1", "0", "0", "10", None, day(7)]],
        ]

    def test_thirds_of_a_cent_add_up(self, books: Books) -> None:
        books.order("O", line(1, "3", "3.3366"))
        amounts = []
        for number in range(3):
            deliver(books, "O", (1, "1"), on=day(number))
            amounts += books.rows("order-tracking", "delivered", as_of=day(number))
        assert amounts == [["3.34"], ["6.67"], ["10.01"]]

    def test_amending_and_cancelling(self, books: Books) -> None:
        books.order("O", line(1, "3", "10"), line(2, "1", "5"))
        deliver(books, "O", (1, "1"), on=day(1))
        books.do(AmendOrder(reason="less", lines=(line(1, "2", "10"), line(3, "4", "1"))), "O", on=day(2))
        books.do(CancelOrder(reason="moved away"), "O", on=day(3))
        track = [books.rows("order-tracking", *TRACKED, as_of=day(number)) for number in (1, 2, 3)]
        assert track == [
            [["partly delivered", "35", "10", "0", "25", "0"]],
            [["partly delivered", "24", "10", "0", "14", "0"]],
            [["delivered", "24", "10", "14", "0", "0"]],
        ]
        assert books.rows("order-tracking", "status", as_of=day(3), status="open") == []

    def test_an_order_that_is_cancelled_before_anything_is_delivered(self, books: Books) -> None:
        books.order("O", line(1, "3", "10"))
        known = books.catch_up()
        books.do(CancelOrder(reason="moved away"), "O")
        assert books.rows("order-tracking", *TRACKED) == [["cancelled", "30", "0", "30", "0", "0"]]
        assert books.rows("order-tracking", *TRACKED, known_at=known) == [["placed", "30", "0", "0", "30", "0"]]

    def test_where_the_shipment_is(self, books: Books) -> None:
        books.order("O", line(1, "3", "10"), references={"shop": "4711", "erp": "S-1"})
        books.do(ShipOrder(shipment_id=books.id("first"), carrier="Mule", tracking="M1"), "O", on=day(1))
        books.do(ShipOrder(shipment_id=books.id("second"), carrier="Cart", tracking="C7"), "O", on=day(4))
        columns = ("reference", "shipped_on", "carrier", "tracking")
        assert books.rows("order-tracking", *columns, as_of=day(0)) == [["S-1, 4711", None, None, None]]
        assert books.rows("order-tracking", *columns, as_of=day(3)) == [["S-1, 4711", day(1), "Mule", "M1"]]
        assert books.rows("order-tracking", *columns, as_of=day(4)) == [["S-1, 4711", day(4), "Cart", "C7"]]


class TestBillable:
    COLUMNS = ("line", "ordered_quantity", "delivered_quantity", "invoiced_quantity", "billable_quantity", "billable")

    def test_what_is_delivered_and_not_billed(self, books: Books) -> None:
        books.order("O", line(1, "3", "3.3366"), line(2, "1", "5"))
        deliver(books, "O", (1, "2"), on=day(1))
        books.invoice("I", "O", basis="delivered", lines=(LineQuantity(line=1, quantity=Decimal(1)),), on=day(2))
        assert books.rows("billable", *self.COLUMNS, as_of=day(0)) == []
        assert books.rows("billable", *self.COLUMNS, as_of=day(1)) == [[1, "3", "2", "0", "2", "6.67"]]
        assert books.rows("billable", *self.COLUMNS, as_of=day(2)) == [[1, "3", "2", "1", "1", "3.33"]]
        ordered = [[1, "3", "2", "1", "2", "6.67"], [2, "1", "0", "0", "1", "5"]]
        assert books.rows("billable", *self.COLUMNS, as_of=day(2), basis="ordered") == ordered

    def test_what_was_delivered_stays_billable_when_the_rest_is_cancelled(self, books: Books) -> None:
        books.order("O", line(1, "3", "10"), line(2, "1", "5"))
        deliver(books, "O", (1, "1"))
        books.do(CancelOrder(reason="moved away"), "O")
        for basis in ("ordered", "delivered"):
            assert books.rows("billable", *self.COLUMNS, basis=basis) == [[1, "1", "1", "0", "1", "10"]]

    def test_what_a_credit_note_says_is_billed_again(self, books: Books) -> None:
        books.open("D", "35")
        books.order("O", line(1, "3", "10"), line(2, "1", "5"), deal="D")
        deliver(books, "O")
        books.close_deal("D")
        known = books.invoice("I", "O")
        lines = (CreditLine(line=1, quantity=Decimal(2)), CreditLine(line=2, bill_again=False))
        command = IssueCreditNote(invoice_id=books.id("I"), reason=CreditReason.OTHER, bill_again=True, lines=lines)
        books.do(command, "N", on=day(2))
        assert books.rows("billable", *self.COLUMNS, as_of=day(2)) == [[1, "3", "3", "1", "2", "20"]]
        assert books.rows("billable", *self.COLUMNS, as_of=day(1)) == []
        assert books.rows("billable", *self.COLUMNS, as_of=day(2), known_at=known) == []
        bridge = ("not_billed", "invoiced", "credited", "revenue")
        assert books.rows("revenue-vs-opportunity", *bridge, as_of=day(2)) == [["-20", "15", "-5", "10"]]
        assert books.rows("order-tracking", "delivered", "invoiced", as_of=day(2)) == [["35", "15"]]
        books.invoice("I2", "O", on=day(3))
        assert books.rows("billable", *self.COLUMNS, as_of=day(3)) == []
        assert books.rows("revenue-vs-opportunity", *bridge, as_of=day(3)) == [["0", "35", "-5", "30"]]

    def test_it_names_the_quote_and_its_lines(self, books: Books) -> None:
        books.open("D", "100")
        books.quote("Q", "D", line(1, "2", "10"), line(5, "1", "80"))
        books.do(PlaceOrder(quote_id=books.id("Q")), "O")
        deliver(books, "O")
        columns = ("quote_id", "quote_revision", "quote_line", "sku", "billable")
        assert books.rows("billable", *columns) == [[books.id("Q"), 1, 1, "A-1", "20"], [books.id("Q"), 1, 5, "A-5", "80"]]

    def test_a_line_is_worded_as_it_was_then(self, books: Books) -> None:
        books.order("O", line(1, "2", "10"))
        known = deliver(books, "O", (1, "1"))
        other = line(1, "2", "10").model_copy(update={"sku": "B-1", "description": "another name"})
        books.do(AmendOrder(reason="renamed", lines=(other,)), "O", on=day(3))
        columns = ("sku", "description", "billable")
        assert books.rows("billable", *columns, as_of=day(2)) == [["A-1", "article 1", "10"]]
        assert books.rows("billable", *columns, as_of=day(3)) == [["B-1", "another name", "10"]]
        assert books.rows("billable", *columns, as_of=day(3), known_at=known) == [["A-1", "article 1", "10"]]

    def test_all_that_is_billable_is_what_an_invoice_takes(self, books: Books) -> None:
        books.order("O", line(1, "7", "1.111"), line(2, "3", "0.017"))
        deliver(books, "O", (1, "3"), (2, "1"))
        (total,) = books.result("billable").totals["billable"].values()
        books.invoice("I", "O", basis="delivered")
        assert books.rows("billable", *self.COLUMNS) == []
        assert books.rows("receivables-aging", "invoiced") == [[f"{total.normalize():f}"]]


class TestRenewals:
    COLUMNS = ("title", "ends_on", "days_left", "notice_on", "notice_days_left", "value", "renewals", "next_step")

    def sign(self, books: Books, contract: str, ends_on: date, **more: Any) -> int:
        terms: dict[str, Any] = {"value": Decimal(1200), "notice_days": 30, "auto_renew": False, **more}
        command = SignContract(
            title=contract, starts_on=day(0), ends_on=ends_on, currency="EUR", terms="as usual", signed_by="Mr Mill", **terms
        )
        return books.do(command, contract)

    def test_what_ends_soon_and_when_notice_is_due(self, books: Books) -> None:
        self.sign(books, "A", day(100))
        self.sign(books, "B", day(60), auto_renew=True)
        rows = books.rows("renewals", *self.COLUMNS, as_of=day(20))
        b = ["B", day(60), 40, day(30), 10, "1200", 0, "give notice or let it renew"]
        assert rows == [b, ["A", day(100), 80, day(70), 50, "1200", 0, "renew or let it end"]]
        assert books.rows("renewals", "title", as_of=day(20), days=40) == [["B"]]
        assert books.rows("renewals", "title", as_of=day(20), days=39) == []
        late = books.rows("renewals", "title", "notice_days_left", "next_step", as_of=day(31), days=30)
        assert late == [["B", -1, "renews by itself"]]
        assert books.rows("renewals", "title", as_of=day(61)) == [["A"]]

    def test_renewed_and_terminated_as_of_and_as_known(self, books: Books) -> None:
        signed = self.sign(books, "A", day(50))
        books.do(RenewContract(ends_on=day(80), value=Decimal(1500)), "A", on=day(10))
        books.do(TerminateContract(ends_on=day(70), reason="moved away"), "A", on=day(20))
        columns = ("ends_on", "value", "renewals", "notice_on")
        assert books.rows("renewals", *columns, as_of=day(9)) == [[day(50), "1200", 0, day(20)]]
        assert books.rows("renewals", *columns, as_of=day(19)) == [[day(80), "1500", 1, day(50)]]
        assert books.rows("renewals", *columns, as_of=day(20)) == []
        assert books.rows("renewals", *columns, as_of=day(20), known_at=signed) == [[day(50), "1200", 0, day(20)]]
