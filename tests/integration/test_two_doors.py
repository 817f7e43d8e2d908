"""Commands of one customer that come through two doors at the same moment are decided as if they came one after the other."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.commands import register, send
from tests.integration.racing import Racing

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.order import CancelOrder, PlaceOrder
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.quote import AcceptQuote, DraftQuote, PriceQuote, QuoteLineRequest, SendQuote
from ltc_events.store import Database, EventStore, Role

CUSTOMER = derive_id("test", "Analytical Ltd")
QUOTE, ORDER, OTHER = (derive_id("test", name) for name in ("quote", "order", "other order"))


@pytest.fixture
def store(database: Database) -> Iterator[Racing]:
    """The store of the door on which somebody else is quicker."""
    with Racing(database, Role.WRITER) as store:
        yield store


@pytest.fixture
def door(store: Racing) -> CommandPipeline:
    return CommandPipeline(store, SystemClock())


@pytest.fixture
def other_door(database: Database) -> Iterator[CommandPipeline]:
    with EventStore(database, Role.WRITER) as store:
        yield CommandPipeline(store, SystemClock())


def codes(answers: list[Any]) -> list[str]:
    return [reason.code for answer in answers if isinstance(answer, Outcome) for reason in answer.reasons]


def offer() -> list[dict[str, Any]]:
    """A customer with an accepted quote of two mills."""
    line = QuoteLineRequest(line=1, sku="mill", quantity=Decimal(2), list_price=Decimal(100), tax_rate=Decimal(19))
    commands = [
        DraftQuote(currency="EUR", valid_until=date(2026, 12, 31)),
        PriceQuote(lines=(line,), requested_by="Sam", role="sales"),
        SendQuote(),
        AcceptQuote(),
    ]
    return [register(), *(send(command, QUOTE, CUSTOMER) for command in commands)]


def test_a_quote_is_ordered_once(door: CommandPipeline, other_door: CommandPipeline, store: Racing) -> None:
    assert codes(door.submit(offer())) == []
    store.rival = lambda: other_door.submit([send(PlaceOrder(quote_id=QUOTE), OTHER, CUSTOMER)])
    assert codes(door.submit([send(PlaceOrder(quote_id=QUOTE), ORDER, CUSTOMER)])) == ["quote_already_ordered"]
    assert store.stream(ORDER) == []
    ordered = [record.event for record in store.stream(QUOTE) if record.event.type == "quote.ordered.v1"]
    assert [event.order_id for event in ordered] == [OTHER]  # type: ignore[attr-defined]


def test_it_is_ordered_again_by_one_of_two_when_its_order_was_cancelled(
    door: CommandPipeline, other_door: CommandPipeline, store: Racing
) -> None:
    first = uuid4()
    cancel = send(CancelOrder(reason="by mistake"), first, CUSTOMER)
    assert codes(door.submit([*offer(), send(PlaceOrder(quote_id=QUOTE), first, CUSTOMER), cancel])) == []
    store.rival = lambda: other_door.submit([send(PlaceOrder(quote_id=QUOTE), OTHER, CUSTOMER)])
    assert codes(door.submit([send(PlaceOrder(quote_id=QUOTE), ORDER, CUSTOMER)])) == ["quote_already_ordered"]
    assert (len(store.stream(OTHER)), store.stream(ORDER)) == (1, [])
