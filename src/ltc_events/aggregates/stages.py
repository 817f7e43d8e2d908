"""Stages of a deal, in the order that policy `stages` sets: on to a later one, back to an earlier one (R-37). Pure."""

from decimal import Decimal

from ltc_events.aggregates.policies import Versioned
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.opportunity import AdvanceStage, MoveStageBack, StageChanged
from ltc_events.schemas.policy import Stages


class UnknownStage(Refused):
    """{stage} is no stage of policy stages, version {version}"""

    field = "stage"
    remedy = "use one of {known}; a deal is closed by opportunity.win.v1 or opportunity.lose.v1"


class StageNotAhead(Refused):
    """{stage} is not after {current}, where the opportunity is"""

    field = "stage"
    remedy = "advance to one of: {ahead}; to go back, send opportunity.move_stage_back.v1"


class StageNotBehind(Refused):
    """{stage} is not before {current}, where the opportunity is"""

    field = "stage"
    remedy = "go back to one of: {behind}; to go on, send opportunity.advance_stage.v1"


class ExitCriteriaOpen(Refused):
    """{stage} cannot be left before {missing} (policy stages, version {version})"""

    field = "criteria_met"
    remedy = "meet {missing}, and list all that is met in criteria_met: {required}"


def first_stage(stages: Versioned[Stages]) -> tuple[str, Decimal]:
    """Where every deal begins: the first stage and its probability in percent."""
    stage = stages.content.stages[0]
    return stage.name, stage.probability


def stage_or_first(current: str, stages: Versioned[Stages]) -> tuple[str, Decimal]:
    """A stage with its probability in percent; the first one where the policy has dropped it."""
    for stage in stages.content.stages:
        if stage.name == current:
            return stage.name, stage.probability
    return first_stage(stages)


def advance(current: str, command: AdvanceStage, policy: Versioned[Stages]) -> StageChanged:
    """The step on to a later stage. Raises UnknownStage, StageNotAhead and ExitCriteriaOpen."""
    stages = policy.content.stages
    here, there = _places(current, command.stage, policy)
    if there <= here:
        ahead = ", ".join(stage.name for stage in stages[here + 1 :]) or "(none: it is the last)"
        raise StageNotAhead(stage=command.stage, current=current, ahead=ahead)
    passed = stages[max(here, 0) : there]
    required = [criterion for stage in passed for criterion in stage.exit_criteria]
    if required:
        met = set(command.criteria_met)
        for stage in passed:
            missing = [criterion for criterion in stage.exit_criteria if criterion not in met]
            if missing:
                raise ExitCriteriaOpen(
                    stage=stage.name,
                    missing=", ".join(missing),
                    required=", ".join(required),
                    version=policy.version,
                )
    return StageChanged(
        from_stage=current,
        stage=command.stage,
        probability=stages[there].probability,
        backward=False,
        criteria_met=command.criteria_met,
        policy_version=policy.version,
    )


def move_back(current: str, command: MoveStageBack, policy: Versioned[Stages]) -> StageChanged:
    """The step back to an earlier stage. Raises UnknownStage and StageNotBehind."""
    stages = policy.content.stages
    here, there = _places(current, command.stage, policy)
    if there >= here:
        behind = ", ".join(stage.name for stage in stages[: max(here, 0)]) or "(none: it is the first)"
        raise StageNotBehind(stage=command.stage, current=current, behind=behind)
    return StageChanged(
        from_stage=current,
        stage=command.stage,
        probability=stages[there].probability,
        backward=True,
        reason=command.reason,
        policy_version=policy.version,
    )


def _places(current: str, wanted: str, policy: Versioned[Stages]) -> tuple[int, int]:
    """Where two stages stand in the order. A current stage that the policy has dropped stands before the first."""
    names = [stage.name for stage in policy.content.stages]
    if wanted not in names:
        raise UnknownStage(stage=wanted, version=policy.version, known=", ".join(names))
    return names.index(current) if current in names else -1, names.index(wanted)
