"""Claim: what a customer owes beside invoices: fees and interest of reminders, and refunds of money that the bank took back."""

from datetime import date
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Exact, Id, InstalmentNumber, MoneyEvent, Name, Positive
from ltc_events.schemas.summary_text import money, words


class ClaimKind(StrEnum):
    """What a claim is for."""

    DUNNING_FEE = "dunning_fee"
    INTEREST = "interest"
    RETURNED_PAYMENT = "returned_payment"


def derived_claim_id(*path: object, attempt: int = 0) -> UUID:
    """The id of the claim of a reminder (path: invoice, instalment, level, kind) or of a returned payment (path: payment).

    `attempt` counts the ids before it that somebody has taken for something else.
    """
    return derive_id("claim", *map(str, path), *([str(attempt)] if attempt else []))


class RaiseClaim(Command):
    """Charge the customer a fee or interest for an instalment of an invoice: what a reminder only stated, or more.

    It is due at once. Later reminders claim interest only as far as it exceeds what was claimed before.
    """

    type: ClassVar[str] = "claim.raise.v1"
    touches: ClassVar[tuple[str, ...]] = ("invoice_id",)
    kind: Literal[ClaimKind.DUNNING_FEE, ClaimKind.INTEREST]
    invoice_id: Id
    instalment: InstalmentNumber
    amount: Positive
    reason: Name


class WaiveClaim(Command):
    """Waive a claim, or `amount` of it: a fee or interest is no longer income, a returned payment is a loss."""

    type: ClassVar[str] = "claim.waive.v1"
    amount: Positive | None = None
    reason: Name


class ClaimRaised(MoneyEvent):
    """The customer owes `amount` from `due_on` on: for a reminder of an instalment, or for what had been refunded of
    `payment_id` before the bank took that back.
    """

    type: ClassVar[str] = "claim.raised.v1"
    limited_at: ClassVar[str] = "amount"
    kind: ClaimKind
    reference: str
    currency: str
    amount: Exact
    due_on: date
    invoice_id: UUID | None = None
    instalment: int | None = None
    payment_id: UUID | None = None

    def in_words(self) -> str:
        return f"{words(self.kind)} of {money(self.amount, self.currency)} claimed: {self.reference}"


class ClaimPaid(MoneyEvent):
    """A payment was allocated to the claim; `balance` is what is left of it."""

    type: ClassVar[str] = "claim.paid.v1"
    payment_id: UUID
    currency: str
    amount: Exact
    balance: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} of the claim paid, {self.balance:,f} open"


class ClaimUnpaid(MoneyEvent):
    """An allocation to the claim was reversed."""

    type: ClassVar[str] = "claim.unpaid.v1"
    payment_id: UUID
    currency: str
    amount: Exact
    balance: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} taken back from the claim, {self.balance:,f} open: {self.reason}"


class ClaimWaived(MoneyEvent):
    """Part or all of the rest of the claim was waived."""

    type: ClassVar[str] = "claim.waived.v1"
    limited_at: ClassVar[str] = "amount"
    kind: ClaimKind
    currency: str
    amount: Exact
    balance: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} of the claim waived: {self.reason}"
