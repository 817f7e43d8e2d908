"""Lead assignment: the least loaded owner whose region matches, ties by longest idle (R-16, policy `assignment_rule`)."""

from collections.abc import Sequence

from ltc_events.aggregates.policies import Versioned
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.lead import AssignLead, Candidate, LeadAssigned
from ltc_events.schemas.policy import AssignmentRule

MANUAL = "manual"
BY_RULE = "assignment_rule"


class NobodyProposed(Refused):
    """neither an owner nor candidates were given"""

    field = "owner"
    remedy = "name the owner, or give candidates for the assignment rule to choose from"


class OwnerAndCandidates(Refused):
    """{owner} is named as the owner, and {count} candidates are given to choose from"""

    field = "candidates"
    remedy = "leave candidates out to give the lead to {owner}, or leave owner out to let the assignment rule choose"


class NoCandidateFits(Refused):
    """none of {count} candidates fits: region {region}, fewer than {limit} open leads (assignment rule, version {version})"""

    field = "candidates"
    remedy = "propose somebody for region {region} with fewer than {limit} open leads, or name the owner"


def assign(command: AssignLead, region: str | None, rule: Versioned[AssignmentRule]) -> LeadAssigned:
    """The owner: the one named, else the candidate that the rule chooses for a lead of `region`."""
    if command.owner is not None and command.candidates:
        raise OwnerAndCandidates(owner=command.owner, count=len(command.candidates))
    if command.owner is not None:
        return LeadAssigned(owner=command.owner, rule=MANUAL, rule_version=0)
    if not command.candidates:
        raise NobodyProposed
    policy = rule.content
    fitting = [candidate for candidate in command.candidates if _fits(candidate, region, policy)]
    if not fitting:
        raise NoCandidateFits(
            count=len(command.candidates),
            region=region or "any" if policy.match_region else "any",
            limit=policy.open_leads_max,
            version=rule.version,
        )
    return LeadAssigned(owner=_least_loaded(fitting), rule=BY_RULE, rule_version=rule.version)


def _fits(candidate: Candidate, region: str | None, policy: AssignmentRule) -> bool:
    """Whether regions match: a lead without a region matches every candidate, a candidate without regions every lead."""
    if candidate.open_leads >= policy.open_leads_max:
        return False
    if not policy.match_region or region is None or not candidate.regions:
        return True
    wanted = region.casefold()
    return any(own.casefold() == wanted for own in candidate.regions)


def _least_loaded(candidates: Sequence[Candidate]) -> str:
    return min(candidates, key=lambda candidate: (candidate.open_leads, -candidate.idle_minutes, candidate.owner)).owner
