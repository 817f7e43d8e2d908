"""Mistakes in cash are corrected by new events: part of an allocation, a credit note's use, a refund that came back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.money_examples import CREDIT_NOTE, INVOICE, OTHER_INVOICE, PAYMENT, issued, parts_of, received
from tests.unit.specification import TODAY, Specification, at, given

from ltc_events.aggregates.allocation import InstalmentNotAllocated, MoreThanAllocated, NotAllocated
from ltc_events.aggregates.available_credit import CreditIsUsed
from ltc_events.aggregates.base import DatedTooEarly, DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.payment import MoreThanRefunded, NothingRefunded, PaymentIsReturned
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditLine,
    CreditNoteApplicationReversed,
    CreditNoteRefundFailed,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
    UnapplyCreditNote,
)
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocationRequest,
    PaymentRefundFailed,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
    UnallocatePayment,
)
from ltc_events.schemas.receivable import CreditRemoved, InvoiceReopened


def told(invoice: Any, amount: str) -> tuple[AllocationRequest, ...]:
    return (AllocationRequest(invoice_id=invoice, amount=Decimal(amount)),)


def take_back(instalment: int | None = None, amount: str | None = None) -> UnallocatePayment:
    return UnallocatePayment(
        invoice_id=INVOICE, instalment=instalment, amount=None if amount is None else Decimal(amount), reason="wrong"
    )


def paid() -> Specification:
    """60.00 and 40.00, paid by a payment of 120."""
    story = given(at(INVOICE, issued("60.00", "40.00")), at(PAYMENT, received("120")))
    return story.when(AllocatePayment(), subject=PAYMENT)


class TestPartOfAnAllocation:
    @pytest.mark.parametrize(
        ("instalment", "amount", "parts"),
        [
            (None, None, [(1, "60.00"), (2, "40.00")]),
            (1, None, [(1, "60.00")]),
            (1, "10", [(1, "10")]),
            (None, "10", [(2, "10")]),
            (None, "50", [(1, "10.00"), (2, "40.00")]),
        ],
    )
    def test_it_is_taken_back_from_the_last_instalment_on(self, instalment: int | None, amount: str | None, parts: Any) -> None:
        story = paid().when(take_back(instalment, amount), subject=PAYMENT)
        unallocated, removed, reopened = story.events
        assert unallocated.parts == removed.parts == parts_of(*parts)
        assert unallocated.unapplied == 20 + unallocated.amount
        assert removed.balance == reopened.balance == unallocated.amount

    def test_the_rest_stays_and_is_taken_back_later(self) -> None:
        story = paid().when(take_back(None, "50"), subject=PAYMENT).when(take_back(), subject=PAYMENT)
        assert story.events[0].parts == parts_of((1, "50.00"))
        story.when(take_back(), subject=PAYMENT).then(NotAllocated, field="invoice_id", fix="none")

    def test_no_more_than_is_there(self) -> None:
        paid().when(take_back(2, "40.01"), subject=PAYMENT).then(MoreThanAllocated, field="amount", fix="at most 40.00")
        paid().when(take_back(3), subject=PAYMENT).then(InstalmentNotAllocated, field="instalment", fix="1, 2")
        paid().when(take_back(1, "0.001"), subject=PAYMENT).then(FinerThanMinorUnit, field="amount")
        early = take_back(1)
        paid().when(early, subject=PAYMENT, on=TODAY - timedelta(days=1)).then(DatedTooEarly, field="effective_on")


def credited() -> Specification:
    """An invoice of 100.00, paid and credited, and its credit put against another one of 50.00."""
    story = given(
        at(INVOICE, issued("100.00")),
        at(OTHER_INVOICE, issued("50.00", number="INV-2026-000002")),
        at(PAYMENT, received("100")),
    )
    story.when(AllocatePayment(allocations=told(INVOICE, "100")), subject=PAYMENT)
    story.when(IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER), subject=CREDIT_NOTE)
    return story.when(ApplyCreditNote(allocations=told(OTHER_INVOICE, "50")), subject=CREDIT_NOTE)


class TestACreditNote:
    def test_it_is_taken_back_and_the_invoice_is_open_again(self) -> None:
        back = UnapplyCreditNote(invoice_id=OTHER_INVOICE, amount=Decimal(20), reason="wrong")
        credited().when(back, subject=CREDIT_NOTE).then(
            at(
                CREDIT_NOTE,
                CreditNoteApplicationReversed(
                    invoice_id=OTHER_INVOICE,
                    currency="EUR",
                    parts=parts_of((1, "20")),
                    amount=Decimal(20),
                    unapplied=Decimal(70),
                    reason="wrong",
                    not_before=TODAY,
                ),
            ),
            at(
                OTHER_INVOICE,
                CreditRemoved(
                    credit_note_id=CREDIT_NOTE,
                    currency="EUR",
                    parts=parts_of((1, "20")),
                    amount=Decimal(20),
                    balance=Decimal(20),
                    reason="wrong",
                ),
                InvoiceReopened(balance=Decimal(20)),
            ),
        )

    def test_what_was_issued_stays(self) -> None:
        back = UnapplyCreditNote(invoice_id=INVOICE, reason="wrong")
        credited().when(back, subject=CREDIT_NOTE).then(NotAllocated, field="invoice_id", fix=str(OTHER_INVOICE))

    def test_not_when_the_customer_has_had_it_back(self) -> None:
        other = IssueCreditNote(invoice_id=OTHER_INVOICE, reason=CreditReason.OTHER, lines=(CreditLine(line=1),))
        story = credited().when(other, subject=OTHER_NOTE).when(RefundCreditNote(reason="?"), subject=OTHER_NOTE)
        story.when(UnapplyCreditNote(invoice_id=OTHER_INVOICE, reason="wrong"), subject=CREDIT_NOTE).then(CreditIsUsed)

    def test_a_refund_that_came_back_stands_to_the_credit_again(self) -> None:
        story = credited().when(RefundCreditNote(reason="asked for"), subject=CREDIT_NOTE)
        story.when(ReportFailedCreditRefund(reason="closed", amount=Decimal(30)), subject=CREDIT_NOTE).then(
            at(
                CREDIT_NOTE,
                CreditNoteRefundFailed(
                    currency="EUR", amount=Decimal(30), unapplied=Decimal(30), reason="closed", not_before=TODAY
                ),
            )
        )
        story.when(ReportFailedCreditRefund(reason="closed", amount=Decimal("20.01")), subject=CREDIT_NOTE).then(
            MoreThanRefunded, field="amount", fix="at most 20"
        )
        given().when(ReportFailedCreditRefund(reason="?"), subject=CREDIT_NOTE).then(DoesNotExist)


OTHER_NOTE = derive_id("test", "other credit note")


class TestAFailedRefund:
    def test_the_money_is_here_again(self) -> None:
        story = given(received("100")).when(RefundPayment(reason="?", amount=Decimal(70)))
        story.when(ReportFailedRefund(reason="closed")).then(
            PaymentRefundFailed(amount=Decimal(70), currency="EUR", unapplied=Decimal(100), reason="closed", not_before=TODAY)
        )
        story.when(ReportFailedRefund(reason="closed")).then(NothingRefunded, field="subject")

    def test_never_more_than_was_refunded(self) -> None:
        given(received("100")).when(ReportFailedRefund(reason="?")).then(NothingRefunded)
        refunded = given(received("100")).when(RefundPayment(reason="?", amount=Decimal(70)))
        refunded.when(ReportFailedRefund(reason="?", amount=Decimal("70.01"))).then(MoreThanRefunded, field="amount")

    def test_a_payment_is_returned_once_whatever_comes_back(self) -> None:
        story = given(received("100")).when(RefundPayment(reason="?", amount=Decimal(70))).when(ReturnPayment(reason="?"))
        story.when(ReportFailedRefund(reason="closed", amount=Decimal(10)))
        story.when(ReturnPayment(reason="again")).then(PaymentIsReturned)
