"""Quote: what each command leads to (R-48 … R-51)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.money_examples import ORDER
from tests.unit.selling_examples import BOOK, OPPORTUNITY, drafted, opened, percent, price_book, priced, request
from tests.unit.specification import STRANGER, TODAY, at, given, of

from ltc_events.aggregates.base import AlreadyExists, DoesNotExist
from ltc_events.aggregates.quote import (
    ApproverIsRequester,
    BeyondApproversLimit,
    DiscountNotApproved,
    NothingToApprove,
    StillValid,
    UnknownRole,
    ValidityEnded,
    ValidityMissing,
    WrongQuoteStatus,
)
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.rules.selling import NoPricesYet, QuoteInAnotherCurrency
from ltc_events.application.unit_of_work import NotFound
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.policy import DiscountMatrix, PolicyPublished
from ltc_events.schemas.quote import (
    AcceptQuote,
    ApproveDiscount,
    DiscountApproved,
    DiscountRejected,
    DraftQuote,
    ExpireQuote,
    PriceQuote,
    QuoteAccepted,
    QuoteExpired,
    QuoteOrdered,
    QuoteRejected,
    QuoteRevised,
    QuoteSent,
    RejectDiscount,
    RejectQuote,
    ReviseQuote,
    SendQuote,
)

DRAFT: dict[str, Any] = {"currency": "EUR", "valid_until": date(2026, 3, 31)}
SENT = QuoteSent(revision=1)
ACCEPTED = QuoteAccepted(revision=1, net=Decimal(1000), currency="EUR")
REJECTED = QuoteRejected(revision=1, reason="too dear")
EXPIRED = QuoteExpired(revision=1)
APPROVE = ApproveDiscount(approver="Max", role="sales_manager")
DISCOUNT_REJECTED = DiscountRejected(approver="Max", reason="too much")
REVISED = QuoteRevised(revision=2, reason="fewer mills", valid_until=date(2026, 3, 31))
LAST_DAY = date(2026, 3, 31)
DAY_AFTER = date(2026, 4, 1)
HISTORIES: dict[str, tuple[Event, ...]] = {
    "draft": (drafted(),),
    "priced": (drafted(), priced()),
    "waiting for approval": (drafted(), priced(20)),
    "sent": (drafted(), priced(), SENT),
    "accepted": (drafted(), priced(), SENT, ACCEPTED),
    "rejected": (drafted(), priced(), SENT, REJECTED),
    "expired": (drafted(), priced(), SENT, EXPIRED),
}


def price(discount: str = "0", **changes: Any) -> PriceQuote:
    """Ask for the price of ten mills, as Sam of sales, who may give 10 percent."""
    lines = (request(discounts=(percent(discount),) if discount != "0" else ()),)
    return PriceQuote(**{"lines": lines, "requested_by": "Sam", "role": "sales", **changes})


def refused_unless(allowed: set[str], command: Command, *, on: date = TODAY) -> None:
    """The command is refused in every status but these, and the refusal names the status and what to do."""
    for status, history in HISTORIES.items():
        if status not in allowed:
            given(*history).when(command, on=on).then(WrongQuoteStatus, message=f"it is {status}", fix="quote")


class TestDrafting:
    def test_a_quote_begins_as_a_draft_requested_today(self) -> None:
        given().when(DraftQuote(**DRAFT)).then(drafted(requested_on=TODAY))

    def test_a_quote_keeps_what_it_is_for_and_when_it_was_requested(self) -> None:
        fields = {
            "opportunity_id": OPPORTUNITY,
            "price_book_id": BOOK,
            "title": "Mills",
            "requested_on": date(2026, 2, 20),
            "references": {"crm": "5"},
        }
        given(at(OPPORTUNITY, opened()), at(BOOK, price_book())).when(DraftQuote(**DRAFT, **fields)).then(drafted(**fields))

    def test_a_quote_is_drafted_once(self) -> None:
        given(drafted()).when(DraftQuote(**DRAFT)).then(AlreadyExists, field="subject", message="quote")

    def test_the_opportunity_and_the_price_book_must_exist(self) -> None:
        given().when(DraftQuote(**DRAFT, opportunity_id=OPPORTUNITY)).then(NotFound, field="opportunity_id")
        given().when(DraftQuote(**DRAFT, price_book_id=BOOK)).then(NotFound, field="price_book_id")
        foreign = of(STRANGER, at(OPPORTUNITY, opened()))
        given(foreign).when(DraftQuote(**DRAFT, opportunity_id=OPPORTUNITY)).then(OtherCustomers)

    def test_the_currency_is_that_of_the_opportunity_and_of_the_price_book(self) -> None:
        draft = {**DRAFT, "currency": "USD"}
        given(at(OPPORTUNITY, opened())).when(DraftQuote(**draft, opportunity_id=OPPORTUNITY)).then(
            QuoteInAnotherCurrency, field="currency", message="its opportunity is in EUR"
        )
        given(at(BOOK, price_book())).when(DraftQuote(**draft, price_book_id=BOOK)).then(
            QuoteInAnotherCurrency, field="currency", message="its price book is in EUR"
        )


class TestPricing:
    def test_a_discount_within_the_limit_of_the_role_needs_no_approval(self) -> None:
        given(drafted()).when(price()).then(priced())
        given(drafted()).when(price("10")).then(priced(10))

    def test_a_discount_beyond_the_limit_waits_for_approval(self) -> None:
        given(drafted()).when(price("20")).then(priced(20))
        assert given(drafted()).when(price("10.0001")).events[0].approval_needed

    def test_the_limits_and_their_version_are_those_of_the_matrix_in_force(self) -> None:
        matrix = PolicyPublished(version=4, content=DiscountMatrix(kind="discount_matrix", limits={"sales": Decimal(20)}))
        given(matrix, drafted()).when(price("20")).then(priced(20, approval_needed=False, matrix_version=4))

    def test_an_unknown_role_is_refused_with_those_known(self) -> None:
        given(drafted()).when(price(role="intern")).then(
            UnknownRole, field="role", message="intern", fix="sales, sales_manager, director"
        )

    def test_prices_come_from_the_version_of_the_price_book_valid_on_the_business_date(self) -> None:
        book = at(BOOK, price_book(1), price_book(2, price="120", valid_from=date(2026, 7, 1)))
        lines = (request(list_price=None, tax_rate=None),)
        quote = drafted(price_book_id=BOOK)
        event = given(book, quote).when(price(lines=lines)).events[0]
        assert (event.net, event.price_book_id, event.price_book_version) == (Decimal(1000), BOOK, 1)
        assert event.lines[0].description == "A mill"
        event = given(book, quote).when(price(lines=lines), on=date(2026, 7, 1)).events[0]
        assert (event.net, event.price_book_version) == (Decimal(1200), 2)

    def test_a_day_before_all_prices_is_refused(self) -> None:
        given(at(BOOK, price_book()), drafted(price_book_id=BOOK)).when(price(), on=date(2025, 12, 31)).then(
            NoPricesYet, field="effective_on", message="2025-12-31", fix="2026-01-01"
        )

    @pytest.mark.parametrize(
        "history",
        [(), (priced(20),), (priced(5),), (priced(20), DISCOUNT_REJECTED)],
        ids=["draft", "waiting", "priced", "turned down"],
    )
    def test_an_unsent_quote_can_be_priced_again(self, history: tuple[Event, ...]) -> None:
        given(drafted(), *history).when(price("7")).then(priced(7))

    def test_pricing_an_approved_quote_again_asks_for_approval_again(self) -> None:
        approved = DiscountApproved(approver="Max", role="sales_manager", discount_percent=Decimal(20), matrix_version=0)
        given(drafted(), priced(20), approved).when(price("25")).when(SendQuote()).then(DiscountNotApproved)

    def test_the_prices_of_a_quote_that_was_sent_stand(self) -> None:
        refused_unless({"draft", "priced", "waiting for approval"}, price())
        given(*HISTORIES["sent"]).when(price()).then(WrongQuoteStatus, fix="quote.revise.v1")


class TestApproval:
    def test_somebody_else_with_the_limit_approves(self) -> None:
        given(drafted(), priced(25)).when(APPROVE).then(
            DiscountApproved(approver="Max", role="sales_manager", discount_percent=Decimal(25), matrix_version=0)
        )

    def test_the_approver_is_not_the_requester(self) -> None:
        for name in ("Sam", " sam", "S\u0430m"):  # the last one with a Cyrillic letter
            given(drafted(), priced(20)).when(ApproveDiscount(approver=name, role="director")).then(
                ApproverIsRequester, field="approver"
            )
            given(drafted(), priced(20)).when(RejectDiscount(approver=name, reason="r")).then(ApproverIsRequester)

    def test_the_approver_must_have_the_limit(self) -> None:
        given(drafted(), priced(40)).when(APPROVE).then(
            BeyondApproversLimit, field="role", message="up to 25 percent, not 40 percent", fix="as director"
        )
        given(drafted(), priced(25)).when(ApproveDiscount(approver="Max", role="sales")).then(
            BeyondApproversLimit, fix="as sales_manager or director"
        )
        given(drafted(), priced(60)).when(ApproveDiscount(approver="Max", role="director")).then(
            BeyondApproversLimit, fix="a discount_matrix policy"
        )
        given(drafted(), priced(20)).when(ApproveDiscount(approver="Max", role="intern")).then(UnknownRole, field="role")

    def test_a_rejected_discount_leads_back_to_the_draft(self) -> None:
        given(drafted(), priced(20)).when(RejectDiscount(approver="Max", reason="too much")).then(DISCOUNT_REJECTED)
        given(drafted(), priced(20), DISCOUNT_REJECTED).when(SendQuote()).then(
            WrongQuoteStatus, message="it is draft", fix="quote.price.v1"
        )

    def test_only_what_waits_is_decided(self) -> None:
        for status, history in HISTORIES.items():
            if status != "waiting for approval":
                given(*history).when(APPROVE).then(NothingToApprove, message=status)
                given(*history).when(RejectDiscount(approver="Max", reason="r")).then(NothingToApprove)


class TestSending:
    def test_a_priced_quote_is_sent(self) -> None:
        given(drafted(), priced(10)).when(SendQuote(to="Ada King")).then(QuoteSent(revision=1, to="Ada King"))

    def test_a_discount_is_approved_before_the_quote_is_sent(self) -> None:
        given(drafted(), priced(20)).when(SendQuote()).then(
            DiscountNotApproved, message="20 percent, asked for by Sam as sales", fix="sales_manager or director"
        )
        given(drafted(), priced(20)).when(APPROVE).when(SendQuote()).then(SENT)

    def test_nothing_else_is_sent(self) -> None:
        refused_unless({"priced", "waiting for approval"}, SendQuote())


class TestTheAnswer:
    def test_the_customer_accepts_up_to_the_last_day(self) -> None:
        accepted = ACCEPTED.model_copy(update={"accepted_by": "Ada King"})
        given(*HISTORIES["sent"]).when(AcceptQuote(accepted_by="Ada King"), on=LAST_DAY).then(accepted)

    def test_what_is_accepted_is_the_net_of_the_revision_and_its_deal(self) -> None:
        history = (drafted(opportunity_id=OPPORTUNITY), priced(10, opportunity_id=OPPORTUNITY), SENT)
        given(*history).when(AcceptQuote()).then(
            QuoteAccepted(revision=1, opportunity_id=OPPORTUNITY, net=Decimal(900), currency="EUR")
        )

    def test_accepting_too_late_is_refused(self) -> None:
        given(*HISTORIES["sent"]).when(AcceptQuote(), on=DAY_AFTER).then(
            ValidityEnded, field="effective_on", message="2026-03-31", fix="quote.revise.v1"
        )

    def test_the_customer_declines(self) -> None:
        given(*HISTORIES["sent"]).when(RejectQuote(reason="too dear")).then(REJECTED)

    def test_a_quote_expires_after_its_last_day(self) -> None:
        given(*HISTORIES["sent"]).when(ExpireQuote(), on=DAY_AFTER).then(EXPIRED)
        given(*HISTORIES["sent"]).when(ExpireQuote(), on=LAST_DAY).then(StillValid, field="effective_on", message="2026-03-31")

    @pytest.mark.parametrize("command", [AcceptQuote(), RejectQuote(reason="r"), ExpireQuote()], ids=lambda c: c.type)
    def test_only_a_sent_quote_is_answered(self, command: Command) -> None:
        refused_unless({"sent"}, command, on=DAY_AFTER)


class TestRevising:
    @pytest.mark.parametrize("status", ["priced", "waiting for approval", "sent", "rejected"])
    def test_the_next_revision_begins_with_the_same_validity(self, status: str) -> None:
        given(*HISTORIES[status]).when(ReviseQuote(reason="fewer mills")).then(REVISED)

    def test_a_revision_can_be_valid_for_longer(self) -> None:
        later = date(2026, 5, 31)
        given(*HISTORIES["expired"]).when(ReviseQuote(reason="still wanted", valid_until=later)).then(
            QuoteRevised(revision=2, reason="still wanted", valid_until=later)
        )

    def test_revising_an_expired_quote_takes_a_new_last_day(self) -> None:
        given(*HISTORIES["expired"]).when(ReviseQuote(reason="r")).then(ValidityMissing, field="valid_until")

    def test_a_draft_is_priced_and_an_accepted_quote_stands(self) -> None:
        given(drafted()).when(ReviseQuote(reason="r")).then(WrongQuoteStatus, fix="quote.price.v1")
        given(*HISTORIES["accepted"]).when(ReviseQuote(reason="r")).then(WrongQuoteStatus, fix="order.place.v1")

    @pytest.mark.parametrize(
        "command",
        [price(), SendQuote(), AcceptQuote(), RejectQuote(reason="r"), ExpireQuote(), ReviseQuote(reason="r")],
        ids=lambda command: command.type,
    )
    def test_an_ordered_quote_stands_and_names_its_order(self, command: Command) -> None:
        history = (*HISTORIES["accepted"], QuoteOrdered(revision=1, order_id=ORDER))
        given(*history).when(command, on=DAY_AFTER).then(
            WrongQuoteStatus, message="it is accepted", fix=f"ordered by order {ORDER}: changes are made by order.amend.v1"
        )

    def test_the_revision_is_priced_sent_and_accepted_under_its_number(self) -> None:
        sale = given(*HISTORIES["sent"], REVISED).when(price("5")).then(priced(5, revision=2))
        sale.when(SendQuote()).then(QuoteSent(revision=2))
        sale.when(AcceptQuote()).then(QuoteAccepted(revision=2, net=Decimal(950), currency="EUR"))
        sale.when(ReviseQuote(reason="r")).then(WrongQuoteStatus)


@pytest.mark.parametrize(
    "command",
    [
        price(),
        APPROVE,
        RejectDiscount(approver="Max", reason="r"),
        SendQuote(),
        AcceptQuote(),
        RejectQuote(reason="r"),
        ExpireQuote(),
        ReviseQuote(reason="r"),
    ],
    ids=lambda command: command.type,
)
def test_commands_to_an_unknown_quote_say_what_comes_first(command: Command) -> None:
    given().when(command).then(DoesNotExist, field="subject", fix="quote.draft.v1")
