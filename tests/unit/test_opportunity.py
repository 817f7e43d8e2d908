"""Opportunity: what each command leads to (R-37 … R-43)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.selling_examples import CAMPAIGN, QUOTE, drafted, opened, priced
from tests.unit.specification import STRANGER, SUBJECT, TODAY, at, given, of, on

from ltc_events.aggregates.base import AlreadyExists, DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.business_dates import StepDatedTooEarly
from ltc_events.aggregates.opportunity import (
    OpportunityClosed,
    OpportunityNotClosed,
    QuoteNotAccepted,
    QuoteOfAnotherDeal,
    WonWithoutGrounds,
    WorthFinerThanMinorUnit,
)
from ltc_events.aggregates.order_placement import OrderOnLostDeal
from ltc_events.aggregates.stages import ExitCriteriaOpen, StageNotAhead, StageNotBehind, UnknownStage
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.unit_of_work import NotFound
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    AmountChanged,
    ChangeAmount,
    ChangeCloseDate,
    ChangeOwner,
    ChangeTitle,
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
    OpportunityReopened,
    OpportunityWon,
    OwnerChanged,
    ReopenOpportunity,
    StageChanged,
    TitleChanged,
    WinOpportunity,
)
from ltc_events.schemas.order import PlaceOrder
from ltc_events.schemas.policy import BusinessDates, PolicyPublished, Stage, Stages
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

    def test_nobody_believes_in_amounts_that_nobody_could_pay(self) -> None:
        finer = {"amount": Decimal("10.005")}
        given().when(OpenOpportunity(**{**OPEN, **finer})).then(FinerThanMinorUnit, field="amount", fix="0.01")
        given().when(OpenOpportunity(title="The mill", currency="JPY", amount=Decimal("0.5"))).then(FinerThanMinorUnit)
        given(opened()).when(ChangeAmount(**finer)).then(FinerThanMinorUnit, field="amount", message="10.005")

    def test_a_deal_whose_stored_amount_is_finer_is_won_after_its_amount_is_changed(self) -> None:
        history = (
            opened(amount=Decimal("10.005")),
            AmountChanged(was=Decimal("10.005"), amount=Decimal("10.01"), currency="EUR"),
        )
        given(*history[:1]).when(WinOpportunity(reason="r")).then(
            WorthFinerThanMinorUnit, field="", message="10.005", fix="opportunity.change_amount.v1 with a multiple of 0.01"
        )
        given(*history).when(WinOpportunity(reason="r")).then(WON.model_copy(update={"amount": Decimal("10.01")}))

    def test_the_close_date_changes_with_what_it_was(self) -> None:
        june, july = date(2026, 6, 30), date(2026, 7, 31)
        first = CloseDateChanged(was=None, expected_close_on=june)
        given(opened()).when(ChangeCloseDate(expected_close_on=june)).then(first)
        given(opened(), first).when(ChangeCloseDate(expected_close_on=july, reason="holidays")).then(
            CloseDateChanged(was=june, expected_close_on=july, reason="holidays")
        )
        given(opened(), first).when(ChangeCloseDate(expected_close_on=june)).then()


class TestTitleAndOwner:
    def test_the_title_changes_where_it_is_another(self) -> None:
        first = TitleChanged(was="Press line", title="Two press lines", reason="a second hall")
        given(opened(title="Press line")).when(ChangeTitle(title="Two press lines", reason="a second hall")).then(first)
        given(opened(title="Press line"), first).when(ChangeTitle(title="Two press lines")).then()
        given(opened(title="Press line"), first).when(ChangeTitle(title="Press line")).then(
            TitleChanged(was="Two press lines", title="Press line")
        )

    def test_the_deal_gets_an_owner_and_another_one(self) -> None:
        first = OwnerChanged(was=None, owner="ann")
        given(opened()).when(ChangeOwner(owner="ann")).then(first)
        given(opened(), first).when(ChangeOwner(owner="ann")).then()
        given(opened(), first).when(ChangeOwner(owner="ben", reason="on leave")).then(
            OwnerChanged(was="ann", owner="ben", reason="on leave")
        )

    @pytest.mark.parametrize("closing", [WON, LOST])
    def test_a_closed_deal_is_renamed_and_handed_over_too(self, closing: Event) -> None:
        given(opened(), closing).when(ChangeTitle(title="A")).then(TitleChanged(was=opened().title, title="A"))
        given(opened(), closing).when(ChangeOwner(owner="ben")).then(OwnerChanged(was=None, owner="ben"))


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


REOPENED = OpportunityReopened(
    was="lost",
    stage="proposal",
    probability=Decimal(50),
    amount=Decimal(1000),
    currency="EUR",
    reason="they called back",
    policy_version=0,
)
REOPEN = ReopenOpportunity(reason="they called back")


class TestOpeningAgain:
    def test_a_lost_deal_goes_on_in_the_stage_that_it_was_lost_from(self) -> None:
        story = given(opened(), moved("proposal", 50), LOST).when(REOPEN).then(REOPENED)
        story.when(AdvanceStage(stage="negotiation")).when(WinOpportunity(reason="by phone"))
        (won,) = story.events
        assert won.from_stage == "negotiation"
        story.when(REOPEN).then(REOPENED.model_copy(update={"was": "won", "stage": "negotiation", "probability": Decimal(75)}))

    def test_what_it_had_been_won_by_is_kept_with_it(self) -> None:
        (reopened,) = given(opened(), WON.model_copy(update={"quote_id": QUOTE})).when(REOPEN).events
        assert (reopened.was, reopened.quote_id) == ("won", QUOTE)

    def test_where_the_policy_has_dropped_the_stage_it_begins_anew(self) -> None:
        (reopened,) = given(opened(), moved("negotiation", 75), LOST, POLICY).when(REOPEN).events
        assert (reopened.stage, reopened.policy_version) == ("prospecting", 2)

    def test_an_open_deal_is_not_opened_again(self) -> None:
        given(opened()).when(REOPEN).then(OpportunityNotClosed)
        given().when(REOPEN).then(DoesNotExist, fix="opportunity.open.v1")

    def test_nothing_is_dated_while_it_was_closed(self) -> None:
        lost, again, between = TODAY, TODAY + timedelta(days=10), TODAY + timedelta(days=5)
        given(opened(), on(lost, LOST)).when(REOPEN, on=lost - timedelta(days=1)).then(
            StepDatedTooEarly, field="effective_on", message=str(lost)
        )
        reopened = REOPENED.model_copy(update={"stage": "prospecting", "probability": Decimal(10)})
        for command in (
            AdvanceStage(stage="proposal"),
            ChangeAmount(amount=Decimal(2)),
            ChangeCloseDate(expected_close_on=again + timedelta(days=30)),
            LoseOpportunity(reason=LossReason.PRICE),
        ):
            story = given(opened(), on(lost, LOST), on(again, reopened))
            assert story.when(command, on=again).events
            given(opened(), on(lost, LOST), on(again, reopened)).when(command, on=between).then(
                StepDatedTooEarly, message=str(again)
            )

    def test_it_goes_on_in_the_stage_in_which_it_begins_anew(self) -> None:
        story = given(opened(), moved("negotiation", 75), LOST, POLICY).when(REOPEN)
        (advanced,) = story.when(AdvanceStage(stage="demo", criteria_met=("need",))).events
        assert advanced.from_stage == "prospecting"

    def test_a_quote_that_had_won_it_once_is_not_undone_again(self) -> None:
        won = WON.model_copy(update={"quote_id": QUOTE})
        (reopened,) = given(opened(), won, REOPENED.model_copy(update={"was": "won"}), LOST).when(REOPEN).events
        assert (reopened.was, reopened.quote_id) == ("lost", None)

    def test_where_dates_are_recorded_as_they_come_what_is_out_of_order_is_marked(self) -> None:
        record = PolicyPublished(version=1, content=BusinessDates(kind="business_dates", selling="record"))
        day = [TODAY + timedelta(days=number) for number in range(10)]
        stage = moved("proposal", 50)
        story = given(record, opened(), on(day[5], stage), on(day[2], LOST)).when(REOPEN, on=day[3])
        assert [event.dated_before for event in story.events] == [day[5]], "it was not lost before it had come to its stage"
        story = given(record, opened(), on(day[5], LOST), on(day[1], REOPENED)).when(AdvanceStage(stage="negotiation"), on=day[3])
        assert [event.dated_before for event in story.events] == [day[5]], "it was not opened again before it was lost"


class TestOrderingOnALostDeal:
    ORDER = derive_id("test", "order")

    def order(self, **more: Any) -> PlaceOrder:
        return PlaceOrder(quote_id=QUOTE, **more)

    def accepted(self) -> tuple[Any, ...]:
        quote = at(QUOTE, drafted(opportunity_id=SUBJECT), priced(), QuoteSent(revision=1))
        return opened(), quote, at(QUOTE, QuoteAccepted(revision=1, net=Decimal(100), currency="EUR", opportunity_id=SUBJECT))

    def test_it_needs_a_reason(self) -> None:
        for reason in (None, " "):
            given(*self.accepted(), LOST).when(self.order(reason=reason), subject=self.ORDER).then(
                OrderOnLostDeal, field="reason", message=f"lost on {TODAY}", fix="opportunity.reopen.v1"
            )
        assert given(*self.accepted(), LOST).when(self.order(reason="they want it now"), subject=self.ORDER).events

    def test_or_the_deal_is_opened_again_first(self) -> None:
        story = given(*self.accepted(), LOST).when(REOPEN)
        assert story.when(self.order(), subject=self.ORDER).events

    def test_what_counts_is_the_day_of_the_order(self) -> None:
        lost, again = TODAY + timedelta(days=2), TODAY + timedelta(days=9)
        history = (*self.accepted(), on(lost, LOST), on(again, REOPENED))
        for day, is_lost in ((0, False), (1, False), (2, True), (8, True), (9, False)):
            story = given(*history).when(self.order(), subject=self.ORDER, on=TODAY + timedelta(days=day))
            if is_lost:
                story.then(OrderOnLostDeal, message=str(lost))
            else:
                assert story.events

    def test_a_deal_that_was_won_and_opened_again_was_not_lost_meanwhile(self) -> None:
        day = [TODAY + timedelta(days=number) for number in range(12)]
        again = REOPENED.model_copy(update={"was": "won"})
        history = (*self.accepted(), on(day[1], LOST), on(day[3], REOPENED), on(day[6], WON), on(day[9], again))
        for number in (3, 5, 7, 10):
            assert given(*history).when(self.order(), subject=self.ORDER, on=day[number]).events
        given(*history).when(self.order(), subject=self.ORDER, on=day[2]).then(OrderOnLostDeal, message=str(day[1]))
