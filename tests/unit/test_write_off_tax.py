"""What is written off is lost net of tax; what comes after all brings the tax back (Directive 2006/112/EC, article 90)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from tests.unit.money_examples import (
    CREDIT_NOTE,
    INVOICE,
    ORDER,
    PAYMENT,
    issued,
    money,
    order_line,
    parts_of,
    placed,
    received,
)
from tests.unit.specification import SUBJECT, Specification, at, given

from ltc_events.aggregates.base import FinerThanMinorUnit
from ltc_events.aggregates.invoice import MoreThanWrittenOff, NothingWrittenOff
from ltc_events.aggregates.receivable import MoreThanUnapplied, NothingUnapplied
from ltc_events.application.rules.cash import InvoiceInAnotherCurrency
from ltc_events.kernel.money import ZERO, apportion
from ltc_events.schemas.credit_note import CreditLine, CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import IssueInvoice, TaxSubtotal
from ltc_events.schemas.payment import AllocatePayment, AllocationRequest, PaymentAllocated, RecoverWriteOff, UnallocatePayment
from ltc_events.schemas.policy import PolicyPublished, WriteOff
from ltc_events.schemas.receivable import (
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    PaymentApplied,
    ReverseWriteOff,
    WriteOffInvoice,
    WriteOffReversed,
)

NO_RELIEF = PolicyPublished(version=3, content=WriteOff(kind="write_off", tax_relief="none"))


def write_off(amount: str | None = None) -> WriteOffInvoice:
    return WriteOffInvoice(reason="bankrupt", amount=None if amount is None else Decimal(amount))


def reverse(amount: str | None = None) -> ReverseWriteOff:
    return ReverseWriteOff(reason="by mistake", amount=None if amount is None else Decimal(amount))


def tax(rate: int, taxable: str, amount: str) -> TaxSubtotal:
    return TaxSubtotal(category="S", rate=Decimal(rate), taxable=Decimal(taxable), tax=Decimal(amount))


def two_rates(**more: Any) -> Specification:
    """An invoice of 226.00: 100 at 19 % and 100 at 7 %."""
    order = placed(order_line(1), order_line(2, tax_rate=Decimal(7)))
    story = given(at(ORDER, order), at(PAYMENT, received("500")))
    return story.when(IssueInvoice(order_id=ORDER, basis="ordered", **more), subject=INVOICE)


def pay(story: Specification, amount: str) -> Specification:
    told = AllocationRequest(invoice_id=INVOICE, amount=Decimal(amount))
    return story.when(AllocatePayment(allocations=(told,)), subject=PAYMENT)


def relief(story: Specification) -> Decimal:
    """Relieved so far, less what is owed again."""
    total = ZERO
    for event in story.events:
        match event:
            case InvoiceWrittenOff():
                total += event.tax
            case WriteOffReversed():
                total -= event.tax
    return total


def test_a_write_off_is_split_into_what_is_lost_and_the_tax_in_it() -> None:
    given(issued("119.00", rate=19)).when(write_off("11.90")).then(
        InvoiceWrittenOff(
            currency="EUR",
            parts=parts_of((1, "11.90")),
            amount=Decimal("11.90"),
            balance=Decimal("107.10"),
            reason="bankrupt",
            relieved=Decimal("11.90"),
            taxes=(tax(19, "10.00", "1.90"),),
            tax=Decimal("1.90"),
        )
    )


def test_each_rate_takes_its_share_by_largest_remainder() -> None:
    [event, _] = two_rates().when(write_off(), subject=INVOICE).events
    assert event.taxes == (tax(19, "100.00", "19.00"), tax(7, "100.00", "7.00"))
    [event] = two_rates().when(write_off("10.00"), subject=INVOICE).events
    # 10 × 100 / 226 = 4.4248 twice, 10 × 19 / 226 = 0.8407, 10 × 7 / 226 = 0.3097: the two cents go to 0.97 and the first 0.48.
    assert event.taxes == (tax(19, "4.43", "0.84"), tax(7, "4.42", "0.31"))


def test_parts_of_a_write_off_relieve_exactly_the_tax_of_the_invoice() -> None:
    story = two_rates()
    total = ZERO
    for amount in ("0.01", "99.99", "33.33", None):
        story.when(write_off(amount), subject=INVOICE)
        total += relief(story)
    assert total == 26


def test_small_differences_mirror_each_other() -> None:
    story = given(issued("119.00", rate=19)).when(write_off("4.00"))
    assert relief(story) == Decimal("0.64")
    story.when(reverse("1.00")).then(
        WriteOffReversed(
            currency="EUR",
            parts=parts_of((1, "1.00")),
            amount=Decimal("1.00"),
            balance=Decimal("116.00"),
            reason="by mistake",
            relieved=Decimal("1.00"),
            taxes=(tax(19, "0.84", "0.16"),),
            tax=Decimal("0.16"),
        )
    )
    story.when(reverse())
    assert relief(story) == Decimal("-0.48")
    story.when(reverse()).then(NothingWrittenOff, field="subject")


def test_an_invoice_that_was_given_up_whole_is_open_again() -> None:
    story = given(issued("60.00", "59.00", rate=19)).when(write_off())
    assert isinstance(story.events[-1], InvoiceSettled)
    story.when(reverse("100"))
    assert story.events[0].parts == parts_of((1, "60.00"), (2, "40.00"))
    assert story.events[1:] == [InvoiceReopened(balance=Decimal(100))]
    story.when(reverse("19.01")).then(MoreThanWrittenOff, field="amount", message="19.01 is more than the 19.00")
    given(issued("60.00")).when(write_off()).when(reverse("0.001")).then(FinerThanMinorUnit, field="amount")


def test_policy_says_whether_the_tax_is_relieved() -> None:
    story = given(NO_RELIEF, issued("119.00", rate=19)).when(write_off("11.90"))
    [event] = story.events
    assert (event.taxes, event.tax, event.relieved, event.write_off_version) == ((), 0, 0, 3)
    [event] = story.when(reverse()).events
    assert (event.taxes, event.tax, event.relieved) == ((), 0, 0)


def test_a_policy_that_changes_meanwhile_brings_back_what_was_relieved_and_no_more() -> None:
    story = given(issued("119.00", rate=19)).when(write_off("59.50"))
    assert relief(story) == Decimal("9.50")
    old = InvoiceWrittenOff(
        currency="EUR", parts=parts_of((1, "59.50")), amount=Decimal("59.50"), balance=Decimal("59.50"), reason="?"
    )
    story = given(issued("119.00", rate=19), old).when(write_off("59.50"))
    assert relief(story) == Decimal("9.50")
    story.when(reverse("59.50"))
    first = relief(story)
    story.when(reverse())
    assert (first, first + relief(story)) == money("-4.75", "-9.50")


class TestRecovery:
    """Money for what was given up."""

    def test_it_is_owed_again_and_paid_at_once(self) -> None:
        story = given(issued("119.00", rate=19), at(PAYMENT, received("50"))).when(write_off())

        story.when(RecoverWriteOff(invoice_id=SUBJECT, amount=Decimal("11.90")), subject=PAYMENT).then(
            WriteOffReversed(
                payment_id=PAYMENT,
                currency="EUR",
                parts=parts_of((1, "11.90")),
                amount=Decimal("11.90"),
                balance=Decimal("11.90"),
                reason="recovered",
                relieved=Decimal("11.90"),
                taxes=(tax(19, "10.00", "1.90"),),
                tax=Decimal("1.90"),
            ),
            InvoiceReopened(balance=Decimal("11.90")),
            at(
                PAYMENT,
                PaymentAllocated(
                    invoice_id=SUBJECT,
                    currency="EUR",
                    parts=parts_of((1, "11.90")),
                    amount=Decimal("11.90"),
                    unapplied=Decimal("38.10"),
                ),
            ),
            PaymentApplied(
                payment_id=PAYMENT, currency="EUR", parts=parts_of((1, "11.90")), amount=Decimal("11.90"), balance=Decimal(0)
            ),
            InvoiceSettled(),
        )

    def test_without_an_amount_it_takes_what_it_can(self) -> None:
        story = two_rates().when(write_off(), subject=INVOICE).when(RecoverWriteOff(invoice_id=INVOICE), subject=PAYMENT)
        assert relief(story) == -26
        story.when(UnallocatePayment(invoice_id=INVOICE, reason="not ours"), subject=PAYMENT)
        # It was owed, and is again, until somebody gives it up once more.
        assert story.events[-1] == InvoiceReopened(balance=Decimal(226))
        assert relief(story.when(write_off(), subject=INVOICE)) == 26

    def test_only_what_was_given_up_is_recovered(self) -> None:
        recover = RecoverWriteOff(invoice_id=INVOICE, amount=Decimal(10))
        two_rates().when(recover, subject=PAYMENT).then(NothingWrittenOff, field="invoice_id")
        two_rates().when(write_off("9"), subject=INVOICE).when(recover, subject=PAYMENT).then(MoreThanWrittenOff, field="amount")
        dollars = at(INVOICE, issued("60.00", currency="USD"))
        given(dollars, at(PAYMENT, received("60"))).when(write_off(), subject=INVOICE).when(recover, subject=PAYMENT).then(
            InvoiceInAnotherCurrency, field="invoice_id"
        )
        little = given(at(INVOICE, issued("60.00")), at(PAYMENT, received("5"))).when(write_off(), subject=INVOICE)
        little.when(recover, subject=PAYMENT).then(MoreThanUnapplied, field="amount")
        little = given(at(INVOICE, issued("60.00")), at(PAYMENT, received("5"))).when(write_off(), subject=INVOICE)
        little.when(RecoverWriteOff(invoice_id=INVOICE), subject=PAYMENT)
        little.when(RecoverWriteOff(invoice_id=INVOICE), subject=PAYMENT).then(NothingUnapplied)


class TestCreditedLater:
    """What was written off and is credited: the tax is taken back once, by the credit note."""

    def credited(self, story: Specification, line: int) -> Any:
        command = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER, lines=(CreditLine(line=line),))
        return next(event for event in story.when(command, subject=CREDIT_NOTE).events if event.type == "credit_note.issued.v1")

    def test_the_relief_of_another_rate_stays(self) -> None:
        note = self.credited(two_rates().when(write_off(), subject=INVOICE), 1)
        assert (note.write_off_reversed, note.write_off_relieved) == money("119.00", "119.00")
        assert note.write_off_taxes == (tax(19, "100.00", "19.00"),)

    def test_relief_is_for_what_the_invoice_is_for_after_it(self) -> None:
        story = pay(two_rates(), "113").when(write_off(), subject=INVOICE)
        assert story.events[0].taxes == (tax(19, "50.00", "9.50"), tax(7, "50.00", "3.50"))
        note = self.credited(story, 1)
        assert (note.write_off_reversed, note.unapplied) == money("113.00", "6.00")
        assert note.write_off_taxes == (tax(19, "50.00", "9.50"), tax(7, "50.00", "3.50"))

    def test_what_stays_given_up_moves_to_the_other_rate(self) -> None:
        story = two_rates().when(write_off("113"), subject=INVOICE)
        note = self.credited(story, 1)
        assert (note.applied, note.write_off_reversed) == money("113.00", "6.00")
        # Everything is credited at 19 % and given up at 7 %: 26 of tax on the invoice, 19 credited, 7 relieved.
        assert note.write_off_taxes == (tax(19, "50.00", "9.50"), tax(7, "-50.00", "-3.50"))


class TestPrepaid:
    """BT-113 is money outside of this ledger: never owed, never paid out from here."""

    def credited(self, story: Specification, amount: str | None = None) -> Any:
        lines = () if amount is None else (CreditLine(line=1, amount=Decimal(amount)),)
        command = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER, lines=lines)
        return next(event for event in story.when(command, subject=CREDIT_NOTE).events if event.type == "credit_note.issued.v1")

    def test_what_was_paid_here_is_on_credit_and_the_rest_is_not(self) -> None:
        note = self.credited(pay(two_rates(prepaid=Decimal(26)), "200"))
        assert (note.applied, note.unapplied, note.prepaid_credited) == money("0", "200.00", "26.00")

    def test_what_was_paid_here_comes_first(self) -> None:
        note = self.credited(pay(two_rates(prepaid=Decimal(26)), "200"), "50")
        assert (note.unapplied, note.prepaid_credited) == money("59.50", "0")

    def test_what_is_owed_comes_before_both(self) -> None:
        note = self.credited(pay(two_rates(prepaid=Decimal(26)), "20"))
        assert (note.applied, note.unapplied, note.prepaid_credited) == money("180.00", "20.00", "26.00")


@for_all(st.data())
def test_shares_by_largest_remainder_add_up_and_stay_within_their_weights(data: st.DataObject) -> None:
    weights = [Decimal(one) / 100 for one in data.draw(st.lists(st.integers(0, 10_000), min_size=1, max_size=7))]
    total = sum(weights)
    if not total:
        return
    amount = Decimal(data.draw(st.integers(0, int(total * 100)))) / 100
    parts = apportion(amount, weights, "EUR")
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - amount * weight / total) < Decimal("0.01")
        assert 0 <= part <= weight


@pytest.mark.parametrize(
    ("currency", "amount", "parts"), [("JPY", "10", ["3", "3", "4"]), ("KWD", "0.010", ["0.003"] * 2 + ["0.004"])]
)
def test_shares_are_in_the_minor_unit(currency: str, amount: str, parts: list[str]) -> None:
    weights = [Decimal(amount) * one for one in (33, 33, 34)]
    assert apportion(Decimal(amount), weights, currency) == list(map(Decimal, parts))
