"""Leads, their steps and follow-ups."""

from datetime import UTC, date, datetime
from decimal import Decimal

from tests.small_company import id_of
from tests.tables.specification import at, given

from ltc_events.projections.tables.follow_ups import FollowUps
from ltc_events.projections.tables.lead_steps import LeadSteps
from ltc_events.projections.tables.leads import Leads
from ltc_events.schemas.follow_up import (
    FirstResponseRecorded,
    FollowUpCompleted,
    FollowUpMissed,
    FollowUpScheduled,
    ResponseBreached,
)
from ltc_events.schemas.lead import (
    Channel,
    EvidenceKind,
    LeadAccepted,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDetail,
    LeadDetailRecorded,
    LeadDisqualified,
    LeadQualified,
    LeadRejected,
    LeadScored,
    Priority,
    Temperature,
    TemperatureChanged,
)

DUE = datetime(2026, 1, 6, 12, tzinfo=UTC)
CAPTURED = LeadCaptured(
    contact_name="Ada",
    company="Acme",
    email="ada@acme.example",
    need="pumps",
    channel=Channel.WEB_FORM,
    origin="newsletter",
    campaign_id=id_of("spring"),
    priority=Priority.NORMAL,
    references={"crm": "l-1"},
    response_due_at=DUE,
    policy_version=2,
    response_policy_version=3,
)
LEAD = (
    at("lead 1", CAPTURED, LeadAccepted(), LeadAssigned(owner="Olga", rule="region", rule_version=4)),
    at("lead 1", ResponseBreached(due_at=DUE), on="2026-01-06"),
    at("lead 1", FirstResponseRecorded(by="Olga", in_time=False, dated_before=date(2026, 1, 8)), on="2026-01-07"),
    at(
        "lead 1",
        LeadDetailRecorded(detail=LeadDetail(pain_points="leaks", products=("P-1",))),
        TemperatureChanged(was=Temperature.COLD, temperature=Temperature.HOT, reason="called back"),
        LeadScored(score=Decimal("72.5"), points={"industry": Decimal("72.5")}, inputs={"industry": "trade"}, model_version=5),
        LeadQualified(need="pumps", budget=Decimal(5000), currency="EUR"),
        LeadConverted(opportunity_id=id_of("deal"), evidence=EvidenceKind.INTENT_TO_BUY, evidence_note="asked for a quote"),
        on="2026-01-09",
    ),
)
LOST_LEADS = (
    at("lead 2", CAPTURED, LeadRejected(failed=("reachable",), reason="no such number"), customer="Bolt"),
    at("lead 3", CAPTURED, LeadDisqualified(reason="no budget"), customer="Core"),
)
FOLLOW_UPS = (
    at(
        "lead 1",
        FollowUpScheduled(follow_up_id=id_of("call"), due_at=DUE, medium="phone", note="ask for the budget", owner="Olga"),
        FollowUpScheduled(follow_up_id=id_of("visit"), due_at=DUE),
    ),
    at("lead 1", FollowUpMissed(follow_up_id=id_of("call")), on="2026-01-07"),
    at("lead 1", FollowUpCompleted(follow_up_id=id_of("call"), result="5,000"), on="2026-01-08"),
)

SPECIFICATIONS = (
    given(*LEAD).then(
        Leads,
        """
        row                 | 1
        lead_id             | lead 1
        position            | 1
        contact_name        | Ada
        company             | Acme
        email               | ada@acme.example
        need                | pumps
        channel             | web_form
        origin              | newsletter
        campaign_id         | spring
        priority            | normal
        response_due_at     | 2026-01-06 12:00:00+00:00
        external_references | {"crm":"l-1"}
        detail              | {"features_of_interest":null,"pain_points":"leaks","products":["P-1"],"special_requirements":null}
        status              | converted
        first_response_at   | 2026-01-07 12:00:00+00:00
        temperature         | hot
        score               | 72.5
        owner               | Olga
        opportunity_id      | deal
        """,
    ),
    given(*LOST_LEADS).then(
        Leads,
        """
        row                 | 1                         | 2
        lead_id             | lead 3                    | lead 2
        position            | 3                         | 1
        contact_name        | Ada                       | Ada
        company             | Acme                      | Acme
        email               | ada@acme.example          | ada@acme.example
        need                | pumps                     | pumps
        channel             | web_form                  | web_form
        origin              | newsletter                | newsletter
        campaign_id         | spring                    | spring
        priority            | normal                    | normal
        response_due_at     | 2026-01-06 12:00:00+00:00 | 2026-01-06 12:00:00+00:00
        external_references | {"crm":"l-1"}             | {"crm":"l-1"}
        status              | disqualified              | rejected
        temperature         | cold                      | cold
        reason              | no budget                 | no such number
        """,
    ),
    given(*LEAD).then(
        LeadSteps,
        """
        position | lead_id | step                | person | score | temperature | in_time | policy_version | note
        1        | lead 1  | captured            |        |       |             |         | 2              |
        2        | lead 1  | accepted            |        |       |             |         |                |
        3        | lead 1  | assigned            | Olga   |       |             |         | 4              | region
        4        | lead 1  | response_breached   |        |       |             |         |                |
        5        | lead 1  | contacted           | Olga   |       |             | false   |                |
        7        | lead 1  | temperature_changed |        |       | hot         |         |                | called back
        8        | lead 1  | scored              |        | 72.5  |             |         | 5              |
        9        | lead 1  | qualified           |        |       |             |         |                | pumps
        10       | lead 1  | converted           |        |       |             |         |                | asked for a quote
        """,
    ),
    given(*LOST_LEADS).then(
        LeadSteps,
        """
        position | lead_id | step         | policy_version | note
        1        | lead 2  | captured     | 2              |
        2        | lead 2  | rejected     |                | no such number
        3        | lead 3  | captured     | 2              |
        4        | lead 3  | disqualified |                | no budget
        """,
    ),
    given(*FOLLOW_UPS).then(
        FollowUps,
        """
        row             | 1                         | 2
        lead_id         | lead 1                    | lead 1
        follow_up_id    | call                      | visit
        position        | 1                         | 2
        due_at          | 2026-01-06 12:00:00+00:00 | 2026-01-06 12:00:00+00:00
        medium          | phone                     |
        note            | ask for the budget        |
        owner           | Olga                      |
        missed_position | 3                         |
        missed_on       | 2026-01-07                |
        done_position   | 4                         |
        done_on         | 2026-01-08                |
        result          | 5,000                     |
        """,
    ),
)
