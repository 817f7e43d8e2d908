"""Money that came in for nobody known, or for the wrong customer: in the books, the reports and the story of an invoice."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.books import DAY, Books
from tests.ties import untied

from ltc_events.explanation.invoice import explain_invoice
from ltc_events.reports.changes import open_changes
from ltc_events.reports.changes_render import write_changes_json
from ltc_events.schemas.payment import (
    AllocatePayment,
    CancelMove,
    MoveInPayment,
    MoveOutPayment,
    RefundPayment,
    ReturnPayment,
)
from ltc_events.store import Database, EventStore

OUT, IN, BACK, END = (DAY + timedelta(days=days) for days in (10, 20, 30, 40))


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    """100 came in from nobody known; Mill & Sons owe 80."""
    books = Books(database, event_store)
    books.bill("I", "80")
    books.register("Unidentified receipts")
    books.receive("R 4711", "100")
    yield books
    books.close()


def move_out(books: Books, amount: str | None = None) -> None:
    some = None if amount is None else Decimal(amount)
    to, mill = books.id("found"), books.id("Mill & Sons")
    command = MoveOutPayment(to_payment_id=to, to_customer_id=mill, amount=some, reason="the remittance advice")
    books.do(command, "R 4711", on=OUT, customer=books.id("Unidentified receipts"))


def move_in(books: Books) -> None:
    books.do(MoveInPayment(from_payment_id=books.id("R 4711")), "found", on=IN, customer=books.id("Mill & Sons"))


def accounts(books: Books, on: Any) -> dict[str, str]:
    """What the accounts of money hold."""
    held = dict(map(tuple, books.rows("trial-balance", "account", "balance", as_of=on)))
    return {
        account: held[account] for account in ("cash", "unapplied_cash", "payments_in_transit") if held.get(account, "0") != "0"
    }


def in_transit(books: Books, on: Any) -> list[list[Any]]:
    columns = ("from_customer", "to_customer", "received_on", "since", "days", "in_transit")
    return books.rows("payments-in-transit", *columns, as_of=on)


def hold(books: Books) -> None:
    assert untied(books.database, [DAY, OUT, IN, BACK, END], [None]) == []


def test_it_is_in_transit_until_it_arrives(books: Books) -> None:
    move_out(books)
    move_in(books)
    books.do(AllocatePayment(), "found", on=IN, customer=books.id("Mill & Sons"))
    assert accounts(books, DAY) == {"cash": "100", "unapplied_cash": "-100"}
    assert accounts(books, OUT) == {"cash": "100", "payments_in_transit": "-100"}
    assert accounts(books, IN) == {"cash": "100", "unapplied_cash": "-20"}
    days = (IN - OUT).days - 1
    assert in_transit(books, DAY) == in_transit(books, IN) == []
    assert in_transit(books, IN - timedelta(days=1)) == [["Unidentified receipts", "Mill & Sons", DAY, OUT, days, "100"]]
    aged = books.rows("receivables-aging", "customer", "document", "days", "outstanding", as_of=END)
    assert aged == [["Mill & Sons", "payment", (END - DAY).days, "-20"]]
    hold(books)


def test_what_changed_in_the_report_names_the_event(books: Books) -> None:
    known = books.catch_up()
    move_out(books, "30")
    moved = books.catch_up()
    (added,) = changes(books, known)
    assert (added["change"], [event["position"] for event in added["events"]]) == ("added", [moved])
    move_in(books)
    (gone,) = changes(books, moved)
    assert (gone["change"], [event["type"] for event in gone["events"]]) == ("gone", ["payment.moved_in.v1"])


def changes(books: Books, since: int) -> list[dict[str, Any]]:
    books.catch_up()
    stream = io.StringIO()
    with open_changes(books.database, "payments-in-transit", since, as_of=END) as found:
        write_changes_json(found, stream)
    rows: list[dict[str, Any]] = json.loads(stream.getvalue())["rows"]
    return rows


def test_a_move_is_cancelled(books: Books) -> None:
    move_out(books, "60")
    unknown = books.id("Unidentified receipts")
    books.do(CancelMove(to_payment_id=books.id("found"), reason="another one"), "R 4711", on=IN, customer=unknown)
    assert accounts(books, OUT) == {"cash": "100", "unapplied_cash": "-40", "payments_in_transit": "-60"}
    assert accounts(books, IN) == {"cash": "100", "unapplied_cash": "-100"}
    hold(books)


def test_the_story_goes_back_to_what_the_bank_brought(books: Books) -> None:
    move_out(books, "90")
    move_in(books)
    end = books.do(AllocatePayment(), "found", on=IN, customer=books.id("Mill & Sons"))
    story = explain_invoice(books.store, "INV-2026-000001", END, end)
    assert (story.broken, story.balance) == ([], 0)
    paid = next(node for node in story.root.children if node.text == "Payment R 4711 applied")
    moved = next(node for node in paid.children if node.text.startswith("Moved here from payment"))
    assert str(books.id("Unidentified receipts")) in moved.text
    assert [(node.text, node.amount) for node in moved.children] == [
        ("Moved out there: the remittance advice", 90),
        ("Received by transfer", 100),
    ]


def test_the_bank_takes_back_what_was_moved(books: Books) -> None:
    """At once on the payment that the bank knows; the payment that it became then gives back what it took over."""
    mill, unknown = books.id("Mill & Sons"), books.id("Unidentified receipts")
    move_out(books, "90")
    move_in(books)
    books.do(AllocatePayment(), "found", on=IN, customer=mill)
    books.do(RefundPayment(reason="too much", amount=Decimal(10)), "found", on=IN, customer=mill)
    books.do(ReturnPayment(reason="recalled"), "R 4711", on=BACK, customer=unknown)
    assert accounts(books, BACK) == {"cash": "-10", "payments_in_transit": "90"}
    assert in_transit(books, BACK) == [["Unidentified receipts", "Mill & Sons", DAY, BACK, 0, "-90"]]
    (row,) = books.report("payments-in-transit", BACK)
    assert row["next_step"] == f"return payment {books.id('found')}"
    books.do(ReturnPayment(reason="recalled"), "found", on=END, customer=mill)
    assert accounts(books, END) == {"cash": "-10"}
    assert in_transit(books, END) == []
    owed = books.rows("receivables-aging", "document", "outstanding", as_of=END, customer=mill)
    assert sorted(owed) == [["claim", "10"], ["invoice", "80"]]
    hold(books)
