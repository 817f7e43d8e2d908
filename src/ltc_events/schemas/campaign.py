"""Campaign: what marketing plans, spends and gets for it (R-11). Belongs to the company, not to a customer."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from ltc_events.schemas.base import Command, Currency, Day, Event, Exact, Id, Name, NotNegative, Positive, References
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.summary_text import because, money


class PlanCampaign(Command):
    """Plan a campaign on a channel with a budget."""

    type: ClassVar[str] = "campaign.plan.v1"
    title: Name
    channel: Channel
    budget: NotNegative
    expected_revenue: NotNegative | None = None
    currency: Currency
    starts_on: Day
    ends_on: Day
    references: References = {}


class LaunchCampaign(Command):
    """Start a planned campaign."""

    type: ClassVar[str] = "campaign.launch.v1"


class RecordCampaignCost(Command):
    """Record money spent; each `cost_id` counts once. Costs may be recorded after the campaign has closed."""

    type: ClassVar[str] = "campaign.record_cost.v1"
    cost_id: Id
    amount: Positive
    note: Name | None = None


class CloseCampaign(Command):
    """End a campaign."""

    type: ClassVar[str] = "campaign.close.v1"
    reason: Name | None = None


class CampaignPlanned(Event):
    """A campaign was planned."""

    type: ClassVar[str] = "campaign.planned.v1"
    limited_at: ClassVar[str] = "budget"
    title: str
    channel: Channel
    budget: Exact
    expected_revenue: Exact | None = None
    currency: str
    starts_on: date
    ends_on: date
    references: dict[str, str] = {}

    def in_words(self) -> str:
        return f"campaign planned: {self.title}, budget {money(self.budget, self.currency)}"


class CampaignLaunched(Event):
    """A campaign started."""

    type: ClassVar[str] = "campaign.launched.v1"

    def in_words(self) -> str:
        return "campaign launched"


class CampaignCostRecorded(Event):
    """Money was spent on a campaign."""

    type: ClassVar[str] = "campaign.cost_recorded.v1"
    limited_at: ClassVar[str] = "amount"
    cost_id: UUID
    amount: Exact
    currency: str
    channel: Channel
    note: str | None = None

    def in_words(self) -> str:
        return f"spent {money(self.amount, self.currency)}{because(self.note)}"


class CampaignClosed(Event):
    """A campaign ended."""

    type: ClassVar[str] = "campaign.closed.v1"
    reason: str | None = None

    def in_words(self) -> str:
        return f"campaign closed{because(self.reason)}"
