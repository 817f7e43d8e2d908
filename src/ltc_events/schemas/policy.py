"""Policies and price books: the rules themselves, as versioned facts. They belong to the company (R-5, R-48, R-51, R-75)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from ltc_events.schemas.base import (
    Amount,
    Code,
    Command,
    Currency,
    Day,
    Days,
    Event,
    Flag,
    Id,
    Name,
    NotNegative,
    Percent,
    Schema,
)
from ltc_events.schemas.limits import COUNT_MAX, DAYS_MAX, INSTALMENTS_MAX, MINUTES_MAX, Limits
from ltc_events.schemas.summary_text import by, words


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
    BUSINESS_DATES = "business_dates"
    COMPANY = "company"
    WRITE_OFF = "write_off"
    REQUIRE_REGISTERED_CUSTOMER = "require_registered_customer"
    ACCESS = "access"


Minutes = Annotated[int, Field(strict=True), Limits(least=0, most=MINUTES_MAX)]


class RequiredFields(Schema):
    """Fields that must be filled; `phone|email` means one of the two (R-3, R-5)."""

    kind: Literal["required_fields"]
    lead: Annotated[tuple[Name, ...], Limits(entries_max=50)] = ("contact_name", "company", "phone|email", "industry", "need")
    customer: Annotated[tuple[Name, ...], Limits(entries_max=50)] = ("name", "phone|email")


class ResponseLevels(Schema):
    """Minutes until a first response is due, per priority (R-17)."""

    kind: Literal["response_levels"]
    minutes: Annotated[dict[Code, Minutes], Limits(entries_max=20)] = {"urgent": 60, "high": 240, "normal": 1440, "low": 4320}


class ScoreModel(Schema):
    """Points per factor and value; a value that is not listed gets the factor's `*`, else nothing (R-15)."""

    kind: Literal["score_model"]
    points: Annotated[dict[Code, Annotated[dict[Name, Amount], Limits(entries_max=1000)]], Limits(entries_max=50)] = {}


class AssignmentRule(Schema):
    """How the owner of a lead is chosen: least open leads, ties by longest idle; by region where `match_region` (R-16)."""

    kind: Literal["assignment_rule"]
    match_region: Flag = True
    open_leads_max: Annotated[int, Field(strict=True, ge=1), Limits(most=COUNT_MAX)] = 100


class Stage(Schema):
    """One stage of the pipeline, with what must be true before it is left (R-37)."""

    name: Code
    probability: Percent
    exit_criteria: Annotated[tuple[Code, ...], Limits(entries_max=50)] = ()


class Stages(Schema):
    """The open stages in their order. Won (100 %) and lost (0 %) are always there."""

    kind: Literal["stages"]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1), Limits(entries_max=50)]


class DiscountMatrix(Schema):
    """The highest discount, in percent of list price, that each role may give on its own or approve (R-51)."""

    kind: Literal["discount_matrix"]
    limits: Annotated[dict[Code, Percent], Limits(entries_max=100)]


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
    days: Days


class PaymentTerms(Schema):
    """Named terms of payment; the percents of each add up to 100 (R-63)."""

    kind: Literal["payment_terms"]
    terms: Annotated[dict[Code, Annotated[tuple[Term, ...], Limits(entries_max=INSTALMENTS_MAX)]], Limits(entries_max=200)]


class Dunning(Schema):
    """The cost of a reminder: a fee, and interest in percent a year on what is overdue (R-66).

    The fee is that of `fees` for the invoice's currency, and none in other currencies; without `fees`, it is `fee` in any
    currency. `claims`: with "posted" the customer owes fee and interest from the day of the reminder, as claims of their own;
    with "stated" the reminder states them, and they are owed only after `claim.raise`. `automatic_allocation`: what a payment
    without a named invoice is allocated to: "invoices" only, or "claims_first": fees, then interest (§ 367 (1) of the German
    civil code), then payments that the bank took back.
    """

    kind: Literal["dunning"]
    annual_interest_percent: NotNegative
    fee: NotNegative
    fees: Annotated[dict[Currency, NotNegative], Limits(entries_max=200)] = {}
    claims: Literal["posted", "stated"] = "posted"
    automatic_allocation: Literal["invoices", "claims_first"] = "invoices"
    days_between: Annotated[int, Field(strict=True, ge=1), Limits(most=DAYS_MAX)]


class BusinessDates(Schema):
    """The window of business dates, and the treatment of a command that is dated before what it acts on.

    `selling` is about leads, opportunities and quotes: such a command is refused, or recorded with the disorder marked on its
    events. For orders, deliveries, bills, credit and cash it is always refused.
    """

    kind: Literal["business_dates"]
    earliest: Day = Field(default=date(1900, 1, 1), description="no command is dated before")
    days_ahead: int = Field(default=3653, strict=True, ge=0, le=36525, description="no command is dated more days after today")
    selling: Literal["refuse", "record"] = "refuse"


class Company(Schema):
    """The legal entity of this ledger. Its business day is the date in its time zone, which is the default date of a command.

    `number_dates` is the treatment of a document that is dated before one with a lower number of its series: recorded with a
    warning, or refused.
    """

    kind: Literal["company"]
    legal_name: Name
    time_zone: Name = Field(default="UTC", description="IANA name, for example Europe/Berlin")
    fiscal_year_starts: int = Field(default=1, strict=True, ge=1, le=12, description="first month of the fiscal year")
    fiscal_year_named_by: Literal["first_day", "last_day"] = Field(
        default="first_day", description="the day whose calendar year names the fiscal year"
    )
    functional_currency: Currency
    calendar: Code = Field(default="default", description="name of its calendar of working days")
    number_dates: Literal["warn", "refuse"] = "warn"


class WriteOff(Schema):
    """What becomes of the tax in what is written off.

    `tax_relief`: with "at_write_off" it is owed no longer, and owed again when the money comes after all, as where a debt that
    has become irrecoverable reduces the taxable amount (Directive 2006/112/EC, article 90; in Germany § 17 (2) UStG). With
    "none" it stays owed, as where relief needs a waiting time or a judgment: then the loss is the whole amount.
    """

    kind: Literal["write_off"]
    tax_relief: Literal["at_write_off", "none"] = "at_write_off"


class RequireRegisteredCustomer(Schema):
    """The treatment of a command that begins something for a customer without a record.

    With "refuse" it is refused; with "stub" it registers the customer as well, by the id alone; with "off" this is not
    checked. A lead is never refused: with "refuse" and "stub" it registers its customer as a prospect.
    """

    kind: Literal["require_registered_customer"]
    mode: Literal["refuse", "stub", "off"] = "refuse"


PrincipalText = Annotated[str, StringConstraints(pattern=r"^(user|source|worker):[^\s].{0,290}$")]
"""A principal as outcomes have it: `user:anna`, `source:webshop`, `worker:clock`."""
CommandPattern = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z_]+\.(\*|[a-z_]+(\.[a-z_]+)?))$", max_length=100)]
"""Commands: `*`, `invoice.*`, `invoice.issue`; for a kind of policy `policy.publish.discount_matrix`. Versions are left out."""
_Roles = Annotated[tuple[Code, ...], Limits(entries_max=50)]


class Sender(Schema):
    """What an authenticated principal is: its roles, and the actors it may speak for besides itself; `*`: for everybody.

    One that is not `for_itself`, such as an application in which people log in, always names one of the `people` as the actor.
    """

    roles: _Roles = ()
    for_itself: Flag = True
    speaks_for: Annotated[tuple[Name, ...], Limits(entries_max=1000)] = ()


class AccessRule(Schema):
    """Who has one of the roles may send these commands: for these customers, or for all; with events up to these amounts.

    An event in a currency that `limits` do not name is beyond them; without `limits` there are none. The commands that
    customers are given for are those of customers alone.
    """

    roles: Annotated[_Roles, Field(min_length=1)]
    commands: Annotated[tuple[CommandPattern, ...], Field(min_length=1), Limits(entries_max=200)]
    customers: Annotated[tuple[Id, ...], Limits(entries_max=1000)] = ()
    limits: Annotated[dict[Currency, NotNegative], Limits(entries_max=200)] = {}


class FourEyes(Schema):
    """These commands name an `approver`: a person with one of the roles, and another one than the actor."""

    commands: Annotated[tuple[CommandPattern, ...], Field(min_length=1), Limits(entries_max=50)]
    roles: Annotated[_Roles, Field(min_length=1)]


class Access(Schema):
    """Who may send which commands (R-33).

    With `mode` open, whoever can send may do everything. With enforced, a command is decided only if a rule gives it to a role of
    the principal who sends it. The principal may name itself as the actor, or one for whom it speaks; where that is one of the
    `people`, a rule must give the command to a role of that person as well. A user who is one of the people has the roles of that
    person, also without an entry in `principals`.
    """

    kind: Literal["access"]
    mode: Literal["open", "enforced"] = "open"
    principals: Annotated[dict[PrincipalText, Sender], Limits(entries_max=500)] = {}
    people: Annotated[dict[Name, _Roles], Limits(entries_max=1000)] = {}
    rules: Annotated[tuple[AccessRule, ...], Limits(entries_max=500)] = ()
    four_eyes: Annotated[tuple[FourEyes, ...], Limits(entries_max=50)] = ()


PolicyContent = Annotated[
    RequiredFields
    | ResponseLevels
    | ScoreModel
    | AssignmentRule
    | Stages
    | DiscountMatrix
    | Billing
    | PaymentTerms
    | Dunning
    | BusinessDates
    | Company
    | WriteOff
    | RequireRegisteredCustomer
    | Access,
    Field(discriminator="kind"),
]


class PublishPolicy(Command):
    """Publish the next version of a policy; the subject is the id of its kind, which a refusal names (R-75)."""

    type: ClassVar[str] = "policy.publish.v1"
    content: PolicyContent
    approver: Name | None = Field(default=None, description="who else is for it, where policy access asks for four eyes")
    hand_over: Flag = Field(default=False, description="of policy access: that its sender may not publish it again is meant")


class PolicyPublished(Event):
    """A policy has a new version; decisions record the version they used."""

    type: ClassVar[str] = "policy.published.v1"
    version: int
    content: PolicyContent
    approver: str | None = None

    def in_words(self) -> str:
        approved = f", approved{by(self.approver)}" if self.approver else ""
        return f"policy {words(self.content.kind)} in version {self.version}{approved}"


class PriceBookItem(Schema):
    """The price of an item before discounts, and its tax (EN 16931 BT-151, BT-152)."""

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
    valid_from: Day | None = None
    items: tuple[PriceBookItem, ...] = Field(min_length=1, max_length=5000)


class PriceBookPublished(Event):
    """A price book has a new version."""

    type: ClassVar[str] = "price_book.version_published.v1"
    version: int
    title: str
    currency: str
    valid_from: date
    items: tuple[PriceBookItem, ...]

    def in_words(self) -> str:
        return f"price book {self.title} in version {self.version}, {len(self.items)} prices"
