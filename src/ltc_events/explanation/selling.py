"""Where an invoice comes from: campaign and lead, opportunity, quote with its price trace, order and deliveries."""

from decimal import Decimal

from ltc_events.explanation.chain import Chain, is_whole
from ltc_events.explanation.story import Node
from ltc_events.kernel.money import ZERO
from ltc_events.schemas.base import Event
from ltc_events.schemas.campaign import CampaignCostRecorded, CampaignPlanned
from ltc_events.schemas.follow_up import FirstResponseRecorded
from ltc_events.schemas.lead import LeadAssigned, LeadCaptured, LeadConverted, LeadQualified, LeadScored
from ltc_events.schemas.opportunity import (
    AmountChanged,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
    StageChanged,
)
from ltc_events.schemas.order import (
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderPlaced,
)
from ltc_events.schemas.quote import (
    DiscountApproved,
    DiscountRejected,
    QuoteAccepted,
    QuoteDrafted,
    QuoteLine,
    QuoteOrdered,
    QuotePriced,
    QuoteRevised,
)
from ltc_events.schemas.record import Record


def add_campaign(root: Node, chain: Chain) -> None:
    """The campaign that the lead came from, if any (R-11)."""
    if not chain.campaign:
        return
    section = root.add("Campaign")
    for record in chain.campaign:
        match record.event:
            case CampaignPlanned() as event:
                text = f"{event.title} planned on {event.channel}"
                section.add(text, record, amount=event.budget, currency=event.currency)
            case CampaignCostRecorded() as event:
                section.add("Cost", record, amount=event.amount, currency=event.currency)
            case other:
                section.add(_plain(other), record)


def add_lead(root: Node, chain: Chain) -> None:
    """The lead, from capture to conversion (R-1 … R-21)."""
    if not chain.lead:
        return
    section = root.add("Lead")
    for record in chain.lead:
        match record.event:
            case LeadCaptured() as event:
                who = event.company or event.contact_name or record.subject
                where = event.channel + (f" ({event.origin})" if event.origin else "")
                versions = {"required_fields": event.policy_version, "response_levels": event.response_policy_version}
                section.add(f"Captured: {who}, by {where}", record, policies=versions)
            case LeadScored() as event:
                node = section.add(f"Scored {event.score}", record, policies={"score_model": event.model_version})
                node.check("points per factor", sum(event.points.values(), ZERO), event.score)
            case LeadAssigned() as event:
                section.add(f"Assigned to {event.owner} by {event.rule}", record, policies={event.rule: event.rule_version})
            case FirstResponseRecorded() as event:
                section.add(f"First response by {event.by}, {'in time' if event.in_time else 'late'}", record)
            case LeadQualified() as event:
                section.add(f"Qualified: {event.need}", record)
            case LeadConverted() as event:
                section.add(f"Converted, {event.evidence.replace('_', ' ')}: {event.evidence_note}", record)
            case other:
                section.add(_plain(other), record)


def add_opportunity(root: Node, chain: Chain) -> None:
    """The deal and what it was believed to be worth (R-37 … R-43)."""
    if not chain.opportunity:
        return
    section = root.add("Opportunity")
    amount = ZERO
    for record in chain.opportunity:
        match record.event:
            case OpportunityOpened() as event:
                amount = event.amount
                text = f"{event.title} opened in {event.stage}"
                section.add(text, record, amount=amount, currency=event.currency, policies={"stages": event.policy_version})
            case StageChanged() as event:
                way = "back to" if event.backward else "on to"
                text = f"{event.from_stage} {way} {event.stage}, {event.probability} %"
                section.add(text, record, policies={"stages": event.policy_version})
            case AmountChanged() as event:
                node = section.add("Amount changed", record, amount=event.amount, currency=event.currency)
                if is_whole(chain.opportunity, record.version):
                    node.check("amount before it", amount, event.was)
                amount = event.amount
            case OpportunityWon() as event:
                node = section.add("Won" + (f": {event.reason}" if event.reason else ""), record)
                node.amount, node.currency = event.amount, event.currency
            case OpportunityLost() as event:
                section.add(f"Lost: {event.reason}", record)
            case OpportunityReopened() as event:
                section.add(f"Opened again in {event.stage}, was {event.was}: {event.reason}", record)
            case other:
                section.add(_plain(other), record)


def add_quote(root: Node, chain: Chain) -> None:
    """The quote with the trace of its prices (R-49, R-51)."""
    if not chain.quote:
        return
    section = root.add("Quote")
    for record in chain.quote:
        match record.event:
            case QuoteDrafted() as event:
                section.add(f"Drafted, valid until {event.valid_until}", record)
            case QuotePriced() as event:
                _add_prices(section, record, event)
            case DiscountApproved() as event:
                text = f"Discount of {_percent(event.discount_percent)} approved by {event.approver} ({event.role})"
                section.add(text, record, policies={"discount_matrix": event.matrix_version})
            case DiscountRejected() as event:
                section.add(f"Discount turned down by {event.approver}: {event.reason}", record)
            case QuoteRevised() as event:
                section.add(f"Revision {event.revision}: {event.reason}", record)
            case QuoteAccepted() as event:
                section.add(f"Revision {event.revision} accepted", record, amount=event.net, currency=event.currency)
            case QuoteOrdered() as event:
                mine = bool(chain.order) and event.order_id == chain.order[0].subject
                section.add("Ordered by this order" if mine else "Ordered by another order" if chain.order else "Ordered", record)
            case other:
                section.add(_plain(other), record)


def _add_prices(section: Node, record: Record, event: QuotePriced) -> None:
    versions = {"discount_matrix": event.matrix_version}
    if event.price_book_id:
        versions["price_book"] = event.price_book_version
    text = f"Revision {event.revision} priced by {event.requested_by} ({event.role})"
    node = section.add(text, record, amount=event.net, currency=event.currency, policies=versions)
    for line in event.lines:
        _add_price(node, line, event.currency)
    node.check("sum of its lines", sum((line.net for line in event.lines), ZERO), event.net)
    node.check("list total less discounts", event.list_total - event.discount_total, event.net)
    node.check("with tax", event.net + event.tax, event.gross)


def _add_price(node: Node, line: QuoteLine, currency: str) -> None:
    text = f"Line {line.line}: {line.quantity.normalize():f} × {line.description} at {line.list_price}"
    part = node.add(text, amount=line.net, currency=currency)
    for discount in line.discounts:
        share = f" {_percent(discount.percent)}" if discount.percent is not None else ""
        part.add(f"Discount{share}: {discount.reason}", amount=-discount.amount, currency=currency)
    taken = sum((discount.amount for discount in line.discounts), ZERO)
    part.check("list amount less discounts", line.list_amount - taken, line.net)


def add_order(root: Node, chain: Chain) -> None:
    """The order, its amendments, deliveries and what was billed of it (R-57 … R-62, R-65)."""
    if not chain.order:
        return
    section = root.add("Order")
    net, currency = ZERO, ""
    for record in chain.order:
        match record.event:
            case OrderPlaced() as event:
                net, currency = event.net, event.currency
                reason = (
                    f" without a quote: {event.reason}"
                    if event.quote_id is None
                    else f" from quote revision {event.quote_revision}"
                )
                node = section.add("Placed" + reason, record, amount=net, currency=event.currency)
                node.check("sum of its lines", sum((line.net for line in event.lines), ZERO), event.net)
                _check_against_quote(node, chain, event)
            case OrderAmended() as event:
                node = section.add(f"Amended: {event.reason}", record, amount=event.net_change, currency=event.currency)
                if is_whole(chain.order, record.version):
                    node.check("net after it", net + event.net_change, event.net)
                net = event.net
            case OrderDelivered() as event:
                whole = "all of it" if event.complete else "in part"
                node = section.add(f"Delivered, {whole}", record, amount=event.amount, currency=event.currency)
                node.check("sum of its lines", sum((line.amount for line in event.lines), ZERO), event.amount)
            case OrderInvoiced() as event:
                mine = bool(chain.invoice) and event.invoice_id == chain.invoice[0].subject
                text = "Billed by this invoice" if mine else "Billed by another invoice" if chain.invoice else "Billed"
                section.add(text, record, amount=event.amount, currency=currency)
            case OrderBillingReversed() as event:
                mine = bool(chain.invoice) and event.invoice_id == chain.invoice[0].subject
                which = "this" if mine else "another" if chain.invoice else "an"
                text = f"Credited on {which} invoice, to be billed again"
                node = section.add(text, record, amount=-event.amount, currency=event.currency)
                node.check("sum of its lines", sum((line.amount for line in event.lines), ZERO), event.amount)
            case OrderCancelled() as event:
                section.add(f"Cancelled: {event.reason}", record, amount=-event.amount, currency=event.currency)
            case other:
                section.add(_plain(other), record)


def _check_against_quote(node: Node, chain: Chain, placed: OrderPlaced) -> None:
    """An order equals its accepted quote (R-58)."""
    for record in chain.quote:
        if isinstance(record.event, QuoteAccepted) and record.event.revision == placed.quote_revision:
            node.check("equals its accepted quote", record.event.net, placed.net)


def _plain(event: Event) -> str:
    """The words of an event's name: `lead.follow_up_scheduled.v1` is "Follow up scheduled"."""
    return event.type.split(".")[1].replace("_", " ").capitalize()


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f} %"
