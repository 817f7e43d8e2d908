"""Finds every stream behind an invoice, through the references in the events."""

from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from typing import TypeVar
from uuid import UUID

from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.base import Event
from ltc_events.schemas.claim import ClaimPaid
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.lead import LeadCaptured
from ltc_events.schemas.number_series import (
    NumberAssigned,
    NumberImported,
    first_series_id,
    format_number,
    imported_number_id,
    parse_number,
    series_id,
)
from ltc_events.schemas.opportunity import OpportunityOpened
from ltc_events.schemas.order import OrderPlaced
from ltc_events.schemas.payment import PaymentMovedIn
from ltc_events.schemas.receivable import CreditApplied, DunningNoticeSent, InvoiceClaimed, InvoiceCredited, PaymentApplied
from ltc_events.schemas.record import Record
from ltc_events.store import EventStore

E = TypeVar("E", bound=Event)
SUGGESTIONS_MAX = 3


class UnknownInvoice(LtcError):
    """there is no invoice {number} as of {as_of}"""

    @property
    def fix(self) -> str:
        """The nearest numbers there are."""
        nearest = self.details["nearest"]
        return f"did you mean {' or '.join(nearest)}?" if nearest else "`ltc report receivables-aging` lists invoices"


class NotYetAnInvoice(LtcError):
    """invoice {number}, of {effective_on} and recorded at position {position}, is not there as of {as_of}, known at {known_at}"""

    remedy = "ask for it as of {effective_on} or later, as known at {position} or later"


class NotAnInvoice(LtcError):
    """{number} is a {noun}, not an invoice"""

    remedy = "give the number of an invoice; its story names its credit notes"


@dataclass(frozen=True, slots=True)
class Lens:
    """The visible events: up to a position, with a business date up to a day."""

    store: EventStore
    as_of: date
    position: int

    def stream(self, id: UUID) -> list[Record]:
        """The visible part of a stream."""
        return self.seen(self.store.stream(id))

    def seen(self, records: list[Record]) -> list[Record]:
        """The visible ones of these records."""
        return [one for one in records if one.position <= self.position and one.effective_on <= self.as_of]


@dataclass(frozen=True, slots=True)
class Chain:
    """Every stream behind an invoice; empty lists where there is none."""

    number: str
    invoice: list[Record]
    order: list[Record]
    quote: list[Record]
    opportunity: list[Record]
    lead: list[Record]
    campaign: list[Record]
    credit_notes: dict[UUID, list[Record]]
    payments: dict[UUID, list[Record]]
    """Those put against it or its claims, and those of other customers that they were moved from."""
    claims: dict[UUID, list[Record]]


def follow(lens: Lens, number: str) -> Chain:
    """Find the invoice and go back along its references; raises UnknownInvoice, NotYetAnInvoice or NotAnInvoice."""
    invoice = _invoice(lens, number)
    issued = event_of(invoice, InvoiceIssued)
    above = upstream(lens, number, issued.order_id if issued else None, opportunity_id=issued.opportunity_id if issued else None)
    claims = _streams(lens, [id for one in invoice for id in claims_of(one.event)])
    paid = [one.event for one in (*invoice, *(one for records in claims.values() for one in records))]
    notes = [one.event.credit_note_id for one in invoice if isinstance(one.event, InvoiceCredited | CreditApplied)]
    payments = [event.payment_id for event in paid if isinstance(event, PaymentApplied | ClaimPaid)]
    return replace(above, invoice=invoice, credit_notes=_streams(lens, notes), payments=_payments(lens, payments), claims=claims)


def upstream(
    lens: Lens, number: str, order_id: UUID | None = None, quote_id: UUID | None = None, opportunity_id: UUID | None = None
) -> Chain:
    """The streams that an order, quote or deal comes from, back to the campaign, without invoices."""
    order = lens.stream(order_id) if order_id else []
    placed = event_of(order, OrderPlaced)
    if placed is not None:
        quote_id, opportunity_id = placed.quote_id, placed.opportunity_id or opportunity_id
    opportunity = lens.stream(opportunity_id) if opportunity_id else []
    opened = event_of(opportunity, OpportunityOpened)
    lead = lens.stream(opened.lead_id) if opened and opened.lead_id else []
    captured = event_of(lead, LeadCaptured)
    campaign_id = (captured.campaign_id if captured else None) or (opened.campaign_id if opened else None)
    quote = lens.stream(quote_id) if quote_id else []
    campaign = lens.stream(campaign_id) if campaign_id else []
    return Chain(number, [], order, quote, opportunity, lead, campaign, {}, {}, {})


def claims_of(event: Event) -> list[UUID]:
    """The claims of an invoice's event: those of a dunning notice, or one raised by a command."""
    match event:
        case DunningNoticeSent():
            return [id for id in (event.fee_claim_id, event.interest_claim_id) if id is not None]
        case InvoiceClaimed():
            return [event.claim_id]
        case _:
            return []


def event_of(records: list[Record], kind: type[E]) -> E | None:
    """The first event of a kind in a stream."""
    return next((one.event for one in records if isinstance(one.event, kind)), None)


def is_whole(records: list[Record], upto: int) -> bool:
    """Whether every event of a stream up to this version is visible; back-dated events can leave gaps."""
    return [one.version for one in records if one.version <= upto] == list(range(1, upto + 1))


def _streams(lens: Lens, ids: list[UUID]) -> dict[UUID, list[Record]]:
    return {id: lens.stream(id) for id in dict.fromkeys(ids)}


def _payments(lens: Lens, ids: list[UUID]) -> dict[UUID, list[Record]]:
    """The payments, and those that they were moved from, back to the one received from the bank."""
    found = _streams(lens, ids)
    for id in ids:
        moved_in = event_of(found[id], PaymentMovedIn)
        while moved_in is not None and moved_in.from_payment_id not in found:
            found[moved_in.from_payment_id] = lens.stream(moved_in.from_payment_id)
            moved_in = event_of(found[moved_in.from_payment_id], PaymentMovedIn)
    return found


def _invoice(lens: Lens, number: str) -> list[Record]:
    records = _numbered(lens.store, number)
    if not records:
        raise UnknownInvoice(number=number, as_of=lens.as_of, nearest=_nearest(lens, number))
    first = records[0]
    noun = first.event.type.partition(".")[0]
    if noun != "invoice":
        raise NotAnInvoice(number=number, noun=noun.replace("_", " "))
    seen = lens.seen(records)
    if first not in seen[:1]:  # what is dated before the invoice, in ledgers from before that was refused, makes none of it
        raise NotYetAnInvoice(
            number=number,
            effective_on=first.effective_on,
            position=first.position,
            as_of=lens.as_of,
            known_at=lens.position,
        )
    return seen


def _numbered(store: EventStore, number: str) -> list[Record]:
    """The stream of the document with this number, of another system or of ours; none where no document has it."""
    imported = event_of(store.stream(imported_number_id(number)), NumberImported)
    if imported is not None:
        return store.stream(imported.document_id)
    parsed = parse_number(number)
    return [] if parsed is None else _document(store, *parsed)


def _document(store: EventStore, series: str, year: int, sequence: int) -> list[Record]:
    """The stream of the document that has this number; none where no document has it."""
    for id in (series_id(series, year), first_series_id(series, year)):
        assigned = event_of(store.event(id, sequence), NumberAssigned)
        if assigned:
            return store.stream(assigned.document_id)
    return []


def _nearest(lens: Lens, number: str) -> list[str]:
    """The invoice numbers probably meant: in the series with the most similar name, near that number."""
    series = {
        (first.event.series, first.event.year): last
        for first, last in lens.store.company_streams(NumberAssigned.type)
        if isinstance(first.event, NumberAssigned)
    }
    names = {f"{name}-{year}": (name, year) for name, year in series}
    parsed = parse_number(number)
    wanted = f"{parsed[0]}-{parsed[1]}" if parsed else number.rpartition("-")[0] or number
    nearest = []
    for match in get_close_matches(wanted.upper(), names, n=SUGGESTIONS_MAX, cutoff=0.5):
        name, year = names[match]
        sequence = min(max(parsed[2] if parsed else 1, 1), series[name, year])
        seen = lens.seen(_document(lens.store, name, year, sequence))
        if seen and isinstance(seen[0].event, InvoiceIssued):
            nearest.append(format_number(name, year, sequence))
    return nearest
