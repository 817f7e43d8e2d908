"""Rules of selling that read more than the aggregate the command was sent to."""

from uuid import UUID

from ltc_events.aggregates import contract, customer, lead, opportunity, policy, quote
from ltc_events.aggregates.base import AlreadyExists, require_minor_units, require_not_before
from ltc_events.aggregates.business_dates import in_order
from ltc_events.aggregates.contract import CONTRACT
from ltc_events.aggregates.customer import CUSTOMER, Customer
from ltc_events.aggregates.lead import LEAD
from ltc_events.aggregates.opportunity import OPPORTUNITY
from ltc_events.aggregates.opportunity_state import closable_on, opening
from ltc_events.aggregates.order import ORDER
from ltc_events.aggregates.policies import policy_id
from ltc_events.aggregates.policy import POLICY, WrongPolicyStream
from ltc_events.aggregates.price_book import PRICE_BOOK, PriceList
from ltc_events.aggregates.quote import QUOTE
from ltc_events.aggregates.stages import first_stage
from ltc_events.application.errors import IdTaken, OwnCustomer
from ltc_events.application.unit_of_work import UnitOfWork
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Event
from ltc_events.schemas.contract import SignContract
from ltc_events.schemas.lead import CaptureLead, ConvertLead
from ltc_events.schemas.opportunity import OpportunityOpened, WinOpportunity
from ltc_events.schemas.policy import PublishPolicy
from ltc_events.schemas.quote import DraftQuote, PriceQuote


class QuoteInAnotherCurrency(Refused):
    """the quote is in {currency}, but its {noun} is in {other}"""

    field = "currency"
    remedy = "draft the quote in {other}, or for another {noun}"


class NoPricesYet(Refused):
    """price book {id} has no prices that are valid on {day}; its first begin on {first}"""

    field = "effective_on"
    remedy = "price the quote as of {first} or later, or send price_book.publish.v1 with a valid_from of {day}"


def publish_policy(command: PublishPolicy, work: UnitOfWork) -> None:
    """Put the next version of a policy in force, in the stream that this kind of policy has (R-75)."""
    kind = command.content.kind
    expected = policy_id(kind)
    if work.subject != expected:
        raise WrongPolicyStream(kind=kind, expected=expected)
    state = work.find(POLICY, expected)
    work.emit(POLICY, expected, *policy.decide(state, command, work.policies))


def capture_lead(command: CaptureLead, work: UnitOfWork) -> None:
    """Record a lead, and an unregistered customer as a prospect, unless policy `require_registered_customer` is off (R-6)."""
    state, id = work.find(LEAD, work.subject), work.customer_id
    if id is None or work.policies.require_registered_customer.content.mode == "off":
        work.emit(LEAD, work.subject, lead.capture(state, command, work.policies, None))
        return
    if id == work.subject:
        raise OwnCustomer(id=id, noun="lead")
    record = _record(work, id)
    captured = lead.capture(state, command, work.policies, None if record is None else record.profile.country)
    work.emit(CUSTOMER, id, *customer.prospect(record, work.subject, captured))
    work.emit(LEAD, work.subject, captured)


def convert_lead(command: ConvertLead, work: UnitOfWork) -> None:
    """Freeze the lead and open its opportunity, which inherits the lead's source and owner (R-21)."""
    prospect = lead.require_open(work.find(LEAD, work.subject))
    converted = lead.convert(prospect, command)
    if work.find(OPPORTUNITY, command.opportunity_id) is not None:
        raise AlreadyExists(noun="opportunity", at="opportunity_id")
    require_minor_units(command.amount, command.currency, "amount")
    stages = work.policies.stages
    stage, probability = first_stage(stages)
    opened = OpportunityOpened(
        title=command.title,
        amount=command.amount,
        currency=command.currency,
        stage=stage,
        probability=probability,
        expected_close_on=command.expected_close_on,
        lead_id=work.subject,
        channel=prospect.source.channel,
        origin=prospect.source.origin,
        campaign_id=prospect.source.campaign_id,
        owner=prospect.owner,
        policy_version=stages.version,
    )
    frozen, begun = in_order([converted, opened], work.effective_on, *lead.qualified_on(prospect), work.policies)
    work.emit(LEAD, work.subject, frozen)
    work.emit(OPPORTUNITY, command.opportunity_id, begun)


def win_opportunity(command: WinOpportunity, work: UnitOfWork) -> None:
    """Close the deal as won, by an accepted quote for this deal, or for a stated reason (R-37)."""
    deal = opportunity.require_open(work.find(OPPORTUNITY, work.subject))
    named = None if command.quote_id is None else work.get(QUOTE, command.quote_id, "quote_id")
    won = opportunity.win(deal, work.subject, command, named)
    acted_on = closable_on(deal)
    if named is not None:
        acted_on = max(acted_on, quote.last_step(named))
    work.emit(OPPORTUNITY, work.subject, *in_order([won], work.effective_on, *acted_on, work.policies))


def draft_quote(command: DraftQuote, work: UnitOfWork) -> None:
    """Begin a quote in the currency of its opportunity and of its price book, where it has them (R-49)."""
    events: list[Event] = [quote.draft(work.find(QUOTE, work.subject), command)]
    if command.opportunity_id is not None:
        deal = work.get(OPPORTUNITY, command.opportunity_id, "opportunity_id")
        _require_currency(command.currency, "opportunity", deal.currency)
        events = in_order(events, work.effective_on, *opening(deal), work.policies)
    if command.price_book_id is not None:
        book = work.get(PRICE_BOOK, command.price_book_id, "price_book_id")
        _require_currency(command.currency, "price book", book.currency)
    work.emit(QUOTE, work.subject, *events)


def price_quote(command: PriceQuote, work: UnitOfWork) -> None:
    """Price the quote from the version of its price book that is valid on the business date, where it has one (R-49)."""
    current = quote.require_unsent(work.find(QUOTE, work.subject))
    prices = None if current.price_book_id is None else _prices(command, work, current.price_book_id)
    priced = quote.price_quote(current, command, prices, work.policies.discount_matrix)
    work.emit(QUOTE, work.subject, *in_order([priced], work.effective_on, *quote.last_step(current), work.policies))


def sign_contract(command: SignContract, work: UnitOfWork) -> None:
    """Record a signed contract; the deal, quote and order that it names must belong to the customer (R-56)."""
    signed = contract.decide(work.find(CONTRACT, work.subject), command, work.policies)
    if command.opportunity_id is not None:
        deal = work.get(OPPORTUNITY, command.opportunity_id, "opportunity_id")
        require_not_before(work.effective_on, *opening(deal))
    if command.quote_id is not None:
        offer = work.get(QUOTE, command.quote_id, "quote_id")
        require_not_before(work.effective_on, offer.drafted_on, "the draft of the quote")
    if command.order_id is not None:
        ordered = work.get(ORDER, command.order_id, "order_id")
        require_not_before(work.effective_on, ordered.placed_on, "the order")
    work.emit(CONTRACT, work.subject, *signed)


def _record(work: UnitOfWork, id: UUID) -> Customer | None:
    """The state of the command's customer, or None. Raises IdTaken where the id belongs to another aggregate."""
    try:
        return work.find(CUSTOMER, id)
    except IdTaken as taken:
        raise IdTaken(**taken.details, at="partitionkey") from taken


def _prices(command: PriceQuote, work: UnitOfWork, id: UUID) -> PriceList:
    book = work.get(PRICE_BOOK, id, "price_book_id")
    prices = book.on(command.effective_on)
    if prices is None:
        first = min(version.valid_from for version in book.lists)
        raise NoPricesYet(id=id, day=command.effective_on, first=first)
    return prices


def _require_currency(currency: str, noun: str, other: str) -> None:
    if currency != other:
        raise QuoteInAnotherCurrency(currency=currency, noun=noun, other=other)
