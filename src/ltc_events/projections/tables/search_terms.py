"""By what things are found: numbers, names, references of other systems, titles and ids."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ltc_events.kernel.search_form import search_form
from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.movement import LINE_NO, WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.campaign import CampaignPlanned
from ltc_events.schemas.claim import ClaimRaised
from ltc_events.schemas.contract import ContractSigned
from ltc_events.schemas.credit_note import CreditNoteIssued
from ltc_events.schemas.customer import ContactAdded, CustomerRegistered, ProfileUpdated, ProspectRegistered, ReferenceLinked
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.lead import LeadCaptured
from ltc_events.schemas.opportunity import OpportunityOpened, TitleChanged
from ltc_events.schemas.order import OrderPlaced, OrderShipped
from ltc_events.schemas.payment import PaymentMovedIn, PaymentReceived
from ltc_events.schemas.quote import QuoteDrafted
from ltc_events.schemas.record import Record

WORDS_MAX = 6
"""From so many of its words on a term is found; an id from its beginning alone."""


class _Term(NamedTuple):
    means: str
    text: str | None
    system: str | None = None


class SearchTerms(Projection):
    """By what things are found: one row per term, and for each of its words from which on it is searched, never changed. What was
    renamed is found by both names. `ltc find` reads it, by its index alone."""

    table, version, key = "search_terms", 1, ("position", "line_no")
    append_only = True
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **WHEN,
        "kind": column(
            "text",
            "what is found: customer, lead, opportunity, quote, order, contract, invoice, credit_note, payment, claim, campaign",
        ),
        "subject": column("uuid", "the customer, lead, invoice … that is found"),
        "means": column("text", "what the term is: number, name, title, reference, contact, email, tracking or id"),
        "system": column("text", "of a reference: the other system"),
        "term": column("text", "the term as it is written"),
        "word": column("int4", "from which of its words on the row has it, from 1: that is the whole term"),
        "search_term": column("text", "that as it is searched for: without case, accents and punctuation"),
    }
    indexes = (("search_term",), ("subject",))

    @on(CustomerRegistered, ProspectRegistered, ProfileUpdated)
    def profiled(self, event: CustomerRegistered | ProspectRegistered | ProfileUpdated, record: Record) -> Iterator[Operation]:
        terms = [_Term("name", event.profile.name), _Term("email", event.profile.email)]
        terms += _references(event.references) if isinstance(event, CustomerRegistered) else []
        return _rows(record, "customer", terms, is_new=not isinstance(event, ProfileUpdated))

    @on(ReferenceLinked)
    def linked(self, event: ReferenceLinked, record: Record) -> Iterator[Operation]:
        return _rows(record, "customer", _references({event.system: event.reference}), is_new=False)

    @on(ContactAdded)
    def contact_added(self, event: ContactAdded, record: Record) -> Iterator[Operation]:
        return _rows(record, "customer", [_Term("contact", event.name), _Term("email", event.email)], is_new=False)

    @on(CampaignPlanned)
    def planned(self, event: CampaignPlanned, record: Record) -> Iterator[Operation]:
        return _rows(record, "campaign", [_Term("title", event.title), *_references(event.references)])

    @on(LeadCaptured)
    def captured(self, event: LeadCaptured, record: Record) -> Iterator[Operation]:
        terms = [_Term("name", event.company), _Term("contact", event.contact_name), _Term("email", event.email)]
        return _rows(record, "lead", [*terms, *_references(event.references)])

    @on(OpportunityOpened)
    def opened(self, event: OpportunityOpened, record: Record) -> Iterator[Operation]:
        return _rows(record, "opportunity", [_Term("title", event.title), *_references(event.references)])

    @on(TitleChanged)
    def title_changed(self, event: TitleChanged, record: Record) -> Iterator[Operation]:
        return _rows(record, "opportunity", [_Term("title", event.title)], is_new=False)

    @on(QuoteDrafted)
    def drafted(self, event: QuoteDrafted, record: Record) -> Iterator[Operation]:
        return _rows(record, "quote", [_Term("title", event.title), *_references(event.references)])

    @on(OrderPlaced)
    def placed(self, event: OrderPlaced, record: Record) -> Iterator[Operation]:
        return _rows(record, "order", _references(event.references))

    @on(OrderShipped)
    def shipped(self, event: OrderShipped, record: Record) -> Iterator[Operation]:
        return _rows(record, "order", [_Term("tracking", event.tracking)], is_new=False)

    @on(ContractSigned)
    def signed(self, event: ContractSigned, record: Record) -> Iterator[Operation]:
        return _rows(record, "contract", [_Term("title", event.title)])

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        return _rows(record, "invoice", [_Term("number", event.number), *_references(event.references)])

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        return _rows(record, "credit_note", [_Term("number", event.number)])

    @on(PaymentReceived, PaymentMovedIn)
    def received(self, event: PaymentReceived | PaymentMovedIn, record: Record) -> Iterator[Operation]:
        return _rows(record, "payment", [_Term("reference", event.reference), *_references(event.references)])

    @on(ClaimRaised)
    def claimed(self, event: ClaimRaised, record: Record) -> Iterator[Operation]:
        return _rows(record, "claim", [_Term("reference", event.reference)])


def _references(references: Mapping[str, str]) -> list[_Term]:
    return [_Term("reference", reference, system) for system, reference in references.items()]


def _rows(record: Record, kind: str, terms: Iterable[_Term], *, is_new: bool = True) -> Iterator[Operation]:
    line = 0
    for term in (*terms, *([_Term("id", str(record.subject))] if is_new else [])):
        for word, form in enumerate(_forms(term), 1):
            line += 1
            yield Put(
                record.position,
                line,
                **when(record),
                kind=kind,
                subject=record.subject,
                means=term.means,
                system=term.system,
                term=term.text,
                word=word,
                search_term=form,
            )


def _forms(term: _Term) -> list[str]:
    words = search_form(term.text or "").split()
    begins = range(min(len(words), 1 if term.means == "id" else WORDS_MAX))
    return [" ".join(words[begin:]) for begin in begins]
