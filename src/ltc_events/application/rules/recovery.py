"""Rules of recovery: payments for amounts that were written off."""

from ltc_events.aggregates import payment
from ltc_events.aggregates.base import require_minor_units
from ltc_events.aggregates.dated_balance import require_available
from ltc_events.aggregates.invoice import INVOICE, NothingWrittenOff, reverse_write_off
from ltc_events.aggregates.payment import PAYMENT
from ltc_events.aggregates.receivable import require_unapplied, written_off_parts, written_off_total
from ltc_events.aggregates.settlement import apply_payment
from ltc_events.application.rules.cash import InvoiceInAnotherCurrency
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.schemas.payment import RecoverWriteOff


def recover_write_off(command: RecoverWriteOff, work: UnitOfWork) -> None:
    """Reverse a write-off with its tax and allocate the payment to it in the same transaction."""
    current = payment.usable(work.find(PAYMENT, work.subject), work.effective_on)
    invoice = work.get(INVOICE, command.invoice_id, "invoice_id")
    on = work.effective_on
    number, currency = invoice.document.number, invoice.document.currency
    if currency != current.currency:
        raise InvoiceInAnotherCurrency(noun="payment", currency=current.currency, number=number, other=currency, at="invoice_id")
    given_up = written_off_total(invoice)
    if not given_up:
        raise NothingWrittenOff(number=number, at="invoice_id")
    amount = min(given_up, current.unapplied) if command.amount is None else command.amount
    require_minor_units(amount, currency, "amount")
    require_unapplied("payment", current.unapplied, amount, "amount")
    require_available([current.dated_unapplied], on, amount, payment.CALLED)
    work.emit(INVOICE, command.invoice_id, *reverse_write_off(invoice, amount, "recovered", on, work.subject))
    parts = written_off_parts(invoice.items, amount, on, invoice.called_written_off)
    owed_again = work.get(INVOICE, command.invoice_id, "invoice_id")
    allocated = payment.allocate(current, command.invoice_id, invoice.document.issued_on, parts)
    work.emit(PAYMENT, work.subject, allocated)
    work.emit(INVOICE, command.invoice_id, *apply_payment(owed_again, work.subject, parts, allocated.not_before))
