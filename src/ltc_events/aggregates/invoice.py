"""Invoice: what is owed by instalment, and what became of it: paid, credited, written off, disputed, promised, dunned."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, BrokenStream, DoesNotExist, require_minor_units
from ltc_events.aggregates.dunning import after_notice, notice
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.receivable import (
    BilledLine,
    Credited,
    Document,
    Invoice,
    Item,
    Tax,
    less,
    parts_of,
    require_owed,
    written_off,
)
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.base import Event
from ltc_events.schemas.invoice import (
    CreditApplied,
    DisputeInvoice,
    DisputeResolved,
    DunningNoticeSent,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceIssued,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    Part,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
    PromisePayment,
    ResolveDispute,
    SendDunningNotice,
    WriteOffInvoice,
)

InvoiceCommand = WriteOffInvoice | DisputeInvoice | ResolveDispute | PromisePayment | SendDunningNotice
InvoiceEvent = (
    InvoiceIssued
    | PaymentApplied
    | PaymentRemoved
    | InvoiceCredited
    | CreditApplied
    | InvoiceWrittenOff
    | InvoiceSettled
    | InvoiceReopened
    | InvoiceDisputed
    | DisputeResolved
    | PaymentPromised
    | DunningNoticeSent
)

_NOT_CREDITED = Credited()
_NOTHING_CREDITED: Mapping[int, Credited] = MappingProxyType({})


class MoreThanOwed(Refused):
    """{asked} is more than the {balance} owed on invoice {number}"""

    field = "amount"
    remedy = "state at most {balance}"


class AlreadyDisputed(Refused):
    """invoice {number} is disputed already"""

    field = "subject"
    remedy = "resolve the dispute first"


class NotDisputed(Refused):
    """invoice {number} is not disputed"""

    field = "subject"
    remedy = "name the disputed invoice"


class PromiseInThePast(Refused):
    """{promised_on} is before {effective_on}, the day of the promise"""

    field = "promised_on"
    remedy = "state {effective_on} or a later day"


def decide(state: Invoice | None, command: InvoiceCommand, policies: Policies) -> list[Event]:
    """Write off, dispute, settle a dispute, promise payment, or send a reminder."""
    if state is None:
        raise DoesNotExist(noun="invoice", first="invoice.issue.v1")
    number = state.document.number
    match command:
        case WriteOffInvoice():
            return _write_off(state, command)
        case DisputeInvoice(reason=reason):
            require_owed(state)
            if state.disputed:
                raise AlreadyDisputed(number=number)
            return [InvoiceDisputed(reason=reason)]
        case ResolveDispute(resolution=resolution):
            if not state.disputed:
                raise NotDisputed(number=number)
            return [DisputeResolved(resolution=resolution)]
        case PromisePayment():
            return [_promise(state, command)]
        case SendDunningNotice():
            return [notice(state, command, policies)]
        case _:
            assert_never(command)


def evolve(state: Invoice | None, event: InvoiceEvent) -> Invoice:
    """The invoice after an event."""
    if isinstance(event, InvoiceIssued):
        return _issued(event)
    if state is None:
        raise BrokenStream(noun="invoice", event=event.type)
    match event:
        case PaymentApplied() | CreditApplied():
            return _moved(state, event.parts, event.balance, state.credited)
        case InvoiceWrittenOff():
            given_up = replace(state, items=written_off(state.items, event.parts))
            return _moved(given_up, event.parts, event.balance, state.credited)
        case PaymentRemoved():
            given_back = [Part(instalment=part.instalment, amount=-part.amount) for part in event.parts]
            return _moved(state, given_back, event.balance, state.credited)
        case InvoiceCredited():
            credited = dict(state.credited)
            for part in event.lines:
                quantity, amount = credited.get(part.line, _NOT_CREDITED)
                credited[part.line] = Credited(quantity + part.quantity, amount + part.amount)
            notes = (*state.credit_notes, event.credit_note_id)
            reversed = replace(state, items=written_off(state.items, event.write_off_parts, -1), credit_notes=notes)
            return _moved(reversed, event.parts, event.balance, credited)
        case InvoiceSettled():
            return state if state.promised_on is None else replace(state, promised_on=None)
        case InvoiceReopened():
            return state
        case InvoiceDisputed():
            return replace(state, disputed=True)
        case DisputeResolved():
            return replace(state, disputed=False)
        case PaymentPromised(promised_on=promised_on):
            return replace(state, promised_on=promised_on)
        case DunningNoticeSent():
            return replace(state, items=tuple(after_notice(item, event) for item in state.items))
        case _:
            assert_never(event)


def apply_payment(invoice: Invoice, payment_id: UUID, parts: tuple[Part, ...]) -> list[Event]:
    """Money put against instalments, and the invoice settled when nothing is left. `parts` are within what is open."""
    amount = sum((part.amount for part in parts), ZERO)
    balance = invoice.balance - amount
    applied = PaymentApplied(
        payment_id=payment_id,
        opportunity_id=invoice.document.opportunity_id,
        currency=invoice.document.currency,
        parts=parts,
        amount=amount,
        balance=balance,
    )
    return [applied] if balance else [applied, InvoiceSettled()]


def apply_credit(invoice: Invoice, credit_note_id: UUID, parts: tuple[Part, ...]) -> list[Event]:
    """A credit note put against instalments as money would be, and the invoice settled when nothing is left."""
    amount = sum((part.amount for part in parts), ZERO)
    balance = invoice.balance - amount
    applied = CreditApplied(
        credit_note_id=credit_note_id,
        opportunity_id=invoice.document.opportunity_id,
        currency=invoice.document.currency,
        parts=parts,
        amount=amount,
        balance=balance,
    )
    return [applied] if balance else [applied, InvoiceSettled()]


def remove_payment(invoice: Invoice, payment_id: UUID, parts: tuple[Part, ...], reason: str) -> list[Event]:
    """Money taken back from instalments, and the invoice open again when it was settled."""
    amount = sum((part.amount for part in parts), ZERO)
    balance = invoice.balance + amount
    removed = PaymentRemoved(
        payment_id=payment_id,
        opportunity_id=invoice.document.opportunity_id,
        currency=invoice.document.currency,
        parts=parts,
        amount=amount,
        balance=balance,
        reason=reason,
    )
    return [removed] if invoice.balance else [removed, InvoiceReopened(balance=balance)]


def _write_off(invoice: Invoice, command: WriteOffInvoice) -> list[Event]:
    require_owed(invoice)
    document = invoice.document
    amount = _within_balance(invoice, command.amount)
    balance = invoice.balance - amount
    event = InvoiceWrittenOff(
        opportunity_id=document.opportunity_id,
        currency=document.currency,
        parts=parts_of(invoice.items, amount),
        amount=amount,
        balance=balance,
        reason=command.reason,
    )
    return [event] if balance else [event, InvoiceSettled()]


def _promise(invoice: Invoice, command: PromisePayment) -> PaymentPromised:
    require_owed(invoice)
    if command.promised_on < command.effective_on:
        raise PromiseInThePast(promised_on=command.promised_on, effective_on=command.effective_on)
    amount = _within_balance(invoice, command.amount)
    return PaymentPromised(promised_on=command.promised_on, amount=amount, by=command.by)


def _within_balance(invoice: Invoice, amount: Decimal | None) -> Decimal:
    if amount is None:
        return invoice.balance
    require_minor_units(amount, invoice.document.currency, "amount")
    if amount > invoice.balance:
        raise MoreThanOwed(asked=amount, balance=invoice.balance, number=invoice.document.number)
    return amount


def _moved(invoice: Invoice, parts: Iterable[Part], balance: Decimal, credited: Mapping[int, Credited]) -> Invoice:
    """Spelled out, because `replace` takes three times as long, and this runs with every payment."""
    items = less(invoice.items, parts)
    return Invoice(invoice.document, items, balance, credited, invoice.disputed, invoice.promised_on, invoice.credit_notes)


def _issued(event: InvoiceIssued) -> Invoice:
    lines = tuple(
        BilledLine(
            line.line,
            line.order_line,
            line.quote_line,
            line.sku,
            line.description,
            line.quantity,
            line.net,
            line.tax_category,
            line.tax_rate,
        )
        for line in event.lines
    )
    taxes = tuple(Tax(tax.category, tax.rate, tax.taxable, tax.tax) for tax in event.taxes)
    items = [Item(part.number, part.due_on, part.amount) for part in event.instalments]
    if len(items) > 1:
        items.sort(key=lambda item: (item.due_on, item.number))
    document = Document(
        event.number, event.order_id, event.currency, event.opportunity_id, lines, taxes, event.gross, event.rounding
    )
    return Invoice(document, tuple(items), event.payable, _NOTHING_CREDITED)


INVOICE = Aggregate("invoice", decide, evolve)
