"""Rules of invoicing: issue invoices and credit notes, with numbers from a series."""

from uuid import UUID

from ltc_events.aggregates import credit_note_issue, invoicing
from ltc_events.aggregates.base import AlreadyExists
from ltc_events.aggregates.business_days import fiscal_year
from ltc_events.aggregates.credit_note import CREDIT_NOTE
from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.number_series import (
    NUMBER_SERIES,
    NumberAndSeries,
    NumberSeries,
    import_number,
    import_series,
    next_number,
)
from ltc_events.aggregates.order import ORDER, bill, reverse_billing
from ltc_events.application.errors import IdTaken
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.kernel.money import add_up
from ltc_events.schemas.base import Event
from ltc_events.schemas.credit_note import IssueCreditNote
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.number_series import first_series_id, imported_number_id, parse_number, series_id
from ltc_events.schemas.order import OrderInvoiced


def issue_invoice(command: IssueInvoice, work: UnitOfWork) -> None:
    """Bill an order: assign the number, issue the invoice and mark the order as billed, all or nothing (R-64, R-65)."""
    if work.find(INVOICE, work.subject) is not None:
        raise AlreadyExists(noun="invoice")
    order = work.get(ORDER, command.order_id, "order_id")
    policy = work.policies.billing.content
    billed = bill(order, command.basis or policy.basis, command.lines, policy.over_billing_percent, work.effective_on)
    number, numbering = _take_number(command, work)
    issued = invoicing.issue(order, billed, command, number, work.policies)
    parts = tuple(part for _, part in billed)
    amount = add_up(part.amount for part in parts)
    invoiced = OrderInvoiced(invoice_id=work.subject, lines=parts, amount=amount, not_before=order.placed_on)
    for stream, event in numbering:
        work.emit(NUMBER_SERIES, stream, event)
    work.emit(INVOICE, work.subject, *issued)
    work.emit(ORDER, command.order_id, invoiced)


def issue_credit_note(command: IssueCreditNote, work: UnitOfWork) -> None:
    """Credit an invoice: assign the number, issue the credit note and apply it to the invoice's balance, all or nothing.

    Quantities to be billed again become billable on the order in the same transaction (R-64, R-65).
    """
    if work.find(CREDIT_NOTE, work.subject) is not None:
        raise AlreadyExists(noun="credit note")
    invoice = work.get(INVOICE, command.invoice_id, "invoice_id")
    number, numbering = _take_number(command, work)
    issued = credit_note_issue.issue(invoice, command, number)
    again = credit_note_issue.to_bill_again(command, issued)
    for stream, event in numbering:
        work.emit(NUMBER_SERIES, stream, event)
    work.emit(CREDIT_NOTE, work.subject, issued)
    work.emit(INVOICE, command.invoice_id, *credit_note_issue.credit(invoice, work.subject, issued))
    if again:
        order_id, issued_on = invoice.document.order_id, invoice.document.issued_on
        order = work.get(ORDER, order_id, "invoice_id")
        work.emit(ORDER, order_id, reverse_billing(order, work.subject, command.invoice_id, issued_on, again))


def _take_number(command: IssueInvoice | IssueCreditNote, work: UnitOfWork) -> tuple[str, list[tuple[UUID, Event]]]:
    """The document's number and the events that make it so, each with its stream: the next one of the command's series in the
    document's fiscal year, or the number that the document has from another system."""
    if command.number is not None:
        return command.number, _import_number(command.number, command, work)
    company = work.policies.company.content
    series, current = _series(command.series, fiscal_year(work.effective_on, company), work)
    assigned = next_number(current, command.series, work.effective_on, work.subject, company)
    return assigned.number, [(series, assigned)]


def _import_number(number: str, command: IssueInvoice | IssueCreditNote, work: UnitOfWork) -> list[tuple[UUID, Event]]:
    if "series" in command.model_fields_set:
        raise NumberAndSeries(number=number, series=command.series)
    own = imported_number_id(number)
    events: list[tuple[UUID, Event]] = [(own, import_number(work.find(NUMBER_SERIES, own), number, work.subject, command.series))]
    parsed = parse_number(number)
    if parsed is not None:
        series, current = _series(parsed[0], parsed[1], work)
        imported = import_series(current, number)
        if imported is not None:
            events.append((series, imported))
    return events


def _series(name: str, year: int, work: UnitOfWork) -> tuple[UUID, NumberSeries | None]:
    """The stream of a series: the one begun under release v0.1 where there is one, else the one with the reserved id."""
    first, now = first_series_id(name, year), series_id(name, year)
    try:
        state = work.find(NUMBER_SERIES, first)
    except IdTaken:  # by somebody who worked out the id of a series to come
        state = None
    return (now, work.find(NUMBER_SERIES, now)) if state is None else (first, state)
