"""Credit notes: parts of an invoice that, together, are exactly the invoice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.unit.money_examples import (
    CREDIT_NOTE,
    INVOICE,
    ORDER,
    OTHER_INVOICE,
    PAYMENT,
    amounts,
    issued,
    line_request,
    money,
    order_line,
    parts_of,
    placed,
    received,
)
from tests.unit.specification import STRANGER, TODAY, Placed, Specification, at, given, of

from ltc_events.aggregates.base import AlreadyExists, FinerThanMinorUnit
from ltc_events.aggregates.credit_note_issue import InvoiceIsCredited, LineIsCredited, NoQuantityToBillAgain, OverCredit
from ltc_events.aggregates.document_math import LineNamedTwice, UnknownLine
from ltc_events.aggregates.order import NothingBillable
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.unit_of_work import NotFound
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.credit_note import CreditLine, CreditNoteIssued, CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import DocumentCharge, InvoiceIssued, InvoiceLine, IssueInvoice, TaxSubtotal
from ltc_events.schemas.number_series import NumberAssigned, series_id
from ltc_events.schemas.order import AmendOrder, CancelOrder, OrderBillingReversed
from ltc_events.schemas.payment import AllocatePayment
from ltc_events.schemas.receivable import InvoiceCredited, InvoiceSettled, WriteOffInvoice

SERIES = series_id("CN", 2026)
ORDERED = at(ORDER, placed(order_line(), order_line(2, "3", "50.00", tax_rate=Decimal(7))))


def credit(*lines: CreditLine) -> IssueCreditNote:
    return IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.UNSATISFACTORY, lines=lines)


def line(number: int, amount: str | None = None, quantity: str | None = None, again: bool | None = None) -> CreditLine:
    return CreditLine(
        line=number,
        amount=None if amount is None else Decimal(amount),
        quantity=None if quantity is None else Decimal(quantity),
        bill_again=again,
    )


def invoiced(**command: Any) -> Specification:
    """An invoice of 100.00 at 19 % and 50.00 at 7 %, gross 172.50."""
    return given(ORDERED).when(IssueInvoice(order_id=ORDER, basis="ordered", **command), subject=INVOICE)


def charge(amount: str, rate: str = "19") -> DocumentCharge:
    category = "S" if Decimal(rate) else "Z"
    return DocumentCharge(amount=Decimal(amount), reason="freight", tax_category=category, tax_rate=Decimal(rate))


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
    # What was prepaid never came in here: it is credited, and nothing of it stands to the customer's credit.
    assert (note.applied, note.prepaid_credited, note.unapplied) == (invoice.payable, Decimal(20), Decimal(0))


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
    assert (note.applied, note.write_off_reversed, note.unapplied, note.parts) == (*money("0", "100.00", "0"), ())
    assert isinstance(story.events[-1], InvoiceCredited)


class TestCreditingWhatWasWrittenOff:
    """Giving up a debt is no payment: crediting it afterwards leaves the customer no claim."""

    def story(self, paid: str, written_off: str) -> Specification:
        """An invoice of 60.00 and 40.00, of which this was paid, and then this given up."""
        story = given(at(INVOICE, issued("60.00", "40.00")), at(PAYMENT, received(paid))).when(AllocatePayment(), subject=PAYMENT)
        return story.when(WriteOffInvoice(amount=Decimal(written_off), reason="bankrupt"), subject=INVOICE)

    def test_it_meets_what_is_open_then_what_was_written_off_then_what_was_paid(self) -> None:
        note = credited(self.story("30.00", "50.00"), credit())
        assert (note.applied, note.write_off_reversed, note.unapplied) == money("20.00", "50.00", "30.00")
        assert note.parts == parts_of((2, "20.00"))
        assert note.write_off_parts == parts_of((1, "30.00"), (2, "20.00"))

    def test_the_invoice_says_so_and_stays_settled(self) -> None:
        story = self.story("30.00", "70.00")
        note = credited(story, credit())
        event = story.events[-1]
        assert isinstance(event, InvoiceCredited)
        assert (event.amount, event.write_off_reversed, event.balance) == money("0", "70.00", "0")
        assert event.write_off_parts == note.write_off_parts == parts_of((1, "30.00"), (2, "40.00"))

    def test_what_was_written_off_is_taken_back_once(self) -> None:
        story = self.story("30.00", "70.00")
        notes = [credited(story, credit(line(1, "50.00")), 1), credited(story, credit(), 2)]
        assert [(note.write_off_reversed, note.unapplied) for note in notes] == [money("50.00", "0"), money("20.00", "30.00")]
        assert [note.write_off_parts for note in notes] == [parts_of((1, "30.00"), (2, "20.00")), parts_of((2, "20.00"))]


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


class TestBillingAgain:
    """The sale stands and only its invoice was wrong: what is credited can be billed again."""

    def reversed(self, *parts: tuple[int, str, str]) -> Placed:
        lines = amounts(*parts)
        event = OrderBillingReversed(
            credit_note_id=CREDIT_NOTE,
            invoice_id=INVOICE,
            currency="EUR",
            lines=lines,
            amount=sum((part.amount for part in lines), Decimal(0)),
            not_before=TODAY,
        )
        return at(ORDER, event)

    def of_the_order(self, story: Specification) -> list[Any]:
        return [event for event in story.events if event.type.startswith("order.")]

    def again(self, story: Specification, **command: Any) -> InvoiceIssued:
        """The next invoice of the order."""
        id = derive_id("test", "invoice", str(len(story.events)))
        events = story.when(IssueInvoice(order_id=ORDER, basis="ordered", **command), subject=id).events
        [invoice] = [event for event in events if isinstance(event, InvoiceIssued)]
        return invoice

    def test_a_credit_is_for_good_unless_it_says_otherwise(self) -> None:
        story = invoiced().when(credit(), subject=CREDIT_NOTE)
        assert self.of_the_order(story) == []
        story.when(IssueInvoice(order_id=ORDER, basis="ordered"), subject=OTHER_INVOICE).then(NothingBillable)

    def test_a_whole_invoice_is_billed_again_as_it_was(self) -> None:
        story = invoiced()
        before = story.events[1]
        story.when(credit().model_copy(update={"bill_again": True}), subject=CREDIT_NOTE)
        assert self.of_the_order(story) == list(self.reversed((1, "10", "100.00"), (2, "3", "50.00")).events)
        after = self.again(story)
        assert (after.lines, after.payable) == (before.lines, before.payable)

    def test_a_line_says_otherwise_than_the_note(self) -> None:
        parts = credit(line(1, quantity="4"), line(2, quantity="1", again=True))
        story = invoiced().when(parts, subject=CREDIT_NOTE)
        assert self.of_the_order(story) == list(self.reversed((2, "1", "16.67")).events)
        kept = credit(line(1, quantity="4", again=False), line(2, quantity="1")).model_copy(update={"bill_again": True})
        story = invoiced().when(kept, subject=CREDIT_NOTE)
        assert self.of_the_order(story) == list(self.reversed((2, "1", "16.67")).events)
        assert [(part.order_line, part.quantity, part.net) for part in self.again(story).lines] == [(2, 1, Decimal("16.67"))]

    def test_it_is_billed_at_the_orders_price_whatever_was_credited_before(self) -> None:
        story = invoiced()
        credited(story, credit(line(1, "70.00")))
        story.when(credit(line(1, again=True)), subject=CREDIT_NOTE)
        assert self.of_the_order(story) == list(self.reversed((1, "10", "100.00")).events)
        assert self.again(story).line_total == 100

    def test_a_lower_price_is_agreed_by_amending_the_order(self) -> None:
        story = invoiced().when(credit(line(1, again=True)), subject=CREDIT_NOTE)
        cheaper = (line_request(1, "10", "9"), line_request(2, "3", "16.67", tax_rate=Decimal(7)))
        story.when(AmendOrder(reason="agreed otherwise", lines=cheaper), subject=ORDER)
        assert self.again(story).line_total == 90

    def test_an_amount_alone_is_not_billed_again(self) -> None:
        invoiced().when(credit(line(2, "5.00"), line(1, "5.00", again=True)), subject=CREDIT_NOTE).then(
            NoQuantityToBillAgain, field="lines.1.bill_again", message="line 1", fix="give the quantity"
        )

    def test_nothing_is_billed_again_of_what_a_cancellation_released(self) -> None:
        story = invoiced().when(CancelOrder(reason="closed"), subject=ORDER)
        story.when(credit().model_copy(update={"bill_again": True}), subject=CREDIT_NOTE)
        story.when(IssueInvoice(order_id=ORDER, basis="ordered"), subject=OTHER_INVOICE).then(NothingBillable)


def test_a_credit_note_is_issued_once_for_an_invoice_of_the_customer() -> None:
    invoiced().when(credit(), subject=CREDIT_NOTE).when(credit(), subject=CREDIT_NOTE).then(AlreadyExists, field="subject")
    given().when(credit(), subject=CREDIT_NOTE).then(NotFound, field="invoice_id")
    given(of(STRANGER, at(INVOICE, issued("100.00")))).when(credit(), subject=CREDIT_NOTE).then(OtherCustomers)
