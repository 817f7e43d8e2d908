"""Quotes as they stand."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import TIMES, times
from ltc_events.schemas.quote import (
    DiscountApproved,
    DiscountRejected,
    QuoteAccepted,
    QuoteDrafted,
    QuoteExpired,
    QuoteOrdered,
    QuotePriced,
    QuoteRejected,
    QuoteRevised,
    QuoteSent,
)
from ltc_events.schemas.record import Record


class Quotes(Projection):
    """Quotes as they stand, one row each, with the prices of the last revision that was priced (R-49 … R-51). The times are
    those of the first draft. What a quote was at an earlier date or position, `quote_steps` and `quote_lines` know."""

    table, version, key = "quotes", 2, ("quote_id",)
    columns = {
        "quote_id": column("uuid", "the quote"),
        "position": column("int8", "position of its first draft in the log"),
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity it is for"),
        "price_book_id": column("uuid", "the price book it is priced from"),
        "title": column("text", "its name"),
        "requested_on": column("date", "when the customer asked for it"),
        "valid_until": column("date", "last day on which it can be accepted"),
        "external_references": column("jsonb", "its names in other systems"),
        "status": column("text", "draft, waiting (for approval), priced, sent, accepted, rejected or expired"),
        "revision": column("int4", "number of the current revision"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "list_total": column("numeric", "what it costs by list prices, before tax"),
        "discount_total": column("numeric", "what the discounts take off"),
        "net": column("numeric", "what it costs before tax"),
        "tax": column("numeric", "tax"),
        "gross": column("numeric", "what it costs with tax"),
        "discount_percent": column("numeric", "highest discount of a line, in percent of its list amount"),
        "requested_by": column("text", "who asked for the prices"),
        "approver": column("text", "who approved the discount"),
        "closed_on": column("date", "when the customer answered, or its validity had ended"),
        "reason": column("text", "why it was rejected or revised"),
        "order_id": column("uuid", "the order that was placed from it; the last one, where the one before came to nothing"),
    }
    indexes = (("customer_id",), ("opportunity_id",))

    @on(QuoteDrafted)
    def drafted(self, event: QuoteDrafted, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            position=record.position,
            **times(record),
            customer_id=record.customer_id,
            opportunity_id=event.opportunity_id,
            price_book_id=event.price_book_id,
            title=event.title,
            requested_on=event.requested_on,
            valid_until=event.valid_until,
            external_references=event.references,
            status="draft",
            revision=1,
            currency=event.currency,
        )

    @on(QuotePriced)
    def priced(self, event: QuotePriced, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            status="waiting" if event.approval_needed else "priced",
            list_total=event.list_total,
            discount_total=event.discount_total,
            net=event.net,
            tax=event.tax,
            gross=event.gross,
            discount_percent=event.discount_percent,
            requested_by=event.requested_by,
            approver=None,
        )

    @on(DiscountApproved)
    def approved(self, event: DiscountApproved, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="priced", approver=event.approver)

    @on(DiscountRejected)
    def approval_refused(self, event: DiscountRejected, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="draft", reason=event.reason)

    @on(QuoteSent)
    def sent(self, _: QuoteSent, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="sent")

    @on(QuoteAccepted)
    def accepted(self, _: QuoteAccepted, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="accepted", closed_on=record.effective_on)

    @on(QuoteOrdered)
    def ordered(self, event: QuoteOrdered, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, order_id=event.order_id)

    @on(QuoteRejected)
    def rejected(self, event: QuoteRejected, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="rejected", closed_on=record.effective_on, reason=event.reason)

    @on(QuoteExpired)
    def expired(self, _: QuoteExpired, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="expired", closed_on=record.effective_on)

    @on(QuoteRevised)
    def revised(self, event: QuoteRevised, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            status="draft",
            revision=event.revision,
            valid_until=event.valid_until,
            closed_on=None,
            reason=event.reason,
        )
