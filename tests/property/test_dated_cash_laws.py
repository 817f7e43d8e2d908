"""One invoice and two payments, and everything that can be tried with them on a few days in any order: no day is negative.

Smaller than the sale of `test_cash_laws`, so that chance tries what matters for dates: money that is taken back and used again,
dated into the while in which it was elsewhere.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.profile import examples
from tests.property.sale import INVOICES, NOTES, PAYMENTS
from tests.property.test_cash_laws import CashLaws

from ltc_events.schemas.base import Command
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
)
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocationRequest,
    RecoverWriteOff,
    RefundPayment,
    ReturnPayment,
    UnallocatePayment,
)
from ltc_events.schemas.receivable import DisputeInvoice, ResolveDispute, ReverseWriteOff, WriteOffInvoice

INVOICE = INVOICES[0]
Make = Callable[[Decimal], Command]


def told(amount: Decimal) -> AllocatePayment:
    return AllocatePayment(allocations=(AllocationRequest(invoice_id=INVOICE, amount=amount),))


OF_PAYMENTS: list[Make] = [
    told,
    lambda _: AllocatePayment(),
    lambda _: UnallocatePayment(invoice_id=INVOICE, reason="?"),
    lambda _: UnallocatePayment(invoice_id=INVOICE, reason="?"),
    lambda amount: RefundPayment(amount=amount, reason="?"),
    lambda _: ReturnPayment(reason="?"),
    lambda amount: RecoverWriteOff(invoice_id=INVOICE, amount=amount),
]
OF_THE_INVOICE: list[Make] = [
    lambda amount: WriteOffInvoice(amount=amount, reason="?"),
    lambda amount: ReverseWriteOff(amount=amount, reason="?"),
    lambda _: DisputeInvoice(reason="?"),
    lambda _: ResolveDispute(resolution="?"),
]
OF_A_NOTE: list[Make] = [
    lambda _: IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER),
    lambda _: ApplyCreditNote(),
    lambda amount: RefundCreditNote(amount=amount, reason="?"),
    lambda amount: ReportFailedCreditRefund(amount=amount, reason="?"),
]
wishes = st.one_of(
    *[st.tuples(st.sampled_from(PAYMENTS[:2]), st.sampled_from(OF_PAYMENTS))] * 3,
    st.tuples(st.just(INVOICE), st.sampled_from(OF_THE_INVOICE)),
    st.tuples(st.just(NOTES[0]), st.sampled_from(OF_A_NOTE)),
)
days = st.integers(-2, 8).map(timedelta)
amounts = st.sampled_from([Decimal(1), Decimal(40), Decimal(100)])


@settings(max_examples=examples(300), deadline=None)
@given(steps=st.lists(st.tuples(wishes, days, amounts), min_size=3, max_size=12))
def test_no_day_is_negative(steps: list[tuple[tuple[object, Make], timedelta, Decimal]]) -> None:
    sale = CashLaws()
    sale.place(quantities=(1, 1, 1), nets=(8_403, 0, 0), cash=(Decimal(100),) * 3, first=(1, None, ()))
    began = sale.dates[-1]
    for (subject, make), later, amount in steps:
        sale.send(make(amount).model_copy(update={"effective_on": began + later}), subject)  # type: ignore[arg-type]
        sale.nothing_is_dated_before_what_it_is_about()
    sale.check_all()
