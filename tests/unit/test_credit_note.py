"""Credit notes: parts of an invoice that, together, are exactly the invoice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.unit.money_examples import (
    CREDIT_NOTE,
    INVOICE,
    ORDER,
    PAYMENT,
    amounts,
    issued,
    money,
    order_line,
    parts_of,
    placed,
    received,
)
from tests.unit.specification import STRANGER, Specification, at, given, of

from ltc_events.aggregates.base import AlreadyExists, FinerThanMinorUnit
from ltc_events.aggregates.billing import LineNamedTwice, UnknownLine
from ltc_events.aggregates.credit_note import InvoiceIsCredited, LineIsCredited, OverCredit
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.work import NotFound
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.credit_note import CreditLine, CreditNoteIssued, CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import (
    DocumentCharge,
    InvoiceCredited,
    InvoiceLine,
    InvoiceSettled,
    IssueInvoice,
    TaxSubtotal,
    WriteOffInvoice,
)
from ltc_events.schemas.number_series import NumberAssigned, series_id
from ltc_events.schemas.payment import AllocatePayment

SERIES = series_id("CN", 2026)
ORDERED = at(ORDER, placed(order_line(), order_line(2, "3", "50.00", tax_rate=Decimal(7))))


def credit(*lines: CreditLine) -> IssueCreditNote:
    return IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.UNSATISFACTORY, lines=lines)


def line(number: int, amount: str | None = None, quantity: str | None = None) -> CreditLine:
    return CreditLine(
        line=number,
        amount=None if amount is None else Decimal(amount),
        quantity=None if quantity is None else Decimal(quantity),
    )


def invoiced(**command: Any) -> Specification:
    """An invoice of 100.00 at 19 % and 50.00 at 7 %, gross 172.50."""
    return given(ORDERED).when(IssueInvoice(order_id=ORDER, basis="ordered", **command), subject=INVOICE)


def charge(amount: str, rate: str = "19") -> DocumentCharge:
    return DocumentCharge(amount=Decimal(amount), reason="freight", tax_rate=Decimal(rate))


def credited(story: Specification, command: IssueCreditNote, number: int = 1) -> CreditNoteIssued:
    """The credit note that comes of a command."""
    events = story.when(command, subject=derive_id("test", "credit note", str(number))).events
    [note] = [event for event in events if isinstance(event, CreditNoteIssued)]
    return note


def figures(note: CreditNoteIssued) -> Sequence[Decimal]:
    return note.net, note.tax, note.rounding, note.payable


def test_a_credit_note_takes_a_number_and_goes_against_what_is_owed() -> None:
    tax = TaxSubtotal(category="S", rate=Decimal(19), taxable=Decimal("30.00"), tax=Decimal("5.70"))
    credited_line = InvoiceLine(
        line=1,
        order_line=1,
        sku="mill",
        description="A mill",
        quantity=Decimal(3),
        net=Decimal("30.00"),
        tax_category="S",
        tax_rate=Decimal(19),
    )
    command = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER, note="rust", lines=(line(1, quantity="3"),))
    invoiced().when(command, subject=CREDIT_NOTE).then(
        at(SERIES, NumberAssigned(series="CN", year=2026, sequence=1, number="CN-2026-000001", document_id=CREDIT_NOTE)),
        at(
            CREDIT_NOTE,
            CreditNoteIssued(
                number="CN-2026-000001",
                invoice_id=INVOICE,
                currency="EUR",
                reason=CreditReason.OTHER,
                note="rust",
                lines=(credited_line,),
                taxes=(tax,),
                line_total=Decimal(30),
                adjustment=Decimal(0),
                net=Decimal(30),
                tax=Decimal("5.70"),
                rounding=Decimal(0),
                payable=Decimal("35.70"),
                applied=Decimal("35.70"),
                unapplied=Decimal(0),
                parts=parts_of((1, "35.70")),
            ),
        ),
        at(
            INVOICE,
            InvoiceCredited(
                credit_note_id=CREDIT_NOTE,
                currency="EUR",
                lines=amounts((1, "3", "30.00")),
                parts=parts_of((1, "35.70")),
                amount=Decimal("35.70"),
                credited_net=Decimal(30),
                balance=Decimal("136.80"),
            ),
        ),
    )


def test_a_whole_credit_is_exactly_the_invoice() -> None:
    story = invoiced(
        allowances=(charge("10.00"),), charges=(charge("4.99", "7"),), cash_rounding=Decimal("0.05"), prepaid=Decimal(20)
    )
    invoice = story.events[1]
    note = credited(story, credit())
    assert story.events[-1] == InvoiceSettled()
    assert figures(note) == (invoice.net, invoice.tax, invoice.rounding, invoice.payable + invoice.prepaid)
    assert note.taxes == invoice.taxes
    assert (note.line_total, note.adjustment) == money("150.00", "-5.01")
    # What was prepaid was never owed, so that much stands to the customer's credit.
    assert (note.applied, note.unapplied) == (invoice.payable, Decimal(20))


def test_parts_add_up_to_the_invoice_to_the_cent() -> None:
    story = invoiced(allowances=(charge("0.01"),), charges=(charge("0.02", "0"),), cash_rounding=Decimal("0.05"))
    invoice = story.events[1]
    notes = [
        credited(story, credit(line(1, "33.33")), 1),
        credited(story, credit(line(2, quantity="1"), line(1, "33.33")), 2),
        credited(story, credit(line(2, quantity="1")), 3),
        credited(story, credit(), 4),
    ]
    assert [sum(column) for column in zip(*map(figures, notes), strict=True)] == [
        invoice.net,
        invoice.tax,
        invoice.rounding,
        invoice.gross + invoice.rounding,
    ]
    assert [note.number[-1] for note in notes] == list("1234")


def test_allowances_and_charges_follow_their_lines() -> None:
    note = credited(invoiced(allowances=(charge("10.00"),)), credit(line(1, "50.00")))
    assert (note.line_total, note.adjustment, note.net, note.tax) == money("50.00", "-5.00", "45.00", "8.55")


def test_a_quantity_after_a_reduction_of_the_price_takes_what_is_left() -> None:
    story = invoiced()
    credited(story, credit(line(1, "70.00")), 1)
    assert credited(story, credit(line(1, quantity="2")), 2).net == Decimal("20.00")
    assert credited(story, credit(line(1, quantity="2")), 3).net == Decimal("10.00")
    story.when(credit(line(1, quantity="2")), subject=CREDIT_NOTE).then(LineIsCredited, field="lines.0.line", fix="leave line 1")


def test_a_quantity_may_be_credited_at_another_price() -> None:
    story = invoiced()
    note = credited(story, credit(line(1, "10.00", "5")))
    assert [(part.quantity, part.net) for part in note.lines] == [money("5", "10.00")]
    story.when(credit(line(1, quantity="6")), subject=CREDIT_NOTE).then(
        OverCredit, field="lines.0.quantity", message="has 5 left to credit, not 6"
    )


def test_no_more_is_credited_than_is_left_of_a_line() -> None:
    story = invoiced()
    credited(story, credit(line(1, "60.00")))
    story.when(credit(line(1, "40.01")), subject=CREDIT_NOTE).then(
        OverCredit, field="lines.0.amount", message="line 1 of invoice INV-2026-000001 has 40.00 left", fix="at most 40.00"
    )


def test_an_invoice_is_credited_in_full_once() -> None:
    story = invoiced()
    credited(story, credit())
    story.when(credit(), subject=CREDIT_NOTE).then(InvoiceIsCredited, field="invoice_id", message="INV-2026-000001")


def test_lines_are_known_named_once_and_payable() -> None:
    invoiced().when(credit(line(3)), subject=CREDIT_NOTE).then(UnknownLine, field="lines.0.line", fix="1, 2")
    invoiced().when(credit(line(1), line(1)), subject=CREDIT_NOTE).then(LineNamedTwice)
    invoiced().when(credit(line(1, "0.001")), subject=CREDIT_NOTE).then(FinerThanMinorUnit, field="lines.0.amount")


def test_what_the_invoice_no_longer_owes_stands_to_the_customers_credit() -> None:
    story = given(at(INVOICE, issued("60.00", "40.00")), at(PAYMENT, received("70.00"))).when(AllocatePayment(), subject=PAYMENT)
    note = credited(story, credit())
    assert (note.applied, note.unapplied, note.parts) == (*money("30.00", "70.00"), parts_of((2, "30.00")))
    assert story.events[-1] == InvoiceSettled()


def test_crediting_a_settled_invoice_does_not_settle_it_again() -> None:
    story = given(at(INVOICE, issued("100.00"))).when(WriteOffInvoice(reason="bankrupt"), subject=INVOICE)
    note = credited(story, credit())
    assert (note.applied, note.unapplied, note.parts) == (*money("0", "100.00"), ())
    assert isinstance(story.events[-1], InvoiceCredited)


def test_a_free_line_is_credited_by_quantity() -> None:
    free = at(ORDER, placed(order_line(), order_line(2, "3", "0.00")))
    story = given(free).when(IssueInvoice(order_id=ORDER, basis="ordered"), subject=INVOICE)
    note = credited(story, credit(line(2, quantity="3")), 1)
    assert figures(note) == money("0", "0", "0", "0")
    assert [tax.rate for tax in note.taxes] == [19]
    assert credited(story, credit(), 2).net == 100


def test_an_invoice_of_nothing_is_credited_once() -> None:
    free = at(ORDER, placed(order_line(net="0.00"), order_line(2, "3", "0.00")))
    story = given(free).when(IssueInvoice(order_id=ORDER, basis="ordered", charges=(charge("5.00"),)), subject=INVOICE)
    assert credited(story, credit(line(1)), 1).net == 0
    assert credited(story, credit(), 2).net == 5
    story.when(credit(), subject=CREDIT_NOTE).then(InvoiceIsCredited)


def test_a_credit_note_is_issued_once_for_an_invoice_of_the_customer() -> None:
    invoiced().when(credit(), subject=CREDIT_NOTE).when(credit(), subject=CREDIT_NOTE).then(AlreadyExists, field="subject")
    given().when(credit(), subject=CREDIT_NOTE).then(NotFound, field="invoice_id")
    given(of(STRANGER, at(INVOICE, issued("100.00")))).when(credit(), subject=CREDIT_NOTE).then(OtherCustomers)
