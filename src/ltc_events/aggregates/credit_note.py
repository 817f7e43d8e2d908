"""Credit note: takes back an invoice in parts that, together, are exactly the invoice, tax and rounding included.

It meets what its invoice owes first, then what was written off of it: giving up a debt is no payment, so crediting it makes
no claim. The rest, which was paid, stands to the customer's credit, until it is put against another invoice or paid out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple, Never, assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, BrokenStream, DoesNotExist, require_minor_units
from ltc_events.aggregates.billing import UnknownLine, require_named_once, share
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.receivable import (
    BilledLine,
    Credited,
    Document,
    Invoice,
    parts_of,
    require_unapplied,
    written_off_parts,
)
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO, round_half_up
from ltc_events.schemas.base import Event
from ltc_events.schemas.credit_note import (
    CreditLine,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    IssueCreditNote,
    RefundCreditNote,
)
from ltc_events.schemas.invoice import InvoiceCredited, InvoiceLine, InvoiceSettled, Part, TaxSubtotal
from ltc_events.schemas.order import LineAmount, LineQuantity

NOUN = "credit note"
CreditNoteEvent = CreditNoteIssued | CreditNoteApplied | CreditNoteRefunded


@dataclass(frozen=True, slots=True)
class CreditNote:
    """An issued credit note. `unapplied` stands to the customer's credit."""

    number: str
    invoice_id: UUID
    opportunity_id: UUID | None
    currency: str
    unapplied: Decimal


class OverCredit(Refused):
    """line {line} of invoice {number} has {left} left to credit, not {asked}"""

    remedy = "credit at most {left} of line {line}"


class LineIsCredited(Refused):
    """line {line} of invoice {number} is credited in full"""

    remedy = "leave line {line} out"


class InvoiceIsCredited(Refused):
    """invoice {number} is credited in full"""

    field = "invoice_id"
    remedy = "nothing is left to correct: issue a new invoice for what is owed after all"


class NoQuantityToBillAgain(Refused):
    """line {line} is credited by an amount alone, so that nothing of it can be billed again"""

    remedy = "give the quantity that is to be billed again, or set bill_again of line {line} to false"


class CreditIsUnpaid(Refused):
    """{asked} is more than the {paid} of the credit note that was paid: money for its invoice {number} was taken back"""

    remedy = "use at most {paid}, or put the rest against invoice {number}, as far as that is open"


class CreditIsUsed(Refused):
    """{used} of what was paid on invoice {number} went back to the customer with its credit notes"""

    field = "invoice_id"
    remedy = "leave the payment where it is: what was paid on invoice {number} has been used already"


class _Share(NamedTuple):
    """How much of a tax category and rate is credited."""

    net: Decimal = ZERO
    tax: Decimal = ZERO


_Shares = Mapping[tuple[str, Decimal], _Share]
_NOTHING = _Share()
_NOT_CREDITED = Credited()


def issue(invoice: Invoice, command: IssueCreditNote, number: str) -> CreditNoteIssued:
    """Credit the lines asked for, or all that is left of the invoice.

    Document-level allowances and charges, tax and rounding follow in proportion to the lines, counted from the first
    credit note on, so that what credits the last line brings the rest of them. Against what the invoice owes goes as
    much as it still owes, then against what was written off of it; the remainder is `unapplied`. Raises UnknownLine,
    LineNamedTwice, FinerThanMinorUnit, OverCredit, LineIsCredited and InvoiceIsCredited.
    """
    document = invoice.document
    parts = _asked(invoice, command) if command.lines else _all_left(invoice)
    before = _credited_upto(document, invoice.credited)
    after = _credited_upto(document, _with(invoice.credited, parts))
    lines = tuple(_line(line, part) for line, part in parts)
    taxes = _subtotals(document, before, after, lines)
    line_total = sum((line.net for line in lines), ZERO)
    net = sum((tax.taxable for tax in taxes), ZERO)
    tax = sum((tax.tax for tax in taxes), ZERO)
    rounding = _rounding_upto(document, after) - _rounding_upto(document, before)
    payable = net + tax + rounding
    applied = min(payable, invoice.balance)
    reversed = min(payable - applied, sum((item.written_off for item in invoice.items), ZERO))
    return CreditNoteIssued(
        number=number,
        invoice_id=command.invoice_id,
        opportunity_id=document.opportunity_id,
        currency=document.currency,
        reason=command.reason,
        note=command.note,
        lines=lines,
        taxes=taxes,
        line_total=line_total,
        adjustment=net - line_total,
        net=net,
        tax=tax,
        rounding=rounding,
        payable=payable,
        applied=applied,
        unapplied=payable - applied - reversed,
        parts=parts_of(invoice.items, applied),
        write_off_reversed=reversed,
        write_off_parts=written_off_parts(invoice.items, reversed),
    )


def credit(invoice: Invoice, credit_note_id: UUID, issued: CreditNoteIssued) -> list[Event]:
    """What the credit note does to its invoice, which is settled when nothing is left open by it."""
    balance = invoice.balance - issued.applied
    credited = InvoiceCredited(
        credit_note_id=credit_note_id,
        opportunity_id=issued.opportunity_id,
        currency=issued.currency,
        lines=tuple(LineAmount(line=line.line, quantity=line.quantity, amount=line.net) for line in issued.lines),
        parts=issued.parts,
        amount=issued.applied,
        credited_net=issued.net,
        balance=balance,
        write_off_reversed=issued.write_off_reversed,
        write_off_parts=issued.write_off_parts,
    )
    return [credited, InvoiceSettled()] if invoice.balance and not balance else [credited]


def to_bill_again(command: IssueCreditNote, issued: CreditNoteIssued) -> list[LineQuantity]:
    """What of the order's lines is to be billed again, as the command says. Raises NoQuantityToBillAgain."""
    wishes = {request.line: request.bill_again for request in command.lines}
    parts = []
    for index, line in enumerate(issued.lines):
        wish = wishes.get(line.line)
        if not (command.bill_again if wish is None else wish):
            continue
        if line.quantity:
            parts.append(LineQuantity(line=line.order_line, quantity=line.quantity))
        elif command.lines:
            raise NoQuantityToBillAgain(line=line.line, at=f"lines.{index}.bill_again")
    return parts


def decide(state: CreditNote | None, command: Never, _policies: Policies) -> list[Event]:
    """A credit note is issued, used and paid out with a look at its invoice, so it is decided by rules."""
    assert_never(command)


def refund(note: CreditNote, command: RefundCreditNote) -> CreditNoteRefunded:
    """Pay out what is unapplied, or the amount asked for of it. Raises FinerThanMinorUnit and MoreThanUnapplied."""
    amount = note.unapplied if command.amount is None else command.amount
    require_minor_units(amount, note.currency, "amount")
    require_unapplied(NOUN, note.unapplied, amount, "amount")
    left = note.unapplied - amount
    return CreditNoteRefunded(
        opportunity_id=note.opportunity_id, currency=note.currency, amount=amount, unapplied=left, reason=command.reason
    )


def unpaid_credit(invoice: Invoice, taken_back: Decimal = ZERO) -> Decimal:
    """How much more is open on an invoice, or was written off of it, than its credit notes leave of it.

    More than nothing only when money was taken back since, or `taken_back` more would be: its credit notes then stand for
    that much that nobody paid.
    """
    if not invoice.credit_notes:
        return ZERO
    document = invoice.document
    shares = _credited_upto(document, invoice.credited)
    credited = sum((one.net + one.tax for one in shares.values()), _rounding_upto(document, shares))
    asked_for = sum((item.written_off for item in invoice.items), invoice.balance + taken_back)
    return max(ZERO, asked_for - (document.gross + document.rounding - credited))


def require_paid(note: CreditNote, invoice: Invoice, amount: Decimal, to_own: Decimal, at: str) -> None:
    """Refuse to use `amount` when not all of it was paid, `to_own` having gone to the note's own invoice before."""
    unpaid = max(ZERO, unpaid_credit(invoice) - to_own)
    paid = max(ZERO, note.unapplied - to_own - unpaid)
    if amount > paid:
        raise CreditIsUnpaid(asked=amount, paid=paid, number=invoice.document.number, at=at)


def existing(state: CreditNote | None) -> CreditNote:
    """The credit note, unless there is none."""
    if state is None:
        raise DoesNotExist(noun=NOUN, first=IssueCreditNote.type)
    return state


def apply(note: CreditNote, invoice_id: UUID, parts: tuple[Part, ...]) -> CreditNoteApplied:
    """Put `parts`, which are no more than is unapplied, against instalments of an invoice."""
    amount = sum((part.amount for part in parts), ZERO)
    return CreditNoteApplied(
        invoice_id=invoice_id,
        opportunity_id=note.opportunity_id,
        currency=note.currency,
        parts=parts,
        amount=amount,
        unapplied=note.unapplied - amount,
    )


def evolve(state: CreditNote | None, event: CreditNoteEvent) -> CreditNote:
    """The credit note after an event."""
    if isinstance(event, CreditNoteIssued):
        return CreditNote(event.number, event.invoice_id, event.opportunity_id, event.currency, event.unapplied)
    if state is None:
        raise BrokenStream(noun=NOUN, event=event.type)
    return replace(state, unapplied=event.unapplied)


def _asked(invoice: Invoice, command: IssueCreditNote) -> list[tuple[BilledLine, Credited]]:
    require_named_once([request.line for request in command.lines])
    document = invoice.document
    lines = {line.line: line for line in document.lines}
    parts = []
    for index, request in enumerate(command.lines):
        line = lines.get(request.line)
        if line is None:
            known = ", ".join(map(str, lines))
            name = f"invoice {document.number}"
            raise UnknownLine(document=name, line=request.line, known=known, at=f"lines.{index}.line")
        parts.append((line, _part(invoice, line, request, f"lines.{index}")))
    return parts


def _part(invoice: Invoice, line: BilledLine, request: CreditLine, at: str) -> Credited:
    """The quantity and net amount that are credited of a line: never more than is left of either."""
    document = invoice.document
    done = invoice.credited.get(line.line, _NOT_CREDITED)
    left = Credited(line.quantity - done.quantity, line.net - done.amount)
    if _is_credited(line, done):
        raise LineIsCredited(line=line.line, number=document.number, at=f"{at}.line")
    if request.quantity is not None and request.quantity > left.quantity:
        asked = request.quantity
        raise OverCredit(line=line.line, number=document.number, left=left.quantity, asked=asked, at=f"{at}.quantity")
    if request.amount is not None:
        require_minor_units(request.amount, document.currency, f"{at}.amount")
        if request.amount > left.amount:
            asked = request.amount
            raise OverCredit(line=line.line, number=document.number, left=left.amount, asked=asked, at=f"{at}.amount")
        return Credited(request.quantity or ZERO, request.amount)
    if request.quantity is None or request.quantity == left.quantity:
        return left
    upto = share(line.net, line.quantity, done.quantity + request.quantity, document.currency)
    worth = upto - share(line.net, line.quantity, done.quantity, document.currency)
    # A reduction of the price may have been credited before, so that less is left than the quantity was billed at.
    return Credited(request.quantity, min(left.amount, worth))


def _all_left(invoice: Invoice) -> list[tuple[BilledLine, Credited]]:
    parts = []
    for line in invoice.document.lines:
        done = invoice.credited.get(line.line, _NOT_CREDITED)
        if not _is_credited(line, done):
            parts.append((line, Credited(line.quantity - done.quantity, line.net - done.amount)))
    if not parts:
        raise InvoiceIsCredited(number=invoice.document.number)
    return parts


def _is_credited(line: BilledLine, done: Credited) -> bool:
    """Whether nothing is left of a line; of one that cost nothing, its quantity says so."""
    return done.amount == line.net if line.net else done.quantity == line.quantity


def _with(credited: Mapping[int, Credited], parts: list[tuple[BilledLine, Credited]]) -> dict[int, Credited]:
    together = dict(credited)
    for line, part in parts:
        done = together.get(line.line, _NOT_CREDITED)
        together[line.line] = Credited(done.quantity + part.quantity, done.amount + part.amount)
    return together


def _credited_upto(document: Document, credited: Mapping[int, Credited]) -> _Shares:
    """What is credited of each tax category and rate when this much of the lines is: net after allowances, and tax.

    A function of the sums alone, growing with them, so that credit notes add up however the invoice is divided.
    """
    if not credited:
        return {}
    whole: dict[tuple[str, Decimal], Decimal] = {}
    part: dict[tuple[str, Decimal], Decimal] = {}
    for line in document.lines:
        group = line.tax_category, line.tax_rate
        whole[group] = whole.get(group, ZERO) + line.net
        part[group] = part.get(group, ZERO) + credited.get(line.line, _NOT_CREDITED).amount
    everything = all(_is_credited(line, credited.get(line.line, _NOT_CREDITED)) for line in document.lines)
    shares = {}
    for category, rate, taxable, tax in document.taxes:
        group = category, rate
        if everything or (part.get(group) and part[group] == whole[group]):
            shares[group] = _Share(taxable, tax)
        elif part.get(group) and taxable:
            net = share(taxable, whole[group], part[group], document.currency)
            shares[group] = _Share(net, share(tax, taxable, net, document.currency))
    return shares


def _rounding_upto(document: Document, shares: _Shares) -> Decimal:
    if not (document.rounding and shares):
        return ZERO
    gross = sum((one.net + one.tax for one in shares.values()), ZERO)
    if gross == document.gross:
        return document.rounding
    return round_half_up(document.rounding * gross / document.gross, document.currency)


def _subtotals(document: Document, before: _Shares, after: _Shares, lines: Sequence[InvoiceLine]) -> tuple[TaxSubtotal, ...]:
    """The difference, of the categories and rates that the lines or the difference have something in (BR-CO-18)."""
    named = {(line.tax_category, line.tax_rate) for line in lines}
    taxes = []
    for category, rate, _, _ in document.taxes:
        group = category, rate
        was, now = before.get(group, _NOTHING), after.get(group, _NOTHING)
        if group in named or was != now:
            taxes.append(TaxSubtotal(category=category, rate=rate, taxable=now.net - was.net, tax=now.tax - was.tax))
    return tuple(taxes)


def _line(line: BilledLine, part: Credited) -> InvoiceLine:
    return InvoiceLine(
        line=line.line,
        order_line=line.order_line,
        quote_line=line.quote_line,
        sku=line.sku,
        description=line.description,
        quantity=part.quantity,
        net=part.amount,
        tax_category=line.tax_category,
        tax_rate=line.tax_rate,
    )


CREDIT_NOTE = Aggregate("credit_note", decide, evolve)
