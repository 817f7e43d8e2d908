"""Every event says in a few words what happened."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import pytest

from ltc_events.schemas.base import Event, MoneyEvent, OrderedEvent
from ltc_events.schemas.customer import Profile, ProfileUpdated
from ltc_events.schemas.follow_up import FirstResponseRecorded, ResponseBreached
from ltc_events.schemas.lead import LeadAccepted
from ltc_events.schemas.opportunity import LossReason, OpportunityLost, OpportunityWon, StageChanged
from ltc_events.schemas.order import OrderCancelled, OrderShipped
from ltc_events.schemas.registry import EVENTS
from ltc_events.schemas.summary_text import summarise


def test_that_it_is_dated_before_what_it_follows_is_said_too() -> None:
    late = date(2026, 2, 1)
    assert summarise(LeadAccepted(dated_before=late)) == "lead accepted (dated before 2026-02-01, the date of what it follows)"
    assert summarise(LeadAccepted()) == "lead accepted"


def test_an_event_without_words_of_its_own_is_no_event() -> None:
    with pytest.raises(TypeError, match="Wordless does not say what happened: give it a method in_words"):

        class Wordless(Event):
            type: ClassVar[str] = "lead.wordless.v1"

    assert "lead.wordless.v1" not in EVENTS


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ProfileUpdated(profile=Profile(name="Acme", registration_number="7")), "profile updated: name, registration number"),
        (FirstResponseRecorded(by="Olga", in_time=False), "first response by Olga, late"),
        (ResponseBreached(due_at=datetime(2026, 2, 1, 8, tzinfo=UTC)), "no response by 2026-02-01 08:00"),
        (
            StageChanged(
                from_stage="proposal",
                stage="needs_analysis",
                probability=Decimal("30.0"),
                backward=True,
                reason="new buyer",
                policy_version=1,
            ),
            "back to needs analysis, 30 % likely: new buyer",
        ),
        (OpportunityWon(from_stage="proposal", amount=Decimal("12000.50"), currency="EUR"), "won for 12,000.50 EUR"),
        (
            OpportunityLost(from_stage="proposal", amount=Decimal(70), currency="EUR", reason=LossReason.NO_BUDGET),
            "lost 70 EUR: no budget",
        ),
        (OrderShipped(shipment_id=UUID(int=1), carrier="DHL", tracking="47"), "shipped by DHL, tracking 47"),
        (
            OrderCancelled(currency="EUR", reason="late", lines=(), amount=Decimal(5)),
            "order cancelled, 5 EUR net released: late",
        ),
    ],
)
def test_words(event: Event, words: str) -> None:
    assert summarise(event) == words


def test_events_with_dates_to_be_held_are_of_the_classes_that_tables_ask_for() -> None:
    """Tables ask for the class: to ask a model for a field that it lacks is slow."""
    assert [one for one in EVENTS.values() if "dated_before" in one.model_fields and not issubclass(one, OrderedEvent)] == []
    assert [one for one in EVENTS.values() if "not_before" in one.model_fields and not issubclass(one, MoneyEvent)] == []
