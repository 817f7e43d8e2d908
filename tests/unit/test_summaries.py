"""Every event says in a few words what happened."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from ltc_events.projections import summaries
from ltc_events.projections.summaries import summarise
from ltc_events.schemas.base import Event
from ltc_events.schemas.catalogue import NOUNS
from ltc_events.schemas.customer import Profile, ProfileUpdated
from ltc_events.schemas.lead import FirstResponseRecorded, ResponseBreached
from ltc_events.schemas.opportunity import LossReason, OpportunityLost, OpportunityWon, StageChanged
from ltc_events.schemas.order import OrderCancelled, OrderShipped


def test_every_event_has_words_of_its_own() -> None:
    events = {
        one for noun in NOUNS for one in vars(noun).values() if isinstance(one, type) and issubclass(one, Event) and one.type
    }
    assert events
    assert events - summaries._WORDS.keys() == set()


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
