"""Lead: a specific customer with potential intent to buy something specific (R-1 … R-4, R-6, R-7, R-14 … R-16, R-21)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    PHONE_E164,
    Code,
    Command,
    Count,
    Currency,
    Day,
    Email,
    Event,
    Exact,
    Flag,
    Id,
    Name,
    NotNegative,
    OrderedEvent,
    Phone,
    References,
    Schema,
    Text,
)
from ltc_events.schemas.limits import Limits
from ltc_events.schemas.summary_text import because, by, number, words


class Channel(StrEnum):
    """The channel of a lead (R-7). Its name in the other system is kept in `origin`."""

    SOCIAL = "social"
    PAID_SOCIAL = "paid_social"
    PAID_SEARCH = "paid_search"
    ORGANIC_SEARCH = "organic_search"
    DISPLAY = "display"
    ADVERTISEMENT = "advertisement"
    EMAIL = "email"
    CONTENT = "content"
    WEB_FORM = "web_form"
    DIRECT_TRAFFIC = "direct_traffic"
    EXHIBITION = "exhibition"
    SEMINAR = "seminar"
    LAUNCH = "launch"
    QUESTIONNAIRE = "questionnaire"
    PERSONAL_NETWORK = "personal_network"
    REFERRAL = "referral"
    PARTNER = "partner"
    COLD_CALL = "cold_call"
    DIRECT_MAIL = "direct_mail"
    PUBLIC_RELATIONS = "public_relations"
    ONLINE_STORE = "online_store"
    OTHER = "other"
    UNKNOWN = "unknown"


class Temperature(StrEnum):
    """Cold: no contact; warm: first contact or registration; hot: demo or quote request (R-14)."""

    COLD = "cold"
    WARM = "warm"
    HOT = "hot"


class Priority(StrEnum):
    """The priority, which determines when a first response is due (policy `response_levels`, R-17)."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class EvidenceKind(StrEnum):
    """The evidence that a lead may become an opportunity (R-21)."""

    INTENT_TO_BUY = "intent_to_buy"
    INVESTMENT_PLAN = "investment_plan"


class LeadDetail(Schema):
    """Details of the need (R-4)."""

    pain_points: Text | None = None
    special_requirements: Text | None = None
    features_of_interest: Text | None = None
    products: Annotated[tuple[Code, ...], Limits(entries_max=100)] = ()


class CaptureLead(Command):
    """Record a lead. Any actor may (R-6). Policy `required_fields` says which fields are required (R-3, R-5).

    The customer and the campaign need not be known yet, since messages may arrive in any order. An unregistered customer
    becomes a prospect, which `customer.register` completes.
    """

    type: ClassVar[str] = "lead.capture.v1"
    begins_for_customer: ClassVar[bool] = True
    contact_name: Name | None = None
    company: Name | None = None
    phone: Phone | None = None
    email: Email | None = None
    industry: Name | None = None
    need: Text | None = None
    channel: Channel
    origin: Name | None = None
    campaign_id: Id | None = None
    source_activity: Code | None = None
    captured_by: Name | None = None
    region: Name | None = None
    priority: Priority = Priority.NORMAL
    detail: LeadDetail | None = None
    references: References = {}


class ScreenLead(Command):
    """Apply the three tests that admit a lead; one failed test rejects it, with `reason` (R-2)."""

    type: ClassVar[str] = "lead.screen.v1"
    specific_customer: Flag
    potential_intent: Flag
    can_take_part: Flag
    reason: Name | None = None


class RecordLeadDetail(Command):
    """Record more details of the need (R-4)."""

    type: ClassVar[str] = "lead.record_detail.v1"
    detail: LeadDetail


class ChangeTemperature(Command):
    """Set how close to buying the lead is (R-14)."""

    type: ClassVar[str] = "lead.change_temperature.v1"
    temperature: Temperature
    reason: Name | None = None


class ScoreLead(Command):
    """Score the lead: `inputs` give a value per factor of policy `score_model`, which turns it into points (R-15)."""

    type: ClassVar[str] = "lead.score.v1"
    inputs: dict[Code, Name] = Field(min_length=1, max_length=20)


class Candidate(Schema):
    """A possible owner of the lead."""

    owner: Name
    regions: tuple[Name, ...] = Field(default=(), max_length=100)
    open_leads: Count
    idle_minutes: Count = 0


class AssignLead(Command):
    """Assign the lead to `owner`, or let policy `assignment_rule` choose among `candidates` (R-16): exactly one of the two."""

    type: ClassVar[str] = "lead.assign.v1"
    owner: Name | None = None
    candidates: tuple[Candidate, ...] = Field(default=(), max_length=200)


class QualifyLead(Command):
    """Confirm need, budget, authority and time frame."""

    type: ClassVar[str] = "lead.qualify.v1"
    need: Text
    budget: NotNegative | None = None
    currency: Currency | None = None
    authority: Name | None = None
    time_frame: Name | None = None


class ConvertLead(Command):
    """Convert a qualified lead into an opportunity, in one transaction; no further command changes the lead (R-21)."""

    type: ClassVar[str] = "lead.convert.v1"
    touches: ClassVar[tuple[str, ...]] = ("opportunity_id",)
    begins_for_customer: ClassVar[bool] = True
    opportunity_id: Id
    evidence: EvidenceKind
    evidence_note: Text
    can_take_part: Flag
    title: Name
    amount: NotNegative
    currency: Currency
    expected_close_on: Day | None = None


class DisqualifyLead(Command):
    """Close the lead without an opportunity."""

    type: ClassVar[str] = "lead.disqualify.v1"
    reason: Name


class LeadCaptured(Event):
    """A lead was recorded. `response_due_at` follows from the priority by policy `response_levels`."""

    type: ClassVar[str] = "lead.captured.v1"
    contact_name: str | None = None
    company: str | None = None
    phone: str | None = None
    email: str | None = None
    industry: str | None = None
    need: str | None = None
    channel: Channel
    origin: str | None = None
    campaign_id: UUID | None = None
    source_activity: str | None = None
    captured_by: str | None = None
    region: str | None = None
    priority: Priority
    detail: LeadDetail | None = None
    references: dict[str, str] = {}
    response_due_at: datetime
    policy_version: int
    response_policy_version: int
    phone_e164: str | None = Field(default=None, description=PHONE_E164)

    def in_words(self) -> str:
        return f"lead captured from {words(self.channel)}{by(self.captured_by)}{because(self.need)}"


class LeadAccepted(OrderedEvent):
    """The lead passed the three tests."""

    type: ClassVar[str] = "lead.accepted.v1"

    def in_words(self) -> str:
        return "lead accepted"


class LeadRejected(OrderedEvent):
    """The lead failed a test, named by `failed`."""

    type: ClassVar[str] = "lead.rejected.v1"
    failed: tuple[str, ...]
    reason: str

    def in_words(self) -> str:
        return f"lead rejected{because(self.reason)}"


class LeadDetailRecorded(OrderedEvent):
    """More details of the need were recorded."""

    type: ClassVar[str] = "lead.detail_recorded.v1"
    detail: LeadDetail

    def in_words(self) -> str:
        return "more recorded about the need"


class TemperatureChanged(OrderedEvent):
    """The lead's temperature changed."""

    type: ClassVar[str] = "lead.temperature_changed.v1"
    was: Temperature
    temperature: Temperature
    reason: str | None = None

    def in_words(self) -> str:
        return f"lead {self.temperature}, was {self.was}{because(self.reason)}"


class LeadScored(OrderedEvent):
    """The lead was scored: the sum of `points` per factor. Earlier scores stay in the stream."""

    type: ClassVar[str] = "lead.scored.v1"
    score: Exact
    points: dict[str, Exact]
    inputs: dict[str, str]
    model_version: int

    def in_words(self) -> str:
        return f"lead scored {number(self.score)}"


class LeadAssigned(OrderedEvent):
    """The lead has a new owner; `rule` names what chose the owner (`manual` or the policy), with its version."""

    type: ClassVar[str] = "lead.assigned.v1"
    owner: str
    rule: str
    rule_version: int

    def in_words(self) -> str:
        return f"lead assigned to {self.owner}"


class LeadQualified(OrderedEvent):
    """Need, budget, authority and time frame were confirmed."""

    type: ClassVar[str] = "lead.qualified.v1"
    need: str
    budget: Exact | None = None
    currency: str | None = None
    authority: str | None = None
    time_frame: str | None = None

    def in_words(self) -> str:
        return f"lead qualified{because(self.need)}"


class LeadConverted(OrderedEvent):
    """The lead became an opportunity."""

    type: ClassVar[str] = "lead.converted.v1"
    opportunity_id: UUID
    evidence: EvidenceKind
    evidence_note: str

    def in_words(self) -> str:
        return f"lead converted{because(self.evidence_note)}"


class LeadDisqualified(OrderedEvent):
    """The lead was closed without an opportunity."""

    type: ClassVar[str] = "lead.disqualified.v1"
    reason: str

    def in_words(self) -> str:
        return f"lead disqualified{because(self.reason)}"
