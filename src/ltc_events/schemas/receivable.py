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
    """Write off part of what is owed; without `amount`, all of it. Policy `write_off` determines the treatment of its tax."""

    type: ClassVar[str] = "invoice.write_off.v1"
    amount: Positive | None = None
    reason: Name


class ReverseWriteOff(Command):
    """Reverse a write-off that was made by mistake, or `amount` of it: the amount is owed again.

    A later payment of a written-off amount is recorded by `payment.recover`.
    """

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
    """A payment was allocated to instalments of the invoice."""

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
    """An allocation to the invoice was reversed; the instalments are open again.

    `is_correction`: by us, since it was made by mistake. Otherwise by the bank, and a promise that the payment had kept is
    broken.
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
    """A credit note was applied to instalments of the invoice it corrects; `lines` are the credited parts of the invoice's
    lines. `write_off_reversed`, per instalment in `write_off_parts`, reduced what had been written off; it comes beside
    `amount` and does not change the balance. `write_off_taxes`, in `write_off_relieved` of what had been written off, are
    owed again. `prepaid_credited` reduced what the invoice states as prepaid.
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
    """Unapplied credit of a credit note for another invoice was applied to instalments of this one, like a payment."""

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
    """The application of another invoice's credit note was reversed; the instalments are open again."""

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
    """Part of what is owed was written off. `taxes`, together `tax`, are relieved: net and tax in `relieved` of the amount.

    The rest of the amount is a loss.
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
    """Part or all of a write-off was reversed: it was a mistake, or `payment_id` pays the amount.

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
    """A reminder was sent: `total` = outstanding + interest + fee; interest = outstanding × rate ÷ 100 ÷ 365 × days.

    The customer owes `fee_claimed` and `interest_claimed` by it: the fee, and the interest that exceeds what earlier
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
    """A fee or interest was charged for an instalment: the customer owes it beside the invoice, as the claim `claim_id`."""

    type: ClassVar[str] = "invoice.claimed.v1"
    claim_id: UUID
    kind: str
    instalment: int
    amount: Exact
    currency: str

    def in_words(self) -> str:
        return f"{words(self.kind)} of {money(self.amount, self.currency)} claimed for instalment {self.instalment}"
