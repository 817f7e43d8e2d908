"""The stories of orders, quotes, deals, payments and balances say what the read tables say, and every sum comes out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.books import DAY, Books, line

from ltc_events.explanation.account import explain_customer, explain_payment
from ltc_events.explanation.sale import explain_opportunity, explain_order, explain_quote
from ltc_events.explanation.story import NotThere
from ltc_events.reports.runner import run
from ltc_events.schemas.order import PlaceOrder
from ltc_events.simulation import ENDS_ON
from ltc_events.store import Database, EventStore, Role

TELLERS = {"orders": explain_order, "quotes": explain_quote, "opportunities": explain_opportunity, "payments": explain_payment}
FIGURES = {
    "orders": "SELECT order_id, net - cancelled FROM ltc_read.orders",
    "quotes": "SELECT quote_id, coalesce(net, 0) FROM ltc_read.quotes",
    "opportunities": "SELECT opportunity_id, amount FROM ltc_read.opportunities",
    "payments": "SELECT payment_id, unapplied FROM ltc_read.payments",
}


@pytest.fixture
def store(company: Database) -> Iterator[EventStore]:
    store = EventStore(company, Role.PROJECTOR)
    yield store
    store.close()


def query(database: Database, statement: str) -> list[tuple[Any, ...]]:
    with database.connect(Role.READER) as reader:
        return reader.execute(statement.encode()).fetchall()


@pytest.mark.parametrize("what", list(TELLERS))
def test_each_has_the_figure_of_its_read_table(company: Database, store: EventStore, what: str) -> None:
    head = store.head()[0]
    found = query(company, FIGURES[what])
    assert len(found) > 20
    for id, figure in found:
        story = TELLERS[what](store, id, date(2199, 12, 31), head)
        assert (story.broken, story.balance) == ([], figure), story.number


def test_each_balance_is_that_of_the_aging_at_any_state(company: Database, store: EventStore) -> None:
    head = store.head()[0]
    seen = 0
    for as_of, known_at in ((ENDS_ON, head), (date(2026, 3, 1), head), (ENDS_ON, store.command_end(head // 2))):
        aging = run(company, "receivables-aging", as_of=as_of, known_at=known_at, parameters={"per": "customer"})
        places = {column.name: place for place, column in enumerate(aging.columns)}
        for row in aging.rows:
            story = explain_customer(store, row[places["customer_id"]], row[places["currency"]], as_of, known_at)
            assert (story.broken, story.balance) == ([], row[places["outstanding"]])
            seen += 1
    assert seen > 20


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    books = Books(database, event_store)
    yield books
    books.close()


@pytest.fixture
def sold(books: Books) -> Books:
    """A deal won by a quote of 95, ordered with what another system calls it, billed, and half paid."""
    books.open("deal", "95")
    books.quote("quote", "deal", line(1, "1", "100"), discount="5")
    books.close_deal("deal", "quote")
    books.do(PlaceOrder(quote_id=books.id("quote"), references={"shop": "S-4711"}), "order")
    books.invoice("invoice", "order", references={"shop": "2680537112"})
    books.pay("P 1", "60", ("invoice", "45"))
    return books


def texts(document: dict[str, Any]) -> list[str]:
    return [document["text"], *(text for child in document.get("children", ()) for text in texts(child))]


def test_the_story_of_an_order_tells_where_it_comes_from_and_what_is_owed(sold: Books) -> None:
    story = explain_order(sold.store, sold.id("order"), DAY, 1_000)
    told = texts(story.root.document())
    assert (story.kind, story.number, story.balance, story.broken) == ("order", "S-4711", 95, [])
    assert {"Opportunity", "Quote", "Order", "Billed", "Ordered by this order", "Still owed"} <= set(told)
    (owed,) = [node.amount for node in story.root.walk() if node.text == "Still owed"]
    assert owed == 50
    assert "Order" in texts(explain_opportunity(sold.store, sold.id("deal"), DAY, 1_000).root.document())
    assert any("volume" in one for one in texts(explain_quote(sold.store, sold.id("quote"), DAY, 1_000).root.document()))


def test_the_story_of_a_payment_and_of_a_balance(sold: Books) -> None:
    story = explain_payment(sold.store, sold.id("P 1"), DAY, 1_000)
    assert (story.number, story.balance, story.broken) == ("P 1", 15, [])
    assert [node.amount for node in story.root.children] == [60, -45, 15]
    balance = explain_customer(sold.store, sold.customer, None, DAY, 1_000)
    assert (balance.balance, balance.currency) == (50 - 15, "EUR")
    sections = {section.text: section.amount for section in balance.root.children}
    assert sections == {"Invoices": Decimal(50), "Unapplied cash": Decimal(-15)}


def test_what_is_not_there_is_not_told(sold: Books) -> None:
    tellers = ((explain_order, "order"), (explain_quote, "quote"), (explain_opportunity, "deal"), (explain_payment, "P 1"))
    for teller, thing in tellers:
        id = sold.id(thing)
        for asked in ((uuid4(), DAY, 1_000), (id, date(2025, 1, 1), 1_000), (id, DAY, 1), (sold.customer, DAY, 1_000)):
            with pytest.raises(NotThere):
                teller(sold.store, *asked)
    with pytest.raises(NotThere):
        explain_customer(sold.store, UUID(int=1), None, DAY, 1_000)


def ltc(database: Database, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LTC_DATABASE_URL": database.conninfo, "LTC_LOG_FORMAT": "console"}
    command = [sys.executable, "-m", "ltc_events", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_line_takes_numbers_of_other_systems(sold: Books) -> None:
    def told(*words: str) -> dict[str, Any]:
        done = ltc(sold.database, "explain", *words, "--json")
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    assert told("invoice", "2680537112") == told("invoice", told("invoice", "2680537112")["invoice"])
    assert "(shop 2680537112)" in str(told("invoice", "2680537112")["story"])
    assert sold.rows("receivables-aging", "number", "reference")[-1][1] == "2680537112"
    assert told("order", "s-4711")["balance"] == "95.00"
    assert told("opportunity", "deal")["opportunity"] == "deal"
    assert told("payment", "P 1")["balance"] == "15"
    assert told("customer", "Mill & Sons")["balance"] == told("customer", str(sold.customer), "--currency", "EUR")["balance"]
    assert told("quote", str(sold.id("quote")))["sums_broken"] == []
    for words in (("order", "2680537112"), ("invoice", "nothing"), ("payment", str(uuid4()))):
        assert ltc(sold.database, "explain", *words).returncode == 1, words
    shown = ltc(sold.database, "explain", "order", "S-4711").stdout
    assert "sums agree" in shown
