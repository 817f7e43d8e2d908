"""Scores of leads: points per factor, added up, as policy `score_model` says (R-15)."""

from collections.abc import Mapping
from decimal import Decimal

from ltc_events.aggregates.policies import Versioned
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.lead import LeadScored
from ltc_events.schemas.policy import ScoreModel

ANY = "*"


class UnknownFactor(Refused):
    """{factor} is no factor of the score model, version {version}"""

    remedy = "use only these factors: {known}; or publish a score_model policy that knows {factor}"


def score(inputs: Mapping[str, str], model: Versioned[ScoreModel]) -> LeadScored:
    """The score of `inputs`, a value per factor. A value that the model does not list gets the factor's `*`, else nothing."""
    points: dict[str, Decimal] = {}
    table = model.content.points
    for factor, value in inputs.items():
        values = table.get(factor)
        if values is None:
            known = ", ".join(table) or "(none)"
            raise UnknownFactor(factor=factor, version=model.version, known=known, at=f"inputs.{factor}")
        points[factor] = values.get(value, values.get(ANY, ZERO))
    return LeadScored(score=sum(points.values(), ZERO), points=points, inputs=dict(inputs), model_version=model.version)
