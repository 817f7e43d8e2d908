"""Issuing invoices: quantities, EN 16931 totals, instalments, numbers (R-63 … R-65)."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.unit.money_examples import (
    INVOICE,
    NUMBER,
    ORDER,
    OTHER_INVOICE,
    amounts,
    delivered,
    issued,
    money,
    order_line,
    placed,
    quantities,
)
from tests.unit.specification import STRANGER, at, given, of

from ltc_events.aggregates.base import AlreadyExists, FinerThanMinorUnit
from ltc_events.aggregates.document_math import (
    AllowancesExceedLines,
    LineNamedTwice,
    PrepaidExceedsGross,
    RoundingTooFine,
    UnknownLine,
)
from ltc_events.aggregates.invoicing import DueOutsideTerms, DueTwice, StatedPayableDiffers, UnknownTerms
from ltc_events.aggregates.order import NothingBillable, OverBilling
from ltc_events.aggregates.policy import TermsNotHundredPercent
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.unit_of_work import NotFound
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.invoice import DocumentCharge, Instalment, InvoiceIssued, InvoiceLine, IssueInvoice, TaxSubtotal
from ltc_events.schemas.number_series import NumberAssigned, series_id
from ltc_events.schemas.order import CancelOrder, OrderCancelled, OrderInvoiced
from ltc_events.schemas.policy import Billing, PaymentTerms, PolicyPublished, Term
from ltc_events.schemas.receivable import InvoiceSettled

SERIES = series_id("INV", 2026)
DELIVERED = at(ORDER, placed(), delivered((1, "10", "100.00"), complete=True))
GENEROUS = PolicyPublished(version=1, content=Billing(kind="billing", basis="ordered", over_billing_percent=Decimal(10)))


def bill(**changes: Any) -> IssueInvoice:
    return IssueInvoice(**{"order_id": ORDER, **changes})


def charge(amount: str, rate: str = "19", category: str = "S") -> DocumentCharge:
    return DocumentCharge(amount=Decimal(amount), reason="freight", tax_category=category, tax_rate=Decimal(rate))


def invoice_from(*history: Any, **command: Any) -> InvoiceIssued:
    """The invoice that comes of a command."""
    events = given(*history).when(bill(**command), subject=INVOICE).events
    [invoice] = [event for event in events if isinstance(event, InvoiceIssued)]
    return invoice


def term(percent: str, days: int) -> Term:
    return Term(percent=Decimal(percent), days=days)


def test_an_invoice_takes_a_number_and_marks_the_order_in_one_go() -> None:
    order = placed(order_line(quote_line=7), quote_id=OTHER_INVOICE, opportunity_id=STRANGER)
    line = InvoiceLine(
        line=1,
        order_line=1,
        quote_line=7,
        sku="mill",
        description="A mill",
        quantity=Decimal(6),
        net=Decimal("60.00"),
        tax_category="S",
        tax_rate=Decimal(19),
    )
    given(at(ORDER, order, delivered((1, "6", "60.00")))).when(bill(references={"erp": "9"}), subject=INVOICE).then(
        at(SERIES, NumberAssigned(series="INV", year=2026, sequence=1, number=NUMBER, document_id=INVOICE)),
        at(
            INVOICE,
            InvoiceIssued(
                number=NUMBER,
                order_id=ORDER,
                quote_id=OTHER_INVOICE,
                opportunity_id=STRANGER,
                currency="EUR",
                lines=(line,),
                taxes=(TaxSubtotal(category="S", rate=Decimal(19), taxable=Decimal(60), tax=Decimal("11.40")),),
                line_total=Decimal(60),
                allowance_total=Decimal(0),
                charge_total=Decimal(0),
                net=Decimal(60),
                tax=Decimal("11.40"),
                gross=Decimal("71.40"),
                prepaid=Decimal(0),
                rounding=Decimal(0),
                payable=Decimal("71.40"),
                instalments=(Instalment(number=1, due_on=date(2026, 4, 1), amount=Decimal("71.40")),),
                rounding_method="document",
                billing_version=0,
                terms_version=0,
                references={"erp": "9"},
            ),
        ),
        at(ORDER, OrderInvoiced(invoice_id=INVOICE, lines=amounts((1, "6", "60.00")), amount=Decimal(60))),
    )


def test_numbers_have_no_gap_and_begin_anew_every_year() -> None:
    lines = quantities((1, "1"))
    story = given(DELIVERED)
    for number, (year, sequence, series) in enumerate([(2026, 1, "INV"), (2026, 2, "INV"), (2027, 1, "INV"), (2026, 1, "EXP")]):
        command = bill(lines=lines, series=series)
        [assigned, *_] = story.when(command, subject=_id(number), on=date(year, 5, 1)).events
        assert (assigned.year, assigned.sequence) == (year, sequence)
        assert assigned.number == f"{series}-{year}-{sequence:06d}"
    # A command that is refused takes no number.
    story.when(bill(lines=quantities((1, "99"))), subject=_id(9)).then(OverBilling)


def test_what_is_delivered_is_billable_unless_policy_or_command_say_ordered() -> None:
    part = at(ORDER, placed(), delivered((1, "4", "40.00")))
    assert invoice_from(part).net == 40
    assert invoice_from(part, basis="ordered").net == 100
    assert invoice_from(part, GENEROUS).net == 100
    assert invoice_from(part, GENEROUS).billing_version == 1
    assert invoice_from(part, GENEROUS, basis="delivered").net == 40


def test_billing_more_than_is_billable_is_refused_with_both_figures() -> None:
    part = at(ORDER, placed(), delivered((1, "4", "40.00")))
    given(part).when(bill(lines=quantities((1, "5"))), subject=INVOICE).then(
        OverBilling, field="lines.0.quantity", message="line 1 has 4 billable by delivered quantity, not 5", fix="at most 4"
    )


def test_policy_allows_billing_a_little_more() -> None:
    assert invoice_from(DELIVERED, GENEROUS, lines=quantities((1, "11"))).net == 110
    given(DELIVERED, GENEROUS).when(bill(lines=quantities((1, "11.5"))), subject=INVOICE).then(OverBilling, message="11 billable")


def test_the_little_more_is_worked_out_with_every_digit() -> None:
    much = at(ORDER, placed(order_line(quantity="100000000000000.000000001", net="100.00")))
    double = PolicyPublished(
        version=1, content=Billing(kind="billing", basis="ordered", over_billing_percent=Decimal("99.999999999"))
    )
    given(much, double).when(bill(lines=quantities((1, "199999999999000.000000002"))), subject=INVOICE).then(
        OverBilling, message="199999999999000.00000000199999999999 billable"
    )


def test_nothing_is_billed_twice() -> None:
    story = given(DELIVERED).when(bill(), subject=INVOICE)
    story.when(bill(), subject=OTHER_INVOICE).then(NothingBillable, field="order_id", fix="report more deliveries")
    given(at(ORDER, placed())).when(bill(), subject=INVOICE).then(NothingBillable, message="by delivered quantity")
    given(DELIVERED).when(bill(basis="ordered"), subject=INVOICE).when(bill(basis="ordered"), subject=OTHER_INVOICE).then(
        NothingBillable, fix="amend the order"
    )


def test_what_was_delivered_before_a_cancellation_stays_billable() -> None:
    order = at(ORDER, placed(), delivered((1, "4", "40.00")))
    cancelled = given(order).when(CancelOrder(reason="late"), subject=ORDER).events
    assert isinstance(cancelled[0], OrderCancelled)
    assert invoice_from(order, at(ORDER, *cancelled), basis="ordered").net == 40


def test_the_parts_of_a_line_add_up_to_it_exactly() -> None:
    story = given(at(ORDER, placed(order_line(quantity="3", net="100.00"))))
    nets = []
    for number in range(3):
        story.when(bill(lines=quantities((1, "1")), basis="ordered"), subject=_id(number))
        nets.append(story.events[1].net)
    assert nets == list(money("33.33", "33.34", "33.33"))


def test_lines_are_known_and_named_once() -> None:
    given(DELIVERED).when(bill(lines=quantities((4, "1"))), subject=INVOICE).then(UnknownLine, field="lines.0.line")
    given(DELIVERED).when(bill(lines=quantities((1, "1"), (1, "1"))), subject=INVOICE).then(LineNamedTwice)


def test_allowances_and_charges_change_net_and_tax() -> None:
    invoice = invoice_from(DELIVERED, allowances=(charge("10.00"),), charges=(charge("5.00", "7"), charge("2.00", "0", "Z")))
    assert (invoice.line_total, invoice.allowance_total, invoice.charge_total) == money("100.00", "10.00", "7.00")
    assert (invoice.net, invoice.tax, invoice.gross) == money("97.00", "17.45", "114.45")
    assert [(tax.category, tax.rate, tax.taxable, tax.tax) for tax in invoice.taxes] == [
        ("S", *money("19", "90.00", "17.10")),
        ("S", *money("7", "5.00", "0.35")),
        ("Z", *money("0", "2.00", "0.00")),
    ]


def test_allowances_beyond_the_lines_are_refused() -> None:
    given(DELIVERED).when(bill(allowances=(charge("100.01"),)), subject=INVOICE).then(
        AllowancesExceedLines, field="allowances", message="leave -0.01", fix="by 0.01"
    )
    given(DELIVERED).when(bill(allowances=(charge("1.00", "7"),)), subject=INVOICE).then(AllowancesExceedLines, message="at 7 %")


def test_tax_is_rounded_per_document_or_per_line() -> None:
    lines = tuple(order_line(number, "1", "0.03") for number in (1, 2, 3))
    order = at(ORDER, placed(*lines))
    assert invoice_from(order, basis="ordered").tax == Decimal("0.02")
    by_line = invoice_from(order, basis="ordered", rounding_method="line")
    assert (by_line.tax, by_line.rounding_method) == (Decimal("0.03"), "line")


def test_what_was_prepaid_is_taken_off_and_the_rest_rounded_for_cash() -> None:
    invoice = invoice_from(DELIVERED, prepaid=Decimal("18.98"), cash_rounding=Decimal("0.05"))
    assert (invoice.gross, invoice.prepaid, invoice.rounding, invoice.payable) == money("119.00", "18.98", "-0.02", "100.00")
    assert [part.amount for part in invoice.instalments] == [Decimal("100.00")]


def test_amounts_that_cannot_be_paid_are_refused() -> None:
    given(DELIVERED).when(bill(prepaid=Decimal("119.01")), subject=INVOICE).then(
        PrepaidExceedsGross, field="prepaid", message="119.01 was prepaid on an invoice of 119.00"
    )
    given(DELIVERED).when(bill(prepaid=Decimal("0.001")), subject=INVOICE).then(FinerThanMinorUnit, field="prepaid")
    given(DELIVERED).when(bill(charges=(charge("1.00"), charge("0.005"))), subject=INVOICE).then(
        FinerThanMinorUnit, field="charges.1.amount"
    )
    given(DELIVERED).when(bill(cash_rounding=Decimal("0.025")), subject=INVOICE).then(
        RoundingTooFine, field="cash_rounding", fix="0.01"
    )


def test_an_invoice_that_comes_to_nothing_is_settled_at_once() -> None:
    free = at(ORDER, placed(order_line(net="0.00")))
    *_, invoice, settled, _ = given(free).when(bill(basis="ordered"), subject=INVOICE).events
    assert invoice.payable == 0
    assert settled == InvoiceSettled()


def test_terms_split_what_is_payable() -> None:
    given_terms = invoice_from(DELIVERED, terms=(term("33.33", 0), term("33.33", 10), term("33.34", 20)))
    assert [(part.number, part.due_on, part.amount) for part in given_terms.instalments] == [
        (1, date(2026, 3, 2), Decimal("39.66")),
        (2, date(2026, 3, 12), Decimal("39.66")),
        (3, date(2026, 3, 22), Decimal("39.68")),
    ]
    named = invoice_from(DELIVERED, terms_code="half_now_half_60")
    assert [part.due_on for part in named.instalments] == [date(2026, 3, 2), date(2026, 5, 1)]
    content = PaymentTerms(kind="payment_terms", terms={"default": (term("100", 7),)})
    published = invoice_from(DELIVERED, PolicyPublished(version=4, content=content))
    assert (published.instalments[0].due_on, published.terms_version) == (date(2026, 3, 9), 4)


def test_a_stated_day_is_when_all_is_due() -> None:
    stated = invoice_from(DELIVERED, due_on=date(2026, 4, 17))
    assert [(part.due_on, part.amount) for part in stated.instalments] == [(date(2026, 4, 17), Decimal("119.00"))]
    assert invoice_from(DELIVERED, due_on=date(2026, 3, 2)).instalments[0].due_on == date(2026, 3, 2)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2036, 2, 29)])
def test_a_stated_day_is_neither_before_the_invoice_nor_beyond_all_terms(day: date) -> None:
    assert invoice_from(DELIVERED, due_on=date(2036, 2, 28))
    given(DELIVERED).when(bill(due_on=day), subject=INVOICE).then(
        DueOutsideTerms, field="due_on", fix="from 2026-03-02 to 2036-02-28"
    )
    last = bill(due_on=date(2026, 3, 1), effective_on=date(2195, 1, 1))
    given(DELIVERED).when(last, subject=INVOICE).then(DueOutsideTerms, fix="from 2195-01-01 to 2199-12-31")


@pytest.mark.parametrize("other", [{"terms": (Term(percent=Decimal(100), days=3),)}, {"terms_code": "default"}])
def test_terms_and_a_stated_day_are_one_too_many(other: dict[str, Any]) -> None:
    both = bill(due_on=date(2026, 4, 17), **other)
    given(DELIVERED).when(both, subject=INVOICE).then(DueTwice, field="due_on", fix=next(iter(other)))


def test_many_small_instalments_never_go_below_zero() -> None:
    terms = (*(term("8", 30 * number) for number in range(12)), term("4", 400))
    small = invoice_from(at(ORDER, placed(order_line(net="0.06"))), basis="ordered", terms=terms)
    assert [part.amount for part in small.instalments] == [*money(*["0.01"] * 7), *money(*["0"] * 6)]


def test_terms_that_are_unknown_or_do_not_add_up_are_refused() -> None:
    given(DELIVERED).when(bill(terms_code="never"), subject=INVOICE).then(UnknownTerms, field="terms_code", fix="default, half")
    given(DELIVERED).when(bill(terms=(term("99", 0),)), subject=INVOICE).then(
        TermsNotHundredPercent, field="terms", message="the shares of the terms given add up to 99 percent"
    )


def test_what_the_source_states_must_come_out() -> None:
    assert invoice_from(DELIVERED, stated_payable=Decimal(119)).payable == 119
    given(DELIVERED).when(bill(stated_payable=Decimal("120.00")), subject=INVOICE).then(
        StatedPayableDiffers, field="stated_payable", message="120.00 payable, but the invoice comes to 119.00"
    )


def test_an_invoice_is_issued_once_for_an_order_of_the_customer() -> None:
    given(DELIVERED, at(INVOICE, issued("10.00"))).when(bill(), subject=INVOICE).then(AlreadyExists, field="subject")
    given().when(bill(), subject=INVOICE).then(NotFound, field="order_id")
    given(of(STRANGER, DELIVERED)).when(bill(), subject=INVOICE).then(OtherCustomers)


@pytest.mark.parametrize(("currency", "net", "tax"), [("JPY", "100", "19"), ("KWD", "100.003", "19.001")])
def test_tax_is_in_the_minor_unit_of_the_currency(currency: str, net: str, tax: str) -> None:
    order = at(ORDER, placed(order_line(net=net), currency=currency))
    assert invoice_from(order, basis="ordered").tax == Decimal(tax)


def _id(number: int) -> UUID:
    return derive_id("test", "invoice", str(number))
