"""Money that came in for one customer, or for nobody known, becomes a payment of another."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.money_examples import INVOICE, issued, parts_of, received
from tests.unit.specification import CUSTOMER, STRANGER, SUBJECT, TODAY, Placed, Specification, at, of, on
from tests.unit.specification import given as given_alone

from ltc_events.aggregates.base import AlreadyExists, DatedTooEarly, DoesNotExist, FinerThanMinorUnit
from ltc_events.aggregates.dated_balance import AvailableLater
from ltc_events.aggregates.payment import PaymentIsReturned
from ltc_events.aggregates.payment_move import (
    MovedInAlready,
    MovedToItself,
    NotMoved,
    NotMovedHere,
    NotRecalled,
    TargetTaken,
)
from ltc_events.aggregates.receivable import MoreThanUnapplied, NothingUnapplied
from ltc_events.application.errors import OtherCustomers, UnregisteredCustomer
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Event
from ltc_events.schemas.claim import ClaimKind, ClaimRaised
from ltc_events.schemas.customer import CustomerRegistered, Profile
from ltc_events.schemas.payment import (
    AllocatePayment,
    CancelMove,
    MoveInPayment,
    MoveOutPayment,
    PaymentAllocated,
    PaymentMoveCancelled,
    PaymentMovedBack,
    PaymentMovedIn,
    PaymentMovedOut,
    PaymentMoveRecalled,
    PaymentReceived,
    PaymentRefunded,
    PaymentReturned,
    PaymentUnallocated,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
)
from ltc_events.schemas.policy import PolicyPublished, RequireRegisteredCustomer
from ltc_events.schemas.receivable import InvoiceReopened, PaymentRemoved

SOURCE = derive_id("test", "the bank's payment")
TARGET = derive_id("test", "what it becomes")
LATER = TODAY + timedelta(days=5)


OTHERS = CustomerRegistered(profile=Profile(name="Babbage & Sons"), policy_version=0)


def given(*history: Event | Placed) -> Specification:
    """What happened before, of two customers that are registered."""
    return given_alone(of(STRANGER, at(STRANGER, OTHERS)), *history)


def move(amount: str | None = None, **changes: Any) -> MoveOutPayment:
    fields = {"to_payment_id": TARGET, "to_customer_id": STRANGER, "reason": "his reference", **changes}
    return MoveOutPayment(amount=None if amount is None else Decimal(amount), **fields)


def moved_out(amount: str, unapplied: str = "0", **changes: Any) -> PaymentMovedOut:
    fields = {"to_payment_id": TARGET, "to_customer_id": STRANGER, "currency": "EUR", "reason": "his reference", **changes}
    return PaymentMovedOut(amount=Decimal(amount), unapplied=Decimal(unapplied), **fields)


def moved_in(amount: str, **changes: Any) -> PaymentMovedIn:
    fields: dict[str, Any] = {"from_payment_id": SUBJECT, "from_customer_id": CUSTOMER, "currency": "EUR"}
    return PaymentMovedIn(amount=Decimal(amount), **{**fields, "method": "transfer", "received_on": TODAY, **changes})


def here(amount: str) -> PaymentMovedIn:
    """What was moved from the other customer's payment to the subject."""
    return moved_in(amount, from_payment_id=SOURCE, from_customer_id=STRANGER)


def sent_here(amount: str, *more: Any) -> Any:
    """The other customer's payment, of which this much was moved to the subject."""
    return of(STRANGER, at(SOURCE, received("100"), moved_out(amount, to_payment_id=SUBJECT, to_customer_id=CUSTOMER), *more))


def recalled(amount: str) -> PaymentMoveRecalled:
    return PaymentMoveRecalled(
        to_payment_id=SUBJECT, amount=Decimal(amount), currency="EUR", unapplied=Decimal(amount), reason="recalled"
    )


class TestOut:
    def test_all_that_is_unapplied(self) -> None:
        given(received("100")).when(move()).then(moved_out("100"))

    def test_a_part(self) -> None:
        given(received("100")).when(move("30")).then(moved_out("30", "70"))

    def test_only_what_is_unapplied(self) -> None:
        story = given(received("100"), at(INVOICE, issued("80"))).when(AllocatePayment())
        story.when(move("20.01")).then(MoreThanUnapplied, field="amount", fix="at most 20")
        given(received("100")).when(RefundPayment(reason="?")).when(move()).then(NothingUnapplied)

    def test_not_before_it_came_nor_while_it_was_used(self) -> None:
        given(received("100")).when(move(), on=TODAY - timedelta(days=1)).then(DatedTooEarly)
        story = given(received("100")).when(move("60", to_payment_id=SOURCE), on=LATER).when(move("60"), on=TODAY)
        story.then(MoreThanUnapplied)
        story = given(received("100")).when(RefundPayment(reason="?"), on=TODAY).when(ReportFailedRefund(reason="?"), on=LATER)
        story.when(move(), on=TODAY).then(AvailableLater)

    def test_in_the_minor_unit(self) -> None:
        given(received("100")).when(move("0.005")).then(FinerThanMinorUnit, field="amount")

    def test_to_another_customer(self) -> None:
        given(received("100")).when(move(to_customer_id=CUSTOMER)).then(MovedToItself, field="to_customer_id")

    def test_to_a_registered_customer(self) -> None:
        nobody = derive_id("test", "nobody")
        given(received("100")).when(move(to_customer_id=nobody)).then(UnregisteredCustomer, field="to_customer_id")
        off = PolicyPublished(version=1, content=RequireRegisteredCustomer(kind="require_registered_customer", mode="off"))
        given(off, received("100")).when(move(to_customer_id=nobody)).then(moved_out("100", to_customer_id=nobody))

    @pytest.mark.parametrize("taken", [of(STRANGER, at(TARGET, received("1"))), at(TARGET, issued("1"))])
    def test_to_an_id_that_nobody_has(self, taken: Any) -> None:
        given(received("100"), taken).when(move()).then(TargetTaken, field="to_payment_id")
        given(received("100")).when(move(to_payment_id=SUBJECT)).then(TargetTaken)
        given(received("100"), moved_out("10", "90")).when(move("5")).then(TargetTaken)

    def test_not_what_the_bank_took_back(self) -> None:
        given(received("100")).when(ReturnPayment(reason="?")).when(move()).then(PaymentIsReturned)


class TestIn:
    def test_it_is_what_came_in_at_the_bank(self) -> None:
        first = PaymentReceived(
            amount=Decimal(100), currency="JPY", method="card", reference="R 1", payer="A", references={"bank": "4711"}
        )
        out = moved_out("30", "70", to_payment_id=SUBJECT, to_customer_id=CUSTOMER, currency="JPY")
        story = given(of(STRANGER, at(SOURCE, first)), of(STRANGER, on(LATER, at(SOURCE, out))))
        story.when(MoveInPayment(from_payment_id=SOURCE), on=LATER).then(
            PaymentMovedIn(
                from_payment_id=SOURCE,
                from_customer_id=STRANGER,
                amount=Decimal(30),
                currency="JPY",
                method="card",
                received_on=TODAY,
                reference="R 1",
                payer="A",
                references={"bank": "4711"},
                not_before=LATER,
            )
        )

    def test_not_before_it_was_moved_out(self) -> None:
        out = on(LATER, at(SOURCE, moved_out("30", to_payment_id=SUBJECT, to_customer_id=CUSTOMER)))
        story = given(of(STRANGER, at(SOURCE, received("100"))), of(STRANGER, out))
        story.when(MoveInPayment(from_payment_id=SOURCE)).then(DatedTooEarly, fix=str(LATER))

    def test_once(self) -> None:
        story = given(sent_here("100")).when(MoveInPayment(from_payment_id=SOURCE))
        story.when(MoveInPayment(from_payment_id=SOURCE)).then(AlreadyExists)

    @pytest.mark.parametrize(
        "told",
        [
            of(STRANGER, at(SOURCE, received("100"))),
            of(STRANGER, at(SOURCE, received("100"), moved_out("100", to_customer_id=CUSTOMER))),
            of(STRANGER, at(SOURCE, received("100"), moved_out("100", to_payment_id=SUBJECT))),
            of(STRANGER, at(SOURCE, issued("100"))),
        ],
    )
    def test_only_what_is_on_its_way_to_this_payment_of_this_customer(self, told: Any) -> None:
        given(told).when(MoveInPayment(from_payment_id=SOURCE)).then(NotMovedHere, field="from_payment_id")
        given().when(MoveInPayment(from_payment_id=SOURCE)).then(NotMovedHere)

    def test_not_what_was_taken_back_before(self) -> None:
        cancelled = PaymentMoveCancelled(
            to_payment_id=SUBJECT, amount=Decimal(100), currency="EUR", unapplied=Decimal(100), reason="?"
        )
        given(sent_here("100", cancelled)).when(MoveInPayment(from_payment_id=SOURCE)).then(NotMovedHere)

    def test_it_is_used_as_any_payment(self) -> None:
        given(here("100"), at(INVOICE, issued("80"))).when(AllocatePayment(), on=LATER).then(
            at(
                SUBJECT,
                PaymentAllocated(
                    invoice_id=INVOICE, currency="EUR", parts=parts_of((1, "80")), amount=Decimal(80), unapplied=Decimal(20)
                ),
            ),
            *_paid(),
        )

    def test_it_is_moved_on(self) -> None:
        given(here("100")).when(move("40")).then(moved_out("40", "60"))
        onward = given(
            of(
                STRANGER,
                at(SOURCE, moved_in("40", received_on=TODAY - timedelta(days=9)), moved_out("40", **_to_here())),
            )
        )
        (taken,) = onward.when(MoveInPayment(from_payment_id=SOURCE)).events
        assert taken.received_on == TODAY - timedelta(days=9)


def _to_here() -> dict[str, Any]:
    return {"to_payment_id": SUBJECT, "to_customer_id": CUSTOMER}


def _paid() -> list[Any]:
    story = given(received("100"), at(INVOICE, issued("80"))).when(AllocatePayment(), on=LATER)
    return [at(INVOICE, event) for event in story.events[1:]]


class TestCancelled:
    def test_it_is_unapplied_again(self) -> None:
        given(received("100"), moved_out("30", "70")).when(CancelMove(to_payment_id=TARGET, reason="wrong")).then(
            PaymentMoveCancelled(to_payment_id=TARGET, amount=Decimal(30), currency="EUR", unapplied=Decimal(100), reason="wrong")
        )

    def test_not_once_it_was_taken_over(self) -> None:
        story = given(received("100"), moved_out("30", "70"), of(STRANGER, at(TARGET, moved_in("30"))))
        story.when(CancelMove(to_payment_id=TARGET, reason="?")).then(MovedInAlready, fix="payment.move_out.v1")

    def test_also_where_the_id_went_to_something_else(self) -> None:
        story = given(received("100"), moved_out("30", "70"), of(STRANGER, at(TARGET, here("30"))))
        story.when(CancelMove(to_payment_id=TARGET, reason="?"))
        assert isinstance(story.events[0], PaymentMoveCancelled)

    def test_what_was_not_moved(self) -> None:
        given(received("100")).when(CancelMove(to_payment_id=TARGET, reason="?")).then(NotMoved, fix="none")
        given().when(CancelMove(to_payment_id=TARGET, reason="?")).then(DoesNotExist)

    def test_not_before_it_was_moved(self) -> None:
        story = given(received("100")).when(move(), on=LATER)
        story.when(CancelMove(to_payment_id=TARGET, reason="?")).then(DatedTooEarly)

    def test_whose_payment_it_is(self) -> None:
        story = given(sent_here("100"))
        story.when(CancelMove(to_payment_id=SUBJECT, reason="?"), subject=SOURCE).then(OtherCustomers)


class TestTheBankTakesItBack:
    def test_what_is_on_its_way_does_not_arrive(self) -> None:
        story = given(received("100"), moved_out("30", "70"))
        story.when(ReturnPayment(reason="no funds"), on=LATER).then(
            PaymentMoveCancelled(
                to_payment_id=TARGET, amount=Decimal(30), currency="EUR", unapplied=Decimal(100), reason="no funds"
            ),
            PaymentReturned(amount=Decimal(100), currency="EUR", reason="no funds"),
        )

    def test_what_was_taken_over_is_recalled(self) -> None:
        story = given(received("100"), moved_out("30", "70"), of(STRANGER, on(LATER, at(TARGET, moved_in("30")))))
        story.when(ReturnPayment(reason="no funds"), on=LATER).then(
            PaymentMoveRecalled(
                to_payment_id=TARGET,
                amount=Decimal(30),
                currency="EUR",
                unapplied=Decimal(100),
                reason="no funds",
                not_before=LATER,
            ),
            PaymentReturned(amount=Decimal(100), currency="EUR", reason="no funds"),
        )

    def test_not_before_it_was_taken_over(self) -> None:
        story = given(received("100"), moved_out("30", "70"), of(STRANGER, on(LATER, at(TARGET, moved_in("30")))))
        story.when(ReturnPayment(reason="no funds")).then(DatedTooEarly, fix=str(LATER))

    def test_who_took_it_over_gives_it_back(self) -> None:
        allocated = PaymentAllocated(
            invoice_id=INVOICE, currency="EUR", parts=parts_of((1, "30")), amount=Decimal(30), unapplied=Decimal(0)
        )
        paid = given(received("30"), at(INVOICE, issued("30"))).when(AllocatePayment()).events[1:]
        story = given(sent_here("30", recalled("30")), here("30"), at(INVOICE, issued("30"), *paid), at(SUBJECT, allocated))
        story.when(ReturnPayment(reason="no funds")).then(
            PaymentUnallocated(
                invoice_id=INVOICE,
                currency="EUR",
                parts=parts_of((1, "30")),
                amount=Decimal(30),
                unapplied=Decimal(30),
                reason="no funds",
            ),
            at(
                INVOICE,
                PaymentRemoved(
                    payment_id=SUBJECT,
                    currency="EUR",
                    parts=parts_of((1, "30")),
                    amount=Decimal(30),
                    balance=Decimal(30),
                    reason="no funds",
                ),
                InvoiceReopened(balance=Decimal(30)),
            ),
            PaymentMovedBack(from_payment_id=SOURCE, amount=Decimal(30), currency="EUR", reason="no funds"),
        )

    def test_once(self) -> None:
        story = given(sent_here("30", recalled("30")), here("30")).when(ReturnPayment(reason="no funds"))
        story.when(ReturnPayment(reason="again")).then(PaymentIsReturned)

    def test_what_it_refunded_is_claimed_from_its_customer(self) -> None:
        refunded = PaymentRefunded(amount=Decimal(30), currency="EUR", unapplied=Decimal(0), reason="?")
        story = given(sent_here("30", recalled("30")), here("30"), refunded)
        back, claim = _returned(story)
        assert (back.amount, back.claimed) == (Decimal(30), Decimal(30))
        assert (claim.kind, claim.amount, claim.payment_id) == (ClaimKind.RETURNED_PAYMENT, Decimal(30), SUBJECT)

    def test_only_what_the_bank_took_back(self) -> None:
        given(sent_here("30"), here("30")).when(ReturnPayment(reason="?")).then(NotRecalled, fix=str(SOURCE))

    def test_not_before_the_bank_did(self) -> None:
        story = given(sent_here("30"), of(STRANGER, on(LATER, at(SOURCE, recalled("30")))), here("30"))
        story.when(ReturnPayment(reason="?")).then(DatedTooEarly, fix=str(LATER))

    def test_what_was_moved_on_is_recalled_from_there(self) -> None:
        story = given(sent_here("30", recalled("30")), here("30"), moved_out("30"), of(STRANGER, at(TARGET, moved_in("30"))))
        story.when(ReturnPayment(reason="no funds")).then(
            PaymentMoveRecalled(
                to_payment_id=TARGET, amount=Decimal(30), currency="EUR", unapplied=Decimal(30), reason="no funds"
            ),
            PaymentMovedBack(from_payment_id=SOURCE, amount=Decimal(30), currency="EUR", reason="no funds"),
        )

    def test_a_refund_that_came_back_afterwards_can_be_moved(self) -> None:
        story = given(received("100")).when(RefundPayment(reason="?", amount=Decimal(70))).when(ReturnPayment(reason="?"))
        story.when(ReportFailedRefund(reason="closed")).when(move()).then(moved_out("70"))


def _returned(story: Specification) -> tuple[PaymentMovedBack, ClaimRaised]:
    back, claim = story.when(ReturnPayment(reason="no funds")).events
    assert isinstance(back, PaymentMovedBack)
    assert isinstance(claim, ClaimRaised)
    return back, claim
