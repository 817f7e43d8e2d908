"""What a credit note exceeds the debt of its invoice by: put against other invoices, or paid out (R-63 … R-69)."""

from decimal import Decimal

from tests.unit.money_examples import CREDIT_NOTE, INVOICE, OTHER_INVOICE, PAYMENT, issued, parts_of, received
from tests.unit.specification import STRANGER, Specification, at, given, of

from ltc_events.aggregates.base import DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.receivable import MoreThanUnapplied, NothingUnapplied
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.rules.cash import InvoiceInAnotherCurrency, NothingOpen, OverAllocation
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditNoteApplied,
    CreditNoteRefunded,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
)
from ltc_events.schemas.invoice import CreditApplied, InvoiceSettled
from ltc_events.schemas.payment import AllocatePayment, AllocationRequest, UnallocatePayment

THIRD = derive_id("test", "third invoice")


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


def test_there_must_be_one() -> None:
    given().when(ApplyCreditNote(), subject=CREDIT_NOTE).then(DoesNotExist, fix="credit_note.issue.v1")
    given().when(RefundCreditNote(reason="r"), subject=CREDIT_NOTE).then(DoesNotExist, fix="credit_note.issue.v1")
