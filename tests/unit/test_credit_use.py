"""What a credit note exceeds the debt of its invoice by: put against other invoices, or paid out (R-63 … R-69)."""

from decimal import Decimal

from tests.unit.money_examples import CREDIT_NOTE, INVOICE, OTHER_INVOICE, PAYMENT, issued, parts_of, received
from tests.unit.specification import STRANGER, Specification, at, given, of

from ltc_events.aggregates.available_credit import CreditIsUnpaid, CreditIsUsed
from ltc_events.aggregates.base import DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.receivable import MoreThanUnapplied, NothingUnapplied
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.rules.cash import InvoiceInAnotherCurrency, NothingOpen, OverAllocation
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditLine,
    CreditNoteApplied,
    CreditNoteRefunded,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
)
from ltc_events.schemas.payment import AllocatePayment, AllocationRequest, ReturnPayment, UnallocatePayment
from ltc_events.schemas.receivable import CreditApplied, InvoiceSettled, WriteOffInvoice

THIRD = derive_id("test", "third invoice")
OTHER_PAYMENT = derive_id("test", "other payment")


def told(invoice: object = OTHER_INVOICE, amount: str = "30", instalment: int | None = None) -> ApplyCreditNote:
    request = AllocationRequest(invoice_id=invoice, amount=Decimal(amount), instalment=instalment)  # type: ignore[arg-type]
    return ApplyCreditNote(allocations=(request,))


def credited(*others: str, currency: str = "EUR") -> Specification:
    """An invoice of 100 that was paid and then credited in full, beside other invoices of these amounts, due as late."""
    ids = (OTHER_INVOICE, THIRD)
    placed = [
        at(id, issued(amount, number=f"INV-2026-00000{number}", currency=currency))
        for number, (id, amount) in enumerate(zip(ids, others, strict=False), 2)
    ]
    story = given(at(INVOICE, issued("100.00")), at(PAYMENT, received("100.00")), *placed)
    pay = AllocationRequest(invoice_id=INVOICE, amount=Decimal(100))
    story.when(AllocatePayment(allocations=(pay,)), subject=PAYMENT)
    return story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.UNSATISFACTORY), subject=CREDIT_NOTE)


def applied(amount: str, unapplied: str, invoice: object = OTHER_INVOICE) -> CreditNoteApplied:
    parts = parts_of((1, amount))
    return CreditNoteApplied(
        invoice_id=invoice,  # type: ignore[arg-type]
        currency="EUR",
        parts=parts,
        amount=Decimal(amount),
        unapplied=Decimal(unapplied),
    )


def paid(amount: str, balance: str) -> CreditApplied:
    parts = parts_of((1, amount))
    return CreditApplied(
        credit_note_id=CREDIT_NOTE, currency="EUR", parts=parts, amount=Decimal(amount), balance=Decimal(balance)
    )


def test_it_is_put_against_an_invoice_as_told() -> None:
    credited("80.00").when(told(), subject=CREDIT_NOTE).then(
        at(CREDIT_NOTE, applied("30", "70")), at(OTHER_INVOICE, paid("30", "50"))
    )


def test_else_against_what_is_due_first_until_all_is_used() -> None:
    credited("80.00", "50.00").when(ApplyCreditNote(), subject=CREDIT_NOTE).then(
        at(CREDIT_NOTE, applied("80.00", "20.00")),
        at(OTHER_INVOICE, paid("80.00", "0"), InvoiceSettled()),
        at(CREDIT_NOTE, applied("20.00", "0.00", THIRD)),
        at(THIRD, paid("20.00", "30.00")),
    )


def test_what_is_left_stays_unapplied() -> None:
    story = credited("80.00").when(ApplyCreditNote(), subject=CREDIT_NOTE)
    story.when(told(amount="0.01"), subject=CREDIT_NOTE).then(OverAllocation, field="allocations.0.amount")


def test_no_more_is_used_than_is_unapplied() -> None:
    credited("150.00").when(told(amount="100.01"), subject=CREDIT_NOTE).then(
        MoreThanUnapplied, field="allocations.0.amount", message="of the credit note that is unapplied", fix="at most 100"
    )
    story = credited("150.00").when(ApplyCreditNote(), subject=CREDIT_NOTE)
    story.when(ApplyCreditNote(), subject=CREDIT_NOTE).then(
        NothingUnapplied, message="nothing of the credit note", fix="another credit note"
    )


def test_it_is_refunded_in_whole_or_in_part() -> None:
    story = credited().when(RefundCreditNote(amount=Decimal(40), reason="asked for"), subject=CREDIT_NOTE)
    story.then(
        at(
            CREDIT_NOTE,
            CreditNoteRefunded(currency="EUR", amount=Decimal(40), unapplied=Decimal(60), reason="asked for"),
        )
    )
    story.when(RefundCreditNote(reason="the rest"), subject=CREDIT_NOTE).then(
        at(CREDIT_NOTE, CreditNoteRefunded(currency="EUR", amount=Decimal(60), unapplied=Decimal(0), reason="the rest"))
    )
    story.when(RefundCreditNote(reason="more"), subject=CREDIT_NOTE).then(NothingUnapplied)


def test_no_more_is_refunded_than_is_unapplied_and_only_what_can_be_paid() -> None:
    credited().when(RefundCreditNote(amount=Decimal("100.01"), reason="r"), subject=CREDIT_NOTE).then(
        MoreThanUnapplied, field="amount"
    )
    credited().when(RefundCreditNote(amount=Decimal("0.001"), reason="r"), subject=CREDIT_NOTE).then(
        FinerThanMinorUnit, field="amount"
    )


def test_a_credit_note_that_its_invoice_still_owed_has_nothing_to_use() -> None:
    story = given(at(INVOICE, issued("100.00")), at(OTHER_INVOICE, issued("50.00", number="INV-2026-000002")))
    story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), subject=CREDIT_NOTE)
    story.when(ApplyCreditNote(), subject=CREDIT_NOTE).then(NothingUnapplied)


def test_it_is_used_in_its_currency_for_its_customer() -> None:
    credited("80.00", currency="USD").when(told(), subject=CREDIT_NOTE).then(
        InvoiceInAnotherCurrency, field="allocations.0.invoice_id", message="the credit note is in EUR", fix="credit note in USD"
    )
    credited("80.00", currency="USD").when(ApplyCreditNote(), subject=CREDIT_NOTE).then(NothingOpen, fix="or refund it")
    foreign = of(STRANGER, at(THIRD, issued("80.00", number="INV-2026-000009")))
    story = given(foreign, at(INVOICE, issued("100.00")), at(PAYMENT, received("100.00")))
    story.when(AllocatePayment(), subject=PAYMENT)
    story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), subject=CREDIT_NOTE)
    story.when(told(THIRD), subject=CREDIT_NOTE).then(OtherCustomers)


def test_the_invoice_it_corrects_may_owe_again_and_take_it() -> None:
    story = credited().when(UnallocatePayment(invoice_id=INVOICE, reason="another customer's"), subject=PAYMENT)
    story.when(ApplyCreditNote(), subject=CREDIT_NOTE).then(
        at(CREDIT_NOTE, applied("100.00", "0.00", INVOICE)), at(INVOICE, paid("100.00", "0.00"), InvoiceSettled())
    )


class TestMoneyThatWasTakenBack:
    """A credit note beyond the debt of its invoice stands for money that was paid; when that is gone, it stands for nothing."""

    def returned(self, *others: str) -> Specification:
        return credited(*others).when(ReturnPayment(reason="no funds"), subject=PAYMENT)

    def test_it_is_not_paid_out(self) -> None:
        self.returned().when(RefundCreditNote(reason="asked for"), subject=CREDIT_NOTE).then(
            CreditIsUnpaid, field="amount", message="more than the 0", fix="against invoice INV-2026-000001"
        )

    def test_nor_used_elsewhere_but_for_its_own_invoice(self) -> None:
        self.returned("80.00").when(told(), subject=CREDIT_NOTE).then(CreditIsUnpaid, field="allocations")
        self.returned("80.00").when(told(INVOICE, "100.00"), subject=CREDIT_NOTE).then(
            at(CREDIT_NOTE, applied("100.00", "0.00", INVOICE)), at(INVOICE, paid("100.00", "0.00"), InvoiceSettled())
        )

    def test_nor_after_the_debt_was_written_off(self) -> None:
        story = self.returned().when(WriteOffInvoice(reason="bankrupt"), subject=INVOICE)
        story.when(RefundCreditNote(reason="asked for"), subject=CREDIT_NOTE).then(CreditIsUnpaid)

    def paid_again(self, amount: str) -> Specification:
        """As much was paid on the invoice again."""
        story = given(at(INVOICE, issued("100.00")), at(PAYMENT, received("100.00")), at(OTHER_PAYMENT, received(amount)))
        story.when(AllocatePayment(), subject=PAYMENT)
        story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), subject=CREDIT_NOTE)
        return story.when(ReturnPayment(reason="no funds"), subject=PAYMENT).when(AllocatePayment(), subject=OTHER_PAYMENT)

    def test_money_paid_again_makes_it_good(self) -> None:
        too_much = RefundCreditNote(amount=Decimal("60.01"), reason="r")
        self.paid_again("60.00").when(too_much, subject=CREDIT_NOTE).then(CreditIsUnpaid, fix="at most 60.00")
        self.paid_again("60.00").when(RefundCreditNote(amount=Decimal(60), reason="r"), subject=CREDIT_NOTE).then(
            at(CREDIT_NOTE, CreditNoteRefunded(currency="EUR", amount=Decimal(60), unapplied=Decimal(40), reason="r"))
        )

    def test_what_is_left_of_the_money_is_used_by_whichever_credit_note_comes_first(self) -> None:
        other_note = derive_id("test", "other note")
        half = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER, lines=(CreditLine(line=1, amount=Decimal(50)),))
        story = given(at(INVOICE, issued("100.00")), at(PAYMENT, received("100.00"))).when(AllocatePayment(), subject=PAYMENT)
        story.when(half, subject=CREDIT_NOTE).when(half, subject=other_note)
        story.when(UnallocatePayment(invoice_id=INVOICE, amount=Decimal(60), reason="wrong"), subject=PAYMENT)
        refund = RefundCreditNote(amount=Decimal(30), reason="asked for")
        story.when(refund, subject=CREDIT_NOTE)
        assert [event.amount for event in story.events] == [30]
        story.when(refund, subject=other_note).then(CreditIsUnpaid, fix="at most 10")

    def test_what_the_customer_has_had_back_is_not_taken_off_the_invoice(self) -> None:
        story = credited().when(RefundCreditNote(amount=Decimal(30), reason="asked for"), subject=CREDIT_NOTE)
        story.when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT).then(
            CreditIsUsed, field="invoice_id", message="30", fix="leave the payment"
        )


def test_there_must_be_one() -> None:
    given().when(ApplyCreditNote(), subject=CREDIT_NOTE).then(DoesNotExist, fix="credit_note.issue.v1")
    given().when(RefundCreditNote(reason="r"), subject=CREDIT_NOTE).then(DoesNotExist, fix="credit_note.issue.v1")
