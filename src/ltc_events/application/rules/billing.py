"""Rules of billing: documents take their numbers from a series, bill an order, or credit an invoice."""

from uuid import UUID

from ltc_events.aggregates import credit_note, invoicing
from ltc_events.aggregates.base import AlreadyExists
from ltc_events.aggregates.credit_note import CREDIT_NOTE
from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.number_series import NUMBER_SERIES, next_number
from ltc_events.aggregates.order import ORDER, bill, reverse_billing
from ltc_events.application.work import Work
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.credit_note import IssueCreditNote
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.number_series import NumberAssigned, series_id
from ltc_events.schemas.order import OrderInvoiced


def issue_invoice(command: IssueInvoice, work: Work) -> None:
    """Bill an order: the number is taken, the invoice issued and the order marked as billed, all or nothing (R-64, R-65)."""
    if work.find(INVOICE, work.subject) is not None:
        raise AlreadyExists(noun="invoice")
    order = work.get(ORDER, command.order_id, "order_id")
    policy = work.policies.billing.content
    billed = bill(order, command.basis or policy.basis, command.lines, policy.over_billing_percent)
    series, assigned = _take_number(command, work)
    issued = invoicing.issue(order, billed, command, assigned.number, work.policies)
    parts = tuple(part for _, part in billed)
    amount = sum((part.amount for part in parts), ZERO)
    work.emit(NUMBER_SERIES, series, assigned)
    work.emit(INVOICE, work.subject, *issued)
    work.emit(ORDER, command.order_id, OrderInvoiced(invoice_id=work.subject, lines=parts, amount=amount))


def issue_credit_note(command: IssueCreditNote, work: Work) -> None:
    """Credit an invoice: the number is taken, the credit note issued and put against what the invoice owes, all or nothing.

    What is to be billed again becomes billable on the order in the same breath (R-64, R-65).
    """
    if work.find(CREDIT_NOTE, work.subject) is not None:
        raise AlreadyExists(noun="credit note")
    invoice = work.get(INVOICE, command.invoice_id, "invoice_id")
    series, assigned = _take_number(command, work)
    issued = credit_note.issue(invoice, command, assigned.number)
    again = credit_note.to_bill_again(command, issued)
    work.emit(NUMBER_SERIES, series, assigned)
    work.emit(CREDIT_NOTE, work.subject, issued)
    work.emit(INVOICE, command.invoice_id, *credit_note.credit(invoice, work.subject, issued))
    if again:
        order_id = invoice.document.order_id
        order = work.get(ORDER, order_id, "invoice_id")
        work.emit(ORDER, order_id, reverse_billing(order, work.subject, command.invoice_id, again))


def _take_number(command: IssueInvoice | IssueCreditNote, work: Work) -> tuple[UUID, NumberAssigned]:
    """The stream of the command's series in the year of the document, and the next number in it."""
    year = command.effective_on.year
    series = series_id(command.series, year)
    return series, next_number(work.find(NUMBER_SERIES, series), command.series, year, work.subject)
