"""Two who write at once, of whom one is quicker: on no day anything is negative, and every figure has its story.

Now and then somebody else sends the same command, as of another day, between our look and our commit: then both have decided on
the same state, and the slower one decides anew.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import TestServer
from tests.integration.books import DAY, Books
from tests.integration.racing import Racing
from tests.property.money_history import Draw, History
from tests.property.profile import examples
from tests.property.test_money_histories import assert_lawful_on_any_day

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.schemas.base import Command
from ltc_events.schemas.envelope import document
from ltc_events.schemas.payment import ReceivePayment
from ltc_events.store import EventStore, Role


class Contested(NamedTuple):
    """One ledger with two writers."""

    books: Books
    store: Racing
    rival: CommandPipeline


@pytest.fixture(scope="module")
def contested(server: TestServer) -> Iterator[Contested]:
    name = server.create()
    with Racing(server.at(name), Role.WRITER) as store, EventStore(server.at(name), Role.WRITER) as other:
        books = Books(server.at(name), store)
        yield Contested(books, store, CommandPipeline(other, SystemClock()))
        books.close()
    server.drop(name)


class ContestedHistory(History):
    """One customer's deals; whatever is done about their orders and money, somebody else may do too, and first."""

    def __init__(self, contested: Contested, currency: str) -> None:
        super().__init__(contested.books, currency)
        self.contested = contested
        self.shift: int | None = None
        self.races = 0

    def step(self, draw: Draw) -> None:
        self.shift = draw(st.sampled_from([None, 0, 0, 3, -5, 30]))
        super().step(draw)

    def deal(self, draw: Draw, on: date) -> None:
        self.shift = None  # nobody contests a deal: what follows in it must be accepted
        super().deal(draw, on)

    def send(self, command: Command, subject: str | UUID, on: date) -> bool:
        store = self.contested.store
        if self.shift is not None:
            store.rival = lambda: self.contested.rival.submit([self.rivals(command, subject, on)])
        is_accepted = super().send(command, subject, on)
        self.races += self.shift is not None and store.rival is None
        store.rival = None
        return is_accepted

    def rivals(self, command: Command, subject: str | UUID, on: date) -> dict[str, object]:
        """The same command as of another day, from somebody else."""
        id = subject if isinstance(subject, UUID) else self.books.id(subject)
        day = min(max(on + timedelta(days=self.shift or 0), DAY), DAY + timedelta(days=120))
        time = datetime(day.year, day.month, day.day, 9, 30, tzinfo=UTC)
        return document(command, command_id=uuid4(), subject=id, customer_id=self.customer, source="b", time=time, actor="bob")


def test_the_other_one_is_quicker(contested: Contested) -> None:
    history = ContestedHistory(contested, "EUR")
    history.shift = 3
    assert not history.send(ReceivePayment(amount=Decimal(5), currency="EUR"), f"{history.name} money", DAY)
    (received,) = contested.books.store.stream(contested.books.id(f"{history.name} money"))
    assert (history.races, received.actor, received.effective_on) == (1, "bob", DAY + timedelta(days=3))


@settings(max_examples=examples(10), deadline=None)
@given(data=st.data())
def test_whoever_is_quicker_no_day_is_negative_and_every_figure_has_its_story(contested: Contested, data: st.DataObject) -> None:
    history = ContestedHistory(contested, data.draw(st.sampled_from(["EUR", "JPY"])))
    for _ in range(data.draw(st.integers(10, 25))):
        history.step(data.draw)
    assert_lawful_on_any_day(contested.books, history, data.draw)
