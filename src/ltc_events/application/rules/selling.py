"""Rules of the sales side that need more than the aggregate the command was sent to."""

from uuid import UUID

from ltc_events.aggregates import contract, lead, opportunity, policy, quote
from ltc_events.aggregates.base import AlreadyExists
from ltc_events.aggregates.contract import CONTRACT
from ltc_events.aggregates.lead import LEAD
from ltc_events.aggregates.opportunity import OPPORTUNITY
from ltc_events.aggregates.order import ORDER
from ltc_events.aggregates.policies import policy_id
from ltc_events.aggregates.policy import POLICY, WrongPolicyStream
from ltc_events.aggregates.price_book import PRICE_BOOK, PriceList
from ltc_events.aggregates.quote import QUOTE
from ltc_events.application.work import Work
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.contract import SignContract
from ltc_events.schemas.lead import ConvertLead
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


def publish_policy(command: PublishPolicy, work: Work) -> None:
    """Put the next version of a policy in force, in the stream that this kind of policy has (R-75)."""
    kind = command.content.kind
    expected = policy_id(kind)
    if work.subject != expected:
        raise WrongPolicyStream(kind=kind, expected=expected)
    state = work.find(POLICY, expected)
    work.emit(POLICY, expected, *policy.decide(state, command, work.policies))


def convert_lead(command: ConvertLead, work: Work) -> None:
    """Freeze the lead and open the opportunity that it becomes, which inherits where it came from and its owner (R-21)."""
    prospect = lead.require_open(work.find(LEAD, work.subject))
    converted = lead.convert(prospect, command)
    if work.find(OPPORTUNITY, command.opportunity_id) is not None:
        raise AlreadyExists(noun="opportunity", at="opportunity_id")
    stages = work.policies.stages
    stage, probability = opportunity.first_stage(stages)
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
    work.emit(LEAD, work.subject, converted)
    work.emit(OPPORTUNITY, command.opportunity_id, opened)


def win_opportunity(command: WinOpportunity, work: Work) -> None:
    """Close the deal as won, by a quote of its own that the customer accepted, or for a stated reason (R-37)."""
    deal = opportunity.require_open(work.find(OPPORTUNITY, work.subject))
    named = None if command.quote_id is None else work.get(QUOTE, command.quote_id, "quote_id")
    work.emit(OPPORTUNITY, work.subject, opportunity.win(deal, work.subject, command, named))


def draft_quote(command: DraftQuote, work: Work) -> None:
    """Begin a quote in the currency of its opportunity and of its price book, where it has them (R-49)."""
    drafted = quote.draft(work.find(QUOTE, work.subject), command)
    if command.opportunity_id is not None:
        deal = work.get(OPPORTUNITY, command.opportunity_id, "opportunity_id")
        _require_currency(command.currency, "opportunity", deal.currency)
    if command.price_book_id is not None:
        book = work.get(PRICE_BOOK, command.price_book_id, "price_book_id")
        _require_currency(command.currency, "price book", book.currency)
    work.emit(QUOTE, work.subject, drafted)


def price_quote(command: PriceQuote, work: Work) -> None:
    """Price the quote from the version of its price book that is valid on the business date, where it has one (R-49)."""
    current = quote.require_unsent(work.find(QUOTE, work.subject))
    prices = None if current.price_book_id is None else _prices(command, work, current.price_book_id)
    work.emit(QUOTE, work.subject, quote.price_quote(current, command, prices, work.policies.discount_matrix))


def sign_contract(command: SignContract, work: Work) -> None:
    """Record a signed contract; the deal, the quote and the order that it names are the customer's own (R-56)."""
    signed = contract.decide(work.find(CONTRACT, work.subject), command, work.policies)
    if command.opportunity_id is not None:
        work.get(OPPORTUNITY, command.opportunity_id, "opportunity_id")
    if command.quote_id is not None:
        work.get(QUOTE, command.quote_id, "quote_id")
    if command.order_id is not None:
        work.get(ORDER, command.order_id, "order_id")
    work.emit(CONTRACT, work.subject, *signed)


def _prices(command: PriceQuote, work: Work, id: UUID) -> PriceList:
    book = work.get(PRICE_BOOK, id, "price_book_id")
    prices = book.on(command.effective_on)
    if prices is None:
        first = min(version.valid_from for version in book.lists)
        raise NoPricesYet(id=id, day=command.effective_on, first=first)
    return prices


def _require_currency(currency: str, noun: str, other: str) -> None:
    if currency != other:
        raise QuoteInAnotherCurrency(currency=currency, noun=noun, other=other)
