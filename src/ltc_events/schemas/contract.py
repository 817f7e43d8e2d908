"""Contract: what was signed, until when, and how it went on (R-56, R-62)."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import Command, Currency, Event, Exact, Name, NotNegative, Text


class SignContract(Command):
    """Record a signed contract with its explicit terms (R-56). `ends_on` is the last day, inclusive."""

    type: ClassVar[str] = "contract.sign.v1"
    title: Name
    starts_on: date
    ends_on: date
    value: NotNegative
    currency: Currency
    notice_days: int = Field(default=30, ge=0, le=3650)
    auto_renew: bool = False
    terms: Text
    signed_by: Name
    opportunity_id: UUID | None = None
    quote_id: UUID | None = None
    order_id: UUID | None = None


class RenewContract(Command):
    """Prolong the contract to a later last day."""

    type: ClassVar[str] = "contract.renew.v1"
    ends_on: date
    value: NotNegative | None = None


class FlagRenewal(Command):
    """Say that it is time to decide whether the contract goes on (R-62); sent by a clock, once per term.

    Refused while `effective_on` is more than 30 days before the last day on which notice can be given.
    """

    type: ClassVar[str] = "contract.flag_renewal.v1"


class TerminateContract(Command):
    """End the contract early, saying why (R-62)."""

    type: ClassVar[str] = "contract.terminate.v1"
    ends_on: date
    reason: Name


class ContractSigned(Event):
    """A contract was signed."""

    type: ClassVar[str] = "contract.signed.v1"
    title: str
    starts_on: date
    ends_on: date
    value: Exact
    currency: str
    notice_days: int
    auto_renew: bool
    terms: str
    signed_by: str
    opportunity_id: UUID | None = None
    quote_id: UUID | None = None
    order_id: UUID | None = None


class ContractRenewed(Event):
    """The contract was prolonged."""

    type: ClassVar[str] = "contract.renewed.v1"
    was: date
    ends_on: date
    value: Exact
    currency: str


class ContractRenewalDue(Event):
    """It is time to decide whether the contract goes on: notice can be given until `notice_on`, inclusive."""

    type: ClassVar[str] = "contract.renewal_due.v1"
    ends_on: date
    notice_on: date
    auto_renew: bool


class ContractTerminated(Event):
    """The contract was ended early."""

    type: ClassVar[str] = "contract.terminated.v1"
    ends_on: date
    reason: str
