"""Laws of a quote's life (R-51): whatever is tried in whatever order, no discount slips through unapproved."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.memory_unit_of_work import MemoryUnitOfWork
from tests.unit.specification import CUSTOMER, NOW, SUBJECT

from ltc_events.aggregates.policies import Policies
from ltc_events.application.dispatch import dispatch
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.quote import (
    AcceptQuote,
    ApproveDiscount,
    Discount,
    DiscountApproved,
    DraftQuote,
    ExpireQuote,
    PriceQuote,
    QuoteAccepted,
    QuoteExpired,
    QuoteLineRequest,
    QuotePriced,
    QuoteRejected,
    QuoteRevised,
    QuoteSent,
    RejectDiscount,
    RejectQuote,
    ReviseQuote,
    SendQuote,
)

DAY = date(2026, 3, 2)
LIMITS = Policies().discount_matrix.content.limits
PEOPLE = st.sampled_from(["Sam", "Kim", "Max"])
ROLES = st.sampled_from(list(LIMITS))
DAYS = st.integers(0, 60).map(lambda days: DAY + timedelta(days=days))


def asked(percent: int, person: str, role: str) -> PriceQuote:
    """Ask for the price of a mill with a discount."""
    discount = Discount(percent=Decimal(percent), reason="volume")
    line = QuoteLineRequest(
        line=1, sku="mill", quantity=Decimal(1), list_price=Decimal(100), tax_rate=Decimal(19), discounts=(discount,)
    )
    return PriceQuote(lines=(line,), requested_by=person, role=role)


commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(asked, st.sampled_from([0, 5, 10, 20, 30, 60]), PEOPLE, ROLES),
    st.builds(ApproveDiscount, approver=PEOPLE, role=ROLES),
    st.builds(RejectDiscount, approver=PEOPLE, reason=st.just("too much")),
    st.builds(SendQuote),
    st.builds(SendQuote),
    st.builds(AcceptQuote),
    st.builds(RejectQuote, reason=st.just("too dear")),
    st.builds(ExpireQuote),
    st.builds(ReviseQuote, reason=st.just("changed"), valid_until=st.none() | DAYS),
)


def history_of(attempts: list[tuple[Command, date]]) -> list[tuple[Event, date]]:
    """What comes of trying all of these in turn, with the business date of each event; refused ones leave no trace."""
    work = MemoryUnitOfWork(SUBJECT, CUSTOMER)
    history: list[tuple[Event, date]] = []
    refusals: list[Refused] = []
    draft = DraftQuote(currency="EUR", valid_until=DAY + timedelta(days=30))
    for command, day in [(draft, DAY), *attempts]:
        dated: Any = command.model_copy(update={"effective_on": day, "occurred_at": NOW})
        work.begin(SUBJECT, CUSTOMER, day)
        try:
            dispatch(dated, work)
        except Refused as refusal:
            refusals.append(refusal)
        history += [(event, day) for _, event in work.emitted]
    assert all(refusal.message and refusal.fix for refusal in refusals)
    return history


@given(st.lists(st.tuples(commands, DAYS), max_size=25))
def test_what_is_sent_is_within_the_limit_of_the_requester_or_of_somebody_else(
    attempts: list[tuple[Command, date]],
) -> None:
    priced: QuotePriced | None = None
    approved: DiscountApproved | None = None
    for event, _ in history_of(attempts):
        if isinstance(event, QuotePriced | QuoteRevised):
            priced, approved = event if isinstance(event, QuotePriced) else None, None
        elif isinstance(event, DiscountApproved):
            approved = event
        elif isinstance(event, QuoteSent):
            assert priced is not None
            assert priced.revision == event.revision
            if priced.discount_percent > LIMITS[priced.role]:
                assert approved is not None
                assert approved.approver != priced.requested_by
                assert priced.discount_percent <= LIMITS[approved.role]


@given(st.lists(st.tuples(commands, DAYS), max_size=25))
def test_every_revision_is_answered_at_most_once_in_time_and_acceptance_is_final(
    attempts: list[tuple[Command, date]],
) -> None:
    valid_until, revision, sent, answered, accepted = DAY + timedelta(days=30), 1, False, False, False
    for event, day in history_of(attempts):
        assert not accepted
        if isinstance(event, QuoteRevised):
            assert event.revision == revision + 1
            valid_until, revision, sent, answered = event.valid_until, event.revision, False, False
        elif isinstance(event, QuoteSent):
            sent = True
        elif isinstance(event, QuoteAccepted | QuoteRejected | QuoteExpired):
            assert event.revision == revision
            assert sent
            assert not answered
            answered, accepted = True, isinstance(event, QuoteAccepted)
            if accepted:
                assert day <= valid_until
            if isinstance(event, QuoteExpired):
                assert day > valid_until
