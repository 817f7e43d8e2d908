"""Issues invoices: billed order lines, totalled by EN 16931 and split into instalments (R-63 … R-65). Pure."""

from collections.abc import Sequence
from datetime import date, timedelta

from ltc_events.aggregates.base import require_minor_units
from ltc_events.aggregates.document_math import cash_rounding, instalments, require_enough_lines, require_prepaid_within, totals
from ltc_events.aggregates.order_state import Line, Order
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.policy import TermsNotHundredPercent
from ltc_events.aggregates.tax_category import require_ordered_tax, require_tax
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import HUNDRED, ZERO, add_up
from ltc_events.schemas.base import Event
from ltc_events.schemas.invoice import InvoiceIssued, InvoiceLine, IssueInvoice
from ltc_events.schemas.limits import DAYS_MAX, LAST_DAY, NET_MAX
from ltc_events.schemas.order import LineAmount
from ltc_events.schemas.policy import Term
from ltc_events.schemas.receivable import InvoiceSettled


class UnknownTerms(Refused):
    """there are no payment terms {code}"""

    field = "terms_code"
    remedy = "use one of {known}, publish {code} in policy payment_terms, or give terms"


class DueOutsideTerms(Refused):
    """{due_on} is not within {days} days from {issued_on}, the date of the invoice"""

    field = "due_on"
    remedy = "state a day from {issued_on} to {latest}, or leave it out: the payment terms say when it is due"


class DueTwice(Refused):
    """due_on and {other} both say when the invoice is due"""

    field = "due_on"
    remedy = "give due_on for one day on which all is due, or {other}"


class StatedPayableDiffers(Refused):
    """the source states {stated} payable, but the invoice comes to {payable}"""

    field = "stated_payable"
    remedy = (
        "correct what is billed, its allowances, charges, tax or rounding so that {payable} becomes {stated}, or state {payable}"
    )


class InvoiceTooLarge(Refused):
    """the invoice comes to {gross}, and no payment can be more than {limit}"""

    field = "lines"
    remedy = "bill it by several invoices of up to {limit} each"


def issue(
    order: Order, billed: Sequence[tuple[Line, LineAmount]], command: IssueInvoice, number: str, policies: Policies
) -> list[Event]:
    """The events of an invoice for `billed`; it is settled at once when nothing is payable.

    Raises FinerThanMinorUnit, UnknownTaxCategory, TaxRateUnfit, AllowancesExceedLines, PrepaidExceedsGross, RoundingTooFine,
    InvoiceTooLarge, UnknownTerms, TermsNotHundredPercent, DueTwice, DueOutsideTerms and StatedPayableDiffers.
    """
    currency = order.currency
    _require_payable_amounts(command, currency)
    for line, _ in billed:
        # What was ordered before categories were checked, too, comes on no invoice as it is.
        require_ordered_tax(line.sold.tax_category, line.sold.tax_rate, line.line)
    lines = tuple(_line(index, line, part) for index, (line, part) in enumerate(billed, 1))
    total = totals(lines, command.allowances, command.charges, currency, command.rounding_method)
    if total.gross > NET_MAX:
        raise InvoiceTooLarge(gross=total.gross, limit=NET_MAX)
    if command.allowances:
        require_enough_lines(total.taxes)
    prepaid = command.prepaid or ZERO
    require_prepaid_within(prepaid, total.gross)
    due = total.gross - prepaid
    rounding = cash_rounding(due, command.cash_rounding, currency)
    payable = due + rounding
    if command.stated_payable is not None and command.stated_payable != payable:
        raise StatedPayableDiffers(stated=command.stated_payable, payable=payable)
    terms = (_stated(command, command.due_on),) if command.due_on else _terms(command, policies)
    issued = InvoiceIssued(
        number=number,
        order_id=command.order_id,
        quote_id=order.quote_id,
        opportunity_id=order.opportunity_id,
        currency=currency,
        lines=lines,
        allowances=command.allowances,
        charges=command.charges,
        taxes=total.taxes,
        line_total=total.line_total,
        allowance_total=total.allowance_total,
        charge_total=total.charge_total,
        net=total.net,
        tax=total.tax,
        gross=total.gross,
        prepaid=prepaid,
        rounding=rounding,
        payable=payable,
        instalments=instalments(payable, terms, command.effective_on, currency),
        rounding_method=command.rounding_method,
        billing_version=policies.billing.version,
        terms_version=policies.payment_terms.version,
        references=command.references,
        not_before=order.placed_on,
    )
    return [issued] if payable else [issued, InvoiceSettled()]


def _stated(command: IssueInvoice, due_on: date) -> Term:
    """The terms that come to a stated day. Raises DueTwice, DueOutsideTerms."""
    for other in ("terms", "terms_code"):
        if getattr(command, other):
            raise DueTwice(other=other)
    days = (due_on - command.effective_on).days
    if not 0 <= days <= DAYS_MAX:
        latest = min(command.effective_on + timedelta(days=DAYS_MAX), LAST_DAY)
        raise DueOutsideTerms(due_on=due_on, days=DAYS_MAX, issued_on=command.effective_on, latest=latest)
    return Term(percent=HUNDRED, days=days)


def _terms(command: IssueInvoice, policies: Policies) -> Sequence[Term]:
    """The terms of payment: those given, those named, or the policy's default."""
    if command.terms:
        total = add_up(term.percent for term in command.terms)
        if total != HUNDRED:
            raise TermsNotHundredPercent(terms="the terms given", total=total, at="terms")
        return command.terms
    known = policies.payment_terms.content.terms
    code = command.terms_code or "default"
    terms = known.get(code)
    if terms is None:
        raise UnknownTerms(code=code, known=", ".join(sorted(known)))
    return terms


def _require_payable_amounts(command: IssueInvoice, currency: str) -> None:
    """Check the amounts and tax categories that the command states for the invoice itself."""
    for name, several in (("allowances", command.allowances), ("charges", command.charges)):
        for index, one in enumerate(several):
            require_minor_units(one.amount, currency, f"{name}.{index}.amount")
            require_tax(one.tax_category, one.tax_rate, f"{name}.{index}")
    if command.prepaid is not None:
        require_minor_units(command.prepaid, currency, "prepaid")


def _line(number: int, line: Line, part: LineAmount) -> InvoiceLine:
    sold = line.sold
    return InvoiceLine(
        line=number,
        order_line=line.line,
        quote_line=sold.quote_line,
        sku=sold.sku,
        description=sold.description,
        quantity=part.quantity,
        net=part.amount,
        tax_category=sold.tax_category,
        tax_rate=sold.tax_rate,
    )
