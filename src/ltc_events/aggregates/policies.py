"""The policies in force: what each kind says, and in which version. Version 0 is what we start with, before anyone rules."""

from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

from ltc_events.kernel.frozen import replace
from ltc_events.kernel.ids import derive_id, reserved_id
from ltc_events.schemas.policy import (
    Access,
    AssignmentRule,
    Billing,
    BusinessDates,
    Company,
    DiscountMatrix,
    Dunning,
    PaymentTerms,
    PolicyKind,
    PolicyPublished,
    RequiredFields,
    RequireRegisteredCustomer,
    ResponseLevels,
    ScoreModel,
    Stage,
    Stages,
    Term,
    WriteOff,
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
        0,
        Dunning(
            kind="dunning",
            annual_interest_percent=Decimal(9),
            fee=Decimal(0),
            fees=dict.fromkeys(("EUR", "USD", "GBP", "CHF"), Decimal(10)),
            days_between=14,
        ),
    )
    business_dates: Versioned[BusinessDates] = Versioned(0, BusinessDates(kind="business_dates"))
    company: Versioned[Company] = Versioned(0, Company(kind="company", legal_name="(not stated)", functional_currency="EUR"))
    write_off: Versioned[WriteOff] = Versioned(0, WriteOff(kind="write_off"))
    require_registered_customer: Versioned[RequireRegisteredCustomer] = Versioned(
        0, RequireRegisteredCustomer(kind="require_registered_customer")
    )
    access: Versioned[Access] = Versioned(0, Access(kind="access"))

    def with_published(self, event: PolicyPublished) -> "Policies":
        """The policies after one of them got a new version."""
        changes: dict[str, Any] = {event.content.kind: Versioned(event.version, event.content)}
        return replace(self, **changes)


_FIRST_KINDS = frozenset(
    {
        *("required_fields", "response_levels", "score_model", "assignment_rule", "stages", "discount_matrix"),
        *("billing", "payment_terms", "dunning"),
    }
)


def policy_id(kind: str) -> UUID:
    """The stream of a kind of policy. Those that came after release v0.1 have an id that nothing else could have taken."""
    return derive_id("policy", kind) if kind in _FIRST_KINDS else reserved_id("policy", kind)


POLICY_IDS = MappingProxyType({policy_id(kind): kind.value for kind in PolicyKind})
"""Every policy's stream with its kind."""
