"""Payment: received, allocated, un-allocated, returned, refunded (R-63 … R-69)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from tests.unit.money_examples import INVOICE, NUMBER, OTHER_INVOICE, PAYMENT, issued, parts_of, received
from tests.unit.specification import STRANGER, SUBJECT, Specification, at, given, of

from ltc_events.aggregates.allocation import NotAllocated
from ltc_events.aggregates.base import AlreadyExists, DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.payment import (
    PaymentIsReturned,
)
from ltc_events.aggregates.receivable import InstalmentPaid, MoreThanUnapplied, NothingUnapplied, UnknownInstalment
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.rules.cash import InvoiceInAnotherCurrency, NothingOpen, OverAllocation
from ltc_events.application.unit_of_work import NotFound
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocationRequest,
    PaymentAllocated,
    PaymentReceived,
    PaymentRefunded,
    PaymentReturned,
    PaymentUnallocated,
    ReceivePayment,
    RefundPayment,
    ReturnPayment,
    UnallocatePayment,
)
from ltc_events.schemas.receivable import InvoiceReopened, InvoiceSettled, PaymentApplied, PaymentRemoved

TWO_PARTS = at(INVOICE, issued("60.00", "40.00"))
OTHER = at(OTHER_INVOICE, issued("50.00", number="INV-2026-000002"))
RETURNED = PaymentReturned(amount=Decimal(100), currency="EUR", reason="no funds")
REFUNDED = PaymentRefunded(amount=Decimal(100), currency="EUR", unapplied=Decimal(0), reason="by mistake")

Parts = tuple[tuple[int, str], ...]


def allocated(*parts: tuple[int, str], unapplied: str, invoice: UUID = INVOICE) -> PaymentAllocated:
    put = parts_of(*parts)
    amount = sum((part.amount for part in put), Decimal(0))
    return PaymentAllocated(invoice_id=invoice, currency="EUR", parts=put, amount=amount, unapplied=Decimal(unapplied))


def unallocated(*parts: tuple[int, str], unapplied: str, invoice: UUID = INVOICE) -> PaymentUnallocated:
    put = parts_of(*parts)
    amount = sum((part.amount for part in put), Decimal(0))
    return PaymentUnallocated(
        invoice_id=invoice, currency="EUR", parts=put, amount=amount, unapplied=Decimal(unapplied), reason="no funds"
    )


def applied(*parts: tuple[int, str], balance: str) -> PaymentApplied:
    put = parts_of(*parts)
    amount = sum((part.amount for part in put), Decimal(0))
    return PaymentApplied(payment_id=PAYMENT, currency="EUR", parts=put, amount=amount, balance=Decimal(balance))


def removed(*parts: tuple[int, str], balance: str) -> PaymentRemoved:
    put = parts_of(*parts)
    amount = sum((part.amount for part in put), Decimal(0))
    return PaymentRemoved(
        payment_id=PAYMENT, currency="EUR", parts=put, amount=amount, balance=Decimal(balance), reason="no funds"
    )


def by_us(taken_back: Event) -> Event:
    """The same, as it was put there by mistake."""
    return taken_back.model_copy(update={"is_correction": True})


def told(*requests: tuple[UUID, int | None, str]) -> AllocatePayment:
    return AllocatePayment(
        allocations=tuple(
            AllocationRequest(invoice_id=invoice, instalment=instalment, amount=Decimal(amount))
            for invoice, instalment, amount in requests
        )
    )


def allocation(payment: str, command: AllocatePayment, *history: object) -> Specification:
    return given(*history, at(PAYMENT, received(payment))).when(command, subject=PAYMENT)  # type: ignore[arg-type]


def test_money_comes_in_once() -> None:
    command = ReceivePayment(
        amount=Decimal("100.00"), currency="EUR", method="card", reference="A 1", payer="Ada", references={"bank": "7"}
    )
    event = PaymentReceived(
        amount=Decimal("100.00"), currency="EUR", method="card", reference="A 1", payer="Ada", references={"bank": "7"}
    )
    given().when(command).then(event)
    given(event).when(command).then(AlreadyExists, field="subject")
    given().when(ReceivePayment(amount=Decimal("0.5"), currency="JPY")).then(FinerThanMinorUnit, field="amount", fix="1")


def test_allocation_as_told_takes_what_is_due_first_of_the_invoice() -> None:
    allocation("100", told((INVOICE, None, "70.00")), TWO_PARTS).then(
        at(PAYMENT, allocated((1, "60.00"), (2, "10.00"), unapplied="30.00")),
        at(INVOICE, applied((1, "60.00"), (2, "10.00"), balance="30.00")),
    )


def test_allocation_as_told_may_name_the_instalment_and_several_invoices() -> None:
    command = told((INVOICE, 2, "15.00"), (OTHER_INVOICE, None, "50.00"), (INVOICE, None, "70.00"))
    allocation("140", command, TWO_PARTS, OTHER).then(
        at(PAYMENT, allocated((2, "25.00"), (1, "60.00"), unapplied="55.00")),
        at(INVOICE, applied((2, "25.00"), (1, "60.00"), balance="15.00")),
        at(PAYMENT, allocated((1, "50.00"), unapplied="5.00", invoice=OTHER_INVOICE)),
        at(OTHER_INVOICE, applied((1, "50.00"), balance="0"), InvoiceSettled()),
    )


def test_without_being_told_what_is_due_first_is_paid_first() -> None:
    later = at(OTHER_INVOICE, issued("50.00", number="INV-2026-000002", issued_on=date(2026, 3, 20)))
    # Due 1 April (60), 19 April (50), 1 May (40).
    allocation("120", AllocatePayment(), later, TWO_PARTS).then(
        at(PAYMENT, allocated((1, "60.00"), (2, "10.00"), unapplied="50.00")),
        at(INVOICE, applied((1, "60.00"), (2, "10.00"), balance="30.00")),
        at(PAYMENT, allocated((1, "50.00"), unapplied="0", invoice=OTHER_INVOICE)),
        at(OTHER_INVOICE, applied((1, "50.00"), balance="0"), InvoiceSettled()),
    )


def test_on_the_same_day_the_lower_number_is_paid_first() -> None:
    first = at(OTHER_INVOICE, issued("50.00", number="INV-2025-000009"))
    allocation("50", AllocatePayment(), TWO_PARTS, first).then(
        at(PAYMENT, allocated((1, "50.00"), unapplied="0", invoice=OTHER_INVOICE)),
        at(OTHER_INVOICE, applied((1, "50.00"), balance="0"), InvoiceSettled()),
    )


def test_the_rest_stays_unapplied_and_can_be_allocated_later() -> None:
    story = allocation("130", AllocatePayment(), TWO_PARTS).then(
        at(PAYMENT, allocated((1, "60.00"), (2, "40.00"), unapplied="30.00")),
        at(INVOICE, applied((1, "60.00"), (2, "40.00"), balance="0"), InvoiceSettled()),
    )
    story.when(AllocatePayment(), subject=PAYMENT).then(NothingOpen, field="allocations", message="in EUR", fix="refund")


def test_only_open_invoices_of_the_customer_in_the_currency_are_paid() -> None:
    dollars = at(INVOICE, issued("60.00", currency="USD"))
    strangers = of(STRANGER, OTHER)
    allocation("100", AllocatePayment(), dollars, strangers).then(NothingOpen)
    allocation("100", told((INVOICE, None, "1")), dollars).then(
        InvoiceInAnotherCurrency, field="allocations.0.invoice_id", message=f"payment is in EUR, but invoice {NUMBER} is in USD"
    )
    allocation("100", told((OTHER_INVOICE, None, "1")), strangers).then(OtherCustomers)
    allocation("100", told((INVOICE, None, "1"))).then(NotFound, field="allocations.0.invoice_id")


@pytest.mark.parametrize(
    ("command", "field", "message"),
    [
        (told((INVOICE, None, "100.01")), "allocations.0.amount", f"100.01 is more than the 100.00 open on invoice {NUMBER}"),
        (told((INVOICE, None, "60"), (INVOICE, None, "41")), "allocations.1.amount", "41 is more than the 40.00 open"),
        (told((INVOICE, 1, "60.01")), "allocations.0.amount", "60.00 open on instalment 1"),
    ],
)
def test_allocating_more_than_is_open_is_refused(command: AllocatePayment, field: str, message: str) -> None:
    allocation("500", command, TWO_PARTS).then(OverAllocation, field=field, message=message, fix="stays unapplied")


def test_allocating_more_than_is_unapplied_is_refused() -> None:
    command = told((INVOICE, 1, "30.00"), (INVOICE, 2, "30.00"))
    allocation("50", command, TWO_PARTS).then(
        MoreThanUnapplied, field="allocations.1.amount", message="30.00 is more than the 20.00", fix="at most 20.00"
    )
    story = allocation("50", AllocatePayment(), TWO_PARTS)
    story.when(AllocatePayment(), subject=PAYMENT).then(NothingUnapplied)


def test_instalments_that_are_named_are_open() -> None:
    allocation("50", told((INVOICE, 3, "1")), TWO_PARTS).then(UnknownInstalment, field="allocations.0.instalment", fix="1, 2")
    allocation("90", told((INVOICE, 1, "60"), (INVOICE, 1, "1")), TWO_PARTS).then(
        InstalmentPaid, field="allocations.1.instalment", fix="2"
    )
    allocation("50", told((INVOICE, 1, "0.001")), TWO_PARTS).then(FinerThanMinorUnit, field="allocations.0.amount")


def test_unallocating_takes_back_all_that_is_against_the_invoice() -> None:
    story = allocation("100", told((INVOICE, 2, "40.00")), TWO_PARTS).when(told((INVOICE, None, "60.00")), subject=PAYMENT)
    story.when(UnallocatePayment(invoice_id=INVOICE, reason="no funds"), subject=PAYMENT).then(
        at(PAYMENT, by_us(unallocated((2, "40.00"), (1, "60.00"), unapplied="100.00"))),
        at(INVOICE, by_us(removed((2, "40.00"), (1, "60.00"), balance="100.00")), InvoiceReopened(balance=Decimal(100))),
    )
    story.when(UnallocatePayment(invoice_id=INVOICE, reason="again"), subject=PAYMENT).then(
        NotAllocated, field="invoice_id", fix="none"
    )


def test_an_invoice_that_was_still_open_is_not_reopened() -> None:
    story = allocation("50", AllocatePayment(), TWO_PARTS)
    story.when(UnallocatePayment(invoice_id=INVOICE, reason="no funds"), subject=PAYMENT).then(
        at(PAYMENT, by_us(unallocated((1, "50.00"), unapplied="50.00"))),
        at(INVOICE, by_us(removed((1, "50.00"), balance="100.00"))),
    )


def test_a_return_unallocates_everything_first() -> None:
    story = allocation("120", told((INVOICE, None, "100.00"), (OTHER_INVOICE, None, "10.00")), TWO_PARTS, OTHER)
    story.when(ReturnPayment(reason="no funds"), subject=PAYMENT).then(
        at(PAYMENT, unallocated((1, "60.00"), (2, "40.00"), unapplied="110.00")),
        at(INVOICE, removed((1, "60.00"), (2, "40.00"), balance="100.00"), InvoiceReopened(balance=Decimal(100))),
        at(PAYMENT, unallocated((1, "10.00"), unapplied="120.00", invoice=OTHER_INVOICE)),
        at(OTHER_INVOICE, removed((1, "10.00"), balance="50.00")),
        at(PAYMENT, PaymentReturned(amount=Decimal(120), currency="EUR", reason="no funds")),
    )


def test_the_bank_returns_all_that_came_in() -> None:
    part = PaymentRefunded(amount=Decimal(30), currency="EUR", unapplied=Decimal(70), reason="by mistake")
    story = given(received("100"), part).when(ReturnPayment(reason="no funds"))
    returned = story.events[0]
    assert (returned.amount, returned.claimed, returned.claim_id) == (100, 30, derive_id("claim", str(SUBJECT)))
    story = given(received("100"), REFUNDED).when(ReturnPayment(reason="no funds"))
    assert (story.events[0].amount, story.events[0].claimed) == (100, 100)


def test_unapplied_cash_is_refunded() -> None:
    given(received("100")).when(RefundPayment(reason="by mistake")).then(REFUNDED)
    given(received("100")).when(RefundPayment(reason="by mistake", amount=Decimal(30))).then(
        PaymentRefunded(amount=Decimal(30), currency="EUR", unapplied=Decimal(70), reason="by mistake")
    )
    given(received("100")).when(RefundPayment(reason="?", amount=Decimal("100.01"))).then(MoreThanUnapplied, field="amount")
    given(received("100")).when(RefundPayment(reason="?", amount=Decimal("0.001"))).then(FinerThanMinorUnit, field="amount")
    given(received("100"), REFUNDED).when(RefundPayment(reason="?")).then(NothingUnapplied)


@pytest.mark.parametrize(
    "command",
    [
        AllocatePayment(),
        UnallocatePayment(invoice_id=INVOICE, reason="?"),
        ReturnPayment(reason="?"),
        RefundPayment(reason="?"),
    ],
)
def test_nothing_is_done_with_a_returned_or_missing_payment(command: Command) -> None:
    given(received("100"), RETURNED).when(command).then(PaymentIsReturned)
    given().when(command).then(DoesNotExist, fix="payment.receive.v1")
