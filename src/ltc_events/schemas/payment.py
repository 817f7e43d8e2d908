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
    """Record a received payment. It is unapplied cash until it is allocated. The value date is `effective_on`."""

    type: ClassVar[str] = "payment.receive.v1"
    begins_for_customer: ClassVar[bool] = True
    amount: Positive
    currency: Currency
    method: Code = "transfer"
    reference: Name | None = None
    payer: Name | None = None
    references: References = {}


class AllocationRequest(Schema):
    """Allocate `amount` to an invoice: to the named instalment, or to its instalments in the order of their due dates."""

    invoice_id: Id
    instalment: InstalmentNumber | None = None
    amount: Positive


class AllocatePayment(Command):
    """Allocate the payment to the stated invoices; without `allocations`, to those due first (FIFO)."""

    type: ClassVar[str] = "payment.allocate.v1"
    touches: ClassVar[tuple[str, ...]] = ("allocations.invoice_id",)
    allocations: tuple[AllocationRequest, ...] = Field(default=(), max_length=200)

    def listed_noun(self) -> str | None:
        return None if self.allocations else "invoice"


class RecoverWriteOff(Command):
    """Allocate the payment to the written-off part of an invoice, which is owed again, with its tax, and paid at once.

    Without `amount`, as much as was written off and the payment has unapplied.
    """

    type: ClassVar[str] = "payment.recover.v1"
    touches: ClassVar[tuple[str, ...]] = ("invoice_id",)
    invoice_id: UUID
    amount: Positive | None = None


class UnallocatePayment(Command):
    """Reverse the allocation to an invoice: all of it, that to one `instalment`, or `amount` of either, from the last
    instalment on.
    """

    type: ClassVar[str] = "payment.unallocate.v1"
    touches: ClassVar[tuple[str, ...]] = ("invoice_id",)
    invoice_id: Id
    instalment: InstalmentNumber | None = None
    amount: Positive | None = None
    reason: Name


class AllocateToClaim(Command):
    """Allocate the payment, or `amount` of it, to a claim, up to the rest of the claim."""

    type: ClassVar[str] = "payment.allocate_to_claim.v1"
    touches: ClassVar[tuple[str, ...]] = ("claim_id",)
    claim_id: Id
    amount: Positive | None = None


class UnallocateFromClaim(Command):
    """Reverse the allocation to a claim."""

    type: ClassVar[str] = "payment.unallocate_from_claim.v1"
    touches: ClassVar[tuple[str, ...]] = ("claim_id",)
    claim_id: Id
    reason: Name


class ReturnPayment(Command):
    """Record that the bank took the payment back, which reopens what it was allocated to.

    The bank takes back the whole amount. A part that was refunded before is owed by the customer, as a claim. A part that was
    moved to other customers is recalled: each payment that took it over is returned by a command of its own, which takes
    nothing from the bank and gives back what was moved.
    """

    type: ClassVar[str] = "payment.return.v1"
    reason: Name

    def derived_streams(self, subject: UUID) -> Iterable[UUID]:
        return [derived_claim_id(subject)]


class RefundPayment(Command):
    """Refund unapplied cash to the customer; without `amount`, all of it."""

    type: ClassVar[str] = "payment.refund.v1"
    amount: Positive | None = None
    reason: Name


class ReportFailedRefund(Command):
    """Record that a refund, or `amount` of it, failed, since the account is closed or unknown: the money is unapplied again.

    If the bank has taken the payment back since, the money reduces what the customer owes for it.
    """

    type: ClassVar[str] = "payment.report_failed_refund.v1"
    amount: Positive | None = None
    reason: Name


class MoveOutPayment(Command):
    """Move unapplied cash, all or `amount` of it, to another customer: it is in transit until `to_payment_id` takes it over.

    `to_payment_id` is the unused id of the payment that it becomes there, by `payment.move_in`.
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
    """Cancel a move that was not taken over."""

    type: ClassVar[str] = "payment.cancel_move.v1"
    touches: ClassVar[tuple[str, ...]] = ("to_payment_id",)
    to_payment_id: Id
    reason: Name


class PaymentReceived(Event):
    """A payment was received."""

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
    """Part or all of the payment was allocated to one invoice. `unapplied` is what is left of it."""

    type: ClassVar[str] = "payment.allocated.v1"
    invoice_id: UUID
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} allocated, {self.unapplied:,f} unapplied"


class PaymentUnallocated(MoneyEvent):
    """An allocation to an invoice was reversed; `is_correction`: by us, and not because the bank took the money back."""

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
    """The bank took the payment back. `claimed` of it had been refunded: the customer owes it, as the claim `claim_id`."""

    type: ClassVar[str] = "payment.returned.v1"
    amount: Exact
    currency: str
    reason: str
    claimed: Exact = Decimal(0)
    claim_id: UUID | None = None

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} returned by the bank: {self.reason}"


class PaymentRefunded(MoneyEvent):
    """Unapplied cash was refunded to the customer."""

    type: ClassVar[str] = "payment.refunded.v1"
    limited_at: ClassVar[str] = "amount"
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} refunded: {self.reason}"


class PaymentRefundFailed(MoneyEvent):
    """A refund failed; the amount is unapplied again."""

    type: ClassVar[str] = "payment.refund_failed.v1"
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"refund of {money(self.amount, self.currency)} came back: {self.reason}"


class PaymentAllocatedToClaim(MoneyEvent):
    """Part or all of the payment was allocated to a claim. `unapplied` is what is left of it."""

    type: ClassVar[str] = "payment.allocated_to_claim.v1"
    claim_id: UUID
    currency: str
    amount: Exact
    unapplied: Exact

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} put against a claim, {self.unapplied:,f} unapplied"


class PaymentUnallocatedFromClaim(MoneyEvent):
    """An allocation to a claim was reversed."""

    type: ClassVar[str] = "payment.unallocated_from_claim.v1"
    claim_id: UUID
    currency: str
    amount: Exact
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} taken back from a claim: {self.reason}"


class PaymentMovedOut(MoneyEvent):
    """Unapplied cash is in transit to another customer."""

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
    """A payment of another customer is now a payment of this one.

    `received_on` and the description are those of the payment that the bank knows.
    """

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
    """A move that was not taken over was cancelled; the amount is unapplied again."""

    type: ClassVar[str] = "payment.move_cancelled.v1"
    to_payment_id: UUID
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} not moved to another customer: {self.reason}"


class PaymentMoveRecalled(MoneyEvent):
    """The bank took back a payment that had been moved: the amount is in transit until the payment that took it over gives it
    back.
    """

    type: ClassVar[str] = "payment.move_recalled.v1"
    to_payment_id: UUID
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} recalled from another customer: {self.reason}"


class PaymentMovedBack(MoneyEvent):
    """The payment gave back all that it had taken over, since the bank took it back.

    `claimed` of it had been refunded: the customer owes it, as the claim `claim_id`.
    """

    type: ClassVar[str] = "payment.moved_back.v1"
    from_payment_id: UUID
    amount: Exact
    currency: str
    reason: str
    claimed: Exact = Decimal(0)
    claim_id: UUID | None = None

    def in_words(self) -> str:
        return f"{money(self.amount, self.currency)} given back, as the bank took it back from another customer: {self.reason}"
