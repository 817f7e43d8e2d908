"""The clock on a real store, and over a real broker: what time causes happens once, however many clocks there are."""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.access_examples import ADMIN, COMPANY, publish_access
from tests.broker import everything, until
from tests.commands import TIME, capture, register, send
from tests.unit.money_examples import line_request

from ltc_events.aggregates.business_days import business_day
from ltc_events.aggregates.policies import policy_id
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import COMMANDS, RESULTS, Bus
from ltc_events.kernel.ids import derive_id
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.schemas.contract import SignContract, TerminateContract
from ltc_events.schemas.follow_up import RecordFirstResponse, ScheduleFollowUp
from ltc_events.schemas.lead import DisqualifyLead
from ltc_events.schemas.order import LineQuantity, PlaceOrder, ReportDelivery
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.policy import Access, Billing, Company, PublishPolicy
from ltc_events.schemas.quote import DraftQuote, PriceQuote, QuoteLineRequest, SendQuote
from ltc_events.store import Database, EventStore
from ltc_events.workers.clock import ClockWorker, Documents, Send, open_clock
from ltc_events.workers.command import open_command_worker

CUSTOMER = derive_id("test", "Analytical Ltd")
TODAY = datetime.now(UTC).date()


def done(store: EventStore, *documents: dict[str, Any]) -> None:
    """Commands that must be accepted."""
    for answer in CommandPipeline(store, SystemClock()).submit(documents):
        assert isinstance(answer, Outcome)
        assert answer.status is Status.ACCEPTED, answer.reasons


def tables_kept_up(database: Database) -> None:
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()


def ticked(database: Database, clocks: int = 1) -> int:
    """So many clocks look at the same moment; how many commands they sent."""
    tables_kept_up(database)
    with ExitStack() as stack:
        return sum([stack.enter_context(open_clock(None, database, None)).see_to_all() for _ in range(clocks)])


def into(sent: list[dict[str, Any]]) -> Send:
    """What a clock sends is kept in this list, and goes nowhere."""

    def kept(documents: Documents) -> int:
        sent.extend(documents)
        return len(documents)

    return kept


def happened(store: EventStore) -> Counter[str]:
    """The events, by type, that the clock made."""
    return Counter(one.event.type for one in store.read(0, 100_000) if one.actor == "ltc-clock")


def at(moment: datetime) -> dict[str, Any]:
    return {"time": moment}


def days(number: int) -> date:
    return TODAY + timedelta(days=number)


def test_a_late_first_response_is_a_breach_that_is_said_once(database: Database, event_store: EventStore) -> None:
    late, answered, closed, waiting = (uuid4() for _ in range(4))
    done(
        event_store,
        register(),
        *(capture(lead, CUSTOMER) for lead in (late, answered, closed)),
        capture(waiting, CUSTOMER, time=datetime.now(UTC)),
        send(RecordFirstResponse(by="ann"), answered, CUSTOMER),
        send(DisqualifyLead(reason="duplicate"), closed, CUSTOMER),
    )
    assert ticked(database, clocks=2) == 2
    assert happened(event_store) == {"lead.response_sla_breached.v1": 1}
    breach = event_store.read(0, 100)[-1]
    assert (breach.subject, breach.customer_id) == (late, CUSTOMER)
    assert breach.occurred_at == TIME + timedelta(days=1, seconds=1)  # when it was due, not when we looked
    assert ticked(database) == 0


def test_what_no_rule_gave_the_clock_is_done_when_one_does(database: Database, event_store: EventStore) -> None:
    lead = uuid4()
    done(event_store, register(), capture(lead, CUSTOMER))
    admin = CommandPipeline(event_store, SystemClock(), principal=ADMIN)

    def published(content: Access) -> None:
        (answer,) = admin.submit([publish_access(content)])
        assert isinstance(answer, Outcome)
        assert not answer.reasons

    published(COMPANY)
    with open_clock(None, database, None) as waits:  # one that goes on, and one for each look
        tables_kept_up(database)
        assert [waits.see_to_all() for _ in range(3)] == [0, 0, 0]
        assert ticked(database, clocks=2) == 0
        published(COMPANY.model_copy(update={"mode": "open"}))
        assert waits.see_to_all() == 1
        assert waits.see_to_all() == 0  # the tables do not show it yet
        assert happened(event_store) == {"lead.response_sla_breached.v1": 1}
    assert ticked(database, clocks=2) == 0


def test_over_kafka_too_what_no_rule_gave_the_clock_is_done_when_one_does(
    bus: Bus, database: Database, event_store: EventStore
) -> None:
    done(event_store, register(), capture(uuid4(), CUSTOMER))
    admin = CommandPipeline(event_store, SystemClock(), principal=ADMIN)
    tables_kept_up(database)

    def looked(*clocks: ClockWorker) -> list[int]:
        """How many commands each has sent, when all of them are answered."""
        counts = [clock.see_to_all() for clock in clocks]
        until(lambda: len(everything(bus, RESULTS)) == len(everything(bus, COMMANDS)), worker.step)
        return counts

    with ExitStack() as stack:
        worker = stack.enter_context(open_command_worker(bus, database, Publisher(bus)))
        goes_on, other = (stack.enter_context(open_clock(bus, database, Publisher(bus))) for _ in range(2))
        admin.submit([publish_access()])
        assert [looked(goes_on) for _ in range(4)] == [[1], [1], [0], [0]]  # as it is, under this version, and no more
        assert looked(other) == [1]  # which is a duplicate
        admin.submit([publish_access(COMPANY.model_copy(update={"mode": "open"}))])
        assert looked(goes_on, other) == [1, 1]
        assert looked(goes_on, other) == [0, 0]  # the tables do not show it yet
        admin.submit([publish_access(COMPANY)])
        admin.submit([publish_access(COMPANY.model_copy(update={"mode": "open"}))])
        assert looked(goes_on) == [1]  # nor now, under another version
    assert happened(event_store) == {"lead.response_sla_breached.v1": 1}


def test_a_follow_up_that_was_not_done_is_missed(database: Database, event_store: EventStore) -> None:
    lead, past, future = uuid4(), uuid4(), uuid4()
    done(
        event_store,
        register(),
        capture(lead, CUSTOMER),
        send(RecordFirstResponse(by="ann"), lead, CUSTOMER),
        send(ScheduleFollowUp(follow_up_id=past, due_at=TIME + timedelta(hours=2)), lead, CUSTOMER),
        send(ScheduleFollowUp(follow_up_id=future, due_at=datetime.now(UTC) + timedelta(days=1)), lead, CUSTOMER),
    )
    assert ticked(database, clocks=2) == 2
    assert happened(event_store) == {"lead.follow_up_missed.v1": 1}
    assert ticked(database) == 0


def test_a_quote_expires_the_day_after_its_last(database: Database, event_store: EventStore) -> None:
    ended, valid, unsent = uuid4(), uuid4(), uuid4()
    line = QuoteLineRequest(line=1, sku="mill", quantity=Decimal(1), list_price=Decimal(100), tax_rate=Decimal(19))
    done(event_store, register())
    for quote, last_day in ((ended, days(-1)), (valid, TODAY), (unsent, days(-1))):
        draft = DraftQuote(currency="EUR", valid_until=last_day)
        price = PriceQuote(lines=(line,), requested_by="ann", role="sales")
        done(event_store, send(draft, quote, CUSTOMER), send(price, quote, CUSTOMER))
        if quote is not unsent:
            done(event_store, send(SendQuote(), quote, CUSTOMER))
    assert ticked(database, clocks=2) == 2
    assert happened(event_store) == {"quote.expired.v1": 1}
    expired = event_store.read(0, 100)[-1]
    assert (expired.subject, expired.effective_on) == (ended, TODAY)
    assert ticked(database) == 0


def test_a_quote_that_is_sent_after_its_last_day_expires_no_earlier(database: Database, event_store: EventStore) -> None:
    quote = uuid4()
    line = QuoteLineRequest(line=1, sku="mill", quantity=Decimal(1), list_price=Decimal(100), tax_rate=Decimal(19))
    steps = (
        DraftQuote(currency="EUR", valid_until=days(-9)),
        PriceQuote(lines=(line,), requested_by="ann", role="sales"),
        SendQuote(effective_on=days(-2)),
    )
    done(event_store, register(), *(send(step, quote, CUSTOMER) for step in steps))
    assert ticked(database) == 1
    assert [one.effective_on for one in event_store.read(0, 100, types=["quote.expired.v1"])] == [days(-2)]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_in_any_time_zone_what_the_clock_sends_has_its_date(database: Database, event_store: EventStore, zone: str) -> None:
    """Midnight UTC is the day before in America, and the date of today another one in Kiribati."""
    company = Company(kind="company", legal_name="Acme", functional_currency="EUR", time_zone=zone)
    done(event_store, send(PublishPolicy(content=company), policy_id("company")), register(), published("daily"))
    today = business_day(datetime.now(UTC), company)
    quote, lead = uuid4(), uuid4()
    line = QuoteLineRequest(line=1, sku="mill", quantity=Decimal(1), list_price=Decimal(100), tax_rate=Decimal(19))
    offered = today - timedelta(days=3)
    steps = (
        DraftQuote(currency="EUR", valid_until=offered, effective_on=offered),
        PriceQuote(lines=(line,), requested_by="ann", role="sales", effective_on=offered),
        SendQuote(effective_on=offered),
    )
    late = capture(lead, CUSTOMER)
    late["data"]["effective_on"] = str(today)
    order = uuid4()
    place = PlaceOrder(currency="EUR", reason="by phone", lines=(line_request(),), effective_on=today)
    deliver = ReportDelivery(delivery_id=uuid4(), effective_on=today)
    done(event_store, *(send(step, quote, CUSTOMER) for step in steps), late)
    done(event_store, send(place, order, CUSTOMER), send(deliver, order, CUSTOMER))
    assert ticked(database) == 3
    dates = {one.event.type: one.effective_on for one in event_store.read(0, 100) if one.actor == "ltc-clock"}
    assert dates["quote.expired.v1"] == offered + timedelta(days=1)
    assert dates["invoice.issued.v1"] == today
    assert dates["lead.response_sla_breached.v1"] >= today


def signed(contract: UUID, first: date, last: date, notice_days: int, **more: Any) -> dict[str, Any]:
    terms = {"title": "Care", "value": Decimal(1200), "currency": "EUR", "terms": "monthly", "signed_by": "Ada King"}
    command = SignContract(starts_on=first, ends_on=last, notice_days=notice_days, **terms, **more)
    return send(command, contract, CUSTOMER, time=datetime.combine(first, datetime.min.time(), UTC))


def test_a_renewal_is_announced_before_notice_must_be_given(database: Database, event_store: EventStore) -> None:
    near, far, ended, old = (uuid4() for _ in range(4))
    done(
        event_store,
        register(),
        signed(near, days(-300), days(60), 30),
        signed(far, days(-300), days(61), 30),
        signed(ended, days(-300), days(60), 30),
        send(TerminateContract(ends_on=days(60), reason="moving"), ended, CUSTOMER),
        signed(old, days(-300), days(-1), 30),
    )
    assert ticked(database, clocks=2) == 2
    assert happened(event_store) == {"contract.renewal_due.v1": 1}
    assert event_store.read(0, 100)[-1].subject == near
    assert ticked(database) == 0


@pytest.mark.parametrize(
    ("first", "last", "next_last"),
    [
        (date(2020, 1, 1), date(2020, 12, 31), date(2021, 12, 31)),
        (date(2019, 3, 1), date(2020, 2, 29), date(2021, 2, 28)),
        (date(2020, 1, 15), date(2020, 2, 14), date(2020, 3, 14)),
    ],
)
def test_a_contract_that_goes_on_by_itself_gets_another_term(
    database: Database, event_store: EventStore, first: date, last: date, next_last: date
) -> None:
    contract = uuid4()
    done(event_store, register(), signed(contract, first, last, 30, auto_renew=True), signed(uuid4(), first, last, 30))
    assert ticked(database, clocks=2) == 2
    assert happened(event_store) == {"contract.renewed.v1": 1}
    renewed = event_store.read(0, 100)[-1]
    assert (renewed.subject, renewed.effective_on) == (contract, last - timedelta(days=29))
    assert renewed.event.ends_on == next_last  # type: ignore[attr-defined]
    assert ticked(database) == 1  # it is long past, too: term by term up to today


def delivered_order(store: EventStore, on: date) -> UUID:
    order = uuid4()
    time = datetime.combine(on, datetime.min.time(), UTC)
    line = line_request(quantity="4", unit_price="25", tax_category="Z", tax_rate=Decimal(0))
    done(
        store,
        send(PlaceOrder(currency="EUR", reason="by phone", lines=(line,)), order, CUSTOMER, time=time),
        send(ReportDelivery(delivery_id=uuid4(), lines=(LineQuantity(line=1, quantity=Decimal(1)),)), order, CUSTOMER, time=time),
    )
    return order


def published(run: str) -> dict[str, Any]:
    content = Billing(kind="billing", over_billing_percent=Decimal(0), run=run)  # type: ignore[arg-type]
    return send(PublishPolicy(content=content), policy_id("billing"))


def test_the_billing_run_bills_what_is_delivered_if_the_policy_says_so(database: Database, event_store: EventStore) -> None:
    done(event_store, register())
    order = delivered_order(event_store, TODAY)
    assert ticked(database) == 0  # nobody said that we should
    done(event_store, published("monthly"))
    assert ticked(database) == 0  # not before next month
    done(event_store, published("daily"))
    assert ticked(database, clocks=2) == 2
    assert happened(event_store) == {"number_series.number_assigned.v1": 1, "invoice.issued.v1": 1, "order.invoiced.v1": 1}
    assert ticked(database) == 0
    done(event_store, send(ReportDelivery(delivery_id=uuid4()), order, CUSTOMER, time=datetime.now(UTC)))
    assert ticked(database) == 1
    assert happened(event_store)["invoice.issued.v1"] == 2
    invoiced = [one.event.gross for one in event_store.read(0, 100, types=["invoice.issued.v1"])]  # type: ignore[attr-defined]
    assert invoiced == [Decimal(25), Decimal(75)]


def test_the_monthly_run_bills_what_was_delivered_in_an_earlier_month(database: Database, event_store: EventStore) -> None:
    done(event_store, register(), published("monthly"))
    delivered_order(event_store, TODAY.replace(day=1) - timedelta(days=1))
    delivered_order(event_store, TODAY)
    assert ticked(database, clocks=2) == 2
    assert happened(event_store)["invoice.issued.v1"] == 1
    assert ticked(database) == 0


def test_what_is_refused_is_not_sent_again_and_again(database: Database, event_store: EventStore) -> None:
    done(event_store, register(), capture(uuid4(), CUSTOMER))
    tables_kept_up(database)
    sent: list[dict[str, Any]] = []
    clock = ClockWorker(database, into(sent), SystemClock())
    assert (clock.see_to_all(), clock.see_to_all(), len(sent)) == (1, 0, 1)
    clock.close()


def test_over_the_bus_commands_are_keyed_by_customer(bus: Bus, database: Database, event_store: EventStore) -> None:
    done(event_store, register(), capture(uuid4(), CUSTOMER))
    tables_kept_up(database)
    with open_clock(bus, database, Publisher(bus)) as clock:
        assert clock.see_to_all() == 1
    (message,) = everything(bus, COMMANDS)
    assert message.key == str(CUSTOMER).encode()
    assert message.headers["ce_type"] == b"ltc.lead.record_response_breach.v1"


def test_two_clocks_say_the_same_to_the_letter(database: Database, event_store: EventStore) -> None:
    done(event_store, register(), published("daily"), capture(uuid4(), CUSTOMER))
    delivered_order(event_store, TODAY)
    tables_kept_up(database)
    said: list[list[dict[str, Any]]] = [[], []]
    for sent in said:
        clock = ClockWorker(database, into(sent), SystemClock())
        assert clock.see_to_all() == 2
        clock.close()
    assert said[0] == said[1]
