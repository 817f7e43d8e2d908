"""Whatever is moved between customers, taken back, refunded or returned by the bank, on whatever dates: cash is what the bank
has, and it is with the customers or in transit."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import TestServer
from tests.integration.books import DAY, Books
from tests.property.profile import examples
from tests.ties import untied
from tests.unit.memory_unit_of_work import MemoryUnitOfWork
from tests.unit.money_examples import issued
from tests.unit.specification import NOW

from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.payment import PAYMENT, Payment
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.dispatch import dispatch
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.ids import derive_id
from ltc_events.projections.tables.chart_of_accounts import Account
from ltc_events.projections.tables.journal import Journal
from ltc_events.projections.tables.open_item_movements import OpenItemMovements
from ltc_events.projections.tables.payment_movements import PaymentMovements
from ltc_events.projections.writing.net_effect import operations
from ltc_events.schemas.base import Command
from ltc_events.schemas.customer import CustomerRegistered, Profile
from ltc_events.schemas.outcome import Status
from ltc_events.schemas.payment import (
    AllocatePayment,
    CancelMove,
    MoveInPayment,
    MoveOutPayment,
    ReceivePayment,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
)
from ltc_events.schemas.record import Record
from ltc_events.store import EventStore, Role

CUSTOMERS = [derive_id("test", "customer", str(number)) for number in range(3)]
PAYMENTS = [derive_id("test", "payment", str(number)) for number in range(7)]
"""The first of each customer comes from the bank; the others are what is moved becomes."""
_examples = count(1)
amounts = st.none() | st.integers(1, 80).map(Decimal)
picks = st.integers(0, 20)
WHAT = [*["out"] * 5, *["in"] * 6, "cancel", "allocate", "allocate", "refund", "refund fails", "return", "give back", "give back"]
commands = st.tuples(st.sampled_from(WHAT), picks, picks, amounts)
days = st.sampled_from([0, 0, 0, 0, 1, 5, 20, -3, -25])
histories = st.lists(st.tuples(commands, days), min_size=8, max_size=40)
owners = st.tuples(*[st.integers(0, 2)] * (len(PAYMENTS) - len(CUSTOMERS)))


class Company:
    """Three customers, each with an invoice of 70 and with 100 from the bank; and what the bank's statement says."""

    def __init__(self, owners: tuple[int, ...], names: list[UUID] = CUSTOMERS, ids: list[UUID] = PAYMENTS) -> None:
        self.names, self.ids = names, ids
        self.customers = {id: names[owner] for id, owner in zip(ids, (*range(len(names)), *owners), strict=True)}
        self.work = MemoryUnitOfWork(ids[0], names[0])
        self.records: list[Record] = []
        self.bank: dict[date, Decimal] = defaultdict(Decimal)
        for number, customer in enumerate(names):
            self.work.begin(customer, customer, DAY)
            registered = CustomerRegistered(profile=Profile(name="Babbage & Sons"), policy_version=0)
            self.work.emit(AGGREGATES["customer"], customer, registered)
            self.work.begin(invoice := derive_id("test", "invoice", str(customer)), customer, DAY)
            self.work.emit(INVOICE, invoice, issued("35", "35", issued_on=DAY))
            self.keep(customer, DAY)
            self.send(ReceivePayment(amount=Decimal(100), currency="EUR"), ids[number], DAY)

    def payments(self) -> dict[UUID, Payment]:
        """All that there are by now."""
        return {id: payment for id in self.ids if (payment := self.work.find_any(PAYMENT, id)) is not None}

    def on_their_way(self) -> list[tuple[UUID, UUID]]:
        """Moves that have not arrived: from which payment to which."""
        known = self.payments()
        moves = [(id, to) for id, payment in known.items() for to in payment.transit.moves]
        return [(id, to) for id, to in moves if to not in known or known[to].transit.moved_from != id]

    def recalled(self) -> list[tuple[UUID, UUID]]:
        """Moves that the bank recalled, and that are not given back."""
        known = self.payments()
        return [(id, to) for id, payment in known.items() for to in payment.transit.recalled if not known[to].returned]

    def told(self, what: str, pick: int, other: int, amount: Decimal | None) -> tuple[Command, UUID]:
        """A command and its subject: mostly one that can be obeyed."""
        known = [*self.payments()]
        subject, to = known[pick % len(known)], self.ids[other % len(self.ids)]
        match what:
            case "out":
                to = self.ids[3 + other % (len(self.ids) - 3)] if other else to
                customer = self.customers[to]
                return MoveOutPayment(to_payment_id=to, to_customer_id=customer, amount=amount, reason="?"), subject
            case "in":
                source, target = _picked(self.on_their_way(), pick, (subject, to))
                return MoveInPayment(from_payment_id=source), target
            case "cancel":
                moves = [(id, one) for id, payment in self.payments().items() for one in payment.transit.moves]
                source, target = _picked(moves, pick, (subject, to))
                return CancelMove(to_payment_id=target, reason="wrong"), source
            case "give back":
                return ReturnPayment(reason="no funds"), _picked(self.recalled(), pick, (subject, to))[1]
            case "return":
                return ReturnPayment(reason="no funds"), subject
            case "allocate":
                return AllocatePayment(), subject
            case "refund":
                return RefundPayment(amount=amount, reason="?"), subject
            case _:
                return ReportFailedRefund(amount=amount, reason="?"), subject

    def keep(self, customer: UUID, on: date) -> None:
        for subject, event in self.work.emitted:
            number = len(self.records) + 1
            self.records.append(Record(number, subject, number, event, customer, NOW, on, NOW, subject, subject, subject, "ann"))

    def send(self, command: Command, subject: UUID, on: date) -> bool:
        """Whether it was accepted."""
        command = command.model_copy(update={"effective_on": on, "occurred_at": NOW})
        self.work.begin(subject, self.customers[subject], on)
        before = self.work.find_any(PAYMENT, subject)
        try:
            dispatch(command, self.work)
        except Refused:
            self.work.undo()
            return False
        self.keep(self.customers[subject], on)
        self.bank[on] += self.on_statement(command, before, self.work.find_any(PAYMENT, subject))
        return True

    def on_statement(self, command: Command, before: Payment | None, after: Payment | None) -> Decimal:
        """What the bank's statement has for a command that was accepted."""
        assert after is not None
        if isinstance(command, ReceivePayment):
            return command.amount
        assert before is not None or isinstance(command, MoveInPayment)
        match command:
            case RefundPayment() | ReportFailedRefund():
                assert before is not None
                return before.dated_refunded.amount - after.dated_refunded.amount
            case ReturnPayment():
                return Decimal(0) if after.transit.moved_from else Decimal(-100)
            case _:
                return Decimal(0)

    def rows(self, projection: Any) -> list[dict[str, Any]]:
        return [one.values for one in operations(projection, self.records)]


def _picked(moves: list[tuple[UUID, UUID]], pick: int, otherwise: tuple[UUID, UUID]) -> tuple[UUID, UUID]:
    return moves[pick % len(moves)] if moves else otherwise


def _hold(company: Company) -> None:
    """As of every date: cash is the bank's; it is with customers or in transit; and nothing is less than nothing."""
    journal, movements = company.rows(Journal()), company.rows(PaymentMovements())
    for on in sorted({record.effective_on for record in company.records}):
        held: dict[str, Decimal] = defaultdict(Decimal)
        of_customers = Decimal(0)
        for row in journal:
            if row["effective_on"] <= on:
                held[row["account"]] += row["amount"]
                if row["document"] == "payment" and row["account"] not in (Account.CASH, Account.PAYMENTS_IN_TRANSIT):
                    of_customers -= row["amount"]
        bank = sum((amount for day, amount in company.bank.items() if day <= on), Decimal(0))
        assert held[Account.CASH] == bank
        assert of_customers - held[Account.PAYMENTS_IN_TRANSIT] == bank
        assert sum(held.values()) == 0
        pairs: dict[frozenset[UUID], Decimal] = defaultdict(Decimal)
        for row in movements:
            if row.get("other_payment_id") and row["effective_on"] <= on:
                pairs[frozenset((row["payment_id"], row["other_payment_id"]))] += row["in_transit"]
        assert sum(pairs.values()) == -held[Account.PAYMENTS_IN_TRANSIT]
        items: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for row in company.rows(OpenItemMovements()):
            if row["effective_on"] <= on:
                items[row["item"], row["item_id"], row["instalment"]] += row["amount"]
        assert all(amount * (-1 if item == "payment" else 1) >= 0 for (item, *_), amount in items.items())


@settings(max_examples=examples(150), deadline=None)
@given(history=histories, owners=owners)
def test_cash_is_the_banks_whatever_is_moved(history: list[Any], owners: tuple[int, ...]) -> None:
    company = Company(owners)
    on = DAY
    for told, jump in history:
        on += timedelta(days=1)
        company.send(*company.told(*told), on + timedelta(days=jump))
    _hold(company)
    _arrive(company, on + timedelta(days=60))
    _hold(company)
    journal = company.rows(Journal())
    assert sum((row["amount"] for row in journal if row["account"] == Account.PAYMENTS_IN_TRANSIT), Decimal(0)) == 0


def _arrive(company: Company, on: date) -> None:
    """Every move comes to its end: it arrives or is cancelled, and what the bank took back is given back."""
    while company.on_their_way() or company.recalled():
        for source, target in company.on_their_way():
            is_moved = company.send(MoveInPayment(from_payment_id=source), target, on)
            assert is_moved or company.send(CancelMove(to_payment_id=target, reason="?"), source, on)
        for _, target in company.recalled():
            assert company.send(ReturnPayment(reason="no funds"), target, on)


@pytest.fixture(scope="module")
def books(server: TestServer) -> Iterator[Books]:
    name = server.create()
    store = EventStore(server.at(name), Role.WRITER)
    books = Books(server.at(name), store)
    yield books
    books.close()
    store.close()
    server.drop(name)


@settings(max_examples=examples(12), deadline=None)
@given(history=histories, owners=owners, data=st.data())
def test_every_report_ties_whatever_is_moved(books: Books, history: list[Any], owners: tuple[int, ...], data: Any) -> None:
    example = next(_examples)
    names = [books.register(f"Customer {example}.{number}") for number in range(len(CUSTOMERS))]
    ids = [books.id(f"payment {example}.{number}") for number in range(len(PAYMENTS))]
    for number, customer in enumerate(names):
        books.customer = customer
        books.bill(f"invoice {example}.{number}", "70", ("50", 30), ("50", 60))
        books.do(ReceivePayment(amount=Decimal(100), currency="EUR"), ids[number])
    company = Company(owners, names, ids)
    began, on = books.store.head()[0], DAY
    for told, jump in history:
        on += timedelta(days=1)
        (command, subject), day = company.told(*told), on + timedelta(days=jump)
        outcome = books.send(command, subject, on=day, customer=company.customers[subject])
        assert (outcome.status is Status.ACCEPTED) == company.send(command, subject, day), outcome.reasons
    head = books.catch_up()
    middle = began + (head - began) * data.draw(st.integers(0, 100)) // 100
    day = DAY + timedelta(days=data.draw(st.integers(0, 60)))
    assert untied(books.database, [day, DAY + timedelta(days=200)], [None, middle]) == []
