"""Invoice: write-offs, disputes, promises and reminders (R-66, R-67)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.money_examples import NUMBER, PAYMENT, issued, parts_of
from tests.unit.specification import Specification, given

from ltc_events.aggregates.base import DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.dunning import DunningDisputed, DunningPromised, NoticeTooSoon, NotOverdue
from ltc_events.aggregates.invoice import AlreadyDisputed, MoreThanOwed, NotDisputed, PromiseInThePast
from ltc_events.aggregates.receivable import InstalmentPaid, NothingOwed, UnknownInstalment
from ltc_events.schemas.base import Command
from ltc_events.schemas.invoice import TaxSubtotal
from ltc_events.schemas.policy import Dunning, PolicyPublished
from ltc_events.schemas.receivable import (
    DisputeInvoice,
    DisputeResolved,
    DunningNoticeSent,
    InvoiceDisputed,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
    PromisePayment,
    ResolveDispute,
    SendDunningNotice,
    WriteOffInvoice,
)

APRIL_FIRST = date(2026, 4, 1)
"""The first instalment of `issued` is due."""
DISPUTED = InvoiceDisputed(reason="scratched")
PROMISED = PaymentPromised(promised_on=date(2026, 4, 20), amount=Decimal("100.00"))


def applied(*parts: tuple[int, str], balance: str = "0") -> PaymentApplied:
    put = parts_of(*parts)
    amount = sum((part.amount for part in put), Decimal(0))
    return PaymentApplied(payment_id=PAYMENT, currency="EUR", parts=put, amount=amount, balance=Decimal(balance))


def written_off(*parts: tuple[int, str], balance: str = "0") -> InvoiceWrittenOff:
    put = parts_of(*parts)
    amount = sum((part.amount for part in put), Decimal(0))
    # The invoice is taxed at 0 %: there is no tax to be relieved, but a taxable amount that shrinks.
    taxes = (TaxSubtotal(category="S", rate=Decimal(0), taxable=amount, tax=Decimal("0.00")),)
    return InvoiceWrittenOff(
        currency="EUR",
        parts=put,
        amount=amount,
        balance=Decimal(balance),
        reason="bankrupt",
        relieved=amount,
        taxes=taxes,
        tax=Decimal(0),
    )


PAID = (issued("100.00"), applied((1, "100.00")), InvoiceSettled())


def notice(**changes: Any) -> DunningNoticeSent:
    """The first reminder of 100.00, 15 days overdue, by the policy that we start with."""
    fields: dict[str, Any] = {
        "instalment": 1,
        "level": 1,
        "days_overdue": 15,
        "outstanding": Decimal("100.00"),
        "interest": Decimal("0.37"),
        "fee": Decimal("10.00"),
        "total": Decimal("110.37"),
        "currency": "EUR",
        "policy_version": 0,
    }
    fields |= changes
    claimed = {"fee_claimed": fields["fee"], "interest_claimed": fields["interest"]}
    return DunningNoticeSent(**{**claimed, **fields})


def reminded_by(story: Specification) -> DunningNoticeSent:
    """The reminder that was sent; the claims that come with it are told in test_claims."""
    sent: DunningNoticeSent = story.events[0]
    return sent.model_copy(update={"not_before": None, "fee_claim_id": None, "interest_claim_id": None})


def test_writing_off_everything_settles_the_invoice() -> None:
    given(issued("60.00", "40.00"), applied((1, "50.00"), balance="50.00")).when(WriteOffInvoice(reason="bankrupt")).then(
        written_off((1, "10.00"), (2, "40.00")), InvoiceSettled()
    )


def test_writing_off_a_part_takes_what_is_due_first() -> None:
    given(issued("60.00", "40.00")).when(WriteOffInvoice(reason="bankrupt", amount=Decimal(70))).then(
        written_off((1, "60.00"), (2, "10.00"), balance="30.00")
    )


def test_no_more_than_is_owed_is_written_off() -> None:
    given(issued("100.00")).when(WriteOffInvoice(reason="?", amount=Decimal("100.01"))).then(
        MoreThanOwed, field="amount", message=f"100.01 is more than the 100.00 owed on invoice {NUMBER}"
    )
    given(issued("100.00")).when(WriteOffInvoice(reason="?", amount=Decimal("0.001"))).then(FinerThanMinorUnit, field="amount")


def test_a_dispute_is_opened_and_resolved() -> None:
    given(issued("100.00")).when(DisputeInvoice(reason="scratched")).then(DISPUTED)
    given(issued("100.00"), DISPUTED).when(DisputeInvoice(reason="again")).then(AlreadyDisputed)
    given(issued("100.00"), DISPUTED).when(ResolveDispute(resolution="polished")).then(DisputeResolved(resolution="polished"))
    given(issued("100.00")).when(ResolveDispute(resolution="?")).then(NotDisputed)
    given(issued("100.00"), DISPUTED, DisputeResolved(resolution="polished")).when(ResolveDispute(resolution="?")).then(
        NotDisputed
    )


def test_a_promise_is_for_all_that_is_owed_unless_it_says_less() -> None:
    promise = PromisePayment(promised_on=date(2026, 4, 20), by="Ada")
    given(issued("100.00"), applied((1, "30.00"), balance="70.00")).when(promise).then(
        PaymentPromised(promised_on=date(2026, 4, 20), amount=Decimal("70.00"), by="Ada")
    )
    less = PromisePayment(promised_on=date(2026, 4, 20), amount=Decimal(20))
    given(issued("100.00")).when(less).then(PaymentPromised(promised_on=date(2026, 4, 20), amount=Decimal(20)))
    more = PromisePayment(promised_on=date(2026, 4, 20), amount=Decimal(101))
    given(issued("100.00")).when(more).then(MoreThanOwed, field="amount")


def test_nothing_is_promised_for_the_past() -> None:
    given(issued("100.00")).when(PromisePayment(promised_on=date(2026, 3, 1))).then(
        PromiseInThePast, field="promised_on", fix="2026-03-02 or a later day"
    )


@pytest.mark.parametrize(
    "command",
    [WriteOffInvoice(reason="?"), DisputeInvoice(reason="?"), PromisePayment(promised_on=APRIL_FIRST)],
)
def test_nothing_is_done_about_a_settled_or_missing_invoice(command: Command) -> None:
    given(*PAID).when(command).then(NothingOwed, message=f"nothing is owed on invoice {NUMBER}")
    given().when(command).then(DoesNotExist, fix="invoice.issue.v1")


def test_a_reminder_costs_interest_and_a_fee() -> None:
    assert reminded_by(given(issued("100.00")).when(SendDunningNotice(instalment=1), on=date(2026, 4, 16))) == notice()


def test_a_reminder_follows_the_policy_in_force() -> None:
    policy = Dunning(kind="dunning", annual_interest_percent=Decimal(36), fee=Decimal("2.5"), days_between=1)
    story = given(issued("100.00"), PolicyPublished(version=3, content=policy))
    story.when(SendDunningNotice(instalment=1), on=date(2026, 4, 16))
    expected = notice(interest=Decimal("1.48"), fee=Decimal("2.50"), total=Decimal("103.98"), policy_version=3)
    assert reminded_by(story) == expected


def test_the_next_reminder_is_a_level_higher_and_some_days_later() -> None:
    reminded = given(issued("100.00"), notice())
    reminded.when(SendDunningNotice(instalment=1), on=date(2026, 4, 30))
    # Of the 0.72 the first reminder has claimed 0.37.
    more = {"interest": Decimal("0.72"), "interest_claimed": Decimal("0.35"), "total": Decimal("110.72")}
    assert reminded_by(reminded) == notice(level=2, days_overdue=29, **more)
    given(issued("100.00"), notice()).when(SendDunningNotice(instalment=1), on=date(2026, 4, 29)).then(
        NoticeTooSoon, field="effective_on", message="went out on 2026-04-16", fix="2026-04-30"
    )


def test_levels_are_counted_per_instalment() -> None:
    invoice = issued("60.00", "40.00", issued_on=date(2026, 1, 1))
    event, *_ = given(invoice, notice(outstanding=Decimal(60))).when(SendDunningNotice(instalment=2), on=date(2026, 4, 1)).events
    assert (event.instalment, event.level, event.outstanding) == (2, 1, 40)


def test_a_reminder_is_for_an_open_instalment_that_is_overdue() -> None:
    remind = SendDunningNotice(instalment=1)
    given(issued("100.00")).when(remind, on=APRIL_FIRST).then(NotOverdue, field="effective_on", fix="2026-04-02 or later")
    given(issued("100.00")).when(SendDunningNotice(instalment=2), on=date(2026, 5, 1)).then(UnknownInstalment, fix="1")
    half_paid = (issued("60.00", "40.00"), applied((1, "60.00"), balance="40.00"))
    given(*half_paid).when(remind, on=date(2026, 5, 1)).then(InstalmentPaid, field="instalment", fix="open instalments: 2")
    given(*PAID).when(remind, on=date(2026, 5, 1)).then(InstalmentPaid, fix="none")


def test_what_is_disputed_or_promised_is_not_reminded_of() -> None:
    remind = SendDunningNotice(instalment=1)
    given(issued("100.00"), DISPUTED).when(remind, on=date(2026, 4, 16)).then(DunningDisputed, fix="resolve the dispute")
    given(issued("100.00"), PROMISED).when(remind, on=date(2026, 4, 20)).then(DunningPromised, fix="2026-04-20 has passed")
    later = given(issued("100.00"), PROMISED).when(remind, on=date(2026, 4, 21))
    assert reminded_by(later) == notice(days_overdue=20, interest=Decimal("0.49"), total=Decimal("110.49"))


def test_a_payment_that_is_taken_back_reopens_the_dunning() -> None:
    removed = PaymentRemoved(
        payment_id=PAYMENT, currency="EUR", parts=parts_of((1, "100.00")), amount=Decimal(100), balance=Decimal(100), reason="?"
    )
    history = (issued("100.00"), PROMISED, notice(), *PAID[1:], removed, InvoiceReopened(balance=Decimal(100)))
    event, *_ = given(*history).when(SendDunningNotice(instalment=1), on=date(2026, 5, 1)).events
    assert (event.level, event.outstanding) == (2, 100)
