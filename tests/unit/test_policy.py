"""Policies: the rules themselves, as versioned facts (R-5, R-75)."""

from decimal import Decimal

from tests.unit.specification import SUBJECT, given

from ltc_events.aggregates.policy import TermsNotHundredPercent, WrongPolicyStream, policy_id
from ltc_events.schemas.policy import AssignmentRule, PaymentTerms, PolicyPublished, PublishPolicy, Term

RULE = AssignmentRule(kind="assignment_rule", open_leads_max=5)


def test_a_policy_is_published_with_the_next_version() -> None:
    given().when(PublishPolicy(content=RULE)).then(PolicyPublished(version=1, content=RULE))
    given(PolicyPublished(version=1, content=RULE)).when(PublishPolicy(content=RULE)).then(
        PolicyPublished(version=2, content=RULE)
    )


def test_a_policy_sent_to_another_stream_is_refused() -> None:
    given().when(PublishPolicy(content=RULE), subject=SUBJECT).then(
        WrongPolicyStream, field="subject", fix=str(policy_id("assignment_rule"))
    )


def test_shares_of_payment_terms_must_add_up() -> None:
    terms = PaymentTerms(kind="payment_terms", terms={"odd": (Term(percent=Decimal(99), days=30),)})
    given().when(PublishPolicy(content=terms)).then(TermsNotHundredPercent, message="99 percent", fix="odd")
