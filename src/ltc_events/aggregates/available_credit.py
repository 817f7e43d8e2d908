"""Limits the use of an invoice's credit notes to the money paid on the invoice, on each day. Pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from ltc_events.aggregates.credit_note import CreditNote
from ltc_events.aggregates.dated_balance import NOTHING, DatedBalance, require_available
from ltc_events.aggregates.receivable import Invoice
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import EXACT, ZERO, add_up


class CreditIsUnpaid(Refused):
    """{asked} is more than the {paid} of the credit note that was paid: money for its invoice {number} was taken back"""

    remedy = "use at most {paid}, or put the rest against invoice {number}, as far as that is open"


class CreditIsUsed(Refused):
    """{used} of what was paid on invoice {number} went back to the customer with its credit notes"""

    field = "invoice_id"
    remedy = "leave the payment where it is: what was paid on invoice {number} has been used already"


def cover(invoice: Invoice, notes: Sequence[CreditNote]) -> DatedBalance:
    """The amount paid on an invoice less what its credit notes gave back, by day; `notes` are all of its credit notes.

    At most this much of their credit can be used, or money un-allocated from the invoice. It is negative only where the bank
    took back money that had already been given back to the customer.
    """
    document = invoice.document
    elsewhere = add_up([invoice.prepaid, *(note.prepaid_credited for note in notes)])
    payable = EXACT.subtract(EXACT.add(document.gross, document.rounding), elsewhere)
    paid = NOTHING.moved(document.issued_on, payable)
    for item in invoice.items:
        paid = paid.less(item.dated_open).less(item.dated_written_off)
    for note in notes:
        paid = paid.moved(note.issued_on, -note.credited).together(note.dated_unapplied)
    return paid


def require_paid(note: CreditNote, invoice: Invoice, notes: Sequence[CreditNote], amount: Decimal, on: date, at: str) -> None:
    """Refuse to use `amount` of a note for anything but its own invoice when it was not paid in full by that day.

    Raises CreditIsUnpaid, and AvailableLater for a day on which the money is not there.
    """
    covered = cover(invoice, notes)
    paid = max(ZERO, min(note.unapplied, covered.amount))
    if amount > paid:
        raise CreditIsUnpaid(asked=amount, paid=paid, number=invoice.document.number, at=at)
    require_available([covered], on, amount, _called(invoice))


def require_unused(invoice: Invoice, notes: Sequence[CreditNote], amount: Decimal, on: date) -> None:
    """Refuse to un-allocate `amount` from an invoice where its credit notes have given it back by that day or later.

    Raises CreditIsUsed, and AvailableLater for a day on which the customer had the money.
    """
    if not notes:
        return
    covered = cover(invoice, notes)
    if amount > covered.amount:
        raise CreditIsUsed(used=EXACT.subtract(amount, covered.amount), number=invoice.document.number)
    require_available([covered], on, amount, _called(invoice))


def _called(invoice: Invoice) -> str:
    return f"what was paid on {invoice.called} and not given back"
