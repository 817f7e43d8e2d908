"""A ledger from before business dates had an order: it stays readable, whatever stands in it."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import TestServer
from tests.integration.books import Books, line
from tests.property.profile import examples
from tests.unit.money_examples import NUMBER, delivered, issued, parts_of, placed, received

from ltc_events.aggregates.policies import policy_id
from ltc_events.diagnosis.database import examine_database
from ltc_events.explanation.chain import NotYetAnInvoice
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.kernel.ids import derive_id
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.registry import all_reports
from ltc_events.reports.runner import run
from ltc_events.schemas.base import Event
from ltc_events.schemas.credit_note import CreditNoteIssued, CreditReason
from ltc_events.schemas.customer import Profile, RegisterCustomer
from ltc_events.schemas.number_series import NumberAssigned, series_id
from ltc_events.schemas.order import LineAmount, PlaceOrder
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.payment import PaymentAllocated, PaymentReturned, PaymentUnallocated
from ltc_events.schemas.policy import BusinessDates, PublishPolicy
from ltc_events.schemas.receivable import (
    DisputeResolved,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
)
from ltc_events.store import Commit, Database, EventStore, NewEvent, Role

ORDER, INVOICE, PAYMENT, NOTE = (derive_id("old", name) for name in ("order", "invoice", "payment", "note"))
CUSTOMER = derive_id("old", "customer")
GROSS = Decimal("119.00")
JANUARY = date(2026, 1, 1)


def day(number: int) -> date:
    return JANUARY + timedelta(days=number - 1)


class OldLedger:
    """Stores events as they are: what an earlier release decided is no longer decided today."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self.versions: dict[UUID, int] = {}

    def record(self, id: UUID, event: Event, on: date, customer: UUID | None = CUSTOMER) -> None:
        """What a command did that touched one stream."""
        self.together(on, (id, event), customer=customer)

    def together(self, on: date, *done: tuple[UUID, Event], customer: UUID | None = CUSTOMER) -> None:
        """What one command did, as it is stored: at positions one after another that its outcome bounds."""
        command = uuid4()
        when = datetime(2026, 3, 1, tzinfo=UTC)
        events = []
        for id, event in done:
            version = self.versions[id] = self.versions.get(id, 0) + 1
            events.append(NewEvent(id, version, event, customer, when, on, command, command, command, "ann"))
        outcome = Outcome(command, "order.place.v1", b"h" * 32, Status.ACCEPTED, 1, len(events))
        self.store.append(Commit(events=events, outcomes=[outcome]))

    def sale(self, dates: Callable[[], date]) -> None:
        """One invoice and everything that can happen to it, each on a date of its own."""
        parts = parts_of((1, "119.00"))
        money: dict[str, Any] = {"currency": "EUR", "parts": parts, "amount": GROSS}
        credited: dict[str, Any] = {"invoice_id": INVOICE, "currency": "EUR"}
        self.record(ORDER, placed(), dates())
        self.record(
            series_id("INV", 2026),
            NumberAssigned(series="INV", year=2026, sequence=1, number=NUMBER, document_id=INVOICE),
            dates(),
            None,
        )
        self.record(INVOICE, issued("119.00", rate=19, order_id=ORDER), dates())
        self.record(PAYMENT, received("119.00"), dates())
        allocated = PaymentAllocated(invoice_id=INVOICE, unapplied=Decimal(0), **money)
        applied = PaymentApplied(payment_id=PAYMENT, balance=Decimal(0), **money)
        unallocated = PaymentUnallocated(invoice_id=INVOICE, unapplied=GROSS, reason="?", **money)
        removed = PaymentRemoved(payment_id=PAYMENT, balance=GROSS, reason="?", **money)
        for taken_back in (True, True, False):
            self.together(dates(), (PAYMENT, allocated), (INVOICE, applied), (INVOICE, InvoiceSettled()))
            if taken_back:
                reopened = InvoiceReopened(balance=GROSS)
                self.together(dates(), (PAYMENT, unallocated), (INVOICE, removed), (INVOICE, reopened))
        returned = PaymentReturned(amount=GROSS, currency="EUR", reason="?")
        self.together(dates(), (PAYMENT, unallocated), (INVOICE, removed), (PAYMENT, returned))
        self.record(INVOICE, InvoiceDisputed(reason="?"), dates())
        self.record(INVOICE, DisputeResolved(resolution="?"), dates())
        self.record(INVOICE, PaymentPromised(promised_on=day(30), amount=GROSS), dates())
        self.record(
            INVOICE,
            InvoiceWrittenOff(
                balance=Decimal("19.00"), reason="?", currency="EUR", parts=parts_of((1, "100.00")), amount=Decimal(100)
            ),
            dates(),
        )
        note = issued("19.00", rate=0)
        issued_note = CreditNoteIssued(
            number="CN-2026-000001", reason=CreditReason.OTHER, lines=note.lines, taxes=note.taxes,
            line_total=note.line_total, adjustment=Decimal(0), net=note.net, tax=note.tax, rounding=Decimal(0),
            payable=note.payable, applied=note.payable, unapplied=Decimal(0), parts=parts_of((1, "19.00")), **credited,
        )  # fmt: skip
        lines = (LineAmount(line=1, quantity=Decimal(1), amount=note.net),)
        reduced = InvoiceCredited(
            credit_note_id=NOTE, currency="EUR", lines=lines, parts=parts_of((1, "19.00")), amount=Decimal("19.00"),
            credited_net=note.net, balance=Decimal(0),
        )  # fmt: skip
        self.together(dates(), (NOTE, issued_note), (INVOICE, reduced))


def follow(database: Database) -> None:
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    with database.connect(Role.READER) as connection:
        failed = connection.execute("SELECT name, error FROM ltc_read.projection_status WHERE state <> 'live'").fetchall()
    assert failed == []


def reports(database: Database, as_of: date, position: int | None = None) -> None:
    """Every report that needs no parameter can be written."""
    for report in all_reports():
        if not any(parameter.required for parameter in report.parameters.values()):
            run(database, report.name, as_of=as_of, known_at=position)


def test_an_allocation_before_its_payment_and_its_invoice(database: Database, event_store: EventStore) -> None:
    """The history of the report: received on the 10th, invoice of the 8th, put against each other on the 2nd."""
    ledger = OldLedger(event_store)
    parts = parts_of((1, "119.00"))
    ledger.record(ORDER, placed(), day(1))
    number = NumberAssigned(series="INV", year=2026, sequence=1, number=NUMBER, document_id=INVOICE)
    ledger.record(series_id("INV", 2026), number, day(8), None)
    ledger.record(INVOICE, issued("119.00", rate=19, order_id=ORDER), day(8))
    ledger.record(PAYMENT, received("119.00"), day(10))
    money: dict[str, Any] = {"currency": "EUR", "parts": parts, "amount": GROSS}
    allocated = PaymentAllocated(invoice_id=INVOICE, unapplied=Decimal(0), **money)
    applied = PaymentApplied(payment_id=PAYMENT, balance=Decimal(0), **money)
    ledger.together(day(2), (PAYMENT, allocated), (INVOICE, applied), (INVOICE, InvoiceSettled()))
    follow(database)
    listed = {one.name: one for one in examine_database(database, is_embedded=False)}["dates of money"]
    assert listed.healthy, "it stays as it was recorded"
    assert listed.detail == (
        "2 movements are dated before their document:"
        f" payment {PAYMENT} of 2026-01-10 allocated on 2026-01-02 (position 5);"
        f" invoice {NUMBER} of 2026-01-08 paid on 2026-01-02 (position 5)"
    )
    reports(database, day(5))
    head = ledger.store.head()[0]
    for early in (day(1), day(2), day(7)):
        with pytest.raises(NotYetAnInvoice) as refused:
            explain_invoice(ledger.store, NUMBER, early, head)
        assert f"invoice {NUMBER}, of 2026-01-08" in refused.value.message
        assert "as of 2026-01-08 or later" in refused.value.fix
    for late in (day(8), day(9), day(10)):
        story = explain_invoice(ledger.store, NUMBER, late, head)
        assert (story.balance, story.broken) == (0, [])


def test_orders_and_selling_in_disorder_are_listed(database: Database, event_store: EventStore) -> None:
    """What an earlier release took, and what policy has recorded today, which is marked in tables, timeline and story."""
    ledger = OldLedger(event_store)
    ledger.record(ORDER, placed(), day(8))
    ledger.record(ORDER, delivered((1, "4", "40.00")), day(2))
    books = Books(database, event_store)
    content = BusinessDates(kind="business_dates", selling="record")
    books.do(PublishPolicy(content=content), policy_id("business_dates"), customer=policy_id("business_dates"))
    books.open("deal", "100", on=day(20))
    books.quote("quote", "deal", line(1, "1", "100"), on=day(21))
    won = books.close_deal("deal", "quote", on=day(19))
    books.do(PlaceOrder(quote_id=books.id("quote")), "order", on=day(25))
    books.invoice("invoice", "order", on=day(26))
    books.catch_up()
    books.close()
    listed = {one.name: one for one in examine_database(database, is_embedded=False)}
    assert listed["dates of money"].detail == "all in order"
    assert listed["dates of orders"].detail == (
        f"1 movements are dated before their order: order {ORDER} of 2026-01-08 delivered on 2026-01-02 (position {2})"
    )
    marked = f"opportunity {books.id('deal')} of 2026-01-21 won on 2026-01-19 (position {won})"
    assert marked in listed["dates of selling"].detail
    assert all(one.healthy for name, one in listed.items() if name.startswith("dates of"))
    with database.connect(Role.READER) as connection:
        query = "SELECT summary, dated_before FROM ltc_read.timeline WHERE position = %s"
        ((summary, later),) = connection.execute(query, (won,)).fetchall()
    assert later == day(21)
    assert "(dated before 2026-01-21, the date of what it follows)" in summary
    story = explain_invoice(event_store, "INV-2026-000001", day(28), event_store.head()[0])
    (told,) = [node for node in story.root.walk() if node.record and node.record.position == won]
    assert told.document()["event"]["dated_before"] == "2026-01-21"


@settings(max_examples=examples(8), deadline=None)
@given(data=st.data())
def test_whatever_the_dates_are_every_story_can_be_told(server: TestServer, data: st.DataObject) -> None:
    name = server.create()
    with EventStore(server.at(name), Role.WRITER) as store:
        OldLedger(store).sale(lambda: day(data.draw(st.integers(1, 20))))
        head = store.head()[0]
        for number in range(1, 22, 2):
            for position in (head, data.draw(st.integers(3, head))):
                with suppress(NotYetAnInvoice):
                    assert explain_invoice(store, NUMBER, day(number), position).broken == []
    server.drop(name)


def test_whatever_the_dates_are_every_table_takes_it_in_and_new_commands_are_decided(
    database: Database, event_store: EventStore
) -> None:
    ledger = OldLedger(event_store)
    numbers = iter([3, 9, 12, 14, 2, 1, 20, 5, 4, 19, 6, 1, 13, 2, 1, 1])
    ledger.sale(lambda: day(next(numbers)))
    follow(database)
    for number in (1, 5, 13, 21):
        reports(database, day(number))
    books = Books(database, ledger.store)
    books.customer = CUSTOMER
    books.do(RegisterCustomer(profile=Profile(name="Old & Sons", email="old@sons.example")), CUSTOMER, on=day(22))
    books.bill("new", "10", on=day(22))
    books.pay("money", "10", on=day(23))
    books.close()
