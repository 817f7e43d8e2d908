"""The policies in force: what each kind says, and in which version. Version 0 is what we start with, before anyone rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.customer import Profile
from ltc_events.schemas.lead import CaptureLead, LeadDetail, Priority
from ltc_events.schemas.policy import (
    AssignmentRule,
    Billing,
    DiscountMatrix,
    Dunning,
    PaymentTerms,
    PolicyKind,
    PolicyPublished,
    PublishPolicy,
    RequiredFields,
    ResponseLevels,
    ScoreModel,
    Stage,
    Stages,
    Term,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[T]):
    """A policy's content with its version."""

    version: int
    content: T


def _points(**values: int) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in values.items()}


_SCORE = ScoreModel(
    kind="score_model",
    points={
        "source": {**_points(referral=20, partner=15, exhibition=12, web_form=10, organic_search=8), "*": Decimal(5)},
        "company_size": {**_points(large=20, medium=12, small=6), "*": Decimal(0)},
        "need": {**_points(explicit=25, implied=10), "*": Decimal(0)},
        "budget": {**_points(approved=20, planned=10), "*": Decimal(0)},
        "authority": {**_points(decides=15, influences=8), "*": Decimal(0)},
        "industry": {"*": Decimal(0)},
    },
)
_STAGES = Stages(
    kind="stages",
    stages=tuple(
        Stage(name=name, probability=Decimal(probability))
        for name, probability in (
            ("prospecting", 10),
            ("qualification", 20),
            ("needs_analysis", 30),
            ("proposal", 50),
            ("negotiation", 75),
        )
    ),
)
_MATRIX = DiscountMatrix(
    kind="discount_matrix",
    limits={"sales": Decimal(10), "sales_manager": Decimal(25), "director": Decimal(50)},
)
_TERMS = PaymentTerms(
    kind="payment_terms",
    terms={
        "default": (Term(percent=Decimal(100), days=30),),
        "immediate": (Term(percent=Decimal(100), days=0),),
        "half_now_half_60": (Term(percent=Decimal(50), days=0), Term(percent=Decimal(50), days=60)),
        "thirds_30_60_90": (
            Term(percent=Decimal("33.33"), days=30),
            Term(percent=Decimal("33.33"), days=60),
            Term(percent=Decimal("33.34"), days=90),
        ),
    },
)


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies in force at one moment."""

    required_fields: Versioned[RequiredFields] = Versioned(0, RequiredFields(kind="required_fields"))
    response_levels: Versioned[ResponseLevels] = Versioned(0, ResponseLevels(kind="response_levels"))
    score_model: Versioned[ScoreModel] = Versioned(0, _SCORE)
    assignment_rule: Versioned[AssignmentRule] = Versioned(0, AssignmentRule(kind="assignment_rule"))
    stages: Versioned[Stages] = Versioned(0, _STAGES)
    discount_matrix: Versioned[DiscountMatrix] = Versioned(0, _MATRIX)
    billing: Versioned[Billing] = Versioned(0, Billing(kind="billing", over_billing_percent=Decimal(0)))
    payment_terms: Versioned[PaymentTerms] = Versioned(0, _TERMS)
    dunning: Versioned[Dunning] = Versioned(
        0, Dunning(kind="dunning", annual_interest_percent=Decimal(9), fee=Decimal(10), days_between=14)
    )

    def with_published(self, event: PolicyPublished) -> "Policies":
        """The policies after one of them got a new version."""
        changes: dict[str, Any] = {event.content.kind: Versioned(event.version, event.content)}
        return replace(self, **changes)


def policy_id(kind: str) -> UUID:
    """The stream of a kind of policy."""
    return derive_id("policy", kind)


POLICY_IDS = MappingProxyType({policy_id(kind): kind.value for kind in PolicyKind})
"""Every policy's stream with its kind."""


LEAD_FIELDS = (
    *(name for name in CaptureLead.model_fields if name not in Command.model_fields),
    *(f"detail.{name}" for name in LeadDetail.model_fields),
)
"""The fields of a lead that policy `required_fields` may name."""
CUSTOMER_FIELDS = tuple(Profile.model_fields)
"""The fields of a customer's profile that policy `required_fields` may name."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How many versions a policy has had."""

    version: int = 0


class WrongPolicyStream(Refused):
    """a {kind} policy lives in stream {expected}"""

    field = "subject"
    remedy = "set subject and partitionkey to {expected}"


class TermsNotHundredPercent(Refused):
    """the shares of payment terms {code} add up to {total} percent"""

    field = "content.terms"
    remedy = "make the percents of {code} add up to 100"


class UnknownRequiredField(Refused):
    """{name} is no field of a {noun}"""

    remedy = "use fields of a {noun}, alternatives joined with |: {known}"


class PriorityWithoutLevel(Refused):
    """no minutes until the first response are set for {missing}"""

    field = "content.minutes"
    remedy = "give minutes, 0 or more, for each of {known}"


class StageNotUsable(Refused):
    """{stage} cannot be an open stage: {why}"""

    field = "content.stages"
    remedy = "give each open stage a name of its own; won and lost are always there and are not listed"


def decide(state: Policy | None, command: PublishPolicy, _policies: Policies) -> list[Event]:
    """Put the next version in force, where its content makes sense on its own. R-75."""
    match command.content:
        case PaymentTerms(terms=named_terms):
            _check_terms(named_terms)
        case RequiredFields(lead=lead, customer=customer):
            _check_names("lead", lead, LEAD_FIELDS)
            _check_names("customer", customer, CUSTOMER_FIELDS)
        case ResponseLevels(minutes=minutes):
            missing = [priority.value for priority in Priority if minutes.get(priority, -1) < 0]
            if missing:
                raise PriorityWithoutLevel(missing=", ".join(missing), known=", ".join(Priority))
        case Stages(stages=stages):
            _check_stages(stages)
    version = 0 if state is None else state.version
    return [PolicyPublished(version=version + 1, content=command.content)]


def _check_terms(named_terms: Mapping[str, tuple[Term, ...]]) -> None:
    for code, terms in named_terms.items():
        total = sum((term.percent for term in terms), Decimal(0))
        if total != 100:
            raise TermsNotHundredPercent(code=code, total=total)


def _check_names(noun: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for index, entry in enumerate(names):
        for name in entry.split("|"):
            if name not in known:
                raise UnknownRequiredField(name=name, noun=noun, known=", ".join(known), at=f"content.{noun}.{index}")


def _check_stages(stages: tuple[Stage, ...]) -> None:
    seen = set()
    for stage in stages:
        if stage.name in ("won", "lost"):
            raise StageNotUsable(stage=stage.name, why="it is how a deal is closed")
        if stage.name in seen:
            raise StageNotUsable(stage=stage.name, why="it is listed twice")
        seen.add(stage.name)


def evolve(_state: Policy | None, event: PolicyPublished) -> Policy:
    """Count the versions."""
    return Policy(event.version)


POLICY = Aggregate("policy", decide, evolve)
