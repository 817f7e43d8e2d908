"""Claims: what customers owe beside invoices, raised by reminders and by money that the bank took back."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.money_examples import INVOICE, PAYMENT, issued, received
from tests.unit.specification import STRANGER, SUBJECT, TODAY, Specification, at, given, of

from ltc_events.aggregates.base import AlreadyExists, DatedTooEarly, DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.claim import MoreThanClaimed, NothingClaimed
from ltc_events.aggregates.payment import NotAllocatedToClaim
from ltc_events.aggregates.receivable import MoreThanUnapplied, UnknownInstalment
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.rules.cash import NothingOpen
from ltc_events.application.rules.claims import ClaimInAnotherCurrency
from ltc_events.application.unit_of_work import NotFound
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.claim import ClaimKind, ClaimPaid, ClaimRaised, ClaimUnpaid, ClaimWaived, RaiseClaim, WaiveClaim
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocateToClaim,
    AllocationRequest,
    PaymentAllocated,
    PaymentAllocatedToClaim,
    PaymentReturned,
    ReceivePayment,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
    UnallocateFromClaim,
)
from ltc_events.schemas.policy import Dunning, PolicyPublished
from ltc_events.schemas.receivable import InvoiceClaimed, SendDunningNotice

CLAIM, OLD = derive_id("test", "claim"), derive_id("test", "old payment")


def raised(amount: str = "10.00", currency: str = "EUR", kind: ClaimKind = ClaimKind.DUNNING_FEE) -> ClaimRaised:
    return ClaimRaised(kind=kind, reference="R", currency=currency, amount=Decimal(amount), due_on=TODAY, invoice_id=INVOICE)


def dunning(**changes: Any) -> PolicyPublished:
    known: dict[str, Any] = {"annual_interest_percent": Decimal(9), "fee": Decimal(5), "days_between": 14}
    return PolicyPublished(version=1, content=Dunning(kind="dunning", **{**known, **changes}))


def remind(story: Specification, day: int, subject: Any = SUBJECT) -> list[ClaimRaised]:
    story.when(SendDunningNotice(instalment=1), subject=subject, on=TODAY + timedelta(days=30 + day))
    return [event for event in story.events if isinstance(event, ClaimRaised)]


class TestReminders:
    def test_fee_and_interest_are_owed_from_the_day_of_the_reminder(self) -> None:
        fee, interest = remind(given(issued("1000.00")), 15)
        assert (fee.kind, fee.amount, fee.due_on, fee.invoice_id, fee.instalment) == (
            ClaimKind.DUNNING_FEE,
            Decimal("10.00"),
            TODAY + timedelta(days=45),
            SUBJECT,
            1,
        )
        assert (interest.kind, interest.amount) == (ClaimKind.INTEREST, Decimal("3.70"))

    def test_the_reminder_names_its_claims(self) -> None:
        story = given(issued("1000.00"))
        remind(story, 15)
        sent, *placed = story.placed
        ids = [id for id, event in placed if isinstance(event, ClaimRaised)]
        assert [sent[1].fee_claim_id, sent[1].interest_claim_id] == ids

    def test_interest_is_claimed_once_however_often_it_is_told(self) -> None:
        story = given(issued("1000.00"))
        first = remind(story, 15)[1].amount
        second = remind(story, 30)[1].amount
        assert first + second == Decimal("7.40") == story.events[0].interest

    def test_a_policy_may_only_tell_of_them(self) -> None:
        assert remind(given(dunning(claims="stated"), issued("1000.00")), 15) == []

    @pytest.mark.parametrize(
        ("currency", "fees", "fee"),
        [("EUR", {}, ["5.00"]), ("JPY", {}, ["5"]), ("JPY", {"EUR": 5, "JPY": 700}, ["700"]), ("KWD", {"EUR": 5}, [])],
    )
    def test_the_fee_is_that_of_the_currency(self, currency: str, fees: dict[str, int], fee: list[str]) -> None:
        policy = dunning(annual_interest_percent=Decimal(0), fees={name: Decimal(one) for name, one in fees.items()})
        claims = remind(given(policy, issued("1000", currency=currency)), 15)
        assert [str(one.amount) for one in claims] == fee

    def test_an_id_that_somebody_else_has_taken_is_passed_over(self) -> None:
        taken = derive_id("claim", str(SUBJECT), "1", "1", "dunning_fee")
        story = given(issued("1000.00"), of(STRANGER, at(taken, issued("1.00"))))
        assert [one.kind for one in remind(story, 15)] == [ClaimKind.DUNNING_FEE, ClaimKind.INTEREST]


class TestMoney:
    def story(self, claim: str = "10.00", money: str = "25.00", **more: Any) -> Specification:
        return given(at(CLAIM, raised(claim, **more)), at(PAYMENT, received(money)))

    def test_it_is_put_against_a_claim_and_taken_back(self) -> None:
        story = self.story().when(AllocateToClaim(claim_id=CLAIM, amount=Decimal(4)), subject=PAYMENT)
        allocated, paid = story.events
        assert (allocated.amount, allocated.unapplied, paid.amount, paid.balance) == (4, 21, 4, 6)
        story.when(AllocateToClaim(claim_id=CLAIM), subject=PAYMENT)
        assert [type(event) for event in story.events[1:]] == [ClaimPaid]
        story.when(AllocateToClaim(claim_id=CLAIM), subject=PAYMENT).then(NothingClaimed, field="claim_id")

    def test_all_of_it_is_taken_back(self) -> None:
        story = self.story().when(AllocateToClaim(claim_id=CLAIM), subject=PAYMENT)
        story.when(UnallocateFromClaim(claim_id=CLAIM, reason="wrong"), subject=PAYMENT)
        taken, unpaid = story.events
        assert (taken.unapplied, unpaid.balance, type(unpaid)) == (25, 10, ClaimUnpaid)
        story.when(UnallocateFromClaim(claim_id=CLAIM, reason="wrong"), subject=PAYMENT).then(NotAllocatedToClaim, fix="none")

    def test_a_returned_payment_leaves_the_claim_open(self) -> None:
        story = (
            self.story().when(AllocateToClaim(claim_id=CLAIM), subject=PAYMENT).when(ReturnPayment(reason="?"), subject=PAYMENT)
        )
        assert [event.type for event in story.events] == [
            "payment.unallocated_from_claim.v1",
            "claim.unpaid.v1",
            "payment.returned.v1",
        ]
        assert story.events[-1].amount == 25

    def test_no_more_than_there_is(self) -> None:
        def pay(story: Specification, amount: str) -> Specification:
            return story.when(AllocateToClaim(claim_id=CLAIM, amount=Decimal(amount)), subject=PAYMENT)

        pay(self.story(), "10.01").then(MoreThanClaimed, field="amount", fix="at most 10.00")
        pay(self.story(money="5"), "6").then(MoreThanUnapplied, field="amount")
        pay(self.story(), "0.001").then(FinerThanMinorUnit, field="amount")
        pay(self.story(currency="USD"), "1").then(ClaimInAnotherCurrency, field="claim_id")
        pay(given(at(PAYMENT, received("5"))), "1").then(NotFound, field="claim_id")


class TestWaiving:
    def test_part_of_it_and_then_the_rest(self) -> None:
        story = given(raised()).when(WaiveClaim(amount=Decimal(4), reason="goodwill"))
        story.then(
            ClaimWaived(
                kind=ClaimKind.DUNNING_FEE,
                currency="EUR",
                amount=Decimal(4),
                balance=Decimal("6.00"),
                reason="goodwill",
                not_before=TODAY,
            )
        )
        story.when(WaiveClaim(reason="goodwill"))
        assert story.events[0].balance == 0
        story.when(WaiveClaim(reason="?")).then(NothingClaimed, field="subject")

    def test_no_more_than_is_left_and_not_before_it_was_raised(self) -> None:
        given(raised()).when(WaiveClaim(amount=Decimal("10.01"), reason="?")).then(MoreThanClaimed, field="amount")
        given(raised()).when(WaiveClaim(reason="?"), on=date(2026, 3, 1)).then(DatedTooEarly)
        given().when(WaiveClaim(reason="?")).then(DoesNotExist)


class TestTheBank:
    """A return is of all that came in; what had been refunded of it the customer owes."""

    def test_what_was_refunded_is_owed(self) -> None:
        story = given(received("150")).when(RefundPayment(reason="?", amount=Decimal(10))).when(ReturnPayment(reason="no funds"))
        returned, claim = story.events
        assert isinstance(returned, PaymentReturned)
        assert (returned.amount, returned.claimed) == (150, 10)
        assert (claim.kind, claim.amount, claim.payment_id) == (ClaimKind.RETURNED_PAYMENT, 10, SUBJECT)

    def test_also_when_all_of_it_was(self) -> None:
        story = given(received("150")).when(RefundPayment(reason="?")).when(ReturnPayment(reason="no funds"))
        assert (story.events[0].amount, story.events[1].amount) == (150, 150)

    def test_a_refund_that_comes_back_settles_it(self) -> None:
        story = given(received("150")).when(RefundPayment(reason="?", amount=Decimal(10))).when(ReturnPayment(reason="no funds"))
        claim_id = story.events[0].claim_id
        story.when(ReportFailedRefund(reason="closed")).when(AllocateToClaim(claim_id=claim_id))
        assert [event.type for event in story.events] == ["payment.allocated_to_claim.v1", "claim.paid.v1"]
        assert (story.events[0].unapplied, story.events[1].balance) == (0, 0)


def claim_of(amount: str, kind: Any = ClaimKind.DUNNING_FEE, **changes: Any) -> RaiseClaim:
    fields = {"invoice_id": INVOICE, "instalment": 1, "reason": "by telephone", **changes}
    return RaiseClaim(kind=kind, amount=Decimal(amount), **fields)


class TestRaisedByHand:
    def test_what_a_reminder_only_stated_is_owed(self) -> None:
        given(at(INVOICE, issued("1000.00"))).when(claim_of("40"), subject=CLAIM).then(
            at(
                CLAIM,
                ClaimRaised(
                    kind=ClaimKind.DUNNING_FEE,
                    reference="INV-2026-000001/1 by telephone",
                    currency="EUR",
                    amount=Decimal(40),
                    due_on=TODAY,
                    invoice_id=INVOICE,
                    instalment=1,
                ),
            ),
            at(
                INVOICE,
                InvoiceClaimed(claim_id=CLAIM, kind="dunning_fee", instalment=1, amount=Decimal(40), currency="EUR"),
            ),
        )

    def test_interest_is_not_claimed_again_by_the_next_reminder(self) -> None:
        story = given(issued("1000.00")).when(claim_of("3.70", ClaimKind.INTEREST, invoice_id=SUBJECT), subject=CLAIM)
        (fee,) = remind(story, 15)
        assert fee.kind is ClaimKind.DUNNING_FEE

    def test_what_is_no_claim(self) -> None:
        story = given(at(INVOICE, issued("1000.00")))
        story.when(claim_of("0.001"), subject=CLAIM).then(FinerThanMinorUnit, field="amount")
        story = given(at(INVOICE, issued("1000.00")))
        story.when(claim_of("1", instalment=2), subject=CLAIM).then(UnknownInstalment, field="instalment", fix="1")
        given().when(claim_of("1"), subject=CLAIM).then(NotFound, field="invoice_id")
        story = given(of(STRANGER, at(INVOICE, issued("1000.00"))))
        story.when(claim_of("1"), subject=CLAIM).then(OtherCustomers)
        story = given(at(INVOICE, issued("1000.00")))
        story.when(claim_of("1"), subject=CLAIM, on=TODAY - timedelta(days=1)).then(DatedTooEarly)
        story = given(at(INVOICE, issued("1000.00"))).when(claim_of("1"), subject=CLAIM)
        story.when(claim_of("1"), subject=CLAIM).then(AlreadyExists)


class TestAutomaticAllocation:
    """An invoice of 100, reminded of: a fee of 10 and an interest of 0.37."""

    @staticmethod
    def reminded(allocation: str, amount: str) -> Specification:
        story = given(dunning(fee=Decimal(10), automatic_allocation=allocation), at(INVOICE, issued("100.00")))
        remind(story, 15, INVOICE)
        receive = ReceivePayment(amount=Decimal(amount), currency="EUR")
        later = TODAY + timedelta(days=60)
        return story.when(receive, subject=PAYMENT, on=later).when(AllocatePayment(), subject=PAYMENT, on=later)

    @staticmethod
    def put(story: Specification) -> list[tuple[str, str]]:
        """What the payment was put against, in order."""
        kinds = {PaymentAllocatedToClaim: "claim", PaymentAllocated: "invoice"}
        return [(kinds[type(event)], f"{event.amount:f}") for event in story.events if type(event) in kinds]

    def test_invoices_alone_unless_policy_says_otherwise(self) -> None:
        assert self.put(self.reminded("invoices", "105")) == [("invoice", "100.00")]

    def test_fees_then_interest_then_invoices(self) -> None:
        assert self.put(self.reminded("claims_first", "60")) == [("claim", "10.00"), ("claim", "0.37"), ("invoice", "49.63")]

    def test_as_far_as_it_goes(self) -> None:
        assert self.put(self.reminded("claims_first", "10.30")) == [("claim", "10.00"), ("claim", "0.30")]
        assert self.put(self.reminded("claims_first", "200"))[-1] == ("invoice", "100.00")

    def test_money_that_the_bank_took_back_comes_after_interest_and_before_invoices(self) -> None:
        """It went out and is owed at once; an invoice that is reminded of may still have instalments to come."""
        story = self.reminded("claims_first", "0.01")
        later = TODAY + timedelta(days=61)
        for command in (
            ReceivePayment(amount=Decimal(7), currency="EUR"),
            RefundPayment(reason="paid twice"),
            ReturnPayment(reason="cancelled"),
        ):
            story.when(command, subject=OLD, on=later)
        story.when(ReceivePayment(amount=Decimal(50), currency="EUR"), subject=SUBJECT, on=later)
        story.when(AllocatePayment(), on=later)
        assert self.put(story) == [("claim", "9.99"), ("claim", "0.37"), ("claim", "7"), ("invoice", "32.64")]

    def test_money_that_the_bank_took_back_is_owed_without_any_invoice(self) -> None:
        story = given(dunning(automatic_allocation="claims_first"))
        for subject, amount in ((OLD, "7"), (PAYMENT, "9")):
            story.when(ReceivePayment(amount=Decimal(amount), currency="EUR"), subject=subject)
            story.when(RefundPayment(reason="paid twice"), subject=subject)
            story.when(ReturnPayment(reason="cancelled"), subject=subject)
        story.when(ReceivePayment(amount=Decimal(20), currency="EUR")).when(AllocatePayment())
        assert self.put(story) == [("claim", "7"), ("claim", "9")] or self.put(story) == [("claim", "9"), ("claim", "7")]
        story.when(AllocatePayment()).then(NothingOpen)

    def test_what_is_told_is_done(self) -> None:
        story = self.reminded("claims_first", "5")
        told = AllocatePayment(allocations=(AllocationRequest(invoice_id=INVOICE, amount=Decimal(5)),))
        later = TODAY + timedelta(days=60)
        story.when(ReceivePayment(amount=Decimal(5), currency="EUR"), subject=SUBJECT, on=later).when(told, on=later)
        assert self.put(story) == [("invoice", "5")]

    def test_claims_alone_are_enough(self) -> None:
        story = self.reminded("claims_first", "110.37")
        assert self.put(story) == [("claim", "10.00"), ("claim", "0.37"), ("invoice", "100.00")]
        later = TODAY + timedelta(days=60)
        story.when(claim_of("5"), subject=CLAIM, on=later)
        story.when(ReceivePayment(amount=Decimal(8), currency="EUR"), subject=SUBJECT, on=later).when(AllocatePayment(), on=later)
        assert self.put(story) == [("claim", "5")]
        story.when(AllocatePayment(), on=later).then(NothingOpen)
