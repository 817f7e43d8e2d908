"""Money and credit put against the instalments of an invoice, and taken back from them. Pure."""

from datetime import date
from typing import Any
from uuid import UUID

from ltc_events.aggregates.receivable import Invoice
from ltc_events.kernel.money import add_up
from ltc_events.schemas.base import Event
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    InvoiceReopened,
    InvoiceSettled,
    Part,
    PaymentApplied,
    PaymentRemoved,
)


def apply_payment(invoice: Invoice, payment_id: UUID, parts: tuple[Part, ...], not_before: date | None) -> list[Event]:
    """Money put against instalments, and the invoice settled when nothing is left. `parts` are within what is open."""
    return _applied(invoice, PaymentApplied, parts, payment_id=payment_id, not_before=not_before)


def apply_credit(invoice: Invoice, credit_note_id: UUID, parts: tuple[Part, ...], not_before: date | None) -> list[Event]:
    """A credit note put against instalments as money would be, and the invoice settled when nothing is left."""
    return _applied(invoice, CreditApplied, parts, credit_note_id=credit_note_id, not_before=not_before)


def remove_payment(
    invoice: Invoice,
    payment_id: UUID,
    parts: tuple[Part, ...],
    reason: str,
    not_before: date | None,
    *,
    is_correction: bool,
) -> list[Event]:
    """Money taken back from instalments, and the invoice open again when it was settled."""
    more = {"payment_id": payment_id, "reason": reason, "is_correction": is_correction}
    return _removed(invoice, PaymentRemoved, parts, not_before=not_before, **more)


def remove_credit(
    invoice: Invoice, credit_note_id: UUID, parts: tuple[Part, ...], reason: str, not_before: date | None
) -> list[Event]:
    """A credit note taken back from instalments, and the invoice open again when it was settled."""
    return _removed(invoice, CreditRemoved, parts, credit_note_id=credit_note_id, reason=reason, not_before=not_before)


def _applied(invoice: Invoice, kind: type[PaymentApplied | CreditApplied], parts: tuple[Part, ...], **more: Any) -> list[Event]:
    amount = add_up(part.amount for part in parts)
    balance = invoice.balance - amount
    applied = kind(**_of(invoice), parts=parts, amount=amount, balance=balance, **more)
    return [applied] if balance else [applied, InvoiceSettled()]


def _removed(invoice: Invoice, kind: type[PaymentRemoved | CreditRemoved], parts: tuple[Part, ...], **more: Any) -> list[Event]:
    amount = add_up(part.amount for part in parts)
    balance = invoice.balance + amount
    removed = kind(**_of(invoice), parts=parts, amount=amount, balance=balance, **more)
    return [removed] if invoice.balance else [removed, InvoiceReopened(balance=balance)]


def _of(invoice: Invoice) -> dict[str, Any]:
    """What each of these events says of the invoice."""
    return {"opportunity_id": invoice.document.opportunity_id, "currency": invoice.document.currency}
