"""Payment: received, allocated to invoices, moved to the customer it is from, and undone by new events when the bank or we
take it back (R-63 … R-69)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import (
    Code,
    Command,
    Currency,
    Event,
    Exact,
    Id,
    InstalmentNumber,
    MoneyEvent,
    Name,
    Positive,
    References,
    Schema,
)
from ltc_events.schemas.claim import derived_claim_id
from ltc_events.schemas.receivable import Part
from ltc_events.schemas.summary_text import money


class ReceivePayment(Command):
    """Money came in. It is unapplied cash until it is allocated. The value date is `effective_on`."""

    type: ClassVar[str] = "payment.receive.v1"
    begins_for_customer: ClassVar[bool] = True
    amount: Positive
    currency: Currency
    method: Code = "transfer"
    reference: Name | None = None
    payer: Name | None = None
    references: References = {}


class AllocationRequest(Schema):
    """Put `amount` against an invoice: the named instalment, or its instalments in the order they are due."""

    invoice_id: Id
    instalment: InstalmentNumber | None = None
    amount: Positive


class AllocatePayment(Command):
    """Put the payment against invoices as told; without `allocations`, against whatever is due first (FIFO)."""

    type: ClassVar[str] = "payment.allocate.v1"
    touches: ClassVar[tuple[str, ...]] = ("allocations.invoice_id",)
    allocations: tuple[AllocationRequest, ...] = Field(default=(), max_length=200)

    def listed_noun(self) -> str | None:
        return None if self.allocations else "invoice"


class RecoverWriteOff(Command):
    """Put the payment against what was written off of an invoice: that is owed again, with its tax, and paid at once.

    Without `amount`, as much as was written off and the payment has unapplied.
    """

    type: ClassVar[str] = "payment.recover.v1"
    touches: ClassVar[tuple[str, ...]] = ("invoice_id",)
    invoice_id: UUID
    amount: Positive | None = None


class UnallocatePayment(Command):
    """Take back what was put against an invoice: all of it, what is against one `instalment`, or `amount` of either, from the
    last instalment on."""

    type: ClassVar[str] = "payment.unallocate.v1"
    touches: ClassVar[tuple[str, ...]] = ("invoice_id",)
    invoice_id: Id
    instalment: InstalmentNumber | None = None
    amount: Positive | None = None
    reason: Name


class AllocateToClaim(Command):
    """Put the payment, or `amount` of it, against a claim: as much as is left of the claim, at most."""

    type: ClassVar[str] = "payment.allocate_to_claim.v1"
    touches: ClassVar[tuple[str, ...]] = ("claim_id",)
    claim_id: Id
    amount: Positive | None = None


class UnallocateFromClaim(Command):
    """Take back what was put against a claim."""

    type: ClassVar[str] = "payment.unallocate_from_claim.v1"
    touches: ClassVar[tuple[str, ...]] = ("claim_id",)
    claim_id: Id
    reason: Name


class ReturnPayment(Command):
    """The bank took the money back: whatever it was put against is open again.

    The bank takes all that came in. What was refunded before is gone by our own hand: whoever was refunded owes it, and a
    claim says so. What was moved to other customers is recalled: each of the payments that took it over is then returned by a
    command of its own, which takes no money from the bank but gives back what was moved.
    """

    type: ClassVar[str] = "payment.return.v1"
    reason: Name

    def derived_streams(self, subject: UUID) -> Iterable[UUID]:
        return [derived_claim_id(subject)]


class RefundPayment(Command):
    """Send unapplied cash back to the customer; without `amount`, all of it."""

    type: ClassVar[str] = "payment.refund.v1"
    amount: Positive | None = None
    reason: Name


class ReportFailedRefund(Command):
    """A refund, or `amount` of it, came back, as the account is closed or unknown: the money is here again, unapplied.

    Also of a payment that the bank has taken back since: the money then stands against what the customer owes for it.
    """

    type: ClassVar[str] = "payment.report_failed_refund.v1"
    amount: Positive | None = None
    reason: Name


class MoveOutPayment(Command):
    """Move unapplied cash, all or `amount` of it, to another customer: it is in transit until `to_payment_id` takes it over.

    `to_payment_id` is the id, not used yet, of the payment that it becomes there, by `payment.move_in`.
    """

    type: ClassVar[str] = "payment.move_out.v1"
    touches: ClassVar[tuple[str, ...]] = ("to_payment_id", "to_customer_id")
    to_payment_id: Id
    to_customer_id: Id
    amount: Positive | None = None
    reason: Name


class MoveInPayment(Command):
    """Take over, as a payment of this customer, what was moved out of another customer's payment to this one."""

    type: ClassVar[str] = "payment.move_in.v1"
    touches: ClassVar[tuple[str, ...]] = ("from_payment_id",)
    begins_for_customer: ClassVar[bool] = True
    from_payment_id: Id


class CancelMove(Command):
    """Take back what was moved out and not taken over yet."""

    type: ClassVar[str] = "payment.cancel_move.v1"
    touches: ClassVar[tuple[str, ...]] = ("to_payment_id",)
    to_payment_id: Id
    reason: Name


class PaymentReceived(Event):
    """Money came in."""

    type: ClassVar[str] = "payment.received.v1"
    limited_at: ClassVar[str] = "amount"
    amount: Exact
    currency: str
    method: str
    reference: str | None = None
    payer: str | None = None
    references: dict[str, str] = {}

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} received"


class PaymentAllocated(MoneyEvent):
    """Part or all of the payment was put against one invoice. `unapplied` is what is left of it."""

    type: ClassVar[str] = "payment.allocated.v1"
    invoice_id: UUID
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} allocated, {self.unapplied:,f} unapplied"


class PaymentUnallocated(MoneyEvent):
    """What had been put against an invoice was taken back; `is_correction`: by us, and not as the bank took the money back."""

    type: ClassVar[str] = "payment.unallocated.v1"
    invoice_id: UUID
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact
    reason: str
    is_correction: bool = False

    def in_words(self) -> str:
        return f"allocation of {money(self.amount, self.currency)} taken back: {self.reason}"


class PaymentReturned(MoneyEvent):
    """The bank took the money back. `claimed` of it had been refunded: the customer owes it, as `claim_id` says."""

    type: ClassVar[str] = "payment.returned.v1"
    amount: Exact
    currency: str
    reason: str
    claimed: Exact = Decimal(0)
    claim_id: UUID | None = None

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} returned by the bank: {self.reason}"


class PaymentRefunded(MoneyEvent):
    """Unapplied cash went back to the customer."""

    type: ClassVar[str] = "payment.refunded.v1"
    limited_at: ClassVar[str] = "amount"
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} refunded: {self.reason}"


class PaymentRefundFailed(MoneyEvent):
    """What had been refunded came back, and is unapplied again."""

    type: ClassVar[str] = "payment.refund_failed.v1"
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"refund of {money(self.amount, self.currency)} came back: {self.reason}"


class PaymentAllocatedToClaim(MoneyEvent):
    """Part or all of the payment was put against a claim. `unapplied` is what is left of it."""

    type: ClassVar[str] = "payment.allocated_to_claim.v1"
    claim_id: UUID
    currency: str
    amount: Exact
    unapplied: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} put against a claim, {self.unapplied:,f} unapplied"


class PaymentUnallocatedFromClaim(MoneyEvent):
    """What had been put against a claim was taken back."""

    type: ClassVar[str] = "payment.unallocated_from_claim.v1"
    claim_id: UUID
    currency: str
    amount: Exact
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} taken back from a claim: {self.reason}"


class PaymentMovedOut(MoneyEvent):
    """Unapplied cash is on its way to another customer."""

    type: ClassVar[str] = "payment.moved_out.v1"
    limited_at: ClassVar[str] = "amount"
    to_payment_id: UUID
    to_customer_id: UUID
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} on its way to another customer: {self.reason}"


class PaymentMovedIn(MoneyEvent):
    """Money that had come in for another customer is a payment of this one. `received_on` and what describes it are those of
    the payment that the bank knows."""

    type: ClassVar[str] = "payment.moved_in.v1"
    limited_at: ClassVar[str] = "amount"
    from_payment_id: UUID
    from_customer_id: UUID
    amount: Exact
    currency: str
    method: str
    received_on: date
    reference: str | None = None
    payer: str | None = None
    references: dict[str, str] = {}

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} moved here from another customer"


class PaymentMoveCancelled(MoneyEvent):
    """What had been moved out, and was not taken over, is unapplied again."""

    type: ClassVar[str] = "payment.move_cancelled.v1"
    to_payment_id: UUID
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} not moved to another customer: {self.reason}"


class PaymentMoveRecalled(MoneyEvent):
    """The bank took back what had been moved on: it is in transit until the payment that took it over has given it back."""

    type: ClassVar[str] = "payment.move_recalled.v1"
    to_payment_id: UUID
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} recalled from another customer: {self.reason}"


class PaymentMovedBack(MoneyEvent):
    """The payment gave back all that it had taken over, as the bank took it back. `claimed` of it had been refunded: the
    customer owes it, as `claim_id` says."""

    type: ClassVar[str] = "payment.moved_back.v1"
    from_payment_id: UUID
    amount: Exact
    currency: str
    reason: str
    claimed: Exact = Decimal(0)
    claim_id: UUID | None = None

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} given back, as the bank took it back from another customer: {self.reason}"
