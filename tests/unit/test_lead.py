"""Lead: what each command leads to (R-1 … R-4, R-6, R-7, R-14, R-15, R-17, R-21)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.selling_examples import CAMPAIGN, OPPORTUNITY, RESPONSE_DUE, captured, opened
from tests.unit.specification import NOW, STRANGER, SUBJECT, at, given, of

from ltc_events.aggregates.base import AlreadyExists, DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.first_response import AlreadyBreached, AlreadyResponded, ResponseNotDue
from ltc_events.aggregates.lead import (
    BudgetWithoutCurrency,
    CannotTakePart,
    LeadAlreadyQualified,
    LeadAlreadyScreened,
    LeadClosed,
    LeadFrozen,
    LeadNotAccepted,
    LeadNotQualified,
    RejectionUnexplained,
    Unexplained,
)
from ltc_events.aggregates.required_fields import MissingFields
from ltc_events.aggregates.scoring import UnknownFactor
from ltc_events.application.errors import IdTaken, OtherCustomers
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.follow_up import FirstResponseRecorded, RecordFirstResponse, RecordResponseBreach, ResponseBreached
from ltc_events.schemas.lead import (
    AssignLead,
    CaptureLead,
    ChangeTemperature,
    Channel,
    ConvertLead,
    DisqualifyLead,
    EvidenceKind,
    LeadAccepted,
    LeadAssigned,
    LeadConverted,
    LeadDetail,
    LeadDetailRecorded,
    LeadDisqualified,
    LeadQualified,
    LeadRejected,
    LeadScored,
    Priority,
    QualifyLead,
    RecordLeadDetail,
    ScoreLead,
    ScreenLead,
    Temperature,
    TemperatureChanged,
)
from ltc_events.schemas.policy import PolicyPublished, RequiredFields, ResponseLevels, ScoreModel, Stage, Stages

CAPTURE: dict[str, Any] = {
    "contact_name": "Ada King",
    "company": "Analytical Ltd",
    "email": "ada@analytical.example",
    "industry": "machinery",
    "need": "a bigger mill",
    "channel": Channel.EXHIBITION,
    "origin": "Hall 4",
    "campaign_id": CAMPAIGN,
    "region": "North",
}
ACCEPTED = LeadAccepted()
QUALIFIED = LeadQualified(need="a mill by summer")
ASSIGNED = LeadAssigned(owner="Sam", rule="manual", rule_version=0)
DETAIL = LeadDetail(pain_points="too slow", products=("mill",))
CONVERT = ConvertLead(
    opportunity_id=OPPORTUNITY,
    evidence=EvidenceKind.INVESTMENT_PLAN,
    evidence_note="in the 2026 budget, page 4",
    can_take_part=True,
    title="The mill",
    amount=Decimal(1000),
    currency="EUR",
)
CONVERTED = LeadConverted(
    opportunity_id=OPPORTUNITY, evidence=EvidenceKind.INVESTMENT_PLAN, evidence_note="in the 2026 budget, page 4"
)
SCREEN = ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True)
SCORE = ScoreLead(inputs={"source": "referral", "budget": "approved"})
OPEN_COMMANDS: tuple[Command, ...] = (
    SCREEN,
    RecordLeadDetail(detail=DETAIL),
    ChangeTemperature(temperature=Temperature.HOT),
    SCORE,
    AssignLead(owner="Sam"),
    RecordFirstResponse(by="Sam"),
    RecordResponseBreach(),
    QualifyLead(need="a mill"),
    CONVERT,
    DisqualifyLead(reason="gone quiet"),
)


class TestCapture:
    def test_a_lead_is_captured_with_the_time_its_first_response_is_due(self) -> None:
        given().when(CaptureLead(**CAPTURE)).then(captured(response_due_at=NOW + timedelta(hours=24)))

    def test_the_priority_decides_how_soon_somebody_must_answer(self) -> None:
        levels = ResponseLevels(kind="response_levels", minutes={"urgent": 15, "high": 60, "normal": 60, "low": 60})
        policy = PolicyPublished(version=2, content=levels)
        given(policy).when(CaptureLead(**CAPTURE, priority=Priority.URGENT)).then(
            captured(priority=Priority.URGENT, response_due_at=NOW + timedelta(minutes=15), response_policy_version=2)
        )

    def test_a_lead_is_captured_once(self) -> None:
        given(captured()).when(CaptureLead(**CAPTURE)).then(AlreadyExists, field="subject", message="lead")

    def test_the_id_of_something_else_is_no_id_for_a_lead(self) -> None:
        given(opened()).when(CaptureLead(**CAPTURE)).then(IdTaken, message="opportunity")

    @pytest.mark.parametrize("field", ["contact_name", "company", "industry", "need"])
    def test_a_required_field_left_empty_is_refused(self, field: str) -> None:
        given().when(CaptureLead(**{**CAPTURE, field: None})).then(MissingFields, field=field, message=field)

    def test_phone_or_email_is_required(self) -> None:
        fields = {**CAPTURE, "email": None}
        given().when(CaptureLead(**fields)).then(MissingFields, field="phone", message="phone or email")
        assert given().when(CaptureLead(**fields, phone="+44 20 7946 0000")).events

    def test_the_set_of_required_fields_can_grow_into_the_detail(self) -> None:
        policy = PolicyPublished(version=4, content=RequiredFields(kind="required_fields", lead=("company", "detail.products")))
        given(policy).when(CaptureLead(**CAPTURE)).then(MissingFields, field="detail.products", message="version 4")
        given(policy).when(CaptureLead(**CAPTURE, detail=LeadDetail(pain_points="slow"))).then(MissingFields)
        lead = captured(detail=DETAIL, policy_version=4, response_due_at=NOW + timedelta(hours=24))
        given(policy).when(CaptureLead(**CAPTURE, detail=DETAIL)).then(lead)


class TestScreening:
    def test_a_lead_that_passes_the_three_tests_is_accepted(self) -> None:
        given(captured()).when(SCREEN).then(ACCEPTED)

    def test_a_failed_test_rejects_the_lead_and_says_which_and_why(self) -> None:
        trend = ScreenLead(specific_customer=False, potential_intent=True, can_take_part=False, reason="a trend")
        given(captured()).when(trend).then(LeadRejected(failed=("specific_customer", "can_take_part"), reason="a trend"))

    def test_a_rejection_without_a_reason_is_refused(self) -> None:
        trend = ScreenLead(specific_customer=False, potential_intent=True, can_take_part=True, reason=" ")
        given(captured()).when(trend).then(RejectionUnexplained, field="reason", message="specific_customer")

    def test_a_lead_is_screened_once(self) -> None:
        given(captured(), ACCEPTED).when(SCREEN).then(LeadAlreadyScreened, message="accepted")
        given(captured(), ACCEPTED, QUALIFIED).when(SCREEN).then(LeadAlreadyScreened, message="qualified")


class TestWorkOnALead:
    def test_more_about_the_need_is_recorded(self) -> None:
        given(captured()).when(RecordLeadDetail(detail=DETAIL)).then(LeadDetailRecorded(detail=DETAIL))

    def test_a_lead_begins_cold_and_warms_up(self) -> None:
        given(captured()).when(ChangeTemperature(temperature=Temperature.HOT, reason="asked for a demo")).then(
            TemperatureChanged(was=Temperature.COLD, temperature=Temperature.HOT, reason="asked for a demo")
        )

    def test_the_same_temperature_again_records_nothing(self) -> None:
        hot = TemperatureChanged(was=Temperature.COLD, temperature=Temperature.HOT)
        given(captured(), hot).when(ChangeTemperature(temperature=Temperature.HOT)).then()

    def test_a_score_adds_up_its_points_and_records_the_version_of_the_model(self) -> None:
        given(captured()).when(SCORE).then(
            LeadScored(
                score=Decimal(40),
                points={"source": Decimal(20), "budget": Decimal(20)},
                inputs={"source": "referral", "budget": "approved"},
                model_version=0,
            )
        )

    def test_a_value_not_listed_gets_the_points_of_the_star_else_none(self) -> None:
        model = ScoreModel(kind="score_model", points={"a": {"x": Decimal(7), "*": Decimal(2)}, "b": {"x": Decimal(3)}})
        given(PolicyPublished(version=5, content=model), captured()).when(ScoreLead(inputs={"a": "y", "b": "y"})).then(
            LeadScored(
                score=Decimal(2),
                points={"a": Decimal(2), "b": Decimal(0)},
                inputs={"a": "y", "b": "y"},
                model_version=5,
            )
        )

    def test_an_unknown_factor_is_refused_with_those_known(self) -> None:
        given(captured()).when(ScoreLead(inputs={"weather": "fine"})).then(
            UnknownFactor, field="inputs.weather", message="weather", fix="source, company_size, need"
        )

    @pytest.mark.parametrize(("late", "in_time"), [(0, True), (1, False)])
    def test_a_first_response_is_held_against_the_service_level(self, late: int, in_time: bool) -> None:
        moment = RESPONSE_DUE + timedelta(seconds=late)
        given(captured()).when(RecordFirstResponse(by="Sam", medium="phone"), now=moment).then(
            FirstResponseRecorded(by="Sam", medium="phone", in_time=in_time)
        )

    def test_only_the_first_response_counts(self) -> None:
        answered = FirstResponseRecorded(by="Sam", in_time=True)
        given(captured(), answered).when(RecordFirstResponse(by="Kim")).then(AlreadyResponded, fix="follow_up")
        given(captured(), answered).when(RecordResponseBreach(), now=RESPONSE_DUE + timedelta(days=1)).then(AlreadyResponded)

    def test_a_missed_service_level_is_recorded_once_and_not_too_soon(self) -> None:
        late = RESPONSE_DUE + timedelta(seconds=1)
        breached = ResponseBreached(due_at=RESPONSE_DUE)
        given(captured()).when(RecordResponseBreach(), now=late).then(breached)
        given(captured(), breached).when(RecordResponseBreach(), now=late).then(AlreadyBreached)
        given(captured()).when(RecordResponseBreach(), now=RESPONSE_DUE).then(
            ResponseNotDue, message=RESPONSE_DUE.isoformat(), fix=RESPONSE_DUE.isoformat()
        )

    def test_a_response_after_a_breach_is_recorded_as_late(self) -> None:
        late = RESPONSE_DUE + timedelta(hours=1)
        given(captured(), ResponseBreached(due_at=RESPONSE_DUE)).when(RecordFirstResponse(by="Sam"), now=late).then(
            FirstResponseRecorded(by="Sam", in_time=False)
        )


class TestQualifying:
    def test_an_accepted_lead_is_qualified(self) -> None:
        qualify = QualifyLead(need="a mill by summer", budget=Decimal(900), currency="EUR", authority="owner", time_frame="Q3")
        given(captured(), ACCEPTED).when(qualify).then(
            LeadQualified(need="a mill by summer", budget=Decimal(900), currency="EUR", authority="owner", time_frame="Q3")
        )

    def test_a_lead_is_screened_before_it_is_qualified(self) -> None:
        given(captured()).when(QualifyLead(need="a mill")).then(LeadNotAccepted, fix="lead.screen.v1")

    def test_a_lead_is_qualified_once(self) -> None:
        given(captured(), ACCEPTED, QUALIFIED).when(QualifyLead(need="a mill")).then(LeadAlreadyQualified)

    def test_a_blank_need_is_refused(self) -> None:
        given(captured(), ACCEPTED).when(QualifyLead(need=" ")).then(Unexplained, field="need", message="need")

    def test_a_budget_is_money_that_could_be_paid(self) -> None:
        for budget, currency, unit in (("900.005", "EUR", "0.01"), ("0.5", "JPY", "1")):
            given(captured(), ACCEPTED).when(QualifyLead(need="a mill", budget=Decimal(budget), currency=currency)).then(
                FinerThanMinorUnit, field="budget", message=budget, fix=unit
            )

    def test_a_budget_needs_a_currency(self) -> None:
        given(captured(), ACCEPTED).when(QualifyLead(need="a mill", budget=Decimal(900))).then(
            BudgetWithoutCurrency, field="currency", message="900"
        )


class TestConverting:
    def test_the_lead_is_frozen_and_the_opportunity_opened_with_where_it_came_from(self) -> None:
        given(captured(), ACCEPTED, ASSIGNED, QUALIFIED).when(CONVERT).then(
            CONVERTED,
            at(
                OPPORTUNITY,
                opened(
                    lead_id=SUBJECT,
                    channel=Channel.EXHIBITION,
                    origin="Hall 4",
                    campaign_id=CAMPAIGN,
                    owner="Sam",
                ),
            ),
        )

    def test_the_deal_begins_in_the_first_stage_of_the_policy_in_force(self) -> None:
        stages = Stages(kind="stages", stages=(Stage(name="scouting", probability=Decimal(5)),))
        policy = PolicyPublished(version=3, content=stages)
        deal = given(policy, captured(), ACCEPTED, QUALIFIED).when(CONVERT).events[1]
        assert (deal.stage, deal.probability, deal.policy_version) == ("scouting", Decimal(5), 3)

    def test_only_a_qualified_lead_is_converted(self) -> None:
        given(captured()).when(CONVERT).then(LeadNotQualified, message="captured", fix="lead.screen.v1")
        given(captured(), ACCEPTED).when(CONVERT).then(LeadNotQualified, message="accepted", fix="lead.qualify.v1")

    def test_it_takes_evidence_and_that_we_can_take_part(self) -> None:
        history: tuple[Event, ...] = (captured(), ACCEPTED, QUALIFIED)
        given(*history).when(CONVERT.model_copy(update={"can_take_part": False})).then(CannotTakePart, field="can_take_part")
        given(*history).when(CONVERT.model_copy(update={"evidence_note": ""})).then(
            Unexplained, field="evidence_note", message="the evidence"
        )

    def test_the_opportunitys_amount_is_one_that_somebody_could_pay(self) -> None:
        given(captured(), ACCEPTED, QUALIFIED).when(CONVERT.model_copy(update={"amount": Decimal("0.005")})).then(
            FinerThanMinorUnit, field="amount", fix="0.01"
        )

    def test_the_opportunitys_id_must_be_free(self) -> None:
        history: tuple[Event, ...] = (captured(), ACCEPTED, QUALIFIED)
        given(*history, at(OPPORTUNITY, opened())).when(CONVERT).then(
            AlreadyExists, field="opportunity_id", message="opportunity"
        )
        given(*history, of(STRANGER, at(OPPORTUNITY, opened()))).when(CONVERT).then(OtherCustomers)
        given(*history).when(CONVERT.model_copy(update={"opportunity_id": SUBJECT})).then(IdTaken)


class TestTheEnd:
    @pytest.mark.parametrize("history", [(), (ACCEPTED,), (ACCEPTED, QUALIFIED)])
    def test_an_open_lead_can_be_disqualified(self, history: tuple[Event, ...]) -> None:
        given(captured(), *history).when(DisqualifyLead(reason="gone quiet")).then(LeadDisqualified(reason="gone quiet"))

    @pytest.mark.parametrize("command", OPEN_COMMANDS, ids=lambda command: command.type)
    def test_a_converted_lead_is_frozen(self, command: Command) -> None:
        given(captured(), ACCEPTED, QUALIFIED, CONVERTED, at(OPPORTUNITY, opened())).when(command).then(
            LeadFrozen, message=str(OPPORTUNITY), fix=str(OPPORTUNITY)
        )

    @pytest.mark.parametrize("command", OPEN_COMMANDS, ids=lambda command: command.type)
    def test_a_rejected_or_disqualified_lead_is_closed(self, command: Command) -> None:
        given(captured(), LeadRejected(failed=("can_take_part",), reason="r")).when(command).then(LeadClosed, message="rejected")
        given(captured(), LeadDisqualified(reason="r")).when(command).then(LeadClosed, message="disqualified")

    @pytest.mark.parametrize("command", OPEN_COMMANDS, ids=lambda command: command.type)
    def test_commands_to_an_unknown_lead_say_what_comes_first(self, command: Command) -> None:
        given().when(command).then(DoesNotExist, field="subject", fix="lead.capture.v1")
