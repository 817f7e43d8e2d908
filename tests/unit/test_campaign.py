"""Campaign: what each command leads to (R-11)."""

from datetime import date
from decimal import Decimal

from tests.unit.specification import given

from ltc_events.aggregates.base import AlreadyExists, DoesNotExist, EndsBeforeStart, FinerThanMinorUnit
from ltc_events.aggregates.campaign import COSTS_MAX, CostAlreadyRecorded, TooManyCosts, WrongCampaignStatus
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.campaign import (
    CampaignClosed,
    CampaignCostRecorded,
    CampaignLaunched,
    CampaignPlanned,
    CloseCampaign,
    LaunchCampaign,
    PlanCampaign,
    RecordCampaignCost,
)
from ltc_events.schemas.lead import Channel

COST = derive_id("test", "cost")
PLAN = PlanCampaign(
    title="Spring fair",
    channel=Channel.EXHIBITION,
    budget=Decimal(5000),
    expected_revenue=Decimal(40000),
    currency="EUR",
    starts_on=date(2026, 4, 1),
    ends_on=date(2026, 4, 5),
    references={"crm": "7"},
)
PLANNED = CampaignPlanned(
    title="Spring fair",
    channel=Channel.EXHIBITION,
    budget=Decimal(5000),
    expected_revenue=Decimal(40000),
    currency="EUR",
    starts_on=date(2026, 4, 1),
    ends_on=date(2026, 4, 5),
    references={"crm": "7"},
)
SPEND = RecordCampaignCost(cost_id=COST, amount=Decimal("99.90"), note="stand")
SPENT = CampaignCostRecorded(cost_id=COST, amount=Decimal("99.90"), currency="EUR", channel=Channel.EXHIBITION, note="stand")


def test_a_campaign_is_planned_launched_and_closed() -> None:
    given().when(PLAN).then(PLANNED)
    given(PLANNED).when(LaunchCampaign()).then(CampaignLaunched())
    given(PLANNED, CampaignLaunched()).when(CloseCampaign(reason="over")).then(CampaignClosed(reason="over"))


def test_a_campaign_is_planned_once() -> None:
    given(PLANNED).when(PLAN).then(AlreadyExists, field="subject", message="campaign")


def test_a_campaign_cannot_end_before_it_starts() -> None:
    given().when(PLAN.model_copy(update={"ends_on": date(2026, 3, 31)})).then(
        EndsBeforeStart, field="ends_on", message="2026-03-31", fix="2026-04-01"
    )
    one_day = PLAN.model_copy(update={"ends_on": date(2026, 4, 1)})
    assert given().when(one_day).events[0].ends_on == date(2026, 4, 1)


def test_a_budget_is_payable_money() -> None:
    given().when(PLAN.model_copy(update={"budget": Decimal("0.005")})).then(FinerThanMinorUnit, field="budget")


def test_a_campaign_is_launched_once_and_not_after_it_closed() -> None:
    given(PLANNED, CampaignLaunched()).when(LaunchCampaign()).then(WrongCampaignStatus, message="it is launched")
    given(PLANNED, CampaignClosed()).when(LaunchCampaign()).then(WrongCampaignStatus, message="it is closed")


def test_a_planned_campaign_can_be_called_off_but_a_closed_one_is_closed() -> None:
    given(PLANNED).when(CloseCampaign()).then(CampaignClosed())
    given(PLANNED, CampaignClosed()).when(CloseCampaign()).then(WrongCampaignStatus, message="closed")


def test_costs_are_booked_before_during_and_after_in_the_campaigns_currency() -> None:
    given(PLANNED).when(SPEND).then(SPENT)
    given(PLANNED, CampaignLaunched()).when(SPEND).then(SPENT)
    given(PLANNED, CampaignLaunched(), CampaignClosed()).when(SPEND).then(SPENT)


def test_a_cost_counts_once() -> None:
    given(PLANNED, SPENT).when(SPEND).then(CostAlreadyRecorded, field="cost_id", message=str(COST))


def test_a_cost_is_payable_money() -> None:
    given(PLANNED).when(SPEND.model_copy(update={"amount": Decimal("1.001")})).then(
        FinerThanMinorUnit, field="amount", message="0.01", fix="1.001"
    )
    yen = PLANNED.model_copy(update={"currency": "JPY"})
    given(yen).when(SPEND).then(FinerThanMinorUnit, field="amount", message="JPY, 1")


def test_costs_are_limited() -> None:
    many = [SPENT.model_copy(update={"cost_id": derive_id("cost", str(number))}) for number in range(COSTS_MAX)]
    given(PLANNED, *many).when(SPEND).then(TooManyCosts, field="cost_id")


def test_commands_to_an_unknown_campaign_say_what_comes_first() -> None:
    for command in (LaunchCampaign(), SPEND, CloseCampaign()):
        given().when(command).then(DoesNotExist, field="subject", fix="campaign.plan.v1")
