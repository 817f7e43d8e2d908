"""Allocations of a payment or credit note to the instalments of invoices, and their reversal. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from ltc_events.aggregates.base import require_minor_units
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.receivable import Part

Parts = tuple[Part, ...]


class NotAllocated(Refused):
    """nothing of the {noun} is put against invoice {invoice_id}"""

    field = "invoice_id"
    remedy = "name one of the invoices it is put against: {known}"


class InstalmentNotAllocated(Refused):
    """nothing of the {noun} is put against instalment {instalment} of invoice {invoice_id}"""

    field = "instalment"
    remedy = "name one of the instalments it is put against: {known}"


class MoreThanAllocated(Refused):
    """{asked} is more than the {allocated} of the {noun} that is put there"""

    field = "amount"
    remedy = "take back at most {allocated}"


def together(parts: Parts, more: Parts) -> Parts:
    """The sum of both allocations, with one part per instalment."""
    if not parts:
        return more
    amounts = {part.instalment: part.amount for part in parts}
    for part in more:
        amounts[part.instalment] = amounts.get(part.instalment, ZERO) + part.amount
    return tuple(Part(instalment=instalment, amount=amount) for instalment, amount in amounts.items())


def without(allocated: Mapping[UUID, Parts], invoice_id: UUID, taken: Parts) -> dict[UUID, Parts]:
    """The allocations after parts are taken back; invoices without any allocation left are dropped."""
    gone = {part.instalment: part.amount for part in taken}
    left = tuple(
        Part(instalment=part.instalment, amount=part.amount - gone.get(part.instalment, ZERO))
        for part in allocated[invoice_id]
        if part.amount > gone.get(part.instalment, ZERO)
    )
    others = {id: parts for id, parts in allocated.items() if id != invoice_id}
    return {**others, invoice_id: left} if left else others


def taken_back(
    allocated: Mapping[UUID, Parts], invoice_id: UUID, instalment: int | None, amount: Decimal | None, noun: str, currency: str
) -> Parts:
    """The parts to take back: all, those of one instalment, or `amount` of either, starting from the last instalment.

    Raises NotAllocated, InstalmentNotAllocated, MoreThanAllocated and FinerThanMinorUnit.
    """
    parts = allocated.get(invoice_id)
    if parts is None:
        raise NotAllocated(noun=noun, invoice_id=invoice_id, known=", ".join(map(str, allocated)) or "none")
    if instalment is not None:
        chosen = tuple(part for part in parts if part.instalment == instalment)
        if not chosen:
            known = ", ".join(str(part.instalment) for part in parts)
            raise InstalmentNotAllocated(noun=noun, instalment=instalment, invoice_id=invoice_id, known=known)
        parts = chosen
    if amount is None:
        return parts
    require_minor_units(amount, currency, "amount")
    whole = sum((part.amount for part in parts), ZERO)
    if amount > whole:
        raise MoreThanAllocated(noun=noun, asked=amount, allocated=whole)
    return _last(parts, amount)


def _last(parts: Parts, amount: Decimal) -> Parts:
    """Parts that add up to `amount`, starting from the last instalment."""
    found = []
    for part in sorted(parts, key=lambda part: -part.instalment):
        taken = min(amount, part.amount)
        if taken:
            found.append(Part(instalment=part.instalment, amount=taken))
            amount -= taken
    return tuple(reversed(found))
