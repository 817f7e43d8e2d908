"""Issues credit notes: an invoice is credited in parts that add up exactly to the invoice.

A credit note reduces the invoice's balance first, then the amount written off: a write-off is no payment, so crediting it
gives the customer nothing back. The rest, up to what was paid here, stands to the customer's credit. What the invoice states as
prepaid (EN 16931 BT-113) was paid elsewhere, and is never refunded from here.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from ltc_events.aggregates.base import require_minor_units, require_not_before
from ltc_events.aggregates.credited import (
    NO_SHARE,
    NOT_CREDITED,
    Shares,
    credited_total,
    credited_upto,
    is_credited,
    rounding_upto,
)
from ltc_events.aggregates.document_math import UnknownLine, require_named_once, share
from ltc_events.aggregates.receivable import (
    BilledLine,
    Credited,
    Document,
    Invoice,
    parts_of,
    written_off_parts,
    written_off_total,
)
from ltc_events.aggregates.tax_relief import after_credit
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO, add_up
from ltc_events.schemas.base import Event
from ltc_events.schemas.credit_note import CreditLine, CreditNoteIssued, IssueCreditNote
from ltc_events.schemas.invoice import InvoiceLine, TaxSubtotal
from ltc_events.schemas.order import LineAmount, LineQuantity
from ltc_events.schemas.receivable import InvoiceCredited, InvoiceSettled


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


def issue(invoice: Invoice, command: IssueCreditNote, number: str) -> CreditNoteIssued:
    """Credit the requested lines, or all that is left of the invoice.

    Document-level allowances and charges, tax and rounding follow in proportion to the lines, cumulated over all credit notes,
    so that crediting the last line brings the rest of them. The amount reduces the invoice's balance, then the amount written
    off; of the remainder, what was paid here becomes `unapplied`, and the rest reduces what the invoice states as prepaid.

    Raises UnknownLine, LineNamedTwice, FinerThanMinorUnit, OverCredit, LineIsCredited and InvoiceIsCredited;
    DatedTooEarly for a day before the invoice, and AvailableLater for a day on which less is owed, or written off, than now.
    """
    document, on = invoice.document, command.effective_on
    require_not_before(on, document.issued_on, invoice.called)
    parts = _asked(invoice, command) if command.lines else _all_left(invoice)
    before = credited_upto(document, invoice.credited)
    after = credited_upto(document, _with(invoice.credited, parts))
    lines = tuple(_line(line, part) for line, part in parts)
    taxes = _subtotals(document, before, after, lines)
    line_total = add_up(line.net for line in lines)
    net = add_up(tax.taxable for tax in taxes)
    tax = add_up(tax.tax for tax in taxes)
    rounding = rounding_upto(document, after) - rounding_upto(document, before)
    payable = net + tax + rounding
    applied = min(payable, invoice.balance)
    given_up = written_off_total(invoice)
    reversed = min(payable - applied, given_up)
    prepaid = _prepaid_credited(invoice, payable - applied - reversed)
    restored = after_credit(invoice, after, rounding_upto(document, after), reversed)
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
        not_before=document.issued_on,
        applied=applied,
        unapplied=payable - applied - reversed - prepaid,
        parts=parts_of(invoice.items, applied, on, invoice.called),
        write_off_reversed=reversed,
        write_off_parts=written_off_parts(invoice.items, reversed, on, invoice.called_written_off),
        write_off_relieved=restored.amount,
        write_off_taxes=restored.subtotals,
        prepaid_credited=prepaid,
        approver=command.approver,
    )


def credit(invoice: Invoice, credit_note_id: UUID, issued: CreditNoteIssued) -> list[Event]:
    """The events on the credited invoice, which is settled when nothing of it is left open."""
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
        write_off_relieved=issued.write_off_relieved,
        write_off_taxes=issued.write_off_taxes,
        prepaid_credited=issued.prepaid_credited,
        not_before=issued.not_before,
    )
    return [credited, InvoiceSettled()] if invoice.balance and not balance else [credited]


def _prepaid_credited(invoice: Invoice, rest: Decimal) -> Decimal:
    """The part of `rest` (neither owed nor written off) that goes against what the invoice states as prepaid.

    What was paid here and is not credited yet comes first: it stands to the customer's credit.
    """
    if not invoice.prepaid:
        return ZERO
    document = invoice.document
    left = document.gross + document.rounding - credited_total(document, invoice.credited)
    paid_here = left - invoice.balance - written_off_total(invoice) - invoice.prepaid
    return min(invoice.prepaid, max(ZERO, rest - max(ZERO, paid_here)))


def to_bill_again(command: IssueCreditNote, issued: CreditNoteIssued) -> list[LineQuantity]:
    """The order lines to be billed again by the command's `bill_again`. Raises NoQuantityToBillAgain."""
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
    """The credited quantity and net amount of a line: never more than is left of either."""
    document = invoice.document
    done = invoice.credited.get(line.line, NOT_CREDITED)
    left = Credited(line.quantity - done.quantity, line.net - done.amount)
    if is_credited(line, done):
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
        done = invoice.credited.get(line.line, NOT_CREDITED)
        if not is_credited(line, done):
            parts.append((line, Credited(line.quantity - done.quantity, line.net - done.amount)))
    if not parts:
        raise InvoiceIsCredited(number=invoice.document.number)
    return parts


def _with(credited: Mapping[int, Credited], parts: list[tuple[BilledLine, Credited]]) -> dict[int, Credited]:
    together = dict(credited)
    for line, part in parts:
        done = together.get(line.line, NOT_CREDITED)
        together[line.line] = Credited(done.quantity + part.quantity, done.amount + part.amount)
    return together


def _subtotals(document: Document, before: Shares, after: Shares, lines: Sequence[InvoiceLine]) -> tuple[TaxSubtotal, ...]:
    """The difference per tax category and rate, without those in which lines and difference are both zero (BR-CO-18)."""
    named = {(line.tax_category, line.tax_rate) for line in lines}
    taxes = []
    for category, rate, _, _ in document.taxes:
        group = category, rate
        was, now = before.get(group, NO_SHARE), after.get(group, NO_SHARE)
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
