"""Whatever happens to a company's deals: the books balance, nothing is left over, and the read tables agree.

Histories are made of arbitrary commands through the pipeline; those that a rule refuses change nothing. Each example has
customers of its own in one database, so that reports of one customer are looked at beside the others'.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import TestServer
from tests.integration.books import DAY, Books, rows_of
from tests.property.money_history import Draw, History
from tests.property.profile import examples

from ltc_events.explanation.chain import NotYetAnInvoice
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.store import EventStore, Role


@pytest.fixture(scope="module")
def books(server: TestServer) -> Iterator[Books]:
    name = server.create()
    store = EventStore(server.at(name), Role.WRITER)
    books = Books(server.at(name), store)
    yield books
    books.close()
    store.close()
    server.drop(name)


def _rows(books: Books, query: str, customer: UUID) -> list[tuple[Any, ...]]:
    with books.database.connect(Role.READER) as connection:
        return connection.execute(query.encode(), {"customer": customer}).fetchall()


def _assert_balanced(books: Books, history: History, as_of: date, known_at: int | None) -> None:
    """Nothing is left over, and what ties to the books does: of the whole company, and of this customer."""
    for name in ("trial-balance", "dso", "receivables-aging", "revenue-vs-opportunity"):
        ties = books.result(name, as_of, known_at).ties
        assert [(tie.column, tie.currency) for tie in ties if tie.difference] == [], name
    for name in ("receivables-aging", "revenue-vs-opportunity"):
        result = books.result(name, as_of, known_at, customer=history.customer)
        assert [(tie.column, tie.currency) for tie in result.ties if tie.difference] == [], name
        assert all(row.get("residual", 0) == 0 for row in rows_of(result))


_JOURNAL = "SELECT coalesce(sum(amount), 0) FROM ltc_read.journal WHERE customer_id = %(customer)s AND account = "
# Money received that was not paid out. What the bank takes back of money that was refunded, or whose credit
# has been used, counts as received all the same: the customer owes it again, and may never pay it.
_LEFT_TO_PAY_OUT = """
    SELECT coalesce(sum(amount), 0)
    FROM ltc_read.journal
    WHERE customer_id = %(customer)s
        AND (account = 'cash' OR account = 'customer_claims' AND event = 'payment.returned.v1')
        AND (event <> 'payment.returned.v1'
             OR NOT EXISTS (SELECT FROM ltc_read.journal used WHERE used.customer_id = %(customer)s
                            AND used.event = ANY ('{credit_note.applied.v1,credit_note.refunded.v1}')
                            AND used.position < journal.position))"""
_DISAGREEMENTS = {
    "open items and their movements": """
        SELECT * FROM ltc_read.open_items o
        FULL JOIN (SELECT item_id, instalment, sum(amount) AS amount, max(position) AS position
                   FROM ltc_read.open_item_movements GROUP BY 1, 2) m USING (item_id, instalment)
        WHERE coalesce(o.customer_id, %(customer)s) = %(customer)s
            AND ((o.outstanding, o.last_position) <> (m.amount, m.position) OR m.amount IS NULL OR o.outstanding IS NULL)""",
    "invoices and their instalments": """
        SELECT * FROM ltc_read.invoices i
        LEFT JOIN (SELECT item_id, sum(outstanding) AS outstanding, sum(paid) AS paid, sum(credited) AS credited,
                          min(outstanding) AS least
                   FROM ltc_read.open_items GROUP BY item_id) o ON o.item_id = i.invoice_id
        WHERE i.customer_id = %(customer)s
            AND ((i.balance, i.paid, i.credited) IS DISTINCT FROM (o.outstanding, o.paid, o.credited) OR o.least < 0
                 OR (i.status = 'settled') <> (i.balance = 0))""",
    "payments and their open items": """
        SELECT * FROM ltc_read.payments p LEFT JOIN ltc_read.open_items o ON o.item_id = p.payment_id
        WHERE p.customer_id = %(customer)s AND (p.unapplied IS DISTINCT FROM -o.outstanding OR p.unapplied < 0)""",
    "credit notes and their open items": """
        SELECT * FROM ltc_read.credit_notes n LEFT JOIN ltc_read.open_items o ON o.item_id = n.credit_note_id
        WHERE n.customer_id = %(customer)s AND (n.unapplied <> -coalesce(o.outstanding, 0) OR n.unapplied < 0)""",
    "payments and their movements": """
        SELECT * FROM ltc_read.payments p
        LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM ltc_read.payment_movements GROUP BY 1) m USING (payment_id)
        WHERE p.customer_id = %(customer)s AND p.unapplied IS DISTINCT FROM m.amount""",
    "orders and their lines": """
        SELECT * FROM ltc_read.orders o
        LEFT JOIN (SELECT order_id, sum(ordered_net) AS net, sum(delivered_net) AS delivered, sum(cancelled_net) AS cancelled,
                          sum(invoiced_net) AS invoiced
                   FROM ltc_read.order_lines GROUP BY order_id) l USING (order_id)
        WHERE o.customer_id = %(customer)s
            AND (o.net, o.delivered, o.cancelled, o.invoiced) IS DISTINCT FROM (l.net, l.delivered, l.cancelled, l.invoiced)""",
    "order lines and their movements": """
        SELECT * FROM ltc_read.order_lines l
        LEFT JOIN (SELECT order_id, order_line AS line,
                          sum(amount) FILTER (WHERE kind IN ('ordered', 'amended')) AS ordered,
                          sum(quantity) FILTER (WHERE kind IN ('ordered', 'amended')) AS quantity,
                          coalesce(sum(amount) FILTER (WHERE kind = 'delivered'), 0) AS delivered,
                          coalesce(sum(amount) FILTER (WHERE kind = 'invoiced'), 0) AS invoiced,
                          coalesce(sum(quantity) FILTER (WHERE kind = 'invoiced'), 0) AS invoiced_quantity
                   FROM ltc_read.order_movements GROUP BY 1, 2) m USING (order_id, line)
        WHERE l.customer_id = %(customer)s
            AND (l.ordered_net, l.ordered_quantity, l.delivered_net, l.invoiced_net, l.invoiced_quantity)
                IS DISTINCT FROM (m.ordered, m.quantity, m.delivered, m.invoiced, m.invoiced_quantity)""",
    "orders with nothing open and what is delivered or cancelled": """
        SELECT * FROM ltc_read.orders
        WHERE customer_id = %(customer)s AND status <> 'open' AND net <> delivered + cancelled""",
    "the claims of the journal and their open items": f"""
        SELECT * FROM (SELECT coalesce(sum(outstanding), 0) AS owed FROM ltc_read.open_items
                       WHERE customer_id = %(customer)s AND kind = 'claim') i
        WHERE owed <> ({_JOURNAL} 'customer_claims')
            OR owed <> (SELECT coalesce(sum(balance), 0) FROM ltc_read.claims WHERE customer_id = %(customer)s)""",
    "cash and what the bank has": f"""
        SELECT * FROM (SELECT coalesce(sum(amount - refunded - returned), 0) AS bank FROM ltc_read.payments
                       WHERE customer_id = %(customer)s) b,
                      (SELECT coalesce(sum(refunded), 0) AS credit FROM ltc_read.credit_notes
                       WHERE customer_id = %(customer)s) n
        WHERE bank - credit <> ({_JOURNAL} 'cash')""",
    "the tax of the journal and the VAT report": f"""
        SELECT * FROM (SELECT coalesce(sum(tax), 0) AS tax FROM ltc_read.invoice_taxes WHERE customer_id = %(customer)s) t
        WHERE tax <> -({_JOURNAL} 'tax_payable')""",
    "the tax of the journal and of the bridge": f"""
        SELECT * FROM (SELECT coalesce(sum(amount), 0) AS tax FROM ltc_read.revenue_bridge
                       WHERE customer_id = %(customer)s AND term = 'tax') b
        WHERE tax <> ({_JOURNAL} 'tax_payable')""",
    "the bridge and the revenue of the journal": f"""
        SELECT * FROM (SELECT coalesce(sum(amount), 0) AS revenue FROM ltc_read.revenue_bridge
                       WHERE customer_id = %(customer)s AND term IN ('cash', 'unpaid', 'written_off', 'customer_credit',
                                                                     'unapplied', 'claims', 'prepaid', 'tax', 'rounding')) b
        WHERE revenue <> -({_JOURNAL} 'revenue')""",
}


@settings(max_examples=examples(20), deadline=None)
@given(data=st.data())
def test_the_books_balance_whatever_happens(books: Books, data: st.DataObject) -> None:
    history = History(books, data.draw(st.sampled_from(["EUR", "JPY", "KWD"])))
    for _ in range(data.draw(st.integers(8, 30))):
        history.step(data.draw)
    head = books.catch_up()
    # Not a position as such: the log is another one in each run of an example.
    middle = history.began + (head - history.began) * data.draw(st.integers(0, 100)) // 100
    day = DAY + timedelta(days=data.draw(st.integers(0, 120)))
    far = DAY + timedelta(days=400)
    for as_of, known_at in ((far, None), (far, middle), (day, None), (day, middle)):
        _assert_balanced(books, history, as_of, known_at)
    for what, query in _DISAGREEMENTS.items():
        assert _rows(books, query, history.customer) == [], what
    receivables = _rows(books, f"{_JOURNAL} 'receivables'", history.customer)[0][0]
    owed = _rows(books, f"{_JOURNAL} ANY ('{{unapplied_cash,customer_credits}}')", history.customer)[0][0]
    outstanding = books.result("receivables-aging", far, customer=history.customer).totals["outstanding"]
    claims = _rows(books, f"{_JOURNAL} 'customer_claims'", history.customer)[0][0]
    assert outstanding.get(history.currency, 0) == receivables + owed + claims
    assert _rows(books, _LEFT_TO_PAY_OUT, history.customer)[0][0] >= 0


@settings(max_examples=examples(10), deadline=None)
@given(data=st.data())
def test_what_is_recorded_later_changes_no_report_of_before(books: Books, data: st.DataObject) -> None:
    history = History(books, "EUR")
    for _ in range(data.draw(st.integers(8, 16))):
        history.step(data.draw)
    day = DAY + timedelta(days=data.draw(st.integers(0, 150)))
    known = books.catch_up()
    names = ("order-tracking", "billable", "receivables-aging", "collections", "revenue-vs-opportunity")
    seen = {name: books.report(name, day, customer=history.customer) for name in names}
    balance = books.report("trial-balance", day), books.report("dso", day)
    for _ in range(data.draw(st.integers(1, 12))):
        history.step(data.draw)
    for name in names:
        assert books.report(name, day, known, customer=history.customer) == seen[name], name
    assert (books.report("trial-balance", day, known), books.report("dso", day, known)) == balance


_NEGATIVE = """
    WITH moved AS (SELECT * FROM ltc_read.open_item_movements WHERE customer_id = %(customer)s),
         known AS (SELECT DISTINCT position AS known_at FROM moved),
         day AS (SELECT DISTINCT effective_on AS as_of FROM moved)
    SELECT known_at, as_of, item, item_id, instalment, sum(amount)
    FROM known CROSS JOIN day JOIN moved ON position <= known_at AND effective_on <= as_of
    GROUP BY known_at, as_of, item, item_id, instalment
    HAVING CASE WHEN item IN ('invoice', 'claim') THEN sum(amount) < 0 ELSE sum(amount) > 0 END"""
_BEFORE_THEIR_DOCUMENT = {
    "open items": """
        SELECT * FROM ltc_read.open_item_movements m JOIN ltc_read.open_items d USING (item_id, instalment)
        WHERE m.customer_id = %(customer)s AND m.effective_on < d.document_on""",
    "payments": """
        SELECT * FROM ltc_read.payment_movements m JOIN ltc_read.payments d USING (payment_id)
        WHERE m.customer_id = %(customer)s AND m.effective_on < d.received_on""",
    "invoices in the journal": """
        SELECT * FROM ltc_read.journal m JOIN ltc_read.invoices d USING (invoice_id)
        WHERE m.customer_id = %(customer)s AND m.effective_on < d.issued_on""",
    "payments in the journal": """
        SELECT * FROM ltc_read.journal m JOIN ltc_read.payments d ON d.payment_id = m.document_id
        WHERE m.customer_id = %(customer)s AND m.effective_on < d.received_on""",
    "credit notes in the journal": """
        SELECT * FROM ltc_read.journal m JOIN ltc_read.credit_notes d ON d.credit_note_id = m.document_id
        WHERE m.customer_id = %(customer)s AND m.effective_on < d.issued_on""",
}


def _assert_told_alike(books: Books, history: History, as_of: date, known_at: int) -> None:
    """What the stories of the invoices leave open is what aging, the customer's page and the journal say."""
    of_customer = {"customer": history.customer}
    owed: dict[UUID, Decimal] = {}
    credits = claims = Decimal(0)
    for row in books.report("receivables-aging", as_of, known_at, **of_customer):
        match row["document"]:
            case "invoice":
                owed[row["document_id"]] = owed.get(row["document_id"], Decimal(0)) + row["outstanding"]
            case "claim":
                claims += row["outstanding"]
            case _:
                credits += row["outstanding"]
    for id, number in _rows(
        books, "SELECT invoice_id, number FROM ltc_read.invoices WHERE customer_id = %(customer)s", history.customer
    ):
        try:
            assert explain_invoice(books.store, number, as_of, known_at).balance == owed.get(id, 0)
        except NotYetAnInvoice:
            assert id not in owed
    page = {
        row["item"]: row["amount"]
        for row in books.report("customer", as_of, known_at, **of_customer)
        if row["section"] == "amount"
    }
    told = [page.get(item, 0) for item in ("receivables", "unapplied cash and credits", "claims")]
    assert told == [sum(owed.values()), credits, claims]
    with books.database.connect(Role.READER) as connection:
        booked = dict(
            connection.execute(
                "SELECT account, sum(amount) FROM ltc_read.journal"
                " WHERE customer_id = %s AND effective_on <= %s AND position <= %s GROUP BY account",
                (history.customer, as_of, known_at),
            ).fetchall()
        )
    assert booked.get("receivables", 0) == sum(owed.values())
    assert booked.get("unapplied_cash", 0) + booked.get("customer_credits", 0) == credits
    assert booked.get("customer_claims", 0) == claims
    _assert_balanced(books, history, as_of, known_at)


def assert_lawful_on_any_day(books: Books, history: History, draw: Draw) -> None:
    """Nothing is negative, nothing is there before its document, and all doors say the same."""
    books.catch_up()
    assert _rows(books, _NEGATIVE, history.customer) == []
    for what, query in {**_BEFORE_THEIR_DOCUMENT, **_DISAGREEMENTS}.items():
        assert _rows(books, query, history.customer) == [], what
    for _ in range(3):
        as_of = DAY + timedelta(days=draw(st.integers(0, 125)))
        known_at = history.ends[draw(st.integers(0, 60)) % len(history.ends)]
        _assert_told_alike(books, history, as_of, known_at)


@settings(max_examples=examples(15), deadline=None)
@given(data=st.data())
def test_on_no_day_anything_is_negative_and_every_figure_has_its_story(books: Books, data: st.DataObject) -> None:
    history = History(books, data.draw(st.sampled_from(["EUR", "JPY"])))
    for _ in range(data.draw(st.integers(10, 30))):
        history.step(data.draw)
    assert_lawful_on_any_day(books, history, data.draw)
