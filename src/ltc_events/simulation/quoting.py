"""How a quote goes: priced, approved where it is generous, sent, and answered, revised or left to expire."""

from collections.abc import Generator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from ltc_events.aggregates.quote import ApproverIsRequester, BeyondApproversLimit, DiscountNotApproved
from ltc_events.schemas.quote import (
    AcceptQuote,
    ApproveDiscount,
    Discount,
    DraftQuote,
    ExpireQuote,
    PriceQuote,
    QuoteLineRequest,
    RejectDiscount,
    RejectQuote,
    ReviseQuote,
    SendQuote,
)
from ltc_events.simulation import goods, names
from ltc_events.simulation.chance import Weighted
from ltc_events.simulation.company import price_book_id
from ltc_events.simulation.customer import Customer
from ltc_events.simulation.goods import Wanted
from ltc_events.simulation.policies import MANAGER_LIMIT
from ltc_events.simulation.run import Process
from ltc_events.simulation.working_time import DAY, HOUR, seconds

_DISCOUNTS: Final = Weighted(((0, 0), 46), ((2, 10), 34), ((11, 20), 14), ((21, 34), 6))
"""From how much to how much percent off, and how often."""
_REVISIONS_MAX: Final = 3
_GOODWILL_UP_TO: Final = 20
"""Percent of discount beyond which nothing comes on top: not even the director may go beyond his limit."""


class Quote:
    """A quote at work. `net` is what its current revision comes to before tax."""

    __slots__ = ("discount", "id", "net", "requester", "revision", "valid_until", "wanted")

    def __init__(self, id: UUID, requester: str, wanted: tuple[Wanted, ...], valid_until: date, discount: int) -> None:
        self.id = id
        self.requester = requester
        self.wanted = wanted
        self.valid_until = valid_until
        self.discount = discount
        self.revision = 1
        self.net = Decimal(0)


def prepare(customer: Customer, deal_id: UUID, owner: str, wanted: tuple[Wanted, ...]) -> Generator[int, None, Quote]:
    """A first quote, sent to the customer (R-49, R-50)."""
    chance = customer.chance
    yield customer.minutes(10, 300)
    low, high = chance.choose(_DISCOUNTS)
    valid_until = customer.today + timedelta(days=chance.between(21, 45))
    quote = Quote(customer.new_id(), owner, wanted, valid_until, chance.between(low, high))
    draft = DraftQuote(
        opportunity_id=deal_id,
        price_book_id=price_book_id(customer.run),
        currency=goods.CURRENCY,
        valid_until=valid_until,
        requested_on=customer.today - timedelta(days=chance.between(0, 2)),
        references={"cpq": f"Q{customer.number:06d}-{chance.between(100, 999)}"},
    )
    customer.do(draft, quote.id, owner)
    yield from _issue(customer, quote)
    return quote


def settle(customer: Customer, quote: Quote, owner: str, odds: int) -> Generator[int, None, bool]:
    """The customer's answer, after revisions if need be; true when the quote is accepted. `odds` are percent."""
    chance = customer.chance
    while True:
        if chance.percent(odds):
            yield _within(customer, quote)
            customer.do(AcceptQuote(accepted_by=customer.contact), quote.id, owner)
            return True
        if chance.percent(25):
            yield seconds(quote.valid_until) + DAY + chance.between(5 * HOUR, 6 * HOUR)
            customer.do(ExpireQuote(), quote.id, names.CLOCK)
            reason = "asked again after it had expired"
        else:
            yield _within(customer, quote)
            customer.do(RejectQuote(reason=chance.pick(("too dear", "other scope wanted", "decision put off"))), quote.id, owner)
            reason = chance.pick(("better price", "smaller scope", "other quantities"))
        if quote.revision >= _REVISIONS_MAX or not chance.percent(45):
            return False
        yield customer.after(1, 8)
        yield from _revise(customer, quote, reason)


def _revise(customer: Customer, quote: Quote, reason: str) -> Process:
    """The next revision, with other quantities or more discount."""
    chance = customer.chance
    quote.revision += 1
    quote.valid_until = customer.today + timedelta(days=chance.between(14, 30))
    customer.do(ReviseQuote(reason=reason, valid_until=quote.valid_until), quote.id, quote.requester)
    if reason == "better price":
        quote.discount = min(34, quote.discount + chance.between(2, 6))
    elif len(quote.wanted) > 1 and reason == "smaller scope":
        quote.wanted = quote.wanted[:-1]
    elif chance.percent(70):
        quote.wanted = goods.other_quantities(chance, quote.wanted)
    yield customer.minutes(20, 200)
    yield from _issue(customer, quote)


def _issue(customer: Customer, quote: Quote) -> Process:
    """Price, have the discount approved where policy wants it, and send."""
    while True:
        yield customer.minutes(5, 90)
        priced = customer.do(_pricing(customer, quote), quote.id, quote.requester)[0]
        quote.net = priced.net
        if not priced.approval_needed or (yield from _approve(customer, quote, priced.discount_percent)):
            break
        quote.discount = min(6, quote.discount)
    yield customer.minutes(5, 240)
    customer.do(SendQuote(to=customer.email_of(customer.contact)), quote.id, quote.requester)


def _pricing(customer: Customer, quote: Quote) -> PriceQuote:
    """Lines with their discounts: the same percent on most of them, and now and then something on top (R-51)."""
    chance = customer.chance
    reason = chance.pick(names.DISCOUNT_REASONS)
    lines = []
    for number, (article, quantity) in enumerate(quote.wanted, 1):
        discounts = []
        if quote.discount and (number == 1 or chance.percent(60)):
            discounts.append(Discount(percent=Decimal(quote.discount), reason=reason))
            if chance.percent(8):
                discounts.append(Discount(percent=Decimal("1.5"), reason="cash in advance"))
            elif quote.discount <= _GOODWILL_UP_TO and article.price >= goods.HUNDRED_EUROS and chance.percent(5):
                discounts.append(Discount(amount=Decimal(chance.between(5, 20)), reason="goodwill"))
        lines.append(QuoteLineRequest(line=number, sku=article.sku, quantity=quantity, discounts=tuple(discounts)))
    return PriceQuote(lines=tuple(lines), requested_by=quote.requester, role="sales")


def _approve(customer: Customer, quote: Quote, percent: Decimal) -> Generator[int, None, bool]:
    """Somebody else decides about a generous discount; the impatient are refused (R-51)."""
    chance = customer.chance
    manager = names.MANAGERS[customer.region]
    if chance.percent(3):
        yield customer.minutes(2, 20)
        customer.attempt(SendQuote(), quote.id, quote.requester, DiscountNotApproved)
    if chance.percent(5):
        yield customer.minutes(2, 20)
        own = ApproveDiscount(approver=quote.requester, role="sales_manager")
        customer.attempt(own, quote.id, quote.requester, ApproverIsRequester)
    yield customer.hours(1, 30)
    beyond = percent > MANAGER_LIMIT
    if beyond and chance.percent(10):
        by_manager = ApproveDiscount(approver=manager, role="sales_manager")
        customer.attempt(by_manager, quote.id, manager, BeyondApproversLimit)
        yield customer.hours(1, 10)
    approver, role = (names.DIRECTOR, "director") if beyond else (manager, "sales_manager")
    if chance.percent(14):
        customer.do(RejectDiscount(approver=approver, reason="the margin does not allow it"), quote.id, approver)
        return False
    customer.do(ApproveDiscount(approver=approver, role=role), quote.id, approver)
    return True


def _within(customer: Customer, quote: Quote) -> int:
    """When the customer answers: some days from now, but not after the last day of validity."""
    last = seconds(quote.valid_until) + customer.chance.between(8 * HOUR, 18 * HOUR)
    return min(customer.after(1, 12), last)
