"""Business dates of money have an order: nothing is dated before what it acts on, and no day's balance becomes negative."""

from datetime import date
from decimal import Decimal

import pytest
from tests.unit.money_examples import CREDIT_NOTE, INVOICE, NUMBER, OTHER_INVOICE, PAYMENT, issued, received
from tests.unit.specification import Specification, at, given, on

from ltc_events.aggregates.base import DatedTooEarly
from ltc_events.aggregates.dated_balance import AvailableLater
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditNoteIssued,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
)
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocationRequest,
    PaymentAllocated,
    RefundPayment,
    ReturnPayment,
    UnallocatePayment,
)
from ltc_events.schemas.receivable import (
    DisputeInvoice,
    PaymentApplied,
    PromisePayment,
    ResolveDispute,
    SendDunningNotice,
    WriteOffInvoice,
)

OTHER_PAYMENT = derive_id("test", "other payment")


def day(number: int, month: int = 3) -> date:
    return date(2026, month, number)


INVOICED = on(day(1), at(INVOICE, issued("100.00", issued_on=day(1))))
RECEIVED = on(day(5), at(PAYMENT, received("100.00")))


def to(invoice: object = INVOICE, amount: str = "100") -> AllocatePayment:
    return AllocatePayment(allocations=(AllocationRequest(invoice_id=invoice, amount=Decimal(amount)),))  # type: ignore[arg-type]


def paid() -> Specification:
    """An invoice of the 1st, paid in full with money of the 5th on the 10th."""
    return given(INVOICED, RECEIVED).when(to(), subject=PAYMENT, on=day(10))


def reopened() -> Specification:
    """The same, and the money taken back on the 20th."""
    return paid().when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=day(20))


class TestNothingIsDatedBeforeWhatItActsOn:
    @pytest.mark.parametrize("command", [to(), AllocatePayment(), RefundPayment(reason="?"), ReturnPayment(reason="?")])
    def test_a_payment_is_not_used_before_it_came(self, command: Command) -> None:
        story = given(INVOICED, RECEIVED).when(command, subject=PAYMENT, on=day(4))
        story.then(DatedTooEarly, field="effective_on", message="2026-03-04 is before 2026-03-05, the date of the payment")

    def test_a_payment_is_not_put_against_an_invoice_that_is_not_issued_yet(self) -> None:
        story = given(on(day(1), at(PAYMENT, received("100.00"))), on(day(8), at(INVOICE, issued("100.00"))))
        story.when(to(), subject=PAYMENT, on=day(7))
        story.then(DatedTooEarly, message=f"2026-03-07 is before 2026-03-08, the date of invoice {NUMBER}")

    def test_nor_is_it_when_it_looks_for_what_is_due_first(self) -> None:
        story = given(on(day(1), at(PAYMENT, received("100.00"))), on(day(8), at(INVOICE, issued("100.00"))))
        story.when(AllocatePayment(), subject=PAYMENT, on=day(7))
        story.then(AvailableLater, field="effective_on", message="as of 2026-03-07 only 0", fix="2026-03-08 or later")

    def test_an_allocation_is_not_taken_back_before_it_was_made(self) -> None:
        story = paid().when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=day(9))
        story.then(DatedTooEarly, message="2026-03-09 is before 2026-03-10, the date of the allocation")

    def test_an_allocation_in_two_parts_is_not_taken_back_before_the_later_one(self) -> None:
        story = given(INVOICED, RECEIVED).when(to(amount="30"), subject=PAYMENT, on=day(12))
        story.when(to(amount="30"), subject=PAYMENT, on=day(10))
        story.when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=day(11))
        story.then(DatedTooEarly, message="2026-03-11 is before 2026-03-12, the date of the allocation")

    def test_money_is_not_returned_before_it_was_put_against_an_invoice(self) -> None:
        paid().when(ReturnPayment(reason="no funds"), subject=PAYMENT, on=day(9)).then(DatedTooEarly, message="2026-03-10")

    @pytest.mark.parametrize(
        "command",
        [
            WriteOffInvoice(reason="small"),
            DisputeInvoice(reason="scratched"),
            PromisePayment(promised_on=day(20)),
            SendDunningNotice(instalment=1),
        ],
    )
    def test_nothing_happens_to_an_invoice_before_it_is_issued(self, command: Command) -> None:
        story = given(INVOICED).when(command, subject=INVOICE, on=date(2026, 2, 28))
        story.then(DatedTooEarly, message=f"2026-02-28 is before 2026-03-01, the date of invoice {NUMBER}")

    def test_an_invoice_is_not_credited_before_it_is_issued(self) -> None:
        credit = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER)
        given(INVOICED).when(credit, subject=CREDIT_NOTE, on=date(2026, 2, 28)).then(DatedTooEarly, message="2026-03-01")

    def test_a_dispute_is_not_resolved_before_it_began_and_the_next_begins_no_earlier(self) -> None:
        story = given(INVOICED).when(DisputeInvoice(reason="?"), subject=INVOICE, on=day(10))
        early = "2026-03-09 is before 2026-03-10, the date of the dispute of"
        given(INVOICED).when(DisputeInvoice(reason="?"), subject=INVOICE, on=day(10)).when(
            ResolveDispute(resolution="?"), subject=INVOICE, on=day(9)
        ).then(DatedTooEarly, message=early)
        story.when(ResolveDispute(resolution="?"), subject=INVOICE, on=day(15))
        story.when(DisputeInvoice(reason="?"), subject=INVOICE, on=day(14))
        story.then(DatedTooEarly, message="2026-03-15, the date of the resolution of the last dispute")

    @pytest.mark.parametrize("command", [ApplyCreditNote(), RefundCreditNote(reason="?")])
    def test_a_credit_note_is_not_used_before_it_is_issued(self, command: Command) -> None:
        credit = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER)
        story = paid().when(credit, subject=CREDIT_NOTE, on=day(15)).when(command, subject=CREDIT_NOTE, on=day(14))
        story.then(DatedTooEarly, message="2026-03-14 is before 2026-03-15, the date of credit note CN-2026-000001")

    def test_a_credit_note_is_not_put_against_an_invoice_that_is_not_issued_yet(self) -> None:
        story = given(INVOICED, RECEIVED, on(day(18), at(OTHER_INVOICE, issued("50.00", number="INV-2026-000002"))))
        story.when(to(), subject=PAYMENT, on=day(10))
        story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), subject=CREDIT_NOTE, on=day(15))
        told = AllocationRequest(invoice_id=OTHER_INVOICE, amount=Decimal(50))
        story.when(ApplyCreditNote(allocations=(told,)), subject=CREDIT_NOTE, on=day(17))
        story.then(DatedTooEarly, message="2026-03-18, the date of invoice INV-2026-000002")


class TestNoLaterDayBecomesNegative:
    def test_an_invoice_that_was_paid_for_a_while_is_not_paid_again_for_that_while(self) -> None:
        other = on(day(1), at(OTHER_PAYMENT, received("100.00")))
        story = given(INVOICED, RECEIVED, other).when(to(), subject=PAYMENT, on=day(10))
        story.when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=day(20))
        story.when(to(), subject=OTHER_PAYMENT, on=day(5))
        story.then(
            AvailableLater,
            field="effective_on",
            message=f"as of 2026-03-05 only 0 of invoice {NUMBER} can be used, 100 from 2026-03-20 on",
            fix="give an effective_on of 2026-03-20 or later",
        )

    def test_what_is_due_first_is_what_is_open_on_the_day_and_after_it(self) -> None:
        other = on(day(1), at(OTHER_PAYMENT, received("100.00")))
        story = given(INVOICED, RECEIVED, other).when(to(amount="70"), subject=PAYMENT, on=day(10))
        story.when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=day(20))
        story.when(AllocatePayment(), subject=OTHER_PAYMENT, on=day(5))
        [allocated] = [event for event in story.events if isinstance(event, PaymentAllocated)]
        assert (allocated.amount, allocated.unapplied) == (30, 70)

    def test_money_that_is_gone_later_is_not_used_before(self) -> None:
        story = given(INVOICED, RECEIVED).when(RefundPayment(reason="?", amount=Decimal(40)), subject=PAYMENT, on=day(9))
        story.when(to(amount="60"), subject=PAYMENT, on=day(6))
        [_, applied, *_] = story.events
        assert isinstance(applied, PaymentApplied)

    def test_money_that_was_elsewhere_for_a_while_is_not_used_for_that_while(self) -> None:
        story = given(INVOICED, RECEIVED, on(day(2), at(OTHER_INVOICE, issued("100.00", number="INV-2026-000002"))))
        story.when(to(), subject=PAYMENT, on=day(10))
        story.when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=day(20))
        story.when(to(OTHER_INVOICE), subject=PAYMENT, on=day(7))
        story.then(AvailableLater, message="of the payment can be used, 100.00 from 2026-03-20 on")

    @pytest.mark.parametrize("command", [RefundPayment(reason="?"), ReturnPayment(reason="?")])
    def test_nor_does_it_go_back_in_that_while(self, command: Command) -> None:
        reopened().when(command, subject=PAYMENT, on=day(15)).then(AvailableLater, message="from 2026-03-20 on")
        assert reopened().when(command, subject=PAYMENT, on=day(20)).events

    def test_what_was_paid_for_a_while_is_not_written_off_for_that_while(self) -> None:
        reopened().when(WriteOffInvoice(reason="?"), subject=INVOICE, on=day(15)).then(AvailableLater, message="2026-03-20")
        assert reopened().when(WriteOffInvoice(reason="?"), subject=INVOICE, on=day(20)).events

    def test_nor_credited(self) -> None:
        credit = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER)
        reopened().when(credit, subject=CREDIT_NOTE, on=day(15)).then(AvailableLater, message="2026-03-20")
        [note] = [
            event
            for event in reopened().when(credit, subject=CREDIT_NOTE, on=day(20)).events
            if isinstance(event, CreditNoteIssued)
        ]
        assert (note.applied, note.unapplied) == (100, 0)

    def test_what_was_written_off_is_not_credited_before_it_was(self) -> None:
        credit = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER)
        story = given(INVOICED).when(WriteOffInvoice(reason="?"), subject=INVOICE, on=day(10))
        story.when(credit, subject=CREDIT_NOTE, on=day(9))
        story.then(AvailableLater, message=f"of what was written off of invoice {NUMBER}", fix="2026-03-10 or later")

    def test_the_credit_that_was_put_elsewhere_is_not_used_before(self) -> None:
        story = given(INVOICED, RECEIVED, on(day(2), at(OTHER_INVOICE, issued("60.00", number="INV-2026-000002"))))
        story.when(to(), subject=PAYMENT, on=day(10))
        story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), subject=CREDIT_NOTE, on=day(15))
        story.when(ApplyCreditNote(), subject=CREDIT_NOTE, on=day(18))
        story.when(RefundCreditNote(reason="?"), subject=CREDIT_NOTE, on=day(16))
        [refunded] = story.events
        assert refunded.amount == 40

    def credited_before(self) -> Specification:
        """An invoice of the 1st, paid on the 10th and credited in full as of the 3rd."""
        credit = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER)
        return paid().when(credit, subject=CREDIT_NOTE, on=day(3))

    def test_credit_is_not_paid_out_before_the_money_came_in(self) -> None:
        story = self.credited_before().when(RefundCreditNote(reason="?"), subject=CREDIT_NOTE, on=day(9))
        story.then(
            AvailableLater,
            field="effective_on",
            message=f"only 0 of what was paid on invoice {NUMBER} and not given back can be used, 100.00 from 2026-03-10",
            fix="effective_on of 2026-03-10",
        )
        refunded = self.credited_before().when(RefundCreditNote(reason="?"), subject=CREDIT_NOTE, on=day(10))
        assert refunded.events

    def test_nor_put_elsewhere(self) -> None:
        other = on(day(1), at(OTHER_INVOICE, issued("40.00", number="INV-2026-000002")))
        story = given(INVOICED, RECEIVED, other).when(to(), subject=PAYMENT, on=day(10))
        story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), subject=CREDIT_NOTE, on=day(3))
        told = AllocationRequest(invoice_id=OTHER_INVOICE, amount=Decimal(40))
        story.when(ApplyCreditNote(allocations=(told,)), subject=CREDIT_NOTE, on=day(9))
        story.then(AvailableLater, fix="effective_on of 2026-03-10")

    def test_money_is_not_taken_off_an_invoice_in_the_while_in_which_the_customer_had_it(self) -> None:
        def story(back_on: date) -> Specification:
            credit = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER)
            sold = paid().when(credit, subject=CREDIT_NOTE, on=day(11))
            sold.when(RefundCreditNote(reason="?"), subject=CREDIT_NOTE, on=day(12))
            sold.when(ReportFailedCreditRefund(reason="closed"), subject=CREDIT_NOTE, on=day(20))
            return sold.when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=back_on)

        story(day(15)).then(AvailableLater, fix="effective_on of 2026-03-20")
        assert story(day(20)).events

    def test_a_reminder_does_not_ask_for_what_was_paid_on_its_day(self) -> None:
        late = paid().when(UnallocatePayment(invoice_id=INVOICE, reason="wrong"), subject=PAYMENT, on=day(20, 5))
        late.when(SendDunningNotice(instalment=1), subject=INVOICE, on=day(15, 4))
        late.then(AvailableLater, message="instalment 1", fix="2026-05-20")
