"""Commands of one customer that come through two doors at the same moment are decided as if they came one after the other.

Between our look at the store and our commit somebody else changes what we only read. It makes no difference in which way
we commit: with other commands, alone, or alone without a look before.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from tests.commands import capture, register, rename, send
from tests.integration.books import line, terms
from tests.integration.racing import Racing

from ltc_events.aggregates.policies import policy_id
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.order import CancelOrder, PlaceOrder
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.payment import AllocatePayment, CancelMove, MoveInPayment, MoveOutPayment, ReceivePayment, ReturnPayment
from ltc_events.schemas.policy import PriceBookItem, PublishPolicy, PublishPriceBook, RequiredFields
from ltc_events.schemas.quote import AcceptQuote, DraftQuote, PriceQuote, QuoteLineRequest, SendQuote
from ltc_events.store import Database, EventStore, Role

CUSTOMER = derive_id("test", "Analytical Ltd")
QUOTE, ORDER, OTHER, BOOK, LEAD, PAYMENT = (
    derive_id("test", name) for name in ("quote", "order", "other order", "book", "lead", "payment")
)
LATER, SOONER = derive_id("test", "due later"), derive_id("test", "due sooner")


class Doors(NamedTuple):
    """Ours, on which somebody else is quicker; how a command goes through it; and theirs."""

    store: Racing
    ours: CommandPipeline
    way: str
    theirs: CommandPipeline

    def submit(self, document: dict[str, Any]) -> list[str]:
        """Our command, in this test's way; the codes of its refusal. Whoever is the rival of the store comes before."""
        rival, self.store.rival = self.store.rival, None
        if self.way == "blind":
            self.ours.submit([rename("nobody else wrote", CUSTOMER)])
        self.store.rival, self.store.looks = rival, 0
        neighbours = [rename("a neighbour", CUSTOMER)] if self.way == "batch" else []
        return codes(self.ours.submit([*neighbours, document]))


@pytest.fixture(params=["batch", "lone", "blind"])
def doors(database: Database, request: pytest.FixtureRequest) -> Iterator[Doors]:
    clock = SystemClock()
    with Racing(database, Role.WRITER) as store, EventStore(database, Role.WRITER) as others:
        yield Doors(store, CommandPipeline(store, clock), request.param, CommandPipeline(others, clock))


def codes(answers: list[Any]) -> list[str]:
    return [reason.code for answer in answers if isinstance(answer, Outcome) for reason in answer.reasons]


def quote(*, is_accepted: bool = True) -> list[dict[str, Any]]:
    """A customer with a quote of two mills."""
    wanted = QuoteLineRequest(line=1, sku="mill", quantity=Decimal(2), list_price=Decimal(100), tax_rate=Decimal(19))
    commands = [
        DraftQuote(currency="EUR", valid_until=date(2026, 12, 31)),
        PriceQuote(lines=(wanted,), requested_by="Sam", role="sales"),
        SendQuote(),
        *([AcceptQuote()] if is_accepted else []),
    ]
    return [register(), *(send(command, QUOTE, CUSTOMER) for command in commands)]


def prices(price: str) -> dict[str, Any]:
    """The next version of the price book."""
    item = PriceBookItem(sku="mill", description="mill", list_price=Decimal(price), tax_rate=Decimal(19))
    book = PublishPriceBook(title="Machines", currency="EUR", valid_from=date(2026, 1, 1), items=(item,))
    return send(book, BOOK)


def billed(invoice: UUID, days: int) -> list[dict[str, Any]]:
    """An order for 100 and its invoice, due after so many days."""
    order = uuid4()
    place = PlaceOrder(reason="by telephone", currency="EUR", lines=(line(1, "1", "100"),))
    issue = IssueInvoice(order_id=order, basis="ordered", terms=terms(("100", days)))
    return [send(place, order, CUSTOMER), send(issue, invoice, CUSTOMER)]


def events(store: EventStore, stream: UUID, type: str) -> list[Any]:
    return [record.event for record in store.stream(stream) if record.event.type == type]


def test_a_quote_is_ordered_once(doors: Doors) -> None:
    assert codes(doors.ours.submit(quote())) == []
    doors.store.rival = lambda: doors.theirs.submit([send(PlaceOrder(quote_id=QUOTE), OTHER, CUSTOMER)])
    assert doors.submit(send(PlaceOrder(quote_id=QUOTE), ORDER, CUSTOMER)) == ["quote_already_ordered"]
    assert doors.store.stream(ORDER) == []
    assert [event.order_id for event in events(doors.store, QUOTE, "quote.ordered.v1")] == [OTHER]


def test_a_quote_whose_order_was_cancelled_is_ordered_again_by_one_of_two(doors: Doors) -> None:
    first = uuid4()
    cancel = send(CancelOrder(reason="by mistake"), first, CUSTOMER)
    assert codes(doors.ours.submit([*quote(), send(PlaceOrder(quote_id=QUOTE), first, CUSTOMER), cancel])) == []
    doors.store.rival = lambda: doors.theirs.submit([send(PlaceOrder(quote_id=QUOTE), OTHER, CUSTOMER)])
    assert doors.submit(send(PlaceOrder(quote_id=QUOTE), ORDER, CUSTOMER)) == ["quote_already_ordered"]
    assert (len(doors.store.stream(OTHER)), doors.store.stream(ORDER)) == (1, [])


def test_prices_are_those_of_the_moment_of_the_commit(doors: Doors) -> None:
    draft = DraftQuote(currency="EUR", valid_until=date(2026, 12, 31), price_book_id=BOOK)
    assert codes(doors.ours.submit([prices("100"), register(), send(draft, QUOTE, CUSTOMER)])) == []
    doors.store.rival = lambda: doors.theirs.submit([prices("110")])
    wanted = QuoteLineRequest(line=1, sku="mill", quantity=Decimal(2))
    assert doors.submit(send(PriceQuote(lines=(wanted,), requested_by="Sam", role="sales"), QUOTE, CUSTOMER)) == []
    (priced,) = events(doors.store, QUOTE, "quote.priced.v1")
    assert (priced.price_book_version, priced.net) == (2, Decimal(220))


def test_a_refusal_stands_on_what_is_true_when_it_is_recorded(doors: Doors) -> None:
    assert codes(doors.ours.submit(quote(is_accepted=False))) == []
    doors.store.rival = lambda: doors.theirs.submit([send(AcceptQuote(), QUOTE, CUSTOMER)])
    assert doors.submit(send(PlaceOrder(quote_id=QUOTE), ORDER, CUSTOMER)) == []


def test_policies_are_those_in_force_at_the_commit(doors: Doors) -> None:
    assert codes(doors.ours.submit([register()])) == []
    required = PublishPolicy(content=RequiredFields(kind="required_fields", lead=("phone",)))
    doors.store.rival = lambda: doors.theirs.submit([send(required, policy_id("required_fields"))])
    assert doors.submit(capture(LEAD, CUSTOMER)) == ["missing_fields"]
    assert doors.store.stream(LEAD) == []


def test_a_payment_sees_the_invoice_that_was_issued_meanwhile(doors: Doors) -> None:
    receive = ReceivePayment(amount=Decimal(100), currency="EUR")
    assert codes(doors.ours.submit([register(), *billed(LATER, 30), send(receive, PAYMENT, CUSTOMER)])) == []
    doors.store.rival = lambda: doors.theirs.submit(billed(SOONER, 10))
    assert doors.submit(send(AllocatePayment(), PAYMENT, CUSTOMER)) == []
    assert [event.invoice_id for event in events(doors.store, PAYMENT, "payment.allocated.v1")] == [SOONER]


NEIGHBOUR, MOVED = derive_id("test", "Babbage & Sons"), derive_id("test", "moved payment")


def moved() -> list[dict[str, Any]]:
    """A payment of one customer that is on its way to another."""
    receive = ReceivePayment(amount=Decimal(100), currency="EUR")
    out = MoveOutPayment(to_payment_id=MOVED, to_customer_id=NEIGHBOUR, reason="his reference")
    payment = [send(receive, PAYMENT, CUSTOMER), send(out, PAYMENT, CUSTOMER)]
    return [register(), register("Babbage & Sons"), *payment]


@pytest.mark.parametrize(
    ("taken_back", "type"),
    [
        (CancelMove(to_payment_id=MOVED, reason="wrong"), "payment.move_cancelled.v1"),
        (ReturnPayment(reason="no funds"), "payment.returned.v1"),
    ],
)
def test_what_was_taken_back_meanwhile_is_not_moved_in(doors: Doors, taken_back: Any, type: str) -> None:
    """Each writes a stream of its own customer, and reads that of the other."""
    assert codes(doors.ours.submit(moved())) == []
    doors.store.rival = lambda: doors.theirs.submit([send(taken_back, PAYMENT, CUSTOMER)])
    assert doors.submit(send(MoveInPayment(from_payment_id=PAYMENT), MOVED, NEIGHBOUR)) == ["not_moved_here"]
    assert doors.store.stream(MOVED) == []
    assert len(events(doors.store, PAYMENT, type)) == 1


def test_what_was_moved_in_meanwhile_is_not_taken_back(doors: Doors) -> None:
    assert codes(doors.ours.submit(moved())) == []
    doors.store.rival = lambda: doors.theirs.submit([send(MoveInPayment(from_payment_id=PAYMENT), MOVED, NEIGHBOUR)])
    assert doors.submit(send(CancelMove(to_payment_id=MOVED, reason="wrong"), PAYMENT, CUSTOMER)) == ["moved_in_already"]
    assert len(doors.store.stream(MOVED)) == 1


def test_the_bank_recalls_what_was_moved_in_meanwhile(doors: Doors) -> None:
    assert codes(doors.ours.submit(moved())) == []
    doors.store.rival = lambda: doors.theirs.submit([send(MoveInPayment(from_payment_id=PAYMENT), MOVED, NEIGHBOUR)])
    assert doors.submit(send(ReturnPayment(reason="no funds"), PAYMENT, CUSTOMER)) == []
    assert events(doors.store, PAYMENT, "payment.move_cancelled.v1") == []
    assert len(events(doors.store, PAYMENT, "payment.move_recalled.v1")) == 1


def test_what_does_not_concern_a_command_does_not_make_it_wait(doors: Doors) -> None:
    """Other customers write all the time: a command is decided again only for what it has read."""
    assert codes(doors.ours.submit(quote())) == []
    doors.store.rival = lambda: doors.theirs.submit([register("Babbage & Sons")])
    assert doors.submit(send(PlaceOrder(quote_id=QUOTE), ORDER, CUSTOMER)) == []
    assert doors.store.looks == 1
    assert [record.position for record in doors.store.read(0, 100)] == list(range(1, doors.store.head()[0] + 1))
