"""The policies of the simulated company, as they are at first and as they are later sharpened."""

from decimal import Decimal
from typing import Final

from ltc_events.schemas.policy import (
    AssignmentRule,
    Billing,
    Company,
    DiscountMatrix,
    Dunning,
    PaymentTerms,
    PolicyContent,
    RequiredFields,
    ResponseLevels,
    ScoreModel,
    Stage,
    Stages,
    Term,
    WriteOff,
)

_D = Decimal
STAGES: Final = ("prospecting", "qualification", "needs_analysis", "proposal", "negotiation")
EXIT_CRITERIA: Final = {
    "qualification": "need_confirmed",
    "needs_analysis": "solution_outlined",
    "proposal": "quote_sent",
}
"""What must be true before a stage is left (R-37)."""
SELLER_LIMIT: Final = _D(10)
LATER_SELLER_LIMIT: Final = _D(8)
MANAGER_LIMIT: Final = _D(20)
DIRECTOR_LIMIT: Final = _D(40)


def _points(**points: int) -> dict[str, Decimal]:
    return {name: _D(value) for name, value in points.items()}


def _score_model(referral: int) -> ScoreModel:
    return ScoreModel(
        kind="score_model",
        points={
            "source": {**_points(referral=referral, partner=16, personal_network=16, web_form=12, exhibition=10), "*": _D(5)},
            "company_size": _points(large=20, medium=12, small=6),
            "need": _points(explicit=25, implied=10),
            "budget": _points(approved=20, planned=10),
            "authority": _points(decides=15, influences=8),
            "industry": {**_points(machinery=8, automotive=8, food=6), "*": _D(3)},
        },
    )


def _matrix(seller: Decimal) -> DiscountMatrix:
    return DiscountMatrix(
        kind="discount_matrix",
        limits={"sales": seller, "sales_manager": MANAGER_LIMIT, "director": DIRECTOR_LIMIT},
    )


def _dunning(fee: str) -> Dunning:
    return Dunning(kind="dunning", annual_interest_percent=_D(9), fee=_D(fee), days_between=14)


FIRST: Final[tuple[PolicyContent, ...]] = (
    RequiredFields(kind="required_fields"),
    ResponseLevels(kind="response_levels", minutes={"urgent": 240, "high": 960, "normal": 2880, "low": 5760}),
    _score_model(referral=20),
    AssignmentRule(kind="assignment_rule", match_region=True, open_leads_max=40),
    Stages(
        kind="stages",
        stages=tuple(
            Stage(
                name=name,
                probability=_D(probability),
                exit_criteria=(EXIT_CRITERIA[name],) if name in EXIT_CRITERIA else (),
            )
            for name, probability in zip(STAGES, (10, 20, 30, 50, 75), strict=True)
        ),
    ),
    _matrix(SELLER_LIMIT),
    Billing(kind="billing", basis="delivered", over_billing_percent=_D(0)),
    PaymentTerms(
        kind="payment_terms",
        terms={
            "default": (Term(percent=_D(100), days=30),),
            "immediate": (Term(percent=_D(100), days=0),),
            "net_14": (Term(percent=_D(100), days=14),),
            "net_60": (Term(percent=_D(100), days=60),),
            "half_now_half_60": (Term(percent=_D(50), days=0), Term(percent=_D(50), days=60)),
            "thirds_30_60_90": (
                Term(percent=_D("33.33"), days=30),
                Term(percent=_D("33.33"), days=60),
                Term(percent=_D("33.34"), days=90),
            ),
        },
    ),
    _dunning("5.00"),
    WriteOff(kind="write_off"),
    Company(kind="company", legal_name="Nordmühlen Maschinenbau GmbH", time_zone="Europe/Berlin", functional_currency="EUR"),
)
"""In force from the first morning."""

LATER: Final[tuple[tuple[int, PolicyContent], ...]] = (
    (35, _score_model(referral=25)),
    (60, _matrix(LATER_SELLER_LIMIT)),
    (75, _dunning("7.50")),
)
"""What is changed after so many percent of the simulated days."""

PRICES_RISE_AFTER: Final = 50
PRICES_RISE_PERCENT: Final = 3
"""The price list gets dearer by so many percent after so many percent of the simulated days."""
