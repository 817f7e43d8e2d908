"""Ids that anybody can compute are the ledger's alone: of number series that there are, of those to come, and of policies."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from tests.integration.books import DAY, Books, line

from ltc_events.aggregates.policies import POLICY_IDS
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.schemas.campaign import PlanCampaign
from ltc_events.schemas.lead import CaptureLead, Channel, ConvertLead, EvidenceKind, QualifyLead, ScreenLead
from ltc_events.schemas.number_series import NumberAssigned, first_series_id, format_number, series_id
from ltc_events.schemas.outcome import Status
from ltc_events.store import Commit, Database, EventStore, NewEvent

LEAD = CaptureLead(
    contact_name="Eve", company="Eve Ltd", email="eve@eve.example", industry="theft", need="numbers", channel=Channel.OTHER
)


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Books:
    return Books(database, event_store)


def bill(books: Books, name: str) -> str:
    """Bill an order; the invoice's number."""
    books.order(f"order of {name}", line(1, "1", "100"))
    books.invoice(name, f"order of {name}")
    (number,) = [one.event.number for one in books.store.stream(books.id(name)) if hasattr(one.event, "number")]
    return str(number)


@pytest.mark.parametrize("taken", [first_series_id("INV", DAY.year), series_id("INV", DAY.year)])
def test_nobody_blocks_a_series_by_taking_its_id(books: Books, taken: UUID) -> None:
    outcome = books.send(LEAD, taken)
    if taken == series_id("INV", DAY.year):
        assert (outcome.status, outcome.reasons[0].code) == (Status.REFUSED, "reserved_id")
    assert [bill(books, "first"), bill(books, "second")] == [format_number("INV", DAY.year, number) for number in (1, 2)]
    assert {one.subject for one in books.store.stream(series_id("INV", DAY.year))} == {series_id("INV", DAY.year)}
    assert explain_invoice(books.store, format_number("INV", DAY.year, 2), DAY, 100)


def test_a_series_that_began_under_an_older_release_goes_on_where_it_is(books: Books) -> None:
    id, moment = first_series_id("INV", DAY.year), datetime(DAY.year, 1, 1, tzinfo=UTC)
    number = format_number("INV", DAY.year, 1)
    assigned = NumberAssigned(series="INV", year=DAY.year, sequence=1, number=number, document_id=uuid4())
    command = uuid4()
    books.store.append(
        Commit(events=[NewEvent(id, 1, assigned, None, moment, date(DAY.year, 1, 1), command, command, command, "v0.1")])
    )
    assert bill(books, "next") == format_number("INV", DAY.year, 2)
    assert len(books.store.stream(id)) == 2
    assert books.store.stream(series_id("INV", DAY.year)) == []
    assert explain_invoice(books.store, format_number("INV", DAY.year, 2), DAY, 100)


@pytest.mark.parametrize("id", POLICY_IDS, ids=lambda id: POLICY_IDS[id])
def test_ids_of_policies_are_those_of_nothing_else(books: Books, id: UUID) -> None:
    campaign = PlanCampaign(title="x", channel=Channel.OTHER, budget=Decimal(1), currency="EUR", starts_on=DAY, ends_on=DAY)
    for command, customer in ((LEAD, None), (campaign, id)):
        outcome = books.send(command, id, customer=customer)
        (reason,) = outcome.reasons
        assert (reason.code, reason.field) == ("reserved_id", "subject")
        assert reason.fix.startswith("choose another id")


@pytest.mark.parametrize("id", [next(iter(POLICY_IDS)), series_id("CN", 2099)])
def test_nothing_is_made_beside_the_subject_under_a_reserved_id(books: Books, id: UUID) -> None:
    books.do(LEAD, "lead")
    books.do(ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True), "lead")
    books.do(QualifyLead(need="numbers"), "lead")
    convert = ConvertLead.model_construct(
        opportunity_id=id,
        evidence=EvidenceKind.INTENT_TO_BUY,
        evidence_note="asked",
        can_take_part=True,
        title="x",
        amount=Decimal(1),
        currency="EUR",
    )
    (reason,) = books.send(convert, "lead").reasons
    assert (reason.code, reason.field) == ("reserved_id", "opportunity_id")
