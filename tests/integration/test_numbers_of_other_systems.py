"""Documents of another system keep their numbers in the ledger: found by them, and each is there once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from tests.commands import send
from tests.integration.books import DAY, Books, line

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.store import Database, EventStore, Role

NUMBER = "2680537112"
WRITERS = 4


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Books:
    return Books(database, event_store)


def order(books: Books, name: str) -> UUID:
    books.order(name, line(1, "1", "100"))
    return books.id(name)


def test_an_invoice_is_explained_and_listed_by_the_number_that_it_had(books: Books) -> None:
    books.do(IssueInvoice(order_id=order(books, "order"), basis="ordered", number=NUMBER), "invoice")
    assert explain_invoice(books.store, NUMBER, DAY, 100)
    books.catch_up()
    with books.database.connect(Role.READER) as reader:
        assert reader.execute("SELECT number, gross FROM ltc_read.invoices").fetchall() == [(NUMBER, 100)]


def test_the_numbers_of_ours_go_on_beside_them(books: Books) -> None:
    books.do(IssueInvoice(order_id=order(books, "first"), basis="ordered"), "a")
    books.do(IssueInvoice(order_id=order(books, "second"), basis="ordered", number="RE-2025-000017"), "b")
    books.do(IssueInvoice(order_id=order(books, "third"), basis="ordered"), "c")
    assert explain_invoice(books.store, f"INV-{DAY.year}-000002", DAY, 100)
    refused = books.send(IssueInvoice(order_id=order(books, "fourth"), basis="ordered", number=f"INV-{DAY.year}-000003"), "d")
    assert [(one.code, one.field) for one in refused.reasons] == [("number_of_ours", "number")]


def test_of_several_writers_at_once_one_has_the_number(books: Books, database: Database) -> None:
    orders = [order(books, f"order {index}") for index in range(WRITERS)]

    def issue(order_id: UUID) -> Outcome:
        with EventStore(database, Role.WRITER) as store:
            command = IssueInvoice(order_id=order_id, basis="ordered", number=NUMBER)
            (outcome,) = CommandPipeline(store, SystemClock()).submit([send(command, uuid4(), books.customer)])
        assert isinstance(outcome, Outcome)
        return outcome

    with ThreadPoolExecutor(WRITERS) as writers:
        outcomes = list(writers.map(issue, orders))
    assert sorted(one.status for one in outcomes) == [Status.ACCEPTED, *[Status.REFUSED] * (WRITERS - 1)]
    assert {one.reasons[0].code for one in outcomes if one.reasons} == {"number_taken"}
