"""Documents of as many lines as there may be, through every process; and those that are larger than what can be sent on."""

import json
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from tests.broker import everything, send, until
from tests.commands import register, rename
from tests.commands import send as command
from tests.integration.books import line
from tests.projectors import arrive, assert_true, relay_all, source_of

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.records import Outgoing
from ltc_events.bus.topics import COMMANDS, EVENTS, RESULTS, Bus
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.invoice_lines import InvoiceLines
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.projections.tables.order_lines import OrderLines
from ltc_events.projections.tables.quote_lines import QuoteLines
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.schemas.credit_note import CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.limits import COMMAND_BYTES_MAX, EVENT_BYTES_MAX, LINES_MAX
from ltc_events.schemas.order import PlaceOrder
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.quote import DraftQuote, PriceQuote, QuoteLineRequest
from ltc_events.store import Database, EventStore, Role, reading
from ltc_events.store import event_store as event_store_module
from ltc_events.store.rehearsal import Rehearsal
from ltc_events.workers.command import open_command_worker
from ltc_events.workers.projector import open_projector

# Characters, of 3 bytes each, of the description of each of 10,000 lines: an ordinary one, one with which the command is just
# small enough and its event is not, and one with which the command itself is too large.
ORDINARY, EVENT_OVER, COMMAND_OVER = 60, 245, 270
BYTES_AT_ONCE = 6_000_000
"""Two such events, and no third."""


def order(customer: UUID, characters: int, id: UUID | None = None) -> dict[str, Any]:
    text = {"description": "例" * characters}
    lines = tuple(line(number, "2", "10.50", "19").model_copy(update=text) for number in range(1, LINES_MAX + 1))
    placed = PlaceOrder(lines=lines, currency="EUR", reason="a framework agreement")
    return command(placed, id or uuid4(), customer)


def bill(order_id: UUID, customer: UUID) -> dict[str, Any]:
    return command(IssueInvoice(order_id=order_id, basis="ordered"), uuid4(), customer)


def offer(customer: UUID, id: UUID) -> list[dict[str, Any]]:
    """A quote of as many lines as there may be."""
    asked = [
        QuoteLineRequest(
            line=number, sku=f"SKU-{number}", description="例" * ORDINARY, quantity="2", list_price="10.50",
            tax_category="S", tax_rate="19",
        )
        for number in range(1, LINES_MAX + 1)
    ]  # fmt: skip
    drafted = DraftQuote(currency="EUR", valid_until=date(2026, 12, 31))
    return [command(one, id, customer) for one in (drafted, PriceQuote(lines=asked, requested_by="ann", role="sales"))]


@pytest.fixture
def customer() -> UUID:
    return uuid4()


def test_ten_thousand_lines_go_all_the_way_over_kafka(
    bus: Bus, database: Database, event_store: EventStore, customer: UUID
) -> None:
    ordered = uuid4()
    too_large = order(customer, COMMAND_OVER)
    quote, invoice = uuid4(), bill(ordered, customer)
    documents = [
        register("Large Ltd", customer),
        *offer(customer, quote),
        order(customer, ORDINARY, ordered),
        too_large,
        invoice,
        command(IssueCreditNote(invoice_id=UUID(invoice["subject"]), reason=CreditReason.OTHER), uuid4(), customer),
        rename("Larger Ltd", customer),
    ]
    send(bus, COMMANDS, [command_message(one) for one in documents])
    with open_command_worker(bus, database, Publisher(bus)) as worker:
        until(lambda: sum(event_store.offsets(f"{bus.topic(COMMANDS)}/answers").values()) == len(documents), worker.step)
    told = {one["command_id"]: one for one in (json.loads(answer.value or b"") for answer in everything(bus, RESULTS))}
    refused = [one for one in documents if told[one["id"]]["status"] != "accepted"]
    assert refused == [too_large], [told[one["id"]] for one in refused]
    (reason,) = told[too_large["id"]]["reasons"]
    assert reason["code"] == "command_too_large"
    assert f"{COMMAND_BYTES_MAX} are allowed" in reason["message"]
    tables = (QuoteLines, OrderLines, InvoiceLines, OpenItems)
    with open_projector(bus, database, projections=tables) as projector:
        until(lambda: source_of(database, InvoiceLines) == bus.topic(EVENTS), projector.step)
        relay_all(bus, database, event_store)
        arrive(projector, database, event_store, tables)
    assert_true(database, *tables)
    sizes = {one.headers["ce_type"].decode(): len(one.value or b"") for one in everything(bus, EVENTS)}
    for kind in ("quote.priced", "order.placed", "invoice.issued", "credit_note.issued"):
        assert 2_000_000 < sizes[f"ltc.{kind}.v1"] < EVENT_BYTES_MAX / 2, kind
    with database.connect(Role.READER) as reader:
        lines = reader.execute("SELECT count(*), sum(net) FROM ltc_read.invoice_lines").fetchone()
    assert lines == (LINES_MAX, LINES_MAX * 21)


@pytest.fixture
def pipeline(event_store: EventStore) -> CommandPipeline:
    return CommandPipeline(event_store, SystemClock())


def test_what_is_read_at_once_is_bounded_by_its_bytes(
    bus: Bus,
    database: Database,
    event_store: EventStore,
    pipeline: CommandPipeline,
    customer: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "READ_BYTES_MAX", BYTES_AT_ONCE)
    monkeypatch.setattr(event_store_module, "FEW", 1)
    pipeline.submit([register("A", customer), *(rename(f"B{number}", customer) for number in range(40))])
    for number in range(5):
        pipeline.submit([order(customer, ORDINARY), rename(f"C{number}", customer)])
    head = event_store.head()[0]
    assert event_store.readable(0, 41) == 41, "what is small is bounded by its number alone"
    reached, sizes = 0, []
    while reached < head:
        upto = event_store.readable(reached, head)
        sizes.append(sum(len(one.data) for one in event_store.read_raw(reached, head, upto=upto)))
        assert event_store.read(reached, head, upto=upto)[-1].position == upto
        reached = upto
    assert len(sizes) > 2
    assert max(sizes) < BYTES_AT_ONCE + 40 * 1_000

    sent: list[int] = []
    send_page = Publisher.send

    def send_noted(publisher: Publisher, topic: str, messages: Iterable[Outgoing], **how: Any) -> None:
        page = list(messages)
        sent.append(sum(len(value or b"") for _, value, _ in page))
        send_page(publisher, topic, page, **how)

    monkeypatch.setattr(Publisher, "send", send_noted)
    relay_all(bus, database, event_store)
    assert len(sent) == len(sizes)
    assert max(sent) < BYTES_AT_ONCE + 40 * 1_000
    assert len(everything(bus, EVENTS)) == head
    with open_runner(database, [OrderLines, Timeline]) as runner:
        assert runner.catch_up() == head
    assert_true(database, OrderLines, Timeline)


def assert_refused(outcome: object, code: str, limit: int) -> None:
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.REFUSED
    (reason,) = outcome.reasons
    assert reason.code == code
    size = next(int(word) for word in reason.message.split() if word.isdigit())
    assert limit < size < 2 * limit
    assert str(limit) in reason.message
    assert "divide" in reason.fix


@pytest.mark.parametrize("dry_run", [False, True], ids=["stored", "dry run"])
def test_a_command_whose_event_could_not_be_sent_is_refused_before_it_is_stored(
    event_store: EventStore, customer: UUID, dry_run: bool
) -> None:
    pipeline = CommandPipeline(Rehearsal(event_store) if dry_run else event_store, SystemClock())
    ordered = uuid4()
    large = order(customer, EVENT_OVER, ordered)
    assert len(orjson.dumps(large)) < COMMAND_BYTES_MAX
    on_it = bill(ordered, customer)
    answers = pipeline.submit([register("A", customer), large, on_it, order(customer, EVENT_OVER), rename("B", customer), large])
    assert_refused(answers[1], "event_too_large", EVENT_BYTES_MAX)
    assert "order.placed.v1" in answers[1].reasons[0].message  # type: ignore[union-attr]
    assert_refused(answers[3], "event_too_large", EVENT_BYTES_MAX)
    assert isinstance(answers[2], Outcome)
    assert answers[2].reasons[0].code == "not_found", "what builds on it is decided without it"
    assert isinstance(answers[5], Outcome)
    assert answers[5].duplicate
    stored = [] if dry_run else ["customer.registered.v1", "customer.profile_updated.v1"]
    assert [one.event.type for one in event_store.read(0, 100)] == stored
    if not dry_run:
        assert event_store.outcomes([UUID(large["id"])])[UUID(large["id"])].content, "it is kept as it was sent"
    (again,) = pipeline.submit([rename("C", customer)])
    assert isinstance(again, Outcome)
    assert again.status is Status.ACCEPTED


def test_a_lone_command_whose_event_could_not_be_sent_is_refused(
    pipeline: CommandPipeline, event_store: EventStore, customer: UUID
) -> None:
    pipeline.submit([register("A", customer)])
    for _ in range(2):  # and once more without a look at the store first
        (answer,) = pipeline.submit([order(customer, EVENT_OVER)])
        assert_refused(answer, "event_too_large", EVENT_BYTES_MAX)
    (after,) = pipeline.submit([rename("B", customer)])
    assert isinstance(after, Outcome)
    assert (after.status, after.last_position) == (Status.ACCEPTED, 2)


def test_a_command_that_is_too_large_is_refused_with_its_size(pipeline: CommandPipeline, customer: UUID) -> None:
    large = order(customer, COMMAND_OVER)
    answers = pipeline.submit([register("A", customer), large, orjson.dumps(order(customer, COMMAND_OVER)), large])
    for one in answers[1:]:
        assert_refused(one, "command_too_large", COMMAND_BYTES_MAX)
    assert answers[3].duplicate  # type: ignore[union-attr]
