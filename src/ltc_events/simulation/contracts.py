"""How contracts go: signed for what was sold, then renewed, terminated, or left to end (R-56, R-62)."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from ltc_events.kernel.money import HUNDRED, round_half_up
from ltc_events.schemas.contract import FlagRenewal, RenewContract, SignContract, TerminateContract
from ltc_events.simulation import goods, names, orders
from ltc_events.simulation.customer import Customer
from ltc_events.simulation.goods import Wanted
from ltc_events.simulation.quoting import Quote
from ltc_events.simulation.run import Process
from ltc_events.simulation.working_time import DAY, HOUR, at_work, seconds

_LENGTHS: Final = (90, 180, 365)
_NOTICE_DAYS: Final = 30
_RISE_PERCENT: Final = 103
_TERMS: Final = (
    "Frame terms of sale, delivery ex works.",
    "Service within 24 hours on working days.",
    "As quoted; prices fixed.",
)


def contract(customer: Customer, deal_id: UUID, owner: str, quote: Quote, order_id: UUID) -> Process:
    """A contract where something runs for longer, and now and then for other deals; then its later life."""
    chance = customer.chance
    running = tuple(one for one in quote.wanted if one.article in goods.SUBSCRIPTIONS)
    if chance.percent(85 if running else 20):
        days = chance.pick(_LENGTHS)
        starts_on = customer.today + timedelta(days=chance.between(0, 14))
        sign = SignContract(
            title=f"Contract with {customer.company}",
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=days - 1),
            value=quote.net,
            currency=goods.CURRENCY,
            notice_days=_NOTICE_DAYS,
            auto_renew=chance.percent(30),
            terms=chance.pick(_TERMS),
            signed_by=customer.contact,
            opportunity_id=deal_id,
            quote_id=quote.id,
            order_id=order_id,
        )
        id = customer.new_id()
        customer.do(sign, id, owner)
        customer.run.begin(_run_on(customer, id, owner, sign, running), customer.run.now)
    customer.books.forget(deal_id)
    customer.books.forget(quote.id)
    yield from ()


def _run_on(customer: Customer, id: UUID, owner: str, signed: SignContract, running: tuple[Wanted, ...]) -> Process:
    """Renewed term by term, until it is terminated or left to end (R-62)."""
    chance = customer.chance
    days = (signed.ends_on - signed.starts_on).days + 1
    ends_on, value = signed.ends_on, signed.value
    while True:
        if chance.percent(8):
            yield customer.after(_NOTICE_DAYS, days - _NOTICE_DAYS)
            terminate = TerminateContract(ends_on=ends_on, reason=chance.pick(("chose another supplier", "line was shut down")))
            customer.do(terminate, id, owner)
            break
        yield at_work(seconds(ends_on) - (_NOTICE_DAYS + chance.between(2, 10)) * DAY + chance.between(8, 16) * HOUR)
        customer.do(FlagRenewal(), id, names.CLOCK)
        if not chance.percent(70):
            break
        ends_on += timedelta(days=days)
        value = round_half_up(value * _RISE_PERCENT / HUNDRED, goods.CURRENCY)
        customer.do(RenewContract(ends_on=ends_on, value=value), id, owner)
        if running:
            yield from orders.place_directly(customer, None, running, "contract renewed")
    customer.books.forget(id)
