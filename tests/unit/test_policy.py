"""Policies: the rules themselves, as versioned facts (R-5, R-75)."""

from decimal import Decimal

from tests.unit.selling_examples import opened
from tests.unit.specification import SUBJECT, given

from ltc_events.aggregates.policies import Policies, policy_id
from ltc_events.aggregates.policy import (
    PriorityWithoutLevel,
    StageNotUsable,
    TermsNotHundredPercent,
    UnknownRequiredField,
    WrongPolicyStream,
)
from ltc_events.schemas.opportunity import AdvanceStage, StageChanged
from ltc_events.schemas.policy import (
    AssignmentRule,
    PaymentTerms,
    PolicyKind,
    PolicyPublished,
    PublishPolicy,
    RequiredFields,
    ResponseLevels,
    Stage,
    Stages,
    Term,
)

RULE = AssignmentRule(kind="assignment_rule", open_leads_max=5)


def stages(*names: str) -> Stages:
    return Stages(kind="stages", stages=tuple(Stage(name=name, probability=Decimal(50)) for name in names))


def test_a_policy_is_published_with_the_next_version() -> None:
    given().when(PublishPolicy(content=RULE)).then(PolicyPublished(version=1, content=RULE))
    given(PolicyPublished(version=1, content=RULE)).when(PublishPolicy(content=RULE)).then(
        PolicyPublished(version=2, content=RULE)
    )


def test_a_policy_sent_to_another_stream_is_refused() -> None:
    given().when(PublishPolicy(content=RULE), subject=SUBJECT).then(
        WrongPolicyStream, field="subject", fix=str(policy_id("assignment_rule"))
    )


def test_the_next_decision_is_made_by_the_new_version() -> None:
    publish = PublishPolicy(content=stages("prospecting", "trial"))
    given(opened()).when(publish).when(AdvanceStage(stage="trial")).then(
        StageChanged(from_stage="prospecting", stage="trial", probability=Decimal(50), backward=False, policy_version=1)
    )


def test_every_kind_has_a_version_zero_that_can_be_published_as_it_is() -> None:
    for kind in PolicyKind:
        versioned = getattr(Policies(), kind.value)
        assert versioned.version == 0
        content = versioned.content
        given().when(PublishPolicy(content=content)).then(PolicyPublished(version=1, content=content))


def test_shares_of_payment_terms_must_add_up() -> None:
    terms = PaymentTerms(kind="payment_terms", terms={"odd": (Term(percent=Decimal(99), days=30),)})
    given().when(PublishPolicy(content=terms)).then(TermsNotHundredPercent, message="99 percent", fix="odd")


def test_required_fields_must_exist() -> None:
    lead = RequiredFields(kind="required_fields", lead=("company", "phone|telex"))
    given().when(PublishPolicy(content=lead)).then(
        UnknownRequiredField, field="content.lead.1", message="telex is no field of a lead", fix="detail.pain_points"
    )
    customer = RequiredFields(kind="required_fields", customer=("need",))
    given().when(PublishPolicy(content=customer)).then(
        UnknownRequiredField, field="content.customer.0", message="customer", fix="registration_number"
    )


def test_every_priority_has_a_response_level() -> None:
    levels = ResponseLevels(kind="response_levels", minutes={"urgent": 30, "high": 60})
    given().when(PublishPolicy(content=levels)).then(
        PriorityWithoutLevel, field="content.minutes", message="low, normal", fix="low, normal, high, urgent"
    )


def test_a_response_can_be_due_at_once() -> None:
    levels = ResponseLevels(kind="response_levels", minutes={"urgent": 0, "high": 0, "normal": 0, "low": 0})
    given().when(PublishPolicy(content=levels)).then(PolicyPublished(version=1, content=levels))


def test_open_stages_are_distinct_and_leave_out_won_and_lost() -> None:
    given().when(PublishPolicy(content=stages("trial", "trial"))).then(StageNotUsable, message="listed twice")
    given().when(PublishPolicy(content=stages("trial", "won"))).then(StageNotUsable, message="how a deal is closed")
