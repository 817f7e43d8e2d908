"""Two writers that take numbers from one series: what an invoice costs must not grow with the invoices of the year."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

from benchmarks.figure import Figure, Target, against_peer
from benchmarks.place import Place
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.schemas.base import Command
from ltc_events.schemas.customer import Profile, RegisterCustomer
from ltc_events.schemas.envelope import document
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.number_series import NumberAssigned, format_number, series_id
from ltc_events.schemas.order import LineQuantity, OrderLineRequest, PlaceOrder
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.store import Commit, Database, EventStore, NewEvent, Role

FEW, MANY = 1_000, 200_000
DAY = date(2026, 1, 2)
_MOMENT = datetime(2026, 1, 2, 9, tzinfo=UTC)
_ROWS = 5_000


def measure(place: Place) -> Iterator[Figure]:
    """Invoices by two writers in turns, one at a time, on a series of few and on one of many numbers."""
    invoices = 8 if place.sizes.is_quick else 300
    rates = []
    for numbers in (FEW, FEW if place.sizes.is_quick else MANY):
        database = place.database()
        _fill(database, numbers)
        place.settle()
        rates.append(_rate(database, invoices))
    few, many = rates
    name = f"invoices by two writers, {MANY:,} of a series"
    yield against_peer(name, "invoices/s", many, f"the same at {FEW:,}", few, Target(ratio_min=0.8))


def _fill(database: Database, numbers: int) -> None:
    """A series that has handed out so many numbers."""
    stream = series_id("INV", DAY.year)
    with EventStore(database, Role.WRITER) as store:
        for first in range(1, numbers + 1, _ROWS):
            sequences = range(first, min(first + _ROWS, numbers + 1))
            store.append(Commit([_assigned(stream, sequence) for sequence in sequences]))


def _assigned(stream: UUID, sequence: int) -> NewEvent:
    number, id = format_number("INV", DAY.year, sequence), uuid4()
    event = NumberAssigned(series="INV", year=DAY.year, sequence=sequence, number=number, document_id=id)
    return NewEvent(stream, sequence, event, None, _MOMENT, date(DAY.year, 1, 1), id, id, id, "benchmark")


def _rate(database: Database, invoices: int) -> float:
    """Invoices a second, once both writers know the series."""
    with EventStore(database, Role.WRITER) as first, EventStore(database, Role.WRITER) as second:
        writers = [(CommandPipeline(store, SystemClock()), uuid4(), uuid4()) for store in (first, second)]
        for pipeline, customer, order in writers:
            line = OrderLineRequest(
                line=1,
                sku="mill",
                description="Mill",
                quantity=Decimal(invoices + 1),
                unit_price=Decimal(10),
                tax_rate=Decimal(19),
            )
            _send(pipeline, RegisterCustomer(profile=Profile(name="Analytical Ltd", email="ada@example.com")), customer, customer)
            _send(pipeline, PlaceOrder(reason="by telephone", currency="EUR", lines=(line,)), order, customer)
        for turn in range(2 * invoices + 2):
            if turn == 2:
                began = perf_counter()
            pipeline, customer, order = writers[turn % 2]
            issue = IssueInvoice(order_id=order, basis="ordered", lines=(LineQuantity(line=1, quantity=Decimal(1)),))
            _send(pipeline, issue, uuid4(), customer)
        return 2 * invoices / (perf_counter() - began)


def _send(pipeline: CommandPipeline, command: Command, subject: UUID, customer: UUID) -> None:
    dated: Any = command.model_copy(update={"effective_on": DAY})
    sent = document(dated, command_id=uuid4(), subject=subject, customer_id=customer, source="benchmark", time=_MOMENT)
    (answer,) = pipeline.submit([sent])
    if not isinstance(answer, Outcome) or answer.status is not Status.ACCEPTED:
        raise RuntimeError(f"{command.type} came to {answer}")
