"""How a deal goes: through the stages and sometimes back, to a win or a loss, and on to the next one."""

from collections.abc import Generator
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from ltc_events.kernel.money import HUNDRED, round_to
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.opportunity import (
    AdvanceStage,
    ChangeAmount,
    ChangeCloseDate,
    InteractionKind,
    LogInteraction,
    LoseOpportunity,
    LossReason,
    MapDecisionMaker,
    MoveStageBack,
    OpenOpportunity,
    WinOpportunity,
)
from ltc_events.simulation import contracts, goods, names, orders, quoting
from ltc_events.simulation.chance import Weighted
from ltc_events.simulation.customer import Customer
from ltc_events.simulation.goods import Wanted
from ltc_events.simulation.policies import EXIT_CRITERIA, STAGES
from ltc_events.simulation.quoting import Quote
from ltc_events.simulation.run import Process

_SAID: Final = {
    InteractionKind.CALL: ("asked for delivery times", "spoke about the budget", "called back"),
    InteractionKind.EMAIL: ("sent references", "sent the floor plan", "confirmed the date"),
    InteractionKind.MEETING: ("first meeting on site", "met production and purchasing"),
    InteractionKind.VISIT: ("looked at the hall", "visited our showroom"),
    InteractionKind.INFORMATION: ("sent data sheets", "sent a comparison of models"),
    InteractionKind.DEMO: ("showed the press at work", "showed the monitoring"),
    InteractionKind.TRIAL: ("two weeks with six sensors", "test run with own parts"),
    InteractionKind.OBJECTION: ("too dear compared with the last order", "fears a long standstill", "doubts the readings"),
    InteractionKind.EVIDENCE: ("success story of a dairy", "energy figures of a reference customer"),
    InteractionKind.CARE: ("greetings for the anniversary", "asked how the machine runs"),
}
_IN_TOUCH: Final = (InteractionKind.CALL, InteractionKind.EMAIL, InteractionKind.CARE, InteractionKind.INFORMATION)
_ROLES: Final = (
    ("head of production", "decides"),
    ("managing director", "decides"),
    ("purchasing", "influences"),
    ("maintenance", "uses"),
)
_LOSSES: Final = Weighted(
    (LossReason.PRICE, 28),
    (LossReason.COMPETITOR, 20),
    (LossReason.NO_DECISION, 16),
    (LossReason.NO_BUDGET, 12),
    (LossReason.TIMING, 9),
    (LossReason.PRODUCT_GAP, 9),
    (LossReason.RELATIONSHIP, 4),
    (LossReason.OTHER, 2),
)
_LOST_PER_STAGE: Final = 6
"""Percent of deals that end in each stage before a quote."""
_TEN: Final = Decimal(10)


class Deal:
    """A deal at work: whose it is, what is wanted, and what it is believed to be worth."""

    __slots__ = ("amount", "id", "known", "owner", "stage", "wanted")

    def __init__(self, id: UUID, owner: str, wanted: tuple[Wanted, ...], *, known: bool = False) -> None:
        self.id = id
        self.owner = owner
        self.wanted = wanted
        self.known = known
        self.stage = 0
        self.amount = Decimal(0)

    def estimate(self, customer: Customer) -> None:
        """What the seller believes it to be worth before there is a quote."""
        percent = customer.chance.between(82, 118)
        self.amount = max(_TEN, round_to(goods.list_value(self.wanted) * percent / HUNDRED, _TEN))

    def title(self, customer: Customer) -> str:
        """What the deal is called."""
        return f"{self.wanted[0].article.description} for {customer.company}"


def pursue(customer: Customer, deal: Deal) -> Process:
    """An open deal to its end; the next one begins some time after it."""
    won = yield from _close(customer, deal)
    if won:
        customer.deals_won += 1
    elif not customer.deals_won and not customer.chance.percent(20):
        return
    if customer.chance.percent(96 if won else 80):
        customer.run.begin(_again(customer, deal.owner), customer.after(4, 36))


def _again(customer: Customer, owner: str) -> Process:
    """More business with a customer who knows us; small things are ordered without much ado."""
    chance = customer.chance
    small = chance.percent(55)
    wanted = goods.spare_parts(chance) if small else goods.basket(chance, customer.size)
    deal = Deal(customer.new_id(), owner, wanted, known=True)
    deal.estimate(customer)
    command = OpenOpportunity(
        title=deal.title(customer),
        amount=deal.amount,
        currency=goods.CURRENCY,
        expected_close_on=customer.today + timedelta(days=chance.between(10, 45)),
        # Further business counts for the channel that brought the customer, but for no campaign.
        channel=Channel.ONLINE_STORE if small and chance.percent(10) else customer.arrival.source.channel,
        owner=owner,
    )
    customer.do(command, deal.id, owner)
    yield customer.hours(1, 50)
    _log(customer, deal, chance.pick(_IN_TOUCH))
    yield customer.hours(1, 30)
    yield from pursue(customer, deal)


def _close(customer: Customer, deal: Deal) -> Generator[int, None, bool]:
    """Everything up to the decision; true when it is won."""
    chance = customer.chance
    if not deal.known:
        for stage in (_prospect, _qualify, _analyse):
            yield from stage(customer, deal)
            if chance.percent(_LOST_PER_STAGE):
                return _lose(customer, deal)
    _advance(customer, deal, "proposal")
    if chance.percent(4):
        yield customer.after(1, 5)
        return (yield from _win_without_quote(customer, deal))
    quote = yield from quoting.prepare(customer, deal.id, deal.owner, deal.wanted)
    if chance.percent(65):
        yield customer.minutes(5, 60)
        change = ChangeAmount(amount=quote.net, reason="as quoted")
        customer.do(change, deal.id, deal.owner)
        deal.amount = quote.net
    accepted = yield from _negotiate(customer, deal, quote)
    if not accepted:
        customer.books.forget(quote.id)
        return _lose(customer, deal)
    yield customer.minutes(5, 200)
    customer.do(WinOpportunity(quote_id=quote.id), deal.id, deal.owner)
    order_id = yield from orders.place_quoted(customer, quote)
    customer.run.begin(contracts.contract(customer, deal.id, deal.owner, quote, order_id), customer.hours(1, 70))
    return True


def _prospect(customer: Customer, deal: Deal) -> Process:
    chance = customer.chance
    _log(customer, deal, InteractionKind.CALL)
    if chance.percent(50):
        yield customer.hours(1, 30)
        _log(customer, deal, InteractionKind.INFORMATION)
    for role, influence in chance.several(_ROLES, chance.between(0, 2)):
        yield customer.hours(2, 50)
        person = f"{chance.pick(names.FIRST_NAMES)} {chance.pick(names.SURNAMES)}"
        customer.do(MapDecisionMaker(contact_name=person, role=role, influence=influence), deal.id, deal.owner)
    yield customer.after(2, 10)
    _advance(customer, deal, "qualification")


def _qualify(customer: Customer, deal: Deal) -> Process:
    chance = customer.chance
    yield customer.after(2, 9)
    _log(customer, deal, InteractionKind.VISIT if chance.percent(30) else InteractionKind.MEETING)
    if chance.percent(18):
        yield customer.hours(2, 30)
        later = ChangeCloseDate(
            expected_close_on=customer.today + timedelta(days=chance.between(30, 100)), reason="budget meeting was moved"
        )
        customer.do(later, deal.id, deal.owner)
    yield customer.after(2, 9)
    _advance(customer, deal, "needs_analysis")


def _analyse(customer: Customer, deal: Deal) -> Process:
    chance = customer.chance
    if chance.percent(60):
        yield customer.after(2, 8)
        _log(customer, deal, InteractionKind.DEMO)
    if chance.percent(20):
        yield customer.after(8, 20)
        _log(customer, deal, InteractionKind.TRIAL)
    if chance.percent(10):
        yield customer.after(1, 6)
        customer.do(MoveStageBack(stage="qualification", reason="a new head of production"), deal.id, deal.owner)
        deal.stage = STAGES.index("qualification")
        yield customer.after(5, 20)
        _advance(customer, deal, "needs_analysis")
    if chance.percent(35):
        yield customer.after(1, 6)
        if chance.percent(60):
            deal.wanted = goods.basket(chance, customer.size)
        deal.estimate(customer)
        customer.do(ChangeAmount(amount=deal.amount, reason="the need is clearer"), deal.id, deal.owner)
    yield customer.after(2, 12)


def _negotiate(customer: Customer, deal: Deal, quote: Quote) -> Generator[int, None, bool]:
    """From the quote to the customer's answer; true when it is accepted."""
    chance = customer.chance
    if not deal.known or chance.percent(25):
        yield customer.after(2, 9)
        _advance(customer, deal, "negotiation")
        if chance.percent(50):
            yield customer.hours(1, 40)
            _log(customer, deal, InteractionKind.OBJECTION)
            yield customer.hours(5, 60)
            _log(customer, deal, InteractionKind.EVIDENCE)
    odds = 82 if deal.known else 58 + customer.arrival.source.wins
    return (yield from quoting.settle(customer, quote, deal.owner, odds))


def _win_without_quote(customer: Customer, deal: Deal) -> Generator[int, None, bool]:
    """Frame terms make a quote needless (R-37: then a reason is stated)."""
    reason = "call-off under frame terms"
    customer.do(WinOpportunity(reason=reason), deal.id, deal.owner)
    yield from orders.place_directly(customer, deal.id, deal.wanted, reason)
    customer.books.forget(deal.id)
    return True


def _lose(customer: Customer, deal: Deal) -> bool:
    """The end of a deal, with its reason (R-43)."""
    chance = customer.chance
    reason = chance.choose(_LOSSES)
    competitor = chance.pick(names.COMPETITORS) if reason in {LossReason.COMPETITOR, LossReason.PRICE} else None
    note = "remote access is missing" if reason is LossReason.PRODUCT_GAP else None
    customer.do(LoseOpportunity(reason=reason, competitor=competitor, note=note), deal.id, deal.owner)
    customer.books.forget(deal.id)
    return False


def _advance(customer: Customer, deal: Deal, stage: str) -> None:
    """On to a later stage, with the exit criteria of every stage that is left (R-37)."""
    target = STAGES.index(stage)
    criteria = tuple(EXIT_CRITERIA[name] for name in STAGES[deal.stage : target] if name in EXIT_CRITERIA)
    customer.do(AdvanceStage(stage=stage, criteria_met=criteria), deal.id, deal.owner)
    deal.stage = target


def _log(customer: Customer, deal: Deal, kind: InteractionKind) -> None:
    customer.do(LogInteraction(kind=kind, summary=customer.chance.pick(_SAID[kind]), by=deal.owner), deal.id, deal.owner)
