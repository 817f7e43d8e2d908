"""Nothing begins for a customer of whom there is no record: at every door, for every kind of thing, as policy says."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.broker import everything, until
from tests.broker import send as send_over
from tests.commands import TIME, capture, register, rename, sell, send
from tests.integration.books import line, terms
from tests.integration.racing import Racing
from tests.mappings import write_mapping

from ltc_events.aggregates.policies import policy_id
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import open_pipeline
from ltc_events.bus.cloudevents import command_message
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, RESULTS, Bus
from ltc_events.importing import run_import
from ltc_events.kernel.ids import derive_id
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.schemas.base import Command
from ltc_events.schemas.contract import SignContract
from ltc_events.schemas.credit_note import CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.opportunity import OpenOpportunity
from ltc_events.schemas.order import PlaceOrder
from ltc_events.schemas.payment import ReceivePayment
from ltc_events.schemas.policy import PublishPolicy, RequireRegisteredCustomer
from ltc_events.schemas.quote import DraftQuote
from ltc_events.schemas.receivable import SendDunningNotice
from ltc_events.store import Database, EventStore, Role
from ltc_events.workers.command import CommandWorker

CUSTOMER, STRANGER, LEAD = derive_id("test", "Analytical Ltd"), derive_id("test", "stranger"), derive_id("test", "lead")
DEAL, ORDER, INVOICE = (derive_id("test", name) for name in ("deal", "order", "invoice"))
CODE = "unregistered_customer"
BEGINNINGS: dict[str, Command] = {
    "opportunity": OpenOpportunity(title="a mill", amount=Decimal(10), currency="EUR"),
    "quote": DraftQuote(currency="EUR", valid_until=date(2026, 12, 31)),
    "order": PlaceOrder(reason="by telephone", currency="EUR", lines=(line(1, "1", "100"),)),
    "payment": ReceivePayment(amount=Decimal(5), currency="EUR", reference="R-1"),
    "contract": SignContract(
        title="care",
        starts_on=TIME.date(),
        ends_on=date(2026, 12, 31),
        value=Decimal(9),
        currency="EUR",
        terms="m",
        signed_by="A",
    ),
}


@pytest.fixture
def pipeline(event_store: EventStore) -> CommandPipeline:
    return CommandPipeline(event_store, SystemClock())


def codes(answers: list[Any]) -> list[str]:
    return [answer.reasons[0].code if answer.reasons else "" for answer in answers]


def policy(mode: str) -> dict[str, Any]:
    content = RequireRegisteredCustomer(kind="require_registered_customer", mode=mode)  # type: ignore[arg-type]
    return send(PublishPolicy(content=content), policy_id("require_registered_customer"))


def types_of(store: EventStore, id: UUID) -> list[str]:
    return [one.event.type for one in store.stream(id)]


@pytest.mark.parametrize("noun", BEGINNINGS)
class TestEachKind:
    def test_it_is_refused_for_a_customer_whom_nobody_registered(
        self, pipeline: CommandPipeline, event_store: EventStore, noun: str
    ) -> None:
        (answer,) = pipeline.submit([send(BEGINNINGS[noun], uuid4(), STRANGER)])
        (reason,) = answer.reasons
        assert (reason.code, reason.field) == (CODE, "partitionkey")
        assert str(STRANGER) in reason.message
        assert noun in reason.message
        for way_out in ("customer.register.v1", str(STRANGER), "require_registered_customer", "stub", "off"):
            assert way_out in reason.fix
        assert event_store.head()[0] == 0

    def test_it_is_accepted_once_the_customer_is_there_in_the_same_batch_or_by_another_door(
        self, pipeline: CommandPipeline, database: Database, noun: str
    ) -> None:
        begun = send(BEGINNINGS[noun], uuid4(), CUSTOMER)
        later = send(BEGINNINGS[noun], uuid4(), CUSTOMER)
        assert codes(pipeline.submit([begun, register(customer=CUSTOMER), later])) == [CODE, "", ""]
        with open_pipeline(database) as other_door:
            other_door.submit([register("Another", STRANGER)])
        assert codes(pipeline.submit([send(BEGINNINGS[noun], uuid4(), STRANGER)])) == [""]

    def test_as_policy_says_it_registers_a_stub(self, pipeline: CommandPipeline, event_store: EventStore, noun: str) -> None:
        first = uuid4()
        twice = [send(BEGINNINGS[noun], first, STRANGER), send(BEGINNINGS[noun], uuid4(), STRANGER)]
        assert codes(pipeline.submit([policy("stub"), *twice])) == ["", "", ""]
        (stub,) = event_store.stream(STRANGER)
        assert stub.event.type == "customer.stub_registered.v1"
        assert stub.event.model_dump() == {"noun": noun, "first_id": first}
        assert codes(pipeline.submit([register("Known at last", STRANGER)])) == [""]

    def test_as_policy_says_nobody_asks(self, pipeline: CommandPipeline, event_store: EventStore, noun: str) -> None:
        assert codes(pipeline.submit([policy("off"), send(BEGINNINGS[noun], uuid4(), STRANGER)])) == ["", ""]
        assert event_store.stream(STRANGER) == []

    def test_the_id_of_something_else_is_no_customer(self, pipeline: CommandPipeline, noun: str) -> None:
        pipeline.submit([register(customer=CUSTOMER), send(BEGINNINGS["order"], ORDER, CUSTOMER), policy("stub")])
        theirs, own = send(BEGINNINGS[noun], uuid4(), ORDER), send(BEGINNINGS[noun], STRANGER, STRANGER)
        first, second = pipeline.submit([theirs, own])
        assert [(one.reasons[0].code, one.reasons[0].field) for one in (first, second)] == [
            ("id_taken", "partitionkey"),
            ("own_customer", "partitionkey"),
        ]


class TestLeads:
    def test_a_chain_that_begins_with_a_lead_has_its_customer(self, pipeline: CommandPipeline, event_store: EventStore) -> None:
        more = [send(BEGINNINGS[noun], uuid4(), STRANGER) for noun in BEGINNINGS]
        answers = pipeline.submit([*sell(LEAD, DEAL, STRANGER), *more, register("Complete Ltd", STRANGER)])
        assert set(codes(answers)) == {""}
        assert types_of(event_store, STRANGER) == ["customer.prospect_registered.v1", "customer.registered.v1"]
        assert (answers[0].first_position, answers[0].last_position) == (1, 2), "in one transaction with the lead"

    def test_a_lead_that_is_refused_registers_nobody(self, pipeline: CommandPipeline, event_store: EventStore) -> None:
        nothing = capture(LEAD, STRANGER)
        del nothing["data"]["company"]
        assert codes(pipeline.submit([nothing])) == ["missing_fields"]
        assert event_store.head()[0] == 0

    def test_of_two_first_leads_at_once_one_registers_the_prospect(self, database: Database, event_store: EventStore) -> None:
        with Racing(database, Role.WRITER) as store:
            ours, theirs = CommandPipeline(store, SystemClock()), CommandPipeline(event_store, SystemClock())
            store.rival = lambda: theirs.submit([capture(uuid4(), STRANGER)])
            assert codes(ours.submit([capture(LEAD, STRANGER)])) == [""]
        assert types_of(event_store, STRANGER) == ["customer.prospect_registered.v1"]
        assert event_store.head()[0] == 3

    def test_a_registration_that_is_quicker_is_not_taken_for_a_prospect(
        self, database: Database, event_store: EventStore
    ) -> None:
        with Racing(database, Role.WRITER) as store:
            ours, theirs = CommandPipeline(store, SystemClock()), CommandPipeline(event_store, SystemClock())
            store.rival = lambda: theirs.submit([register("Quick Ltd", STRANGER)])
            assert codes(ours.submit([capture(LEAD, STRANGER)])) == [""]
        assert types_of(event_store, STRANGER) == ["customer.registered.v1"]

    def test_read_tables_say_how_far_a_record_has_come(self, pipeline: CommandPipeline, database: Database) -> None:
        stub = derive_id("test", "stub")
        pipeline.submit([capture(LEAD, STRANGER), policy("stub"), send(BEGINNINGS["payment"], uuid4(), stub)])
        pipeline.submit([capture(uuid4(), CUSTOMER), register("Complete Ltd", CUSTOMER), rename("Renamed Ltd", CUSTOMER)])
        with open_runner(database, PROJECTIONS) as runner:
            runner.catch_up()
        with database.connect(Role.READER) as reader:
            rows = reader.execute("SELECT customer_id, stage, name, industry FROM ltc_read.customers").fetchall()
        assert sorted(rows) == sorted(
            [
                (STRANGER, "prospect", "Analytical Ltd", "machinery"),
                (stub, "stub", None, None),
                (CUSTOMER, "customer", "Renamed Ltd", "machinery"),
            ]
        )


class TestOldLedgers:
    """What is there already was recorded while nobody asked."""

    @pytest.fixture
    def ledger(self, pipeline: CommandPipeline) -> CommandPipeline:
        invoice = IssueInvoice(order_id=ORDER, basis="ordered", terms=terms(("100", 0)))
        begun = [send(BEGINNINGS["order"], ORDER, STRANGER), send(invoice, INVOICE, STRANGER)]
        assert set(codes(pipeline.submit([policy("off"), *sell(LEAD, DEAL, STRANGER)[:3], *begun, policy("refuse")]))) == {""}
        return pipeline

    def test_what_begins_is_refused_until_the_customer_is_registered(self, ledger: CommandPipeline) -> None:
        convert = sell(LEAD, DEAL, STRANGER)[3]
        credit = send(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), uuid4(), STRANGER)
        assert codes(ledger.submit([convert, credit])) == [CODE, CODE]
        again = [{**one, "id": str(uuid4())} for one in (convert, credit)]
        assert codes(ledger.submit([register("Known Ltd", STRANGER), *again])) == ["", "", ""]

    def test_what_acts_on_what_is_there_goes_on(self, ledger: CommandPipeline, event_store: EventStore) -> None:
        reminder = send(SendDunningNotice(instalment=1), INVOICE, STRANGER, time=TIME.replace(month=6))
        assert codes(ledger.submit([reminder])) == [""], "what follows from an invoice asks nobody"
        assert {one.event.type for one in event_store.read(0, 100)} >= {"claim.raised.v1", "invoice.dunning_notice_sent.v1"}

    def test_the_next_lead_registers_the_prospect(self, ledger: CommandPipeline, event_store: EventStore) -> None:
        assert codes(ledger.submit([capture(uuid4(), STRANGER), send(BEGINNINGS["payment"], uuid4(), STRANGER)])) == ["", ""]
        assert types_of(event_store, STRANGER) == ["customer.prospect_registered.v1"]


class TestDoors:
    def test_over_kafka(self, bus: Bus, database: Database, event_store: EventStore) -> None:
        documents = [send(BEGINNINGS[noun], uuid4(), STRANGER) for noun in BEGINNINGS]
        send_over(bus, COMMANDS, list(map(command_message, documents)))
        with EventStore(database, Role.WRITER) as store, Publisher(bus) as publisher:
            worker = CommandWorker(bus, store, publisher, SystemClock(), group=f"group-{uuid4()}")
            feed = f"{bus.topic(COMMANDS)}/answers"
            until(lambda: sum(event_store.offsets(feed).values()) == len(documents), worker.step)
            worker.close()
        answers = [json.loads(one.value or b"") for one in everything(bus, RESULTS)]
        assert [one["reasons"][0]["code"] for one in answers] == [CODE] * len(documents)
        assert event_store.head()[0] == 0

    @pytest.fixture
    def payments(self, tmp_path: Path) -> Path:
        (tmp_path / "payments.csv").write_text("id,customer,day,amount\n1,A,2026-01-02,5\n2,B,2026-01-03,6\n")
        return tmp_path

    @pytest.mark.parametrize("mode", ["refuse", "stub", "off"])
    @pytest.mark.parametrize("dry_run", [True, False])
    def test_from_an_import(self, event_store: EventStore, payments: Path, mode: str, *, dry_run: bool) -> None:
        mapping = write_mapping(payments / "bank", MAPPING.replace("{mode}", mode), steps_receive=RECEIVE)
        result = run_import(mapping, payments, event_store, SystemClock(), dry_run=dry_run)
        count = result.commands["payment.receive.v1"]
        if mode == "refuse":
            assert (count.accepted, count.refused) == (0, 2)
            assert {row.code for row in result.refused_rows} == {CODE}
            assert "customer.register.v1" in result.refused_rows[0].fix
        else:
            assert (count.accepted, count.refused) == (2, 0)
        stored = [] if dry_run else [one.event.type for one in event_store.read(0, 10)]
        assert stored.count("customer.stub_registered.v1") == (2 if mode == "stub" and not dry_run else 0)


MAPPING = """
name = "bank"
currency = "EUR"
actor = "bank"
[sources.payments]
path = "payments.csv"
[[policies]]
kind = "require_registered_customer"
time = 2020-01-01
content = { mode = "{mode}" }
"""
RECEIVE = """
rows = "payments"
command = "payment.receive"

SELECT ltc_id('payment', id) AS subject, ltc_id('customer', customer) AS customer, ltc_date(day, '%Y-%m-%d') AS time,
  ltc_amount(amount, '1234.56') AS amount, 'EUR' AS currency, id AS reference
FROM payments
"""
