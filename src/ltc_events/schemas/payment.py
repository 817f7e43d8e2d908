"""Payment: received, allocated to invoices, and undone by new events when the bank or we take it back (R-63 … R-69)."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from ltc_events.schemas.base import Code, Command, Currency, Event, Exact, Name, Positive, References, Schema
from ltc_events.schemas.invoice import Part


class ReceivePayment(Command):
    """Money came in. It is unapplied cash until it is allocated. The value date is `effective_on`."""

    type: ClassVar[str] = "payment.receive.v1"
    amount: Positive
    currency: Currency
    method: Code = "transfer"
    reference: Name | None = None
    payer: Name | None = None
    references: References = {}


class AllocationRequest(Schema):
    """Put `amount` against an invoice: the named instalment, or its instalments in the order they are due."""

    invoice_id: UUID
    instalment: int | None = Field(default=None, ge=1)
    amount: Positive


class AllocatePayment(Command):
    """Put the payment against invoices as told; without `allocations`, against whatever is due first (FIFO)."""

    type: ClassVar[str] = "payment.allocate.v1"
    allocations: tuple[AllocationRequest, ...] = Field(default=(), max_length=200)


class UnallocatePayment(Command):
    """Take back what was put against an invoice."""

    type: ClassVar[str] = "payment.unallocate.v1"
    invoice_id: UUID
    reason: Name


class ReturnPayment(Command):
    """The bank took the money back: whatever it was put against is open again.

    What was refunded before is gone by our own hand: the return is of the rest, and who was refunded owes it. A payment that
    was refunded in full has nothing left to return.
    """

    type: ClassVar[str] = "payment.return.v1"
    reason: Name


class RefundPayment(Command):
    """Send unapplied cash back to the customer; without `amount`, all of it."""

    type: ClassVar[str] = "payment.refund.v1"
    amount: Positive | None = None
    reason: Name


class PaymentReceived(Event):
    """Money came in."""

    type: ClassVar[str] = "payment.received.v1"
    amount: Exact
    currency: str
    method: str
    reference: str | None = None
    payer: str | None = None
    references: dict[str, str] = {}


class PaymentAllocated(Event):
    """Part or all of the payment was put against one invoice. `unapplied` is what is left of it."""

    type: ClassVar[str] = "payment.allocated.v1"
    invoice_id: UUID
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact


class PaymentUnallocated(Event):
    """What had been put against an invoice was taken back."""

    type: ClassVar[str] = "payment.unallocated.v1"
    invoice_id: UUID
    currency: str
    parts: tuple[Part, ...]
    amount: Exact
    unapplied: Exact
    reason: str


class PaymentReturned(Event):
    """The bank took the money back."""

    type: ClassVar[str] = "payment.returned.v1"
    amount: Exact
    currency: str
    reason: str


class PaymentRefunded(Event):
    """Unapplied cash went back to the customer."""

    type: ClassVar[str] = "payment.refunded.v1"
    amount: Exact
    currency: str
    unapplied: Exact
    reason: str
