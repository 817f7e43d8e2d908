"""Opportunity: what each command leads to (R-37 … R-43)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.selling_examples import CAMPAIGN, QUOTE, drafted, opened, priced
from tests.unit.specification import STRANGER, SUBJECT, at, given, of

from ltc_events.aggregates.base import AlreadyExists, DoesNotExist
from ltc_events.aggregates.opportunity import (
    ExitCriteriaOpen,
    OpportunityClosed,
    QuoteNotAccepted,
    QuoteOfAnotherDeal,
    StageNotAhead,
    StageNotBehind,
    UnknownStage,
    WonWithoutGrounds,
)
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.work import NotFound
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    AmountChanged,
    ChangeAmount,
    ChangeCloseDate,
    CloseDateChanged,
    DecisionMakerMapped,
    InteractionKind,
    InteractionLogged,
    LogInteraction,
    LoseOpportunity,
    LossReason,
    MapDecisionMaker,
    MoveStageBack,
    OpenOpportunity,
    OpportunityLost,
    OpportunityWon,
    StageChanged,
    WinOpportunity,
)
from ltc_events.schemas.policy import PolicyPublished, Stage, Stages
from ltc_events.schemas.quote import QuoteAccepted, QuoteSent

OPEN: dict[str, Any] = {"title": "The mill", "amount": Decimal(1000), "currency": "EUR"}
POLICY = PolicyPublished(
    version=2,
    content=Stages(
        kind="stages",
        stages=(
            Stage(name="prospecting", probability=Decimal(10), exit_criteria=("need",)),
            Stage(name="demo", probability=Decimal(40), exit_criteria=("shown", "budget")),
            Stage(name="offer", probability=Decimal(70), exit_criteria=("signed",)),
        ),
    ),
)
WON = OpportunityWon(from_stage="prospecting", amount=Decimal(1000), currency="EUR", reason="r")
LOST = OpportunityLost(from_stage="prospecting", amount=Decimal(1000), currency="EUR", reason=LossReason.PRICE)
INTERACTION = LogInteraction(kind=InteractionKind.CARE, summary="a birthday card", by="Sam")
MAPPING = MapDecisionMaker(contact_name="Ada King", role="buyer", influence="high")
MOVES: tuple[Command, ...] = (
    AdvanceStage(stage="proposal"),
    MoveStageBack(stage="prospecting", reason="r"),
    ChangeAmount(amount=Decimal(5)),
    ChangeCloseDate(expected_close_on=date(2026, 5, 1)),
    WinOpportunity(reason="r"),
    LoseOpportunity(reason=LossReason.PRICE),
)


def moved(stage: str, probability: int, **changes: Any) -> StageChanged:
    """A move on from the first stage."""
    fields: dict[str, Any] = {"from_stage": "prospecting", "backward": False, "policy_version": 0}
    return StageChanged(**{**fields, "stage": stage, "probability": Decimal(probability), **changes})


class TestOpening:
    def test_a_deal_without_a_lead_begins_in_the_first_stage(self) -> None:
        more = {
            "expected_close_on": date(2026, 6, 30),
            "channel": Channel.PARTNER,
            "campaign_id": CAMPAIGN,
            "owner": "Sam",
            "references": {"crm": "9"},
        }
        given().when(OpenOpportunity(**OPEN, **more)).then(opened(**more))

    def test_the_first_stage_is_policy(self) -> None:
        stages = Stages(kind="stages", stages=(Stage(name="scouting", probability=Decimal(5)),))
        given(PolicyPublished(version=1, content=stages)).when(OpenOpportunity(**OPEN)).then(
            opened(stage="scouting", probability=Decimal(5), policy_version=1)
        )

    def test_a_deal_is_opened_once(self) -> None:
        given(opened()).when(OpenOpportunity(**OPEN)).then(AlreadyExists, field="subject", message="opportunity")


class TestStages:
    def test_a_deal_moves_on_with_the_probability_of_the_stage(self) -> None:
        given(opened()).when(AdvanceStage(stage="proposal")).then(moved("proposal", 50))

    def test_the_exit_criteria_of_every_stage_passed_must_be_met(self) -> None:
        met = ("need", "shown", "budget")
        given(POLICY, opened()).when(AdvanceStage(stage="offer", criteria_met=met)).then(
            moved("offer", 70, criteria_met=met, policy_version=2)
        )
        given(POLICY, opened()).when(AdvanceStage(stage="offer", criteria_met=("need", "budget"))).then(
            ExitCriteriaOpen, field="criteria_met", message="demo cannot be left before shown", fix="need, shown, budget"
        )
        given(POLICY, opened()).when(AdvanceStage(stage="demo")).then(
            ExitCriteriaOpen, message="prospecting cannot be left before need (policy stages, version 2)"
        )

    def test_an_unknown_stage_is_refused_with_those_known(self) -> None:
        for command in (AdvanceStage(stage="haggling"), MoveStageBack(stage="haggling", reason="r")):
            given(POLICY, opened()).when(command).then(UnknownStage, field="stage", fix="prospecting, demo, offer")
        given(opened()).when(AdvanceStage(stage="won")).then(UnknownStage, fix="opportunity.win.v1")

    def test_advancing_leads_to_a_later_stage(self) -> None:
        for stage in ("prospecting", "proposal"):
            given(opened(), moved("proposal", 50)).when(AdvanceStage(stage=stage)).then(
                StageNotAhead, field="stage", message="not after proposal", fix="negotiation"
            )
        given(opened(), moved("negotiation", 75)).when(AdvanceStage(stage="proposal")).then(StageNotAhead, fix="it is the last")

    def test_a_deal_moves_back_with_a_reason_and_without_criteria(self) -> None:
        offer = moved("offer", 70, policy_version=2)
        given(POLICY, opened(), offer).when(MoveStageBack(stage="demo", reason="new buyer")).then(
            moved("demo", 40, from_stage="offer", backward=True, reason="new buyer", policy_version=2)
        )

    def test_moving_back_leads_to_an_earlier_stage(self) -> None:
        for stage in ("proposal", "negotiation"):
            given(opened(), moved("proposal", 50)).when(MoveStageBack(stage=stage, reason="r")).then(
                StageNotBehind, field="stage", fix="prospecting, qualification, needs_analysis"
            )
        given(opened()).when(MoveStageBack(stage="prospecting", reason="r")).then(StageNotBehind, fix="it is the first")

    def test_a_stage_that_the_policy_has_dropped_stands_before_the_first(self) -> None:
        negotiating = moved("negotiation", 75)
        given(opened(), negotiating, POLICY).when(AdvanceStage(stage="demo", criteria_met=("need",))).then(
            moved("demo", 40, from_stage="negotiation", criteria_met=("need",), policy_version=2)
        )
        given(opened(), negotiating, POLICY).when(AdvanceStage(stage="prospecting")).then(
            moved("prospecting", 10, from_stage="negotiation", policy_version=2)
        )
        given(opened(), negotiating, POLICY).when(MoveStageBack(stage="demo", reason="r")).then(StageNotBehind)


class TestForecast:
    def test_the_amount_changes_with_what_it_was(self) -> None:
        given(opened()).when(ChangeAmount(amount=Decimal(900), reason="fewer gears")).then(
            AmountChanged(was=Decimal(1000), amount=Decimal(900), currency="EUR", reason="fewer gears")
        )
        given(opened()).when(ChangeAmount(amount=Decimal("1000.00"))).then()

    def test_the_close_date_changes_with_what_it_was(self) -> None:
        june, july = date(2026, 6, 30), date(2026, 7, 31)
        first = CloseDateChanged(was=None, expected_close_on=june)
        given(opened()).when(ChangeCloseDate(expected_close_on=june)).then(first)
        given(opened(), first).when(ChangeCloseDate(expected_close_on=july, reason="holidays")).then(
            CloseDateChanged(was=june, expected_close_on=july, reason="holidays")
        )
        given(opened(), first).when(ChangeCloseDate(expected_close_on=june)).then()


class TestPeople:
    def test_a_decision_maker_is_mapped(self) -> None:
        given(opened()).when(MAPPING).then(DecisionMakerMapped(contact_name="Ada King", role="buyer", influence="high"))

    def test_interactions_are_logged_also_after_the_deal_is_closed(self) -> None:
        logged = InteractionLogged(kind=InteractionKind.CARE, summary="a birthday card", by="Sam")
        given(opened()).when(INTERACTION).then(logged)
        given(opened(), WON).when(INTERACTION).then(logged)
        given(opened(), LOST).when(INTERACTION).then(logged)


class TestWinning:
    ACCEPTED = QuoteAccepted(revision=1, opportunity_id=SUBJECT, net=Decimal(1000), currency="EUR")

    def test_an_accepted_quote_wins_the_deal_at_what_it_was_last_believed_to_be_worth(self) -> None:
        quote = at(QUOTE, drafted(opportunity_id=SUBJECT), priced(), QuoteSent(revision=1), self.ACCEPTED)
        changed = AmountChanged(was=Decimal(1000), amount=Decimal(1200), currency="EUR")
        given(opened(), moved("proposal", 50), changed, quote).when(WinOpportunity(quote_id=QUOTE)).then(
            OpportunityWon(from_stage="proposal", amount=Decimal(1200), currency="EUR", quote_id=QUOTE)
        )

    def test_a_reason_wins_the_deal_without_a_quote(self) -> None:
        given(opened()).when(WinOpportunity(reason="framework contract")).then(
            WON.model_copy(update={"reason": "framework contract"})
        )

    def test_without_either_it_is_not_won(self) -> None:
        given(opened()).when(WinOpportunity()).then(WonWithoutGrounds, field="quote_id", fix="reason")
        given(opened()).when(WinOpportunity(reason=" ")).then(WonWithoutGrounds)

    def test_the_quote_must_be_accepted(self) -> None:
        quote = at(QUOTE, drafted(opportunity_id=SUBJECT), priced(), QuoteSent(revision=1))
        given(opened(), quote).when(WinOpportunity(quote_id=QUOTE)).then(
            QuoteNotAccepted, field="quote_id", message="sent", fix="quote.accept.v1"
        )

    def test_the_quote_must_be_of_this_deal_and_of_this_customer(self) -> None:
        other = derive_id("test", "another deal")
        given(opened(), at(QUOTE, drafted(opportunity_id=other))).when(WinOpportunity(quote_id=QUOTE)).then(
            QuoteOfAnotherDeal, field="quote_id", message=str(other)
        )
        given(opened(), at(QUOTE, drafted())).when(WinOpportunity(quote_id=QUOTE)).then(QuoteOfAnotherDeal)
        given(opened()).when(WinOpportunity(quote_id=QUOTE)).then(NotFound, field="quote_id", message=str(QUOTE))
        foreign = of(STRANGER, at(QUOTE, drafted(opportunity_id=SUBJECT)))
        given(opened(), foreign).when(WinOpportunity(quote_id=QUOTE)).then(OtherCustomers)


class TestTheEnd:
    def test_a_deal_is_lost_with_its_amount_stage_and_reason(self) -> None:
        lose = LoseOpportunity(reason=LossReason.COMPETITOR, competitor="Babbage & Co", note="cheaper")
        given(opened(), moved("proposal", 50)).when(lose).then(
            OpportunityLost(
                from_stage="proposal",
                amount=Decimal(1000),
                currency="EUR",
                reason=LossReason.COMPETITOR,
                competitor="Babbage & Co",
                note="cheaper",
            )
        )

    @pytest.mark.parametrize("command", MOVES, ids=lambda command: command.type)
    def test_a_closed_deal_stays_as_it_is(self, command: Command) -> None:
        given(opened(), WON).when(command).then(OpportunityClosed, message="won", fix="another opportunity")
        given(opened(), LOST).when(command).then(OpportunityClosed, message="lost")

    @pytest.mark.parametrize("command", [*MOVES, MAPPING, INTERACTION], ids=lambda command: command.type)
    def test_commands_to_an_unknown_deal_say_what_comes_first(self, command: Command) -> None:
        given().when(command).then(DoesNotExist, field="subject", fix="opportunity.open.v1")
