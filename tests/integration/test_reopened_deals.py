"""A deal that is opened again was lost, or won, on the days in between, and is neither afterwards, in every report."""

import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from tests.integration.books import DAY, Books

from ltc_events.aggregates.policies import policy_id
from ltc_events.reports.changes import open_changes
from ltc_events.reports.changes_render import write_changes_json
from ltc_events.schemas.lead import CaptureLead, Channel, ConvertLead, EvidenceKind, QualifyLead, ScreenLead
from ltc_events.schemas.opportunity import AdvanceStage, LoseOpportunity, LossReason, ReopenOpportunity
from ltc_events.schemas.outcome import Status
from ltc_events.schemas.policy import BusinessDates, PolicyKind, PublishPolicy
from ltc_events.store import Database, EventStore

LEAD = CaptureLead(
    contact_name="Eve", company="Eve Ltd", email="eve@eve.example", industry="trade", need="a mill", channel=Channel.REFERRAL
)
LOSE = LoseOpportunity(reason=LossReason.PRICE, competitor="Babbage & Co")
REOPEN = ReopenOpportunity(reason="they called back")


def day(number: int) -> date:
    return DAY.replace(day=number)


@pytest.fixture
def books(database: Database, event_store: EventStore) -> Iterator[Books]:
    """A deal of 1,000 that a lead brought, on the first day."""
    books = Books(database, event_store)
    books.do(LEAD, "lead")
    books.do(ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True), "lead")
    books.do(QualifyLead(need="a mill"), "lead")
    convert = ConvertLead(
        opportunity_id=books.id("deal"),
        evidence=EvidenceKind.INTENT_TO_BUY,
        evidence_note="asked",
        can_take_part=True,
        title="a mill",
        amount=Decimal(1000),
        currency="EUR",
    )
    books.do(convert, "lead")
    books.do(AdvanceStage(stage="proposal"), "deal", on=day(2))
    yield books
    books.close()


def shown(books: Books, on: date, known_at: int | None = None) -> tuple[bool, bool, bool]:
    """Whether the deal is open, won and lost, which every report says alike."""
    is_open = [(row["stage"], row["amount"]) for row in books.report("pipeline", on, known_at)]
    assert is_open in ([], [("prospecting", 1000)], [("proposal", 1000)])
    lost = books.report("loss-reasons", on, known_at)
    won = [row["leads"] for row in books.report("funnel", on, known_at) if row["step"] == "won"] == [1]
    assert [(row["won"], row["won_amount"]) for row in books.report("channels", on, known_at)] == [
        (int(won), 1000 if won else None)
    ]
    amounts = {
        row["item"] for row in books.report("customer", on, known_at, customer=books.customer) if row["section"] == "amount"
    }
    assert ("won deals" in amounts, "pipeline" in amounts) == (won, bool(is_open))
    bridge = books.report("revenue-vs-opportunity", on, known_at)
    assert [row["status"] for row in bridge] == (["won"] if won else [])
    return bool(is_open), won, bool(lost)


OPEN, WON, LOST = (True, False, False), (False, True, False), (False, False, True)


def test_it_is_as_of_any_date_and_known_at_any_position_what_it_was(books: Books) -> None:
    lost = books.do(LOSE, "deal", on=day(5))
    reopened = books.do(REOPEN, "deal", on=day(9))
    won = books.close_deal("deal", on=day(12))
    again = books.do(REOPEN, "deal", on=day(15))
    lost_again = books.do(LOSE, "deal", on=day(20))
    days = {4: OPEN, 5: LOST, 8: LOST, 9: OPEN, 11: OPEN, 12: WON, 14: WON, 15: OPEN, 19: OPEN, 20: LOST}
    assert {on: shown(books, day(on)) for on in days} == days
    known = {lost: LOST, reopened: OPEN, won: WON, again: OPEN, lost_again: LOST}
    assert {position: shown(books, day(28), position) for position in known} == known
    (reason,) = books.report("loss-reasons", day(28))
    assert (reason["lost"], reason["amount"]) == (1, 1000), "a deal that is lost twice is lost once"


def test_its_stage_is_entered_anew_and_the_days_in_between_are_of_none(books: Books) -> None:
    books.do(LOSE, "deal", on=day(5))
    books.do(REOPEN, "deal", on=day(9))
    (_, proposal) = books.report("stage-durations", day(12))
    assert (proposal["entered"], proposal["still_open"], proposal["moved_back"]) == (2, 1, 1)
    assert proposal["average_days"] == 3, "from the 2nd to the 5th, and from the 9th to the 12th"


def test_where_dates_are_recorded_as_they_come_it_may_be_dated_before_the_loss(books: Books) -> None:
    books.do(LOSE, "deal", on=day(9))
    refused = books.send(REOPEN, "deal", on=day(5))
    assert (refused.status, refused.reasons[0].field) == (Status.REFUSED, "effective_on")
    policy = PublishPolicy(content=BusinessDates(kind="business_dates", selling="record"))
    id = policy_id(PolicyKind.BUSINESS_DATES)
    books.do(policy, id, customer=id)
    books.do(REOPEN, "deal", on=day(5))
    assert {on: shown(books, day(on)) for on in (4, 6, 9, 10)} == dict.fromkeys((4, 6, 9, 10), OPEN)


@pytest.mark.parametrize("report", ["loss-reasons", "funnel", "channels", "pipeline"])
def test_the_reopening_stands_behind_what_it_changed(books: Books, report: str) -> None:
    closed = books.do(LOSE, "deal", on=day(5)) if report in ("loss-reasons", "pipeline") else books.close_deal("deal", on=day(5))
    reopened = books.do(REOPEN, "deal", on=day(9))
    books.catch_up()
    stream = io.StringIO()
    with open_changes(books.database, report, closed, as_of=day(9)) as found:
        write_changes_json(found, stream)
    rows = json.loads(stream.getvalue())["rows"]
    assert [{event["position"] for event in row["events"]} for row in rows] == [{reopened}] * len(rows)
    assert rows
