"""The read tables of the sales side show where things stand, and keep how they got there."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from tests.small_company import Company, id_of, line, priced

from ltc_events.kernel.money import HUNDRED
from ltc_events.schemas.campaign import CampaignClosed, CampaignCostRecorded, CampaignLaunched, CampaignPlanned
from ltc_events.schemas.customer import ContactAdded, CustomerRegistered, Profile, ProfileUpdated, ReferenceLinked
from ltc_events.schemas.follow_up import FollowUpCompleted, FollowUpMissed, FollowUpScheduled, ResponseBreached
from ltc_events.schemas.lead import (
    Channel,
    LeadDetail,
    LeadDetailRecorded,
    LeadDisqualified,
    LeadScored,
    Temperature,
    TemperatureChanged,
)
from ltc_events.schemas.opportunity import (
    AmountChanged,
    CloseDateChanged,
    DecisionMakerMapped,
    InteractionKind,
    InteractionLogged,
    LossReason,
    OpportunityLost,
)
from ltc_events.schemas.policy import DiscountMatrix, PolicyPublished, PriceBookItem, PriceBookPublished
from ltc_events.schemas.quote import (
    DiscountApproved,
    DiscountRejected,
    QuoteAccepted,
    QuoteDrafted,
    QuoteExpired,
    QuoteOrdered,
    QuoteRevised,
    QuoteSent,
)
from ltc_events.store import Database, EventStore, Role

DAY = date(2026, 2, 1)


@pytest.fixture
def company(database: Database, event_store: EventStore) -> Company:
    return Company(database, event_store)


def rows(company: Company, columns: str, table: str, order: str) -> list[tuple[Any, ...]]:
    """What an analyst reads."""
    company.follow()
    with company.database.connect(Role.READER) as connection:
        query = f"SELECT {columns} FROM ltc_read.{table} ORDER BY {order}"
        return connection.execute(query.encode()).fetchall()


def test_customers(company: Company) -> None:
    registered = CustomerRegistered(profile=Profile(name="Acme", phone="+49 30 1234"), references={"erp": "77"}, policy_version=1)
    company.record("Acme", registered, on="2026-01-01")
    company.record("Acme", ProfileUpdated(profile=Profile(name="Acme Ltd", country="DE")), on="2026-02-01")
    company.record("Acme", ReferenceLinked(system="crm", reference="4711"), on="2026-02-01")
    company.record("Acme", ContactAdded(contact_id=id_of("Ada"), name="Ada", role="buyer"), on="2026-02-01")
    current = "name, phone, country, registered_on, changed_on, changed_position"
    assert rows(company, current, "customers", "1") == [("Acme Ltd", "+49 30 1234", "DE", date(2026, 1, 1), DAY, 2)]
    history = rows(company, "position, effective_on, name, country", "customer_profiles", "1")
    assert history == [(1, date(2026, 1, 1), "Acme", None), (2, DAY, "Acme Ltd", "DE")]
    assert rows(company, "system, reference, position", "customer_references", "1") == [("crm", "4711", 3), ("erp", "77", 1)]
    assert rows(company, "customer_id, contact_id, name, role, email", "contacts", "1") == [
        (id_of("Acme"), id_of("Ada"), "Ada", "buyer", None)
    ]


def test_the_timeline_has_a_row_for_every_event(company: Company) -> None:
    matrix = DiscountMatrix(kind="discount_matrix", limits={"sales": Decimal(5)})
    company.record("matrix", PolicyPublished(version=1, content=matrix), on="2026-01-01", customer=None, actor="Dora")
    company.capture("L1", on="2026-01-02", at="2026-01-02T08:30:00")
    assert rows(company, "position, customer_id, subject, type, summary, actor, occurred_at", "timeline", "1") == [
        (1, None, id_of("matrix"), "policy.published.v1", "policy discount matrix in version 1", "Dora", _at("2026-01-01T12:00")),
        (
            2,
            id_of("Acme"),
            id_of("L1"),
            "lead.captured.v1",
            "lead captured from web form: pumps",
            "test",
            _at("2026-01-02T08:30"),
        ),
    ]
    assert rows(company, "kind, version, content", "policies", "1") == [
        ("discount_matrix", 1, {"kind": "discount_matrix", "limits": {"sales": "5"}})
    ]


def test_campaigns(company: Company) -> None:
    planned = CampaignPlanned(
        title="Fair", channel=Channel.EXHIBITION, budget=HUNDRED, currency="EUR", starts_on=DAY, ends_on=date(2026, 3, 1)
    )
    company.record("Fair", planned, CampaignLaunched(), on="2026-02-01", customer=None)
    for amount in ("10", "0.50"):
        cost = CampaignCostRecorded(cost_id=uuid4(), amount=Decimal(amount), currency="EUR", channel=Channel.EXHIBITION)
        company.record("Fair", cost, on="2026-02-02", customer=None)
    company.record("Fair", CampaignClosed(), on="2026-03-01", customer=None)
    assert rows(company, "title, status, budget, cost, launched_on, closed_on", "campaigns", "1") == [
        ("Fair", "closed", HUNDRED, Decimal("10.50"), DAY, date(2026, 3, 1))
    ]
    assert rows(company, "position, amount", "campaign_costs", "1") == [(3, Decimal(10)), (4, Decimal("0.50"))]


def test_leads(company: Company) -> None:
    company.capture("L1", on="2026-01-10", origin="Hanover")
    company.qualify("L1", on="2026-01-12")
    company.record(
        "L1",
        LeadDetailRecorded(detail=LeadDetail(pain_points="leaks", products=("PUMP",))),
        TemperatureChanged(was=Temperature.COLD, temperature=Temperature.HOT),
        LeadScored(score=Decimal(70), points={}, inputs={}, model_version=3),
        on="2026-01-13",
    )
    company.convert("L1", "D1", on="2026-01-14")
    company.capture("L2", on="2026-01-10")
    company.record("L2", ResponseBreached(due_at=_at("2026-01-11T12:00")), LeadDisqualified(reason="moved away"), on="2026-01-20")
    current = "position, status, temperature, score, owner, opportunity_id, reason, detail ->> 'pain_points', origin"
    assert rows(company, current, "leads", "1") == [
        (1, "converted", "hot", Decimal(70), "Olga", id_of("D1"), None, "leaks", "Hanover"),
        (11, "disqualified", "cold", None, None, None, "moved away", None, None),
    ]
    assert rows(company, "first_response_at", "leads WHERE position = 1", "1") == [(_at("2026-01-12T12:00"),)]
    steps = rows(company, "step, person, coalesce(score::text, temperature, note), policy_version", "lead_steps", "position")
    assert steps == [
        ("captured", None, None, 0),
        ("accepted", None, None, None),
        ("assigned", "Olga", "manual", 0),
        ("contacted", "Olga", None, None),
        ("qualified", None, "pumps", None),
        ("temperature_changed", None, "hot", None),
        ("scored", None, "70", 3),
        ("converted", None, "asked for a quote", None),
        ("captured", None, None, 0),
        ("response_breached", None, None, None),
        ("disqualified", None, "moved away", None),
    ]


def test_a_follow_up_that_was_missed_can_still_be_done(company: Company) -> None:
    company.capture("L1", on="2026-01-10")
    id = id_of("F")
    company.record("L1", FollowUpScheduled(follow_up_id=id, due_at=_at("2026-01-15T09:00"), note="call"), on="2026-01-10")
    company.record("L1", FollowUpMissed(follow_up_id=id), on="2026-01-16")
    company.record("L1", FollowUpCompleted(follow_up_id=id, result="wants a quote"), on="2026-01-17")
    assert rows(company, "position, missed_position, missed_on, done_position, done_on, note, result", "follow_ups", "1") == [
        (2, 3, date(2026, 1, 16), 4, date(2026, 1, 17), "call", "wants a quote")
    ]


def test_opportunities(company: Company) -> None:
    company.open("D1", on="2026-01-01", expected_close_on=DAY)
    company.move("D1", "prospecting", "proposal", on="2026-01-05")
    company.record("D1", AmountChanged(was=Decimal(1000), amount=Decimal(1200), currency="EUR"), on="2026-01-06")
    company.record("D1", CloseDateChanged(was=DAY, expected_close_on=date(2026, 3, 1)), on="2026-01-07")
    company.record("D1", InteractionLogged(kind=InteractionKind.DEMO, summary="liked it", by="Olga"), on="2026-01-08")
    company.record("D1", DecisionMakerMapped(contact_name="Ada", role="buyer"), on="2026-01-08")
    company.win("D1", on="2026-01-09", amount="1200")
    company.open("D2", on="2026-01-01")
    lost = OpportunityLost(
        from_stage="prospecting", amount=Decimal(1000), currency="EUR", reason=LossReason.PRICE, competitor="Rival"
    )
    company.record("D2", lost, on="2026-01-10")
    current = "title, status, stage, probability, amount, expected_close_on, closed_on, reason"
    assert rows(company, current, "opportunities", "1") == [
        ("D1", "won", "won", HUNDRED, Decimal(1200), date(2026, 3, 1), date(2026, 1, 9), "trusted"),
        ("D2", "lost", "lost", Decimal(0), Decimal(1000), None, date(2026, 1, 10), "price"),
    ]
    assert rows(company, "position, stage, from_stage, probability, competitor", "opportunity_stages", "1") == [
        (1, "prospecting", None, Decimal(10), None),
        (2, "proposal", "prospecting", Decimal(50), None),
        (7, "won", "prospecting", HUNDRED, None),
        (8, "prospecting", None, Decimal(10), None),
        (9, "lost", "prospecting", Decimal(0), "Rival"),
    ]
    amounts = rows(company, "position, cause, amount, expected_close_on", "opportunity_amounts", "1")
    assert amounts == [
        (1, "opened", Decimal(1000), DAY),
        (3, "amount_changed", Decimal(1200), None),
        (4, "close_date_changed", None, date(2026, 3, 1)),
        (7, "won", Decimal(1200), None),
        (8, "opened", Decimal(1000), None),
        (9, "lost", Decimal(1000), None),
    ]
    assert rows(company, "kind, summary, person", "interactions", "1") == [("demo", "liked it", "Olga")]
    assert rows(company, "contact_name, role", "decision_makers", "1") == [("Ada", "buyer")]


def test_quotes(company: Company) -> None:
    draft = QuoteDrafted(currency="EUR", valid_until=DAY, requested_on=date(2026, 1, 1))
    first = priced(line(1, "PUMP", "2", "100", {"volume": "60"}), line(2, "HOSE", "1", "25"), approval=True)
    company.record("Q1", draft, first, on="2026-01-02")
    company.record("Q1", DiscountRejected(approver="Dora", reason="too much"), on="2026-01-03")
    again = priced(line(1, "PUMP", "2", "100", {"volume": "50"}), approval=True)
    approved = DiscountApproved(approver="Dora", role="director", discount_percent=Decimal(25), matrix_version=0)
    company.record("Q1", again, approved, QuoteSent(revision=1), on="2026-01-04")
    company.record("Q1", QuoteExpired(revision=1), on="2026-02-02")
    current = "status, revision, net, approver, valid_until, closed_on"
    assert rows(company, current, "quotes", "1") == [("expired", 1, Decimal(150), "Dora", DAY, date(2026, 2, 2))]
    company.record("Q1", QuoteRevised(revision=2, reason="still wanted", valid_until=date(2026, 3, 1)), on="2026-02-03")
    assert rows(company, current, "quotes", "1") == [("draft", 2, Decimal(150), "Dora", date(2026, 3, 1), None)]
    company.record("Q1", priced(line(1, "PUMP", "2", "100"), revision=2), QuoteSent(revision=2), on="2026-02-04")
    company.record("Q1", QuoteAccepted(revision=2, net=Decimal(200), currency="EUR"), on="2026-02-05")
    assert rows(company, current, "quotes", "1") == [("accepted", 2, Decimal(200), None, date(2026, 3, 1), date(2026, 2, 5))]
    company.record("Q1", QuoteOrdered(revision=2, order_id=id_of("O1")), on="2026-02-06")
    assert rows(company, current, "quotes", "1") == [("accepted", 2, Decimal(200), None, date(2026, 3, 1), date(2026, 2, 5))]
    assert rows(company, "order_id", "quotes", "1") == [(id_of("O1"),)]
    assert [step for (step,) in rows(company, "step", "quote_steps", "position")] == [
        "drafted", "priced", "approval_refused", "priced", "approved", "sent", "expired", "revised", "priced", "sent", "accepted",
        "ordered",
    ]  # fmt: skip
    assert rows(company, "revision, order_id", "quote_steps", "position")[-1] == (2, id_of("O1"))
    lines = "position, line, revision, sku, list_amount, discount_amount, net, discounts"
    volume = [{"reason": "volume", "percent": None, "amount": "60"}]
    assert rows(company, lines, "quote_lines", "1, 2")[:2] == [
        (2, 1, 1, "PUMP", Decimal(200), Decimal(60), Decimal(140), volume),
        (2, 2, 1, "HOSE", Decimal(25), Decimal(0), Decimal(25), []),
    ]


def test_price_lists(company: Company) -> None:
    items = (PriceBookItem(sku="PUMP", description="pump", list_price=HUNDRED, tax_rate=Decimal(19)),)
    company.record(
        "book",
        PriceBookPublished(version=1, title="2026", currency="EUR", valid_from=DAY, items=items),
        on="2026-01-01",
        customer=None,
    )
    assert rows(company, "position, sku, version, list_price, valid_from", "list_prices", "1") == [(1, "PUMP", 1, HUNDRED, DAY)]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
