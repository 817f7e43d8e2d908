"""What an event says, in a few words for people: the line of a timeline."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from ltc_events.schemas import (
    campaign,
    contract,
    credit_note,
    customer,
    invoice,
    lead,
    number_series,
    opportunity,
    order,
    payment,
    policy,
    quote,
)
from ltc_events.schemas.base import Event

E = TypeVar("E", bound=Event)
_WORDS: dict[type[Event], Callable[[Any], str]] = {}


def summarise(event: Event) -> str:
    """One line without a full stop, e.g. `won for 12,000.00 EUR`; of an event without words of its own, its name."""
    words = _WORDS.get(type(event))
    return words(event) if words else event.type.split(".")[1].replace("_", " ")


def _say(kind: type[E], words: Callable[[E], str]) -> None:
    _WORDS[kind] = words


def _money(amount: Decimal, currency: str) -> str:
    """`1,234.50 EUR`."""
    return f"{amount:,f} {currency}"


def _number(value: Decimal) -> str:
    """Without idle zeros: `12.5`, `100`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _because(reason: object) -> str:
    return f": {reason}" if reason else ""


def _by(person: str | None) -> str:
    return f" by {person}" if person else ""


def _words(code: str) -> str:
    return code.replace("_", " ")


def _lines(lines: tuple[Any, ...]) -> str:
    return "1 line" if len(lines) == 1 else f"{len(lines)} lines"


def _fields(profile: customer.Profile) -> str:
    return ", ".join(_words(name) for name, value in profile if value is not None) or "nothing"


_say(customer.CustomerRegistered, lambda e: f"registered{_because(e.profile.name)}")
_say(customer.ProfileUpdated, lambda e: f"profile updated: {_fields(e.profile)}")
_say(customer.ReferenceLinked, lambda e: f"called {e.reference} in {e.system}")
_say(customer.ContactAdded, lambda e: f"contact added: {e.name}{f', {e.role}' if e.role else ''}")

_say(campaign.CampaignPlanned, lambda e: f"campaign planned: {e.title}, budget {_money(e.budget, e.currency)}")
_say(campaign.CampaignLaunched, lambda _: "campaign launched")
_say(campaign.CampaignCostRecorded, lambda e: f"spent {_money(e.amount, e.currency)}{_because(e.note)}")
_say(campaign.CampaignClosed, lambda e: f"campaign closed{_because(e.reason)}")

_say(lead.LeadCaptured, lambda e: f"lead captured from {_words(e.channel)}{_by(e.captured_by)}{_because(e.need)}")
_say(lead.LeadAccepted, lambda _: "lead accepted")
_say(lead.LeadRejected, lambda e: f"lead rejected{_because(e.reason)}")
_say(lead.LeadDetailRecorded, lambda _: "more recorded about the need")
_say(lead.TemperatureChanged, lambda e: f"lead {e.temperature}, was {e.was}{_because(e.reason)}")
_say(lead.LeadScored, lambda e: f"lead scored {_number(e.score)}")
_say(lead.LeadAssigned, lambda e: f"lead assigned to {e.owner}")
_say(lead.FirstResponseRecorded, lambda e: f"first response{_by(e.by)}, {'in time' if e.in_time else 'late'}")
_say(lead.ResponseBreached, lambda e: f"no response by {e.due_at:%Y-%m-%d %H:%M}")
_say(lead.FollowUpScheduled, lambda e: f"follow-up planned for {e.due_at:%Y-%m-%d %H:%M}{_because(e.note)}")
_say(lead.FollowUpCompleted, lambda e: f"follow-up done{_because(e.result)}")
_say(lead.FollowUpMissed, lambda _: "follow-up missed")
_say(lead.LeadQualified, lambda e: f"lead qualified{_because(e.need)}")
_say(lead.LeadConverted, lambda e: f"lead converted{_because(e.evidence_note)}")
_say(lead.LeadDisqualified, lambda e: f"lead disqualified{_because(e.reason)}")

_say(opportunity.OpportunityOpened, lambda e: f"opportunity opened: {e.title}, {_money(e.amount, e.currency)}")
_say(
    opportunity.StageChanged,
    lambda e: f"{'back to' if e.backward else 'on to'} {_words(e.stage)}, {_number(e.probability)} % likely{_because(e.reason)}",
)
_say(opportunity.AmountChanged, lambda e: f"worth {_money(e.amount, e.currency)}, was {e.was:,f}{_because(e.reason)}")
_say(opportunity.CloseDateChanged, lambda e: f"expected to close on {e.expected_close_on}{_because(e.reason)}")
_say(opportunity.DecisionMakerMapped, lambda e: f"takes part in the decision: {e.contact_name}, {e.role}")
_say(opportunity.InteractionLogged, lambda e: f"{e.kind}{_by(e.by)}{_because(e.summary)}")
_say(opportunity.OpportunityWon, lambda e: f"won for {_money(e.amount, e.currency)}{_because(e.reason)}")
_say(opportunity.OpportunityLost, lambda e: f"lost {_money(e.amount, e.currency)}: {_words(e.reason)}")

_say(policy.PolicyPublished, lambda e: f"policy {_words(e.content.kind)} in version {e.version}")
_say(policy.PriceBookPublished, lambda e: f"price book {e.title} in version {e.version}, {len(e.items)} prices")

_say(quote.QuoteDrafted, lambda e: f"quote drafted{_because(e.title)}")
_say(
    quote.QuotePriced,
    lambda e: (
        f"quote priced: {_lines(e.lines)}, {_money(e.net, e.currency)} net"
        f"{', waits for approval of its discount' if e.approval_needed else ''}"
    ),
)
_say(quote.DiscountApproved, lambda e: f"discount of {_number(e.discount_percent)} % approved{_by(e.approver)}")
_say(quote.DiscountRejected, lambda e: f"discount turned down{_by(e.approver)}{_because(e.reason)}")
_say(quote.QuoteSent, lambda e: f"quote sent, revision {e.revision}")
_say(quote.QuoteAccepted, lambda e: f"quote accepted{_by(e.accepted_by)}: {_money(e.net, e.currency)} net")
_say(quote.QuoteOrdered, lambda e: f"quote ordered, revision {e.revision}")
_say(quote.QuoteRejected, lambda e: f"quote rejected{_because(e.reason)}")
_say(quote.QuoteExpired, lambda _: "quote expired")
_say(quote.QuoteRevised, lambda e: f"quote revised, revision {e.revision}{_because(e.reason)}")

_say(contract.ContractSigned, lambda e: f"contract signed: {e.title}, until {e.ends_on}, {_money(e.value, e.currency)}")
_say(contract.ContractRenewalDue, lambda e: f"contract ends on {e.ends_on}; notice can be given until {e.notice_on}")
_say(contract.ContractRenewed, lambda e: f"contract renewed until {e.ends_on}, {_money(e.value, e.currency)}")
_say(contract.ContractTerminated, lambda e: f"contract ends on {e.ends_on}: {e.reason}")

_say(order.OrderPlaced, lambda e: f"order placed: {_lines(e.lines)}, {_money(e.net, e.currency)} net")
_say(order.OrderAmended, lambda e: f"order amended by {_money(e.net_change, e.currency)}{_because(e.reason)}")
_say(order.OrderDelivered, lambda e: f"{'all' if e.complete else 'part'} delivered, {_money(e.amount, e.currency)} net")
_say(order.OrderShipped, lambda e: f"shipped{_by(e.carrier)}{f', tracking {e.tracking}' if e.tracking else ''}")
_say(order.OrderInvoiced, lambda e: f"billed {e.amount:,f} net")
_say(order.OrderBillingReversed, lambda e: f"to be billed again: {_money(e.amount, e.currency)} net")
_say(order.OrderCancelled, lambda e: f"order cancelled, {_money(e.amount, e.currency)} net released{_because(e.reason)}")

_say(invoice.InvoiceIssued, lambda e: f"invoice {e.number}: {_money(e.payable, e.currency)} payable")
_say(invoice.PaymentApplied, lambda e: f"{_money(e.amount, e.currency)} paid, {e.balance:,f} open")
_say(invoice.PaymentRemoved, lambda e: f"{_money(e.amount, e.currency)} taken back, {e.balance:,f} open: {e.reason}")
_say(
    invoice.InvoiceCredited,
    lambda e: (
        f"{_money(e.amount, e.currency)} credited"
        + (f" and {e.write_off_reversed:,f} of what had been written off" if e.write_off_reversed else "")
        + f", {e.balance:,f} open"
    ),
)
_say(invoice.CreditApplied, lambda e: f"{_money(e.amount, e.currency)} paid by a credit note, {e.balance:,f} open")
_say(invoice.InvoiceWrittenOff, lambda e: f"{_money(e.amount, e.currency)} written off: {e.reason}")
_say(invoice.InvoiceSettled, lambda _: "invoice settled")
_say(invoice.InvoiceReopened, lambda e: f"invoice open again: {e.balance:,f}")
_say(invoice.InvoiceDisputed, lambda e: f"invoice disputed: {e.reason}")
_say(invoice.DisputeResolved, lambda e: f"dispute settled: {e.resolution}")
_say(invoice.PaymentPromised, lambda e: f"{e.amount:,f} promised for {e.promised_on}{_by(e.by)}")
_say(
    invoice.DunningNoticeSent,
    lambda e: f"reminder {e.level} for instalment {e.instalment}: {_money(e.total, e.currency)}, {e.days_overdue} days overdue",
)

_say(credit_note.CreditNoteIssued, lambda e: f"credit note {e.number}: {_money(e.payable, e.currency)}, {_words(e.reason)}")

_say(
    credit_note.CreditNoteApplied, lambda e: f"{_money(e.amount, e.currency)} of it put against an invoice, {e.unapplied:,f} left"
)
_say(credit_note.CreditNoteRefunded, lambda e: f"{_money(e.amount, e.currency)} of it refunded: {e.reason}")

_say(payment.PaymentReceived, lambda e: f"{_money(e.amount, e.currency)} received")
_say(payment.PaymentAllocated, lambda e: f"{_money(e.amount, e.currency)} allocated, {e.unapplied:,f} unapplied")
_say(payment.PaymentUnallocated, lambda e: f"allocation of {_money(e.amount, e.currency)} taken back: {e.reason}")
_say(payment.PaymentReturned, lambda e: f"{_money(e.amount, e.currency)} returned by the bank: {e.reason}")
_say(payment.PaymentRefunded, lambda e: f"{_money(e.amount, e.currency)} refunded: {e.reason}")

_say(number_series.NumberAssigned, lambda e: f"number {e.number} assigned")
