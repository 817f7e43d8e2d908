"""Invoice: open items by instalment, and their payment, credit, write-off, dispute, promise and dunning (R-66 … R-70)."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, BrokenStream, DoesNotExist, require_minor_units, require_not_before
from ltc_events.aggregates.dated_balance import DatedBalance
from ltc_events.aggregates.dunning import after_claim, after_notice, notice
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
    written_off_parts,
    written_off_total,
)
from ltc_events.aggregates.tax_relief import Change, relieve, restore, with_change
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import replace
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.base import Event
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    DisputeInvoice,
    DisputeResolved,
    DunningNoticeSent,
    InvoiceClaimed,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    Part,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
    PromisePayment,
    ResolveDispute,
    ReverseWriteOff,
    SendDunningNotice,
    WriteOffInvoice,
    WriteOffReversed,
)

InvoiceCommand = WriteOffInvoice | ReverseWriteOff | DisputeInvoice | ResolveDispute | PromisePayment | SendDunningNotice
InvoiceEvent = (
    InvoiceIssued
    | PaymentApplied
    | PaymentRemoved
    | InvoiceCredited
    | CreditApplied
    | CreditRemoved
    | InvoiceWrittenOff
    | WriteOffReversed
    | InvoiceSettled
    | InvoiceReopened
    | InvoiceDisputed
    | DisputeResolved
    | PaymentPromised
    | DunningNoticeSent
    | InvoiceClaimed
)

_NOT_CREDITED = Credited()
_NOTHING_CREDITED: Mapping[int, Credited] = MappingProxyType({})


class MoreThanOwed(Refused):
    """{asked} is more than the {balance} owed on invoice {number}"""

    field = "amount"
    remedy = "state at most {balance}"


class NothingWrittenOff(Refused):
    """nothing of invoice {number} is written off"""

    field = "subject"
    remedy = "name an invoice of which something was given up, and neither credited nor recovered since"


class MoreThanWrittenOff(Refused):
    """{asked} is more than the {written_off} that is written off of invoice {number}"""

    field = "amount"
    remedy = "state at most {written_off}"


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
    """Decide a write-off or its reversal, a dispute or its resolution, a promise, or a dunning notice. Raises Refused."""
    if state is None:
        raise DoesNotExist(noun="invoice", first="invoice.issue.v1")
    number = state.document.number
    require_not_before(command.effective_on, state.document.issued_on, state.called)
    match command:
        case WriteOffInvoice():
            return _write_off(state, command, policies)
        case ReverseWriteOff(amount=amount, reason=reason):
            return reverse_write_off(state, amount, reason, command.effective_on)
        case DisputeInvoice(reason=reason):
            require_owed(state)
            if state.disputed:
                raise AlreadyDisputed(number=number)
            _require_after_last_dispute(state, command.effective_on, "resolution of the last dispute")
            begun = max(state.document.issued_on, state.dispute_on or state.document.issued_on)
            return [InvoiceDisputed(reason=reason, not_before=begun)]
        case ResolveDispute(resolution=resolution):
            if not state.disputed:
                raise NotDisputed(number=number)
            _require_after_last_dispute(state, command.effective_on, "dispute")
            return [DisputeResolved(resolution=resolution, not_before=state.dispute_on)]
        case PromisePayment():
            return [_promise(state, command)]
        case SendDunningNotice():
            return [notice(state, command, policies)]
        case _:
            assert_never(command)


def evolve(state: Invoice | None, event: InvoiceEvent, effective_on: date) -> Invoice:
    """The invoice after an event."""
    if isinstance(event, InvoiceIssued):
        return _issued(event, effective_on)
    if state is None:
        raise BrokenStream(noun="invoice", event=event.type)
    match event:
        case PaymentApplied() | CreditApplied():
            return _moved(state, event.parts, effective_on, event.balance, state.credited)
        case InvoiceWrittenOff():
            relief = with_change(state.relief, event.relieved, event.taxes)
            given_up = replace(state, items=written_off(state.items, event.parts, effective_on), relief=relief)
            return _moved(given_up, event.parts, effective_on, event.balance, state.credited)
        case WriteOffReversed():
            relief = with_change(state.relief, event.relieved, event.taxes, -1)
            owed_again = replace(state, items=written_off(state.items, event.parts, effective_on, -1), relief=relief)
            return _moved(owed_again, _negative(event.parts), effective_on, event.balance, state.credited)
        case PaymentRemoved() | CreditRemoved():
            owed = _moved(state, _negative(event.parts), effective_on, event.balance, state.credited)
            return owed if isinstance(event, CreditRemoved) or event.is_correction else _paid_back(state, owed)
        case InvoiceCredited():
            credited = dict(state.credited)
            for part in event.lines:
                quantity, amount = credited.get(part.line, _NOT_CREDITED)
                credited[part.line] = Credited(quantity + part.quantity, amount + part.amount)
            notes = (*state.credit_notes, event.credit_note_id)
            reversed = replace(
                state,
                items=written_off(state.items, event.write_off_parts, effective_on, -1),
                credit_notes=notes,
                relief=with_change(state.relief, event.write_off_relieved, event.write_off_taxes, -1),
                prepaid=state.prepaid - event.prepaid_credited,
            )
            return _moved(reversed, event.parts, effective_on, event.balance, credited)
        case InvoiceSettled():
            return replace(state, promised=ZERO) if state.promised > ZERO else state
        case InvoiceReopened():
            return state
        case InvoiceDisputed() | DisputeResolved():
            return replace(state, disputed=isinstance(event, InvoiceDisputed), dispute_on=effective_on)
        case PaymentPromised(promised_on=promised_on, amount=amount):
            return replace(state, promised_on=promised_on, promised=amount, promise=amount)
        case DunningNoticeSent() | InvoiceClaimed():
            return _reminded(state, event)
        case _:
            assert_never(event)


def reverse_write_off(
    invoice: Invoice, asked: Decimal | None, reason: str, on: date, payment_id: UUID | None = None
) -> list[Event]:
    """Reverse a write-off, or `amount` of it. Raises NothingWrittenOff and MoreThanWrittenOff."""
    document, given_up = invoice.document, written_off_total(invoice)
    if not given_up:
        raise NothingWrittenOff(number=document.number)
    amount = given_up if asked is None else asked
    require_minor_units(amount, document.currency, "amount")
    if amount > given_up:
        raise MoreThanWrittenOff(asked=amount, written_off=given_up, number=document.number)
    restored = restore(invoice, amount)
    balance = invoice.balance + amount
    event = WriteOffReversed(
        opportunity_id=document.opportunity_id,
        payment_id=payment_id,
        currency=document.currency,
        parts=written_off_parts(invoice.items, amount, on, invoice.called_written_off),
        amount=amount,
        balance=balance,
        reason=reason,
        relieved=restored.amount,
        taxes=restored.subtotals,
        tax=restored.tax,
        not_before=document.issued_on,
    )
    return [event] if invoice.balance else [event, InvoiceReopened(balance=balance)]


def _write_off(invoice: Invoice, command: WriteOffInvoice, policies: Policies) -> list[Event]:
    require_owed(invoice)
    document = invoice.document
    amount = _within_balance(invoice, command.amount)
    balance = invoice.balance - amount
    policy = policies.write_off
    relieved = relieve(invoice, amount) if policy.content.tax_relief == "at_write_off" else Change()
    event = InvoiceWrittenOff(
        opportunity_id=document.opportunity_id,
        currency=document.currency,
        parts=parts_of(invoice.items, amount, command.effective_on, invoice.called),
        amount=amount,
        balance=balance,
        reason=command.reason,
        relieved=relieved.amount,
        taxes=relieved.subtotals,
        tax=relieved.tax,
        write_off_version=policy.version,
        not_before=document.issued_on,
    )
    return [event] if balance else [event, InvoiceSettled()]


def _promise(invoice: Invoice, command: PromisePayment) -> PaymentPromised:
    require_owed(invoice)
    if command.promised_on < command.effective_on:
        raise PromiseInThePast(promised_on=command.promised_on, effective_on=command.effective_on)
    amount = _within_balance(invoice, command.amount)
    return PaymentPromised(promised_on=command.promised_on, amount=amount, by=command.by, not_before=invoice.document.issued_on)


def _within_balance(invoice: Invoice, amount: Decimal | None) -> Decimal:
    if amount is None:
        return invoice.balance
    require_minor_units(amount, invoice.document.currency, "amount")
    if amount > invoice.balance:
        raise MoreThanOwed(asked=amount, balance=invoice.balance, number=invoice.document.number)
    return amount


def _require_after_last_dispute(invoice: Invoice, effective_on: date, what: str) -> None:
    if invoice.dispute_on is not None:
        require_not_before(effective_on, invoice.dispute_on, f"the {what} of {invoice.called}")


def _moved(invoice: Invoice, parts: Iterable[Part], on: date, balance: Decimal, credited: Mapping[int, Credited]) -> Invoice:
    """Spelled out, because `replace` takes three times as long, and this runs with every payment.

    A promise is kept once as much was paid as was promised. What a correction opens again is as if it had never been paid.
    """
    promised = min(invoice.promise, invoice.promised + balance - invoice.balance)
    return Invoice(
        invoice.document,
        less(invoice.items, parts, on),
        balance,
        credited,
        invoice.disputed,
        invoice.promised_on,
        invoice.credit_notes,
        invoice.dispute_on,
        invoice.relief,
        invoice.prepaid,
        promised,
        invoice.promise,
        invoice.claims,
    )


def _reminded(invoice: Invoice, event: DunningNoticeSent | InvoiceClaimed) -> Invoice:
    """The invoice after a dunning notice or a claim."""
    if isinstance(event, InvoiceClaimed):
        items = tuple(after_claim(item, event) for item in invoice.items)
        return replace(invoice, items=items, claims=(*invoice.claims, event.claim_id))
    raised = [id for id in (event.fee_claim_id, event.interest_claim_id) if id is not None]
    items = tuple(after_notice(item, event) for item in invoice.items)
    return replace(invoice, items=items, claims=(*invoice.claims, *raised))


def _paid_back(invoice: Invoice, owed: Invoice) -> Invoice:
    """The invoice after a payment was returned: the promise counts as broken."""
    promised_on = invoice.promised_on if invoice.promised > ZERO else None
    return replace(owed, promised_on=promised_on, promised=invoice.promised)


def _negative(parts: Iterable[Part]) -> list[Part]:
    return [Part(instalment=part.instalment, amount=-part.amount) for part in parts]


def _issued(event: InvoiceIssued, issued_on: date) -> Invoice:
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
    items = [Item(part.number, part.due_on, DatedBalance(((issued_on, part.amount),))) for part in event.instalments]
    if len(items) > 1:
        items.sort(key=lambda item: (item.due_on, item.number))
    document = Document(
        event.number, event.order_id, event.currency, event.opportunity_id, lines, taxes, event.gross, event.rounding, issued_on
    )
    return Invoice(document, tuple(items), event.payable, _NOTHING_CREDITED, prepaid=event.prepaid)


INVOICE = Aggregate("invoice", decide, evolve, begins_with=InvoiceIssued.type)
