"""Lone commands: while nobody else writes they are decided without a look at the store, and stored only if that was right."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.commands import capture, register, rename, send
from tests.integration.books import line, terms
from tests.integration.racing import Racing
from tests.proxy import Proxy, committed

from ltc_events.aggregates.policies import policy_id
from ltc_events.application.clock import SystemClock
from ltc_events.application.errors import Contention
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import open_pipeline
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.order import PlaceOrder
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.payment import AllocatePayment, ReceivePayment
from ltc_events.schemas.policy import PublishPolicy, RequiredFields
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.commit import LONE_EVENTS_MAX

CUSTOMER = derive_id("test", "Analytical Ltd")
LEAD, PAYMENT = derive_id("test", "lead"), derive_id("test", "payment")


@pytest.fixture
def store(database: Database) -> Iterator[Racing]:
    with Racing(database, Role.WRITER) as store:
        yield store


@pytest.fixture
def pipeline(store: Racing) -> CommandPipeline:
    """A pipeline that has found itself alone: it has looked twice and seen no events but its own."""
    pipeline = CommandPipeline(store, SystemClock())
    for command in (register(), rename("second", CUSTOMER)):
        assert result(pipeline, command) == "accepted"
    assert store.looks == 2
    return pipeline


@pytest.fixture
def another(database: Database) -> Iterator[CommandPipeline]:
    """A pipeline of another process."""
    with open_pipeline(database) as pipeline:
        yield pipeline


def result(pipeline: CommandPipeline, command: dict[str, Any]) -> str:
    """What came of a lone command: accepted, duplicate, or the code of its refusal."""
    (answer,) = pipeline.submit([command])
    assert isinstance(answer, Outcome)
    return answer.reasons[0].code if answer.reasons else answer.document()["status"]


def billed(invoices: int) -> list[dict[str, Any]]:
    """So many invoices of 10, and a payment that pays them all."""
    commands = []
    for number in range(invoices):
        order, invoice = derive_id("test", "order", str(number)), derive_id("test", "invoice", str(number))
        place = PlaceOrder(reason="by telephone", currency="EUR", lines=(line(1, "1", "10"),))
        issue = IssueInvoice(order_id=order, basis="ordered", terms=terms(("100", 30)))
        commands += [send(place, order, CUSTOMER), send(issue, invoice, CUSTOMER)]
    return [*commands, send(ReceivePayment(amount=Decimal(10 * invoices), currency="EUR"), PAYMENT, CUSTOMER)]


def test_nobody_looks_while_nobody_else_writes(pipeline: CommandPipeline, store: Racing) -> None:
    for name in ("third", "fourth"):
        assert result(pipeline, rename(name, CUSTOMER)) == "accepted"
    assert store.looks == 2
    assert [record.version for record in store.stream(CUSTOMER)] == [1, 2, 3, 4]


def test_a_policy_of_another_writer_is_in_force(pipeline: CommandPipeline, another: CommandPipeline, store: Racing) -> None:
    required = PublishPolicy(content=RequiredFields(kind="required_fields", lead=("phone",)))
    assert result(another, send(required, policy_id("required_fields"))) == "accepted"
    assert result(pipeline, capture(LEAD, CUSTOMER)) == "missing_fields"
    assert store.looks == 3
    assert store.stream(LEAD) == []


def test_a_refusal_without_a_look_is_recorded_as_any_other(pipeline: CommandPipeline, store: Racing) -> None:
    nobody = rename("x", uuid4())
    assert result(pipeline, nobody) == "does_not_exist"
    assert store.looks == 2
    (answer,) = pipeline.submit([nobody])
    assert isinstance(answer, Outcome)
    assert answer.duplicate
    assert store.head()[0] == 2


def test_the_same_command_again_is_a_duplicate(pipeline: CommandPipeline, another: CommandPipeline, store: Racing) -> None:
    command = rename("once", CUSTOMER)
    assert result(pipeline, command) == "accepted"
    assert result(pipeline, command) == "duplicate"
    theirs = rename("theirs", CUSTOMER)
    assert result(another, theirs) == "accepted"
    assert result(pipeline, rename("not alone", CUSTOMER)) == "accepted"
    assert result(pipeline, rename("alone again", CUSTOMER)) == "accepted"
    looks = store.looks
    assert result(pipeline, theirs) == "duplicate"
    assert store.looks == looks + 1, "the first attempt was without a look"
    assert store.head()[0] == 6


def test_the_same_id_with_other_content_is_refused(pipeline: CommandPipeline, store: Racing) -> None:
    id = uuid4()
    assert result(pipeline, rename("one", CUSTOMER, id=id)) == "accepted"
    assert result(pipeline, rename("other", CUSTOMER, id=id)) == "command_id_reused"
    assert result(pipeline, rename("one", CUSTOMER, id=id)) == "duplicate"
    assert store.head()[0] == 3


@pytest.mark.parametrize("invoices", [LONE_EVENTS_MAX // 3, LONE_EVENTS_MAX])
def test_how_many_events_it_has_makes_no_difference(pipeline: CommandPipeline, store: Racing, invoices: int) -> None:
    """Few go with the command in one statement; for many we have to look first, and decide once more."""
    pipeline.submit(billed(invoices))
    assert result(pipeline, rename("alone", CUSTOMER)) == "accepted"
    looks, before = store.looks, store.head()[0]
    (answer,) = pipeline.submit([send(AllocatePayment(), PAYMENT, CUSTOMER)])
    assert isinstance(answer, Outcome)
    assert answer.reasons == ()
    stored = store.read(before, 100)
    assert (answer.first_position, answer.last_position) == (stored[0].position, stored[-1].position)
    assert (answer.first_position, len(stored)) == (before + 1, 3 * invoices)
    assert [record.event.type for record in stored].count("invoice.settled.v1") == invoices
    is_many = 3 * invoices > LONE_EVENTS_MAX
    assert store.looks == looks + is_many


def test_a_head_that_moved_is_looked_at_and_the_command_decided_again(
    pipeline: CommandPipeline, another: CommandPipeline, store: Racing
) -> None:
    store.rival = lambda: another.submit([rename("theirs", CUSTOMER)])
    assert result(pipeline, rename("ours", CUSTOMER)) == "accepted"
    assert store.looks == 3
    records = store.stream(CUSTOMER)
    assert [record.version for record in records] == [1, 2, 3, 4]
    assert [record.event.profile.name for record in records[2:]] == ["theirs", "ours"]  # type: ignore[attr-defined]


def test_a_writer_who_is_always_quicker_is_reported(another: CommandPipeline, store: Racing) -> None:
    pipeline = CommandPipeline(store, SystemClock(), contention_limit_s=0.3)
    assert result(pipeline, register()) == "accepted"

    def rival() -> None:
        another.submit([rename(f"again {uuid4()}", CUSTOMER)])
        store.rival = rival

    store.rival = rival
    command = rename("ours", CUSTOMER)
    with pytest.raises(Contention):
        pipeline.submit([command])
    store.rival = None
    assert result(pipeline, command) == "accepted"


def test_a_lost_reply_is_resolved_from_the_record(database: Database, event_store: EventStore) -> None:
    proxy = Proxy(database)
    with Racing(proxy.database, Role.WRITER) as store:
        pipeline = CommandPipeline(store, SystemClock())
        for command in (register(), rename("second", CUSTOMER), rename("third", CUSTOMER)):
            assert result(pipeline, command) == "accepted"
        assert store.looks == 2
        proxy.cut_reply = committed
        lost = rename("lost", CUSTOMER)
        assert result(pipeline, lost) == "accepted"
        assert proxy.cuts == 1
        assert result(pipeline, lost) == "duplicate"
    assert event_store.head()[0] == 4
    proxy.close()
