"""Policies and price books: the rules themselves, as versioned facts. They belong to the company (R-5, R-48, R-51, R-75)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ltc_events.schemas.base import Amount, Code, Command, Currency, Event, Name, NotNegative, Percent, Schema


class PolicyKind(StrEnum):
    """What a policy rules."""

    REQUIRED_FIELDS = "required_fields"
    RESPONSE_LEVELS = "response_levels"
    SCORE_MODEL = "score_model"
    ASSIGNMENT_RULE = "assignment_rule"
    STAGES = "stages"
    DISCOUNT_MATRIX = "discount_matrix"
    BILLING = "billing"
    PAYMENT_TERMS = "payment_terms"
    DUNNING = "dunning"


class RequiredFields(Schema):
    """Fields that must be filled; `phone|email` means one of the two (R-3, R-5)."""

    kind: Literal["required_fields"]
    lead: tuple[Name, ...] = ("contact_name", "company", "phone|email", "industry", "need")
    customer: tuple[Name, ...] = ("name", "phone|email")


class ResponseLevels(Schema):
    """Minutes until a first response is due, per priority (R-17)."""

    kind: Literal["response_levels"]
    minutes: dict[Code, int] = {"urgent": 60, "high": 240, "normal": 1440, "low": 4320}


class ScoreModel(Schema):
    """Points per factor and value; a value that is not listed gets the factor's `*`, else nothing (R-15)."""

    kind: Literal["score_model"]
    points: dict[Code, dict[Name, Amount]] = {}


class AssignmentRule(Schema):
    """How the owner of a lead is chosen: least open leads, ties by longest idle; by region where `match_region` (R-16)."""

    kind: Literal["assignment_rule"]
    match_region: bool = True
    open_leads_max: int = Field(default=100, ge=1)


class Stage(Schema):
    """One stage of the pipeline, with what must be true before it is left (R-37)."""

    name: Code
    probability: Percent
    exit_criteria: tuple[Code, ...] = ()


class Stages(Schema):
    """The open stages in their order. Won (100 %) and lost (0 %) are always there."""

    kind: Literal["stages"]
    stages: tuple[Stage, ...] = Field(min_length=1)


class DiscountMatrix(Schema):
    """The highest discount, in percent of list price, that each role may give on its own or approve (R-51)."""

    kind: Literal["discount_matrix"]
    limits: dict[Code, Percent]


class Billing(Schema):
    """What may be billed (R-64, DOMAIN: over-billing is refused beyond an allowance), and whether a clock does it.

    `run`: with "daily" an order is billed on the day something can be billed; with "monthly" in the month after.
    """

    kind: Literal["billing"]
    basis: Literal["ordered", "delivered"] = "delivered"
    over_billing_percent: NotNegative
    run: Literal["off", "daily", "monthly"] = "off"


class Term(Schema):
    """One instalment: a share of the total, due some days after the invoice date."""

    percent: Percent
    days: int = Field(ge=0, le=3650)


class PaymentTerms(Schema):
    """Named terms of payment; the percents of each add up to 100 (R-63)."""

    kind: Literal["payment_terms"]
    terms: dict[Code, tuple[Term, ...]]


class Dunning(Schema):
    """What a reminder costs: a fee, and interest in percent a year on what is overdue (R-66)."""

    kind: Literal["dunning"]
    annual_interest_percent: NotNegative
    fee: NotNegative
    days_between: int = Field(ge=1)


PolicyContent = Annotated[
    RequiredFields | ResponseLevels | ScoreModel | AssignmentRule | Stages | DiscountMatrix | Billing | PaymentTerms | Dunning,
    Field(discriminator="kind"),
]


class PublishPolicy(Command):
    """Put the next version of a policy in force; its stream is `derive_id("policy", kind)` (R-75)."""

    type: ClassVar[str] = "policy.publish.v1"
    content: PolicyContent


class PolicyPublished(Event):
    """A policy has a new version; decisions record the version they used."""

    type: ClassVar[str] = "policy.published.v1"
    version: int
    content: PolicyContent


class PriceBookItem(Schema):
    """What one thing costs before discounts, and how it is taxed (EN 16931 BT-151, BT-152)."""

    sku: Code
    description: Name
    list_price: NotNegative
    tax_category: Code = "S"
    tax_rate: Percent


class PublishPriceBook(Command):
    """Publish the next version of a price book (R-48)."""

    type: ClassVar[str] = "price_book.publish.v1"
    title: Name
    currency: Currency
    valid_from: date | None = None
    items: tuple[PriceBookItem, ...] = Field(min_length=1, max_length=5000)


class PriceBookPublished(Event):
    """A price book has a new version."""

    type: ClassVar[str] = "price_book.version_published.v1"
    version: int
    title: str
    currency: str
    valid_from: date
    items: tuple[PriceBookItem, ...]
