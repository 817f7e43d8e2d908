"""Opportunity: a deal on its way through the stages (R-37 … R-43)."""

from datetime import date
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import Code, Command, Currency, Day, Exact, Id, Name, NotNegative, OrderedEvent, References, Text
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.summary_text import because, by, money, number, words


class LossReason(StrEnum):
    """The reason why a deal was lost (R-43)."""

    PRICE = "price"
    PRODUCT_GAP = "product_gap"
    COMPETITOR = "competitor"
    NO_BUDGET = "no_budget"
    NO_DECISION = "no_decision"
    TIMING = "timing"
    RELATIONSHIP = "relationship"
    OTHER = "other"


class InteractionKind(StrEnum):
    """The kind of an interaction with the customer (R-35, R-41, R-42)."""

    CALL = "call"
    EMAIL = "email"
    MEETING = "meeting"
    VISIT = "visit"
    INFORMATION = "information"
    DEMO = "demo"
    TRIAL = "trial"
    OBJECTION = "objection"
    EVIDENCE = "evidence"
    CARE = "care"


class OpenOpportunity(Command):
    """Open an opportunity without a lead, e.g. further business with a known customer."""

    type: ClassVar[str] = "opportunity.open.v1"
    begins_for_customer: ClassVar[bool] = True
    title: Name
    amount: NotNegative
    currency: Currency
    expected_close_on: Day | None = None
    channel: Channel = Channel.UNKNOWN
    campaign_id: Id | None = None
    owner: Name | None = None
    references: References = {}


class AdvanceStage(Command):
    """Advance to a later stage. The exit criteria of the stages passed, set by policy `stages`, must be met (R-37)."""

    type: ClassVar[str] = "opportunity.advance_stage.v1"
    stage: Code
    criteria_met: tuple[Code, ...] = Field(default=(), max_length=200)


class MoveStageBack(Command):
    """Move back to an earlier stage, with the reason."""

    type: ClassVar[str] = "opportunity.move_stage_back.v1"
    stage: Code
    reason: Name


class ChangeAmount(Command):
    """Change the estimated amount of the deal."""

    type: ClassVar[str] = "opportunity.change_amount.v1"
    amount: NotNegative
    reason: Name | None = None


class ChangeCloseDate(Command):
    """Change the expected close date of the deal."""

    type: ClassVar[str] = "opportunity.change_close_date.v1"
    expected_close_on: Day
    reason: Name | None = None


class ChangeTitle(Command):
    """Change the title of the deal, also of one that is closed."""

    type: ClassVar[str] = "opportunity.change_title.v1"
    title: Name
    reason: Name | None = None


class ChangeOwner(Command):
    """Give the deal, also one that is closed, to another owner."""

    type: ClassVar[str] = "opportunity.change_owner.v1"
    owner: Name
    reason: Name | None = None


class MapDecisionMaker(Command):
    """Record a person's part in the customer's decision (R-40)."""

    type: ClassVar[str] = "opportunity.map_decision_maker.v1"
    contact_name: Name
    role: Name
    influence: Code | None = None


class LogInteraction(Command):
    """Record an interaction with the customer (R-41, R-42)."""

    type: ClassVar[str] = "opportunity.log_interaction.v1"
    kind: InteractionKind
    summary: Text
    by: Name | None = None


class WinOpportunity(Command):
    """Close the deal as won: by an accepted quote, or for a stated reason without one (R-37)."""

    type: ClassVar[str] = "opportunity.win.v1"
    touches: ClassVar[tuple[str, ...]] = ("quote_id",)
    quote_id: Id | None = None
    reason: Name | None = None


class LoseOpportunity(Command):
    """Close the deal as lost, with the reason (R-43)."""

    type: ClassVar[str] = "opportunity.lose.v1"
    reason: LossReason
    competitor: Name | None = None
    note: Text | None = None


class ReopenOpportunity(Command):
    """Reopen a deal that was closed as lost or won, with the reason."""

    type: ClassVar[str] = "opportunity.reopen.v1"
    reason: Name


class OpportunityOpened(OrderedEvent):
    """A deal was opened, in the first stage of policy `stages`."""

    type: ClassVar[str] = "opportunity.opened.v1"
    limited_at: ClassVar[str] = "amount"
    title: str
    amount: Exact
    currency: str
    stage: str
    probability: Exact
    expected_close_on: date | None = None
    lead_id: UUID | None = None
    channel: Channel
    origin: str | None = None
    campaign_id: UUID | None = None
    owner: str | None = None
    references: dict[str, str] = {}
    policy_version: int

    def in_words(self) -> str:
        return f"opportunity opened: {self.title}, {money(self.amount, self.currency)}"


class StageChanged(OrderedEvent):
    """The deal moved to another stage; `backward` is the direction."""

    type: ClassVar[str] = "opportunity.stage_changed.v1"
    from_stage: str
    stage: str
    probability: Exact
    backward: bool
    reason: str | None = None
    criteria_met: tuple[str, ...] = ()
    policy_version: int

    def in_words(self) -> str:
        where = f"{'back to' if self.backward else 'on to'} {words(self.stage)}"
        return f"{where}, {number(self.probability)} % likely{because(self.reason)}"


class AmountChanged(OrderedEvent):
    """The estimated amount of the deal is now `amount`."""

    type: ClassVar[str] = "opportunity.amount_changed.v1"
    limited_at: ClassVar[str] = "amount"
    was: Exact
    amount: Exact
    currency: str
    reason: str | None = None

    def in_words(self) -> str:
        return f"worth {money(self.amount, self.currency)}, was {self.was:,f}{because(self.reason)}"


class CloseDateChanged(OrderedEvent):
    """The expected close date of the deal changed."""

    type: ClassVar[str] = "opportunity.close_date_changed.v1"
    was: date | None
    expected_close_on: date
    reason: str | None = None

    def in_words(self) -> str:
        return f"expected to close on {self.expected_close_on}{because(self.reason)}"


class TitleChanged(OrderedEvent):
    """The deal has another title."""

    type: ClassVar[str] = "opportunity.title_changed.v1"
    was: str
    title: str
    reason: str | None = None

    def in_words(self) -> str:
        return f"title changed to {self.title}{because(self.reason)}"


class OwnerChanged(OrderedEvent):
    """The deal has another owner."""

    type: ClassVar[str] = "opportunity.owner_changed.v1"
    was: str | None
    owner: str
    reason: str | None = None

    def in_words(self) -> str:
        return f"owner changed to {self.owner}{because(self.reason)}"


class DecisionMakerMapped(OrderedEvent):
    """A person's part in the customer's decision was recorded."""

    type: ClassVar[str] = "opportunity.decision_maker_mapped.v1"
    contact_name: str
    role: str
    influence: str | None = None

    def in_words(self) -> str:
        return f"takes part in the decision: {self.contact_name}, {self.role}"


class InteractionLogged(OrderedEvent):
    """An interaction with the customer was recorded."""

    type: ClassVar[str] = "opportunity.interaction_logged.v1"
    kind: InteractionKind
    summary: str
    by: str | None = None

    def in_words(self) -> str:
        return f"{self.kind}{by(self.by)}{because(self.summary)}"


class OpportunityWon(OrderedEvent):
    """The deal is won, worth `amount`."""

    type: ClassVar[str] = "opportunity.won.v1"
    from_stage: str
    amount: Exact
    currency: str
    quote_id: UUID | None = None
    reason: str | None = None

    def in_words(self) -> str:
        return f"won for {money(self.amount, self.currency)}{because(self.reason)}"


class OpportunityLost(OrderedEvent):
    """The deal is lost."""

    type: ClassVar[str] = "opportunity.lost.v1"
    from_stage: str
    amount: Exact
    currency: str
    reason: LossReason
    competitor: str | None = None
    note: str | None = None

    def in_words(self) -> str:
        return f"lost {money(self.amount, self.currency)}: {words(self.reason)}"


class OpportunityReopened(OrderedEvent):
    """A deal that `was` closed is open again, in the stage before its closing; in the first stage, where policy `stages` no
    longer has that. `amount` is the amount at closing, and `quote_id` the quote by which it was won.
    """

    type: ClassVar[str] = "opportunity.reopened.v1"
    was: Literal["won", "lost"]
    stage: str
    probability: Exact
    amount: Exact
    currency: str
    quote_id: UUID | None = None
    reason: str
    policy_version: int

    def in_words(self) -> str:
        return f"opened again, was {self.was}{because(self.reason)}"
