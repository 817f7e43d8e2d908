"""Who gets a lead (R-16, DOMAIN: least loaded owner whose region matches, ties by longest idle)."""

from tests.unit.selling_examples import captured
from tests.unit.specification import given

from ltc_events.aggregates.assignment import NobodyProposed, NoCandidateFits, OwnerAndCandidates
from ltc_events.aggregates.lead import LeadNotAccepted
from ltc_events.schemas.lead import AssignLead, Candidate, LeadAccepted, LeadAssigned, LeadQualified
from ltc_events.schemas.policy import AssignmentRule, PolicyPublished

ACCEPTED = LeadAccepted()


def chosen(*candidates: Candidate, region: str | None = "North", policy: AssignmentRule | None = None) -> str:
    """The owner that the rule chooses."""
    policies = () if policy is None else (PolicyPublished(version=1, content=policy),)
    events = given(*policies, captured(region=region), ACCEPTED).when(AssignLead(candidates=candidates)).events
    owner: str = events[0].owner
    return owner


def test_a_named_owner_is_a_manual_choice() -> None:
    given(captured(), ACCEPTED).when(AssignLead(owner="Sam")).then(LeadAssigned(owner="Sam", rule="manual", rule_version=0))


def test_the_rule_chooses_among_candidates_and_is_recorded_with_its_version() -> None:
    policy = PolicyPublished(version=7, content=AssignmentRule(kind="assignment_rule"))
    candidates = (Candidate(owner="Kim", regions=("North",), open_leads=3),)
    given(policy, captured(), ACCEPTED).when(AssignLead(candidates=candidates)).then(
        LeadAssigned(owner="Kim", rule="assignment_rule", rule_version=7)
    )


def test_the_least_loaded_candidate_gets_the_lead() -> None:
    assert chosen(Candidate(owner="A", open_leads=3), Candidate(owner="B", open_leads=2)) == "B"


def test_of_equally_loaded_candidates_the_longest_idle_gets_it_then_the_first_by_name() -> None:
    busy = Candidate(owner="A", open_leads=2, idle_minutes=5)
    idle = Candidate(owner="C", open_leads=2, idle_minutes=50)
    assert chosen(busy, idle) == "C"
    assert chosen(busy, idle, Candidate(owner="B", open_leads=2, idle_minutes=50)) == "B"


def test_the_region_must_match_however_it_is_written() -> None:
    south = Candidate(owner="A", regions=("South",), open_leads=0)
    assert chosen(south, Candidate(owner="B", regions=("West", "north"), open_leads=9)) == "B"


def test_everybody_fits_a_lead_without_a_region_and_somebody_without_regions_fits_every_lead() -> None:
    south = Candidate(owner="A", regions=("South",), open_leads=0)
    assert chosen(south, region=None) == "A"
    assert chosen(south, Candidate(owner="B", open_leads=9)) == "B"


def test_a_policy_can_do_without_the_region() -> None:
    policy = AssignmentRule(kind="assignment_rule", match_region=False)
    assert chosen(Candidate(owner="A", regions=("South",), open_leads=0), policy=policy) == "A"


def test_whoever_has_the_most_open_leads_allowed_gets_no_more() -> None:
    policy = AssignmentRule(kind="assignment_rule", open_leads_max=3)
    full = Candidate(owner="A", open_leads=3)
    assert chosen(full, Candidate(owner="B", open_leads=2), policy=policy) == "B"
    given(PolicyPublished(version=2, content=policy), captured(), ACCEPTED).when(AssignLead(candidates=(full,))).then(
        NoCandidateFits, field="candidates", message="region North, fewer than 3 open leads", fix="name the owner"
    )


def test_nobody_in_the_leads_region_is_a_refusal() -> None:
    south = Candidate(owner="A", regions=("South",), open_leads=0)
    given(captured(), ACCEPTED).when(AssignLead(candidates=(south,))).then(
        NoCandidateFits, message="none of 1 candidates", fix="region North"
    )


def test_somebody_must_be_proposed() -> None:
    given(captured(), ACCEPTED).when(AssignLead()).then(NobodyProposed, field="owner")


def test_an_owner_and_candidates_contradict_each_other() -> None:
    both = AssignLead(owner="Kim", candidates=(Candidate(owner="Max", open_leads=0),))
    given(captured(), ACCEPTED).when(both).then(OwnerAndCandidates, field="candidates", message="Kim", fix="leave owner out")


def test_a_lead_is_accepted_before_it_is_assigned() -> None:
    given(captured()).when(AssignLead(owner="Sam")).then(LeadNotAccepted, message="captured", fix="lead.screen.v1")


def test_a_lead_can_be_handed_on_also_when_it_is_qualified() -> None:
    sam = LeadAssigned(owner="Sam", rule="manual", rule_version=0)
    kim = LeadAssigned(owner="Kim", rule="manual", rule_version=0)
    given(captured(), ACCEPTED, sam, LeadQualified(need="a mill")).when(AssignLead(owner="Kim")).then(kim)
    given(captured(), ACCEPTED, sam).when(AssignLead(owner="Sam")).then()
