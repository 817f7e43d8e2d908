"""The company itself: its policies and price list, published before anything else, and its campaigns with their costs."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from ltc_events.aggregates.policies import policy_id
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.campaign import CloseCampaign, LaunchCampaign, PlanCampaign, RecordCampaignCost
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.policy import PolicyContent, PublishPolicy, PublishPriceBook
from ltc_events.simulation import goods, names, policies
from ltc_events.simulation.chance import Chance
from ltc_events.simulation.channels import CHANNEL_WEIGHTS, PROGRAMMES, Programme
from ltc_events.simulation.run import Party, Process, Run
from ltc_events.simulation.working_time import DAY, HOUR, MINUTE, day_of

_COST_EVERY: Final = 7 * DAY
_CLOSES_AFTER: Final = 10 * DAY
"""A campaign stays open for the leads that come in late."""
_COST_MIN: Final = 100
"""Whole euros: no campaign is so small that it costs less."""


class Company(Party):
    """The sender of what belongs to no customer."""

    __slots__ = ("customers", "days", "starts")

    def __init__(self, run: Run, customers: int, days: int, starts: int) -> None:
        # What it sends may depend on the number of customers, so its ids do, but not those that others refer to.
        super().__init__(run, Chance(*run.root, "company"), "company", str(customers))
        self.books = run.ledger.company
        self.customers = customers
        self.days = days
        self.starts = starts

    def begin(self) -> None:
        """Put everything that the company does on the agenda."""
        morning = self.starts + 5 * HOUR
        self.run.begin(_found(self), morning)
        for percent, content in policies.LATER:
            self.run.begin(_publish(self, content), self._at(percent))
        self.run.begin(_raise_prices(self), self._at(policies.PRICES_RISE_AFTER))
        for programme in PROGRAMMES.values():
            for number, window in enumerate(programme.windows(self.days)):
                day = self.starts + window.start * DAY
                campaign = _campaign(self, programme, number, window)
                self.run.begin(campaign, max(morning + 10 * MINUTE, day - 14 * DAY + 8 * HOUR))

    def _at(self, percent: int) -> int:
        return self.starts + self.days * percent // 100 * DAY + 5 * HOUR


def price_book_id(run: Run) -> UUID:
    """The stream of the company's price list."""
    return derive_id("simulation", *run.root, "price_book")


def campaign_id(run: Run, channel: Channel, number: int) -> UUID:
    """The stream of a channel's campaign."""
    return derive_id("simulation", *run.root, "campaign", channel.value, str(number))


def _found(company: Company) -> Process:
    """Rules and prices come first."""
    for content in policies.FIRST:
        yield from _publish(company, content)
        yield company.moments(5, 20)
    prices = PublishPriceBook(title="Price list", currency=goods.CURRENCY, items=goods.price_list())
    company.do(prices, price_book_id(company.run), names.DIRECTOR)


def _publish(company: Company, content: PolicyContent) -> Process:
    company.do(PublishPolicy(content=content), policy_id(content.kind), names.DIRECTOR)
    yield from ()


def _raise_prices(company: Company) -> Process:
    items = goods.price_list(policies.PRICES_RISE_PERCENT)
    prices = PublishPriceBook(title="Price list", currency=goods.CURRENCY, items=items)
    company.do(prices, price_book_id(company.run), names.DIRECTOR)
    yield from ()


def _campaign(company: Company, programme: Programme, number: int, window: range) -> Process:
    """Plan, launch, pay, close (R-11). What it costs goes by the leads that the channel may expect."""
    chance = Chance(*company.run.root, "campaign", programme.channel.value, str(number))
    id = campaign_id(company.run, programme.channel, number)
    first, last = company.starts + window.start * DAY, company.starts + (window.stop - 1) * DAY
    expected = company.customers * CHANNEL_WEIGHTS[programme.channel] * len(window)
    share = company.days if not programme.event else sum(len(other) for other in programme.windows(company.days))
    cost = max(_COST_MIN, programme.lead_cost * expected // (1000 * share))
    plan = PlanCampaign(
        title=f"{programme.title} {number + 1}",
        channel=programme.channel,
        budget=Decimal(-(-cost * chance.between(95, 130) // 10_000) * 100),
        expected_revenue=Decimal(cost * chance.between(4, 12)),
        currency=goods.CURRENCY,
        starts_on=day_of(first),
        ends_on=day_of(last),
    )
    company.do(plan, id, names.MARKETER)
    yield max(company.moments(300, 900), first + 5 * HOUR)  # before the first lead of the day
    company.do(LaunchCampaign(), id, names.MARKETER)
    weeks = -(-len(window) * DAY // _COST_EVERY)
    spent = Decimal(0)
    for week in range(weeks):
        yield min(first + (week + 1) * _COST_EVERY, last) + chance.between(16 * HOUR, 20 * HOUR)
        cents = cost * 100 // weeks * chance.between(80, 120) // 100
        amount = max(Decimal(cents).scaleb(-2), Decimal("1.00"))
        spent += amount
        note = f"week {week + 1} of {weeks}"
        company.do(RecordCampaignCost(cost_id=company.new_id(), amount=amount, note=note), id, names.MARKETER)
    yield max(company.run.now, last + _CLOSES_AFTER) + HOUR
    reason = "budget spent" if spent >= plan.budget else "came to its end"
    company.do(CloseCampaign(reason=reason), id, names.MARKETER)
