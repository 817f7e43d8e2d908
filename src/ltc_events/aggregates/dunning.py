"""Dunning: when a notice for an instalment may be sent, and its fee and interest (R-66). Pure."""

from datetime import timedelta
from decimal import Decimal

from ltc_events.aggregates.dated_balance import require_available
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.receivable import Invoice, Item, item_of
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import EXACT, HUNDRED, ZERO, proportion, round_half_up
from ltc_events.schemas.claim import ClaimKind
from ltc_events.schemas.policy import Dunning
from ltc_events.schemas.receivable import DunningNoticeSent, InvoiceClaimed, SendDunningNotice

_DAYS_IN_YEAR = Decimal(365)


class NotOverdue(Refused):
    """instalment {instalment} of invoice {number} is due on {due_on}, and not overdue on {effective_on}"""

    field = "effective_on"
    remedy = "send the notice on {due_next} or later"


class DunningDisputed(Refused):
    """invoice {number} is disputed"""

    field = "subject"
    remedy = "resolve the dispute first"


class DunningPromised(Refused):
    """payment of invoice {number} is promised by {promised_on}"""

    field = "effective_on"
    remedy = "wait until {promised_on} has passed"


class NoticeTooSoon(Refused):
    """the last notice for instalment {instalment} of invoice {number} went out on {noticed_on}"""

    field = "effective_on"
    remedy = "send the next one on {next_on} or later"


def notice(invoice: Invoice, command: SendDunningNotice, policies: Policies) -> DunningNoticeSent:
    """The next notice for an instalment. Raises the refusals above, UnknownInstalment and InstalmentPaid, and AvailableLater
    for a day on which less is open than now.

    `level` is one more than the number of notices sent for the instalment so far.
    """
    document, today, policy = invoice.document, command.effective_on, policies.dunning.content
    item = item_of(invoice, invoice.items, command.instalment, "instalment")
    require_available([item.dated_open], today, item.open, f"instalment {item.number} of {invoice.called}")
    _require_due(invoice, item, command, policy.days_between)
    days = (today - item.due_on).days
    interest = interest_on(item.open, policy.annual_interest_percent, days, document.currency)
    fee = fee_in(policy, document.currency)
    is_posted = policy.claims == "posted"
    return DunningNoticeSent(
        instalment=item.number,
        level=item.notices + 1,
        days_overdue=days,
        outstanding=item.open,
        interest=interest,
        fee=fee,
        total=item.open + interest + fee,
        currency=document.currency,
        policy_version=policies.dunning.version,
        fee_claimed=fee if is_posted else ZERO,
        interest_claimed=max(ZERO, interest - item.interest_claimed) if is_posted else ZERO,
        not_before=document.issued_on,
    )


def fee_in(policy: Dunning, currency: str) -> Decimal:
    """The fee of a notice in a currency, to its minor unit."""
    return round_half_up(policy.fees.get(currency, ZERO) if policy.fees else policy.fee, currency)


def interest_on(outstanding: Decimal, annual_percent: Decimal, days: int, currency: str) -> Decimal:
    """Outstanding × rate ÷ 100 ÷ 365 × days, half-up to the minor unit."""
    return proportion(EXACT.multiply(outstanding, annual_percent), Decimal(days), HUNDRED * _DAYS_IN_YEAR, currency)


def after_notice(item: Item, event: DunningNoticeSent) -> Item:
    """The instalment after a notice; unchanged if the notice is for another one."""
    if item.number != event.instalment:
        return item
    return item._replace(
        notices=event.level,
        noticed_on=item.due_on + timedelta(days=event.days_overdue),
        interest_claimed=item.interest_claimed + event.interest_claimed,
    )


def after_claim(item: Item, event: InvoiceClaimed) -> Item:
    """The instalment after a claim, so that its interest is not claimed twice; unchanged if the claim is for another one."""
    if item.number != event.instalment or event.kind != ClaimKind.INTEREST:
        return item
    return item._replace(interest_claimed=item.interest_claimed + event.amount)


def _require_due(invoice: Invoice, item: Item, command: SendDunningNotice, days_between: int) -> None:
    number, today = invoice.document.number, command.effective_on
    if invoice.disputed:
        raise DunningDisputed(number=number)
    if invoice.promised_on is not None and invoice.promised > ZERO and today <= invoice.promised_on:
        raise DunningPromised(number=number, promised_on=invoice.promised_on)
    if today <= item.due_on:
        raise NotOverdue(
            number=number,
            instalment=item.number,
            due_on=item.due_on,
            effective_on=today,
            due_next=item.due_on + timedelta(days=1),
        )
    if item.noticed_on is not None:
        next_on = item.noticed_on + timedelta(days=days_between)
        if today < next_on:
            raise NoticeTooSoon(number=number, instalment=item.number, noticed_on=item.noticed_on, next_on=next_on)
