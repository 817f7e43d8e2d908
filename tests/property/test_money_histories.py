"""Whatever happens to a company's deals: the books balance, nothing is left over, and the read tables agree.

Histories are made of arbitrary commands through the pipeline; those that a rule refuses change nothing. Each example has
customers of its own in one database, so that reports of one customer are looked at beside the others'.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import TestServer
from tests.integration.books import DAY, Books, line, terms

from ltc_events.kernel.money import minor_unit
from ltc_events.schemas.base import Command
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditLine,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
)
from ltc_events.schemas.invoice import DocumentCharge, IssueInvoice, WriteOffInvoice
from ltc_events.schemas.opportunity import OpenOpportunity, WinOpportunity
from ltc_events.schemas.order import AmendOrder, CancelOrder, LineQuantity, OrderLineRequest, PlaceOrder, ReportDelivery
from ltc_events.schemas.outcome import Status
from ltc_events.schemas.payment import (
    AllocatePayment,
    ReceivePayment,
    RefundPayment,
    ReturnPayment,
    UnallocatePayment,
)
from ltc_events.store import EventStore, Role

_examples = count(1)
_SPLITS = [(("100", 30),), (("50", 0), ("50", 60)), (("33.33", 30), ("33.33", 60), ("33.34", 90))]


@pytest.fixture(scope="module")
def books(server: TestServer) -> Iterator[Books]:
    name = server.create()
    store = EventStore(server.at(name), Role.WRITER)
    books = Books(server.at(name), store)
    yield books
    books.close()
    store.close()
    server.drop(name)


amounts = st.integers(1, 40_000).map(lambda number: Decimal(number) / 100)
quantities = st.integers(1, 900).map(lambda number: Decimal(number) / 100)
Draw = Callable[..., Any]


@st.composite
def order_lines(draw: st.DrawFn) -> tuple[OrderLineRequest, ...]:
    numbers = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True))
    rates = st.sampled_from(["0", "7", "19"])
    return tuple(line(number, f"{draw(quantities)}", f"{draw(amounts)}", draw(rates)) for number in numbers)


class History:
    """One customer's deals as they go on, step by step."""

    def __init__(self, books: Books, currency: str) -> None:
        self.books = books
        self.name = f"Customer {next(_examples)}"
        self.customer = books.register(self.name)
        self.currency = currency
        self.began = books.store.head()[0]
        self.lines: dict[str, tuple[OrderLineRequest, ...]] = {}
        self.made: dict[str, list[str]] = {"deal": [], "order": [], "invoice": [], "payment": [], "note": []}

    def new(self, kind: str) -> str:
        self.made[kind].append(f"{self.name} {kind} {len(self.made[kind])}")
        return self.made[kind][-1]

    def send(self, command: Command, subject: str, on: date) -> bool:
        return self.books.send(command, subject, on=on, customer=self.customer).status is Status.ACCEPTED

    def payable(self, amount: Decimal) -> Decimal:
        """An amount as it can be paid in the currency."""
        return max(amount.quantize(minor_unit(self.currency)), minor_unit(self.currency))

    def deal(self, draw: Draw, on: date) -> None:
        deal = self.new("deal")
        self.send(OpenOpportunity(title=deal, amount=draw(amounts), currency=self.currency), deal, on)
        won = WinOpportunity(reason="trust")
        if draw(st.booleans()):
            quote, lines = f"quote of {deal}", draw(order_lines())
            discount = draw(st.sampled_from(["0", "5", "33.3"]))
            self.books.quote(quote, deal, *lines, discount=discount, on=on, currency=self.currency)
            if draw(st.integers(1, 4)) > 1:
                self.place(PlaceOrder(quote_id=self.books.id(quote)), lines, on)
            if draw(st.booleans()):
                won = WinOpportunity(quote_id=self.books.id(quote))
        self.send(won, deal, on)

    def order(self, draw: Draw, on: date) -> None:
        deal, lines = self.books.id(draw(st.sampled_from(self.made["deal"]))), draw(order_lines())
        place = PlaceOrder(reason="by telephone", currency=self.currency, opportunity_id=deal, lines=lines)
        self.place(place, lines, on)

    def place(self, command: PlaceOrder, lines: tuple[OrderLineRequest, ...], on: date) -> None:
        order = self.new("order")
        self.lines[order] = lines
        self.send(command, order, on)

    def fulfil(self, draw: Draw, on: date) -> None:
        order = draw(st.sampled_from(self.made["order"]))
        change = draw(st.sampled_from(["deliver", "deliver", "deliver", "deliver", "amend", "amend", "cancel"]))
        if change == "deliver":
            some = draw(st.lists(st.sampled_from(self.lines[order]), max_size=2, unique_by=lambda one: one.line))
            lines = tuple(LineQuantity(line=one.line, quantity=one.quantity / draw(st.sampled_from([1, 2, 4]))) for one in some)
            delivery = self.books.id(f"{order} {self.books.store.head()[0]}")
            self.send(ReportDelivery(delivery_id=delivery, lines=lines), order, on)
        elif change == "amend":
            self.amend(order, draw, on)
        else:
            self.send(CancelOrder(reason="moved away"), order, on)

    def amend(self, order: str, draw: Draw, on: date) -> None:
        """Another quantity of a line, a line less, or one more."""
        *others, last = self.lines[order]
        grown = last.model_copy(update={"quantity": draw(quantities)})
        added = line(9 + len(self.lines[order]), f"{draw(quantities)}", f"{draw(amounts)}")
        lines = tuple(draw(st.sampled_from([[*others, grown], [*others], [*others, last, added]])) or [added])
        if self.send(AmendOrder(reason="other wishes", lines=lines), order, on):
            self.lines[order] = lines

    def bill(self, draw: Draw, on: date) -> None:
        order, invoice = draw(st.sampled_from(self.made["order"])), self.new("invoice")
        more: dict[str, Any] = {}
        if draw(st.integers(1, 4)) == 1:
            rate = self.lines[order][0].tax_rate
            more["allowances"] = (DocumentCharge(amount=self.payable(Decimal("0.04")), reason="loyalty", tax_rate=rate),)
            more["charges"] = (DocumentCharge(amount=self.payable(Decimal("2.50")), reason="freight", tax_rate=Decimal(7)),)
            more["prepaid"] = self.payable(Decimal("1.01"))
            more["cash_rounding"] = 5 * minor_unit(self.currency)
        command = IssueInvoice(
            order_id=self.books.id(order),
            basis=draw(st.sampled_from(["ordered", "ordered", "delivered"])),
            rounding_method=draw(st.sampled_from(["document", "line"])),
            terms=terms(*draw(st.sampled_from(_SPLITS))),
            **more,
        )
        if not self.send(command, invoice, on):
            self.made["invoice"].remove(invoice)

    def correct(self, draw: Draw, on: date) -> None:
        invoice = draw(st.sampled_from(self.made["invoice"]))
        if draw(st.booleans()):
            amount = self.payable(draw(amounts) / 10) if draw(st.booleans()) else None
            self.send(WriteOffInvoice(amount=amount, reason="too small"), invoice, on)
            return
        whole = draw(st.booleans())
        lines = () if whole else (CreditLine(line=1, amount=self.payable(draw(amounts) / 10)),)
        if not whole and draw(st.booleans()):
            lines = (CreditLine(line=1, quantity=draw(quantities) / 4),)
        again = draw(st.booleans())
        command = IssueCreditNote(invoice_id=self.books.id(invoice), reason=CreditReason.OTHER, bill_again=again, lines=lines)
        self.send(command, self.new("note"), on)

    def pay(self, draw: Draw, on: date) -> None:
        payment = self.new("payment")
        self.send(ReceivePayment(amount=self.payable(draw(amounts)), currency=self.currency), payment, on)
        if draw(st.integers(1, 4)) > 1:
            self.send(AllocatePayment(), payment, on)

    def move(self, draw: Draw, on: date) -> None:
        payment = draw(st.sampled_from(self.made["payment"]))
        commands: list[Command] = [AllocatePayment(), RefundPayment(reason="too much"), ReturnPayment(reason="no funds")]
        if self.made["invoice"]:
            invoice = self.books.id(draw(st.sampled_from(self.made["invoice"])))
            commands.append(UnallocatePayment(invoice_id=invoice, reason="wrong invoice"))
        self.send(draw(st.sampled_from(commands)), payment, on)

    def use_credit(self, draw: Draw, on: date) -> None:
        commands: list[Command] = [ApplyCreditNote(), RefundCreditNote(reason="asked for")]
        self.send(draw(st.sampled_from(commands)), draw(st.sampled_from(self.made["note"])), on)

    def step(self, draw: Draw) -> None:
        """Something that can happen next: the further the deals have come, the later in the chain."""
        on = DAY + timedelta(days=draw(st.integers(0, 120)))
        if not self.made["order"]:
            possible = [self.deal, self.order] if self.made["deal"] else [self.deal]
        elif not self.made["invoice"]:
            possible = [self.fulfil, self.bill, self.bill]
        else:
            later = [self.fulfil, self.fulfil, self.bill, self.correct, self.correct, self.pay, self.pay]
            possible = [self.deal, self.order, *later, *[self.move, self.move] * bool(self.made["payment"])]
            possible += [self.use_credit] * bool(self.made["note"])
        draw(st.sampled_from(possible))(draw, on)


def _rows(books: Books, query: str, customer: UUID) -> list[tuple[Any, ...]]:
    with books.database.connect(Role.READER) as connection:
        return connection.execute(query.encode(), {"customer": customer}).fetchall()


def _assert_balanced(books: Books, history: History, as_of: date, known_at: int | None) -> None:
    assert all(balance == 0 for balance in books.result("trial-balance", as_of, known_at).totals["balance"].values())
    for deal in books.report("revenue-vs-opportunity", as_of, known_at, customer=history.customer):
        assert deal["residual"] == 0


_JOURNAL = "SELECT coalesce(sum(amount), 0) FROM ltc_read.journal WHERE customer_id = %(customer)s AND account = "
# Money received, and stated on invoices as prepaid, that was not paid out. What the bank takes back afterwards of money whose
# credit has been used counts as received all the same: the customer owes it again, and may never pay it.
_LEFT_TO_PAY_OUT = """
    SELECT coalesce(sum(amount), 0)
    FROM ltc_read.journal
    WHERE customer_id = %(customer)s AND account = ANY ('{cash,prepayments}')
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
    "the bridge and the revenue of the journal": f"""
        SELECT * FROM (SELECT coalesce(sum(amount), 0) AS revenue FROM ltc_read.revenue_bridge
                       WHERE customer_id = %(customer)s AND term IN ('cash', 'unpaid', 'written_off', 'customer_credit',
                                                                     'prepaid', 'tax', 'rounding')) b
        WHERE revenue <> -({_JOURNAL} 'revenue')""",
}


@settings(max_examples=40, deadline=None)
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
    assert outstanding.get(history.currency, 0) == receivables + owed
    assert _rows(books, _LEFT_TO_PAY_OUT, history.customer)[0][0] >= 0


@settings(max_examples=10, deadline=None)
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
