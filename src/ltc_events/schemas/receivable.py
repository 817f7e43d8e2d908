"""Receivable: what is paid, credited, written off, disputed, promised and dunned of an issued invoice (R-66 … R-70)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from ltc_events.schemas.base import (
    Command,
    Day,
    Event,
    Exact,
    InstalmentNumber,
    MoneyEvent,
    Name,
    Positive,
    Schema,
)
from ltc_events.schemas.claim import ClaimKind, derived_claim_id
from ltc_events.schemas.invoice import TaxSubtotal
from ltc_events.schemas.order import LineAmount
from ltc_events.schemas.summary_text import by, money, words


class WriteOffInvoice(Command):
    """Give up on part of what is owed; without `amount`, on all of it. Policy `write_off` says what becomes of the tax in it."""

    type: ClassVar[str] = "invoice.write_off.v1"
    amount: Positive | None = None
    reason: Name


class ReverseWriteOff(Command):
    """Owe again what was given up, or `amount` of it: it was given up by mistake. Money that comes for it after all is put
    against it by `payment.recover`."""

    type: ClassVar[str] = "invoice.reverse_write_off.v1"
    amount: Positive | None = None
    reason: Name


class DisputeInvoice(Command):
    """The customer contests the invoice; reminders stop."""

    type: ClassVar[str] = "invoice.dispute.v1"
    reason: Name


class ResolveDispute(Command):
    """The dispute is settled."""

    type: ClassVar[str] = "invoice.resolve_dispute.v1"
    resolution: Name


class PromisePayment(Command):
    """The customer promises to pay by a day (R-67); reminders wait for it."""

    type: ClassVar[str] = "invoice.promise_payment.v1"
    promised_on: Day
    amount: Positive | None = None
    by: Name | None = None


FORESEEN_LEVELS = range(1, 4)
"""The reminders of an instalment whose claims are looked up with the batch; those of later ones are looked up one by one."""


class SendDunningNotice(Command):
    """Remind of an overdue instalment (R-66); the level, interest and fee follow from policy `dunning`."""

    type: ClassVar[str] = "invoice.send_dunning_notice.v1"
    instalment: InstalmentNumber

    def derived_streams(self, subject: UUID) -> Iterable[UUID]:
        kinds = (ClaimKind.DUNNING_FEE, ClaimKind.INTEREST)
        return [derived_claim_id(subject, self.instalment, level, kind) for level in FORESEEN_LEVELS for kind in kinds]


class Part(Schema):
    """An amount against one instalment."""

    instalment: int
    amount: Exact


class PaymentApplied(MoneyEvent):
    """Money was put against instalments of the invoice."""

    type: ClassVar[str] = "invoice.payment_applied.v1"
    payment_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} paid, {self.balance:,f} open"


class PaymentRemoved(MoneyEvent):
    """Money that had been put against the invoice was taken back; the instalments are open again.

    `is_correction`: by us, as it was put there by mistake. Otherwise by the bank, and a promise that it had kept is broken.
    """

    type: ClassVar[str] = "invoice.payment_removed.v1"
    payment_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact
    reason: str
    is_correction: bool = False

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} taken back, {self.balance:,f} open: {self.reason}"


class InvoiceCredited(MoneyEvent):
    """A credit note was put against instalments of the invoice; `lines` says what of the invoice's lines it credits.

    `write_off_reversed` of it, per instalment in `write_off_parts`, went against what had been written off, and is
    no longer; that is beside `amount` and leaves the balance as it is. `write_off_taxes`, in `write_off_relieved` of what had
    been written off, are owed again. `prepaid_credited` went against what the invoice states as prepaid.
    """

    type: ClassVar[str] = "invoice.credited.v1"
    credit_note_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    lines: tuple[LineAmount, ...]
    parts: tuple[Part, ...]
    amount: Exact
    credited_net: Exact
    balance: Exact
    write_off_reversed: Exact = Decimal(0)
    write_off_parts: tuple[Part, ...] = ()
    write_off_relieved: Exact = Decimal(0)
    write_off_taxes: tuple[TaxSubtotal, ...] = ()
    prepaid_credited: Exact = Decimal(0)

    def in_words(self) -> str:
        return (
            f"{money(self.amount, self.currency)} credited"
            + (f" and {self.write_off_reversed:,f} of what had been written off" if self.write_off_reversed else "")
            + f", {self.balance:,f} open"
        )


class CreditApplied(MoneyEvent):
    """What was unapplied of a credit note for another invoice was put against instalments of this one, as money would be."""

    type: ClassVar[str] = "invoice.credit_applied.v1"
    credit_note_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} paid by a credit note, {self.balance:,f} open"


class CreditRemoved(MoneyEvent):
    """A credit note that had been put against the invoice as money would be was taken back; the instalments are open again."""

    type: ClassVar[str] = "invoice.credit_removed.v1"
    credit_note_id: UUID
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} of credit taken back, {self.balance:,f} open: {self.reason}"


class InvoiceWrittenOff(MoneyEvent):
    """Part of what is owed was given up.

    `taxes`, together `tax`, are relieved: net and tax in `relieved` of the amount. The rest of the amount is lost.
    """

    type: ClassVar[str] = "invoice.written_off.v1"
    limited_at: ClassVar[str] = "amount"
    opportunity_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact
    reason: str
    relieved: Exact = Decimal(0)
    taxes: tuple[TaxSubtotal, ...] = ()
    tax: Exact = Decimal(0)
    write_off_version: int = 0

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} written off: {self.reason}"


class WriteOffReversed(MoneyEvent):
    """Part or all of what was given up is owed again: by mistake, or because `payment_id` pays it after all.

    `taxes`, together `tax`, are owed again: net and tax in `relieved` of the amount.
    """

    type: ClassVar[str] = "invoice.write_off_reversed.v1"
    limited_at: ClassVar[str] = "amount"
    opportunity_id: UUID | None = None
    payment_id: UUID | None = None
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    balance: Exact
    reason: str
    relieved: Exact = Decimal(0)
    taxes: tuple[TaxSubtotal, ...] = ()
    tax: Exact = Decimal(0)

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} no longer written off, {self.balance:,f} open: {self.reason}"


class InvoiceSettled(Event):
    """Nothing is owed on the invoice any more."""

    type: ClassVar[str] = "invoice.settled.v1"

    def in_words(self) -> str:
        return "invoice settled"


class InvoiceReopened(Event):
    """Something is owed on the invoice again."""

    type: ClassVar[str] = "invoice.reopened.v1"
    balance: Exact

    def in_words(self) -> str:
        return f"invoice open again: {self.balance:,f}"


class InvoiceDisputed(MoneyEvent):
    """The customer contested the invoice."""

    type: ClassVar[str] = "invoice.disputed.v1"
    reason: str

    def in_words(self) -> str:
        return f"invoice disputed: {self.reason}"


class DisputeResolved(MoneyEvent):
    """The dispute was settled."""

    type: ClassVar[str] = "invoice.dispute_resolved.v1"
    resolution: str

    def in_words(self) -> str:
        return f"dispute settled: {self.resolution}"


class PaymentPromised(MoneyEvent):
    """The customer promised to pay."""

    type: ClassVar[str] = "invoice.payment_promised.v1"
    promised_on: date
    amount: Exact
    by: str | None = None

    def in_words(self) -> str:
        return f"{self.amount:,f} promised for {self.promised_on}{by(self.by)}"


class DunningNoticeSent(MoneyEvent):
    """A reminder went out: `total` = outstanding + interest + fee; interest = outstanding × rate ÷ 100 ÷ 365 × days.

    `fee_claimed` and `interest_claimed` the customer owes by it: the fee, and what the interest is more than earlier
    reminders of the instalment claimed. They are the claims `fee_claim_id` and `interest_claim_id`.
    """

    type: ClassVar[str] = "invoice.dunning_notice_sent.v1"
    instalment: int
    level: int
    days_overdue: int
    outstanding: Exact
    interest: Exact
    fee: Exact
    total: Exact
    currency: str
    policy_version: int
    fee_claimed: Exact = Decimal(0)
    interest_claimed: Exact = Decimal(0)
    fee_claim_id: UUID | None = None
    interest_claim_id: UUID | None = None

    def in_words(self) -> str:
        total = money(self.total, self.currency)
        return f"reminder {self.level} for instalment {self.instalment}: {total}, {self.days_overdue} days overdue"


class InvoiceClaimed(MoneyEvent):
    """Somebody claimed a fee or interest for an instalment: the customer owes it beside the invoice, as `claim_id` says."""

    type: ClassVar[str] = "invoice.claimed.v1"
    claim_id: UUID
    kind: str
    instalment: int
    amount: Exact
    currency: str

    def in_words(self) -> str:
        return f"{words(self.kind)} of {money(self.amount, self.currency)} claimed for instalment {self.instalment}"
