"""Contract: what was signed, until when, and how it went on (R-56, R-62)."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from ltc_events.schemas.base import Command, Currency, Day, Days, Event, Exact, Flag, Id, Name, NotNegative, Text
from ltc_events.schemas.summary_text import money


class SignContract(Command):
    """Record a signed contract with its explicit terms (R-56). `ends_on` is the last day, inclusive."""

    type: ClassVar[str] = "contract.sign.v1"
    touches: ClassVar[tuple[str, ...]] = ("order_id", "quote_id", "opportunity_id")
    begins_for_customer: ClassVar[bool] = True
    title: Name
    starts_on: Day
    ends_on: Day
    value: NotNegative
    currency: Currency
    notice_days: Days = 30
    auto_renew: Flag = False
    terms: Text
    signed_by: Name
    opportunity_id: Id | None = None
    quote_id: Id | None = None
    order_id: Id | None = None


class RenewContract(Command):
    """Extend the contract to a later last day."""

    type: ClassVar[str] = "contract.renew.v1"
    ends_on: Day
    value: NotNegative | None = None


class FlagRenewal(Command):
    """Record that the decision on renewal is due (R-62); sent by a clock, once per term.

    Refused while `effective_on` is more than 30 days before the last day on which notice can be given.
    """

    type: ClassVar[str] = "contract.flag_renewal.v1"


class TerminateContract(Command):
    """End the contract early, with the reason (R-62)."""

    type: ClassVar[str] = "contract.terminate.v1"
    ends_on: Day
    reason: Name


class ContractSigned(Event):
    """A contract was signed."""

    type: ClassVar[str] = "contract.signed.v1"
    limited_at: ClassVar[str] = "value"
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

    def in_words(self) -> str:
        return f"contract signed: {self.title}, until {self.ends_on}, {money(self.value, self.currency)}"


class ContractRenewed(Event):
    """The contract was extended."""

    type: ClassVar[str] = "contract.renewed.v1"
    limited_at: ClassVar[str] = "value"
    was: date
    ends_on: date
    value: Exact
    currency: str

    def in_words(self) -> str:
        return f"contract renewed until {self.ends_on}, {money(self.value, self.currency)}"


class ContractRenewalDue(Event):
    """The decision on renewal is due: notice can be given until `notice_on`, inclusive."""

    type: ClassVar[str] = "contract.renewal_due.v1"
    ends_on: date
    notice_on: date
    auto_renew: bool

    def in_words(self) -> str:
        return f"contract ends on {self.ends_on}; notice can be given until {self.notice_on}"


class ContractTerminated(Event):
    """The contract was ended early."""

    type: ClassVar[str] = "contract.terminated.v1"
    ends_on: date
    reason: str

    def in_words(self) -> str:
        return f"contract ends on {self.ends_on}: {self.reason}"
