"""How quotes went on, step by step."""

from collections.abc import Iterator
from typing import Any

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, STEPPED, stepped
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


class QuoteSteps(Projection):
    """How quotes went on: one row per step, never changed (R-49 … R-51). The rows of a quote up to a date and position, in the
    order of their positions, say where it stood by then."""

    table, version, key = "quote_steps", 3, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **STEPPED,
        "customer_id": column("uuid", "the customer"),
        "quote_id": column("uuid", "the quote"),
        "step": column(
            "text",
            "drafted, priced, approved, approval_refused (of a discount), sent, accepted, ordered, rejected, expired or revised",
        ),
        "revision": column("int4", "number of the revision, where the step says it"),
        "approval_needed": column("bool", "priced: whether the discount is beyond the requester's limit"),
        "person": column("text", "priced: requester; approved, approval_refused: approver; sent: to whom; accepted: by whom"),
        "role": column("text", "role of the requester or approver"),
        "net": column("numeric", "priced, accepted: amount before tax"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "discount_percent": column("numeric", "highest discount of a line, in percent of its list amount"),
        "valid_until": column("date", "drafted, revised: last day on which it can be accepted"),
        "reason": column("text", "why it was rejected, revised, or the discount refused"),
        "order_id": column("uuid", "ordered: the order that was placed from it"),
        "policy_version": column("int4", "version of the policy `discount_matrix`"),
    }
    indexes = (("quote_id", "position"),)

    @on(QuoteDrafted)
    def drafted(self, event: QuoteDrafted, record: Record) -> Iterator[Operation]:
        yield _step(record, "drafted", revision=1, currency=event.currency, valid_until=event.valid_until)

    @on(QuotePriced)
    def priced(self, event: QuotePriced, record: Record) -> Iterator[Operation]:
        yield _step(
            record,
            "priced",
            revision=event.revision,
            approval_needed=event.approval_needed,
            person=event.requested_by,
            role=event.role,
            net=event.net,
            currency=event.currency,
            discount_percent=event.discount_percent,
            policy_version=event.matrix_version,
        )

    @on(DiscountApproved)
    def approved(self, event: DiscountApproved, record: Record) -> Iterator[Operation]:
        yield _step(
            record,
            "approved",
            person=event.approver,
            role=event.role,
            discount_percent=event.discount_percent,
            policy_version=event.matrix_version,
        )

    @on(DiscountRejected)
    def approval_refused(self, event: DiscountRejected, record: Record) -> Iterator[Operation]:
        yield _step(record, "approval_refused", person=event.approver, reason=event.reason)

    @on(QuoteSent)
    def sent(self, event: QuoteSent, record: Record) -> Iterator[Operation]:
        yield _step(record, "sent", revision=event.revision, person=event.to)

    @on(QuoteAccepted)
    def accepted(self, event: QuoteAccepted, record: Record) -> Iterator[Operation]:
        yield _step(record, "accepted", revision=event.revision, person=event.accepted_by, net=event.net, currency=event.currency)

    @on(QuoteOrdered)
    def ordered(self, event: QuoteOrdered, record: Record) -> Iterator[Operation]:
        yield _step(record, "ordered", revision=event.revision, order_id=event.order_id)

    @on(QuoteRejected)
    def rejected(self, event: QuoteRejected, record: Record) -> Iterator[Operation]:
        yield _step(record, "rejected", revision=event.revision, reason=event.reason)

    @on(QuoteExpired)
    def expired(self, event: QuoteExpired, record: Record) -> Iterator[Operation]:
        yield _step(record, "expired", revision=event.revision)

    @on(QuoteRevised)
    def revised(self, event: QuoteRevised, record: Record) -> Iterator[Operation]:
        yield _step(record, "revised", revision=event.revision, valid_until=event.valid_until, reason=event.reason)


def _step(record: Record, step: str, **values: Any) -> Operation:
    return Put(record.position, **stepped(record), customer_id=record.customer_id, quote_id=record.subject, step=step, **values)
