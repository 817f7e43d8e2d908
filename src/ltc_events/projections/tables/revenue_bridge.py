"""From the amount a deal was won for to the cash it brought, movement by movement; and money that no deal brought."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from ltc_events.kernel.money import ZERO
from ltc_events.projections.declaration.projection import Balance, Operation, Projection, Put, column, on
from ltc_events.projections.tables.bridge_terms import Term
from ltc_events.projections.tables.movement import DATED_IN_ORDER, LINE_NO, ORDERED, ordered
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
)
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.opportunity import OpportunityReopened, OpportunityWon
from ltc_events.schemas.order import OrderAmended, OrderBillingReversed, OrderCancelled, OrderDelivered, OrderPlaced
from ltc_events.schemas.payment import (
    PaymentAllocatedToClaim,
    PaymentMoveCancelled,
    PaymentMovedBack,
    PaymentMovedIn,
    PaymentMovedOut,
    PaymentMoveRecalled,
    PaymentReceived,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentReturned,
    PaymentUnallocatedFromClaim,
)
from ltc_events.schemas.quote import QuoteAccepted
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentRemoved,
    WriteOffReversed,
)
from ltc_events.schemas.record import Record

_Terms: TypeAlias = dict[Term, Decimal]


class RevenueBridge(Projection):
    """From the amount a deal was won for to the cash it brought: every event that concerns money moves amounts from one term to
    another, so the terms of an opportunity and currency add up to zero at every date and position, which the database enforces.
    Rows of deals that are not won (yet) have no row `won`; those without an opportunity are of orders, invoices and payments
    that no deal brought. So `cash` adds up to the cash of the journal, and what becomes of revenue to its revenue (R-70)."""

    table, version, key = "revenue_bridge", 4, ("position", "line_no")
    append_only = True
    checks = DATED_IN_ORDER
    balanced = Balance(entry=("position", "opportunity_id", "currency"), amount="amount", nullable=("opportunity_id",))
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **ORDERED,
        "opportunity_id": column("uuid", "the opportunity; none: no deal brought it"),
        "term": column("text", "; ".join(f"{term}: {term.meaning}" for term in Term)),
        "amount": column("numeric", "what moved into the term; negative: out of it"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "event": column("text", "stable name of the event"),
        "document_id": column("uuid", "the opportunity, quote, order, invoice, credit note or payment it happened to"),
        "order_id": column("uuid", "the order, for what is not billed"),
        "quote_id": column("uuid", "the accepted quote, for what is not ordered; none: won or ordered without one"),
    }
    indexes = (("opportunity_id", "currency", "term", "position"),)

    @on(QuoteAccepted)
    def accepted(self, event: QuoteAccepted, record: Record) -> Iterator[Operation]:
        terms = {Term.SCOPE_CHANGE: -event.net, Term.NOT_ORDERED: event.net}
        return _moves(record, event.opportunity_id, event.currency, terms, quote_id=record.subject)

    @on(OpportunityWon)
    def won(self, event: OpportunityWon, record: Record) -> Iterator[Operation]:
        return _moves(record, record.subject, event.currency, _won(event.amount, event.quote_id))

    @on(OpportunityReopened)
    def reopened(self, event: OpportunityReopened, record: Record) -> Iterator[Operation]:
        if event.was == "won":
            yield from _moves(record, record.subject, event.currency, _won(-event.amount, event.quote_id))

    @on(OrderPlaced)
    def placed(self, event: OrderPlaced, record: Record) -> Iterator[Operation]:
        terms = {
            Term.NOT_ORDERED: -event.net,
            Term.NOT_DELIVERED: event.net,
            Term.SCOPE_CHANGE: -event.discount_total,
            Term.DISCOUNT: event.discount_total,
        }
        return _moves(record, event.opportunity_id, event.currency, terms, record.subject, event.quote_id)

    @on(OrderAmended)
    def amended(self, event: OrderAmended, record: Record) -> Iterator[Operation]:
        terms = {Term.AMENDED: -event.net_change, Term.NOT_DELIVERED: event.net_change}
        return _moves(record, event.opportunity_id, event.currency, terms, record.subject)

    @on(OrderDelivered)
    def delivered(self, event: OrderDelivered, record: Record) -> Iterator[Operation]:
        terms = {Term.NOT_DELIVERED: -event.amount, Term.NOT_BILLED: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms, record.subject)

    @on(OrderCancelled)
    def cancelled(self, event: OrderCancelled, record: Record) -> Iterator[Operation]:
        terms = {Term.NOT_DELIVERED: -event.amount, Term.CANCELLED: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms, record.subject)

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        terms = {
            Term.NOT_BILLED: -event.line_total,
            Term.ALLOWANCES: event.allowance_total,
            Term.CHARGES: -event.charge_total,
            Term.TAX: -event.tax,
            Term.ROUNDING: -event.rounding,
            Term.PREPAID: event.prepaid,
            Term.UNPAID: event.payable,
        }
        return _moves(record, event.opportunity_id, event.currency, terms, event.order_id)

    @on(PaymentReceived, PaymentRefundFailed)
    def received(self, event: PaymentReceived | PaymentRefundFailed, record: Record) -> Iterator[Operation]:
        return _moves(record, None, event.currency, _unapplied(event.amount))

    @on(PaymentRefunded)
    def refunded(self, event: PaymentRefunded, record: Record) -> Iterator[Operation]:
        return _moves(record, None, event.currency, _unapplied(-event.amount))

    @on(PaymentReturned)
    def returned(self, event: PaymentReturned, record: Record) -> Iterator[Operation]:
        terms = {Term.UNAPPLIED: event.amount - event.claimed, Term.CLAIMS: event.claimed, Term.CASH: -event.amount}
        return _moves(record, None, event.currency, terms)

    @on(PaymentMovedOut)
    def moved_out(self, event: PaymentMovedOut, record: Record) -> Iterator[Operation]:
        terms = {Term.UNAPPLIED: event.amount, Term.IN_TRANSIT: -event.amount}
        return _moves(record, None, event.currency, terms)

    @on(PaymentMovedIn, PaymentMoveCancelled, PaymentMoveRecalled)
    def arrived(self, event: PaymentMovedIn | PaymentMoveCancelled | PaymentMoveRecalled, record: Record) -> Iterator[Operation]:
        terms = {Term.IN_TRANSIT: event.amount, Term.UNAPPLIED: -event.amount}
        return _moves(record, None, event.currency, terms)

    @on(PaymentMovedBack)
    def moved_back(self, event: PaymentMovedBack, record: Record) -> Iterator[Operation]:
        terms = {
            Term.UNAPPLIED: event.amount - event.claimed,
            Term.CLAIMS: event.claimed,
            Term.IN_TRANSIT: -event.amount,
        }
        return _moves(record, None, event.currency, terms)

    @on(PaymentAllocatedToClaim, PaymentUnallocatedFromClaim)
    def claimed(self, event: PaymentAllocatedToClaim | PaymentUnallocatedFromClaim, record: Record) -> Iterator[Operation]:
        amount = event.amount if isinstance(event, PaymentAllocatedToClaim) else -event.amount
        return _moves(record, None, event.currency, {Term.UNAPPLIED: amount, Term.CLAIMS: -amount})

    @on(PaymentApplied, CreditApplied)
    def paid(self, event: PaymentApplied | CreditApplied, record: Record) -> Iterator[Operation]:
        return _paid(record, event.opportunity_id, event.currency, Term.UNPAID, event.amount)

    @on(PaymentRemoved, CreditRemoved)
    def unpaid(self, event: PaymentRemoved | CreditRemoved, record: Record) -> Iterator[Operation]:
        return _paid(record, event.opportunity_id, event.currency, Term.UNPAID, -event.amount)

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        restored = sum((part.tax for part in event.write_off_taxes), ZERO)
        terms = {
            Term.UNPAID: -event.applied,
            Term.WRITTEN_OFF: restored - event.write_off_reversed,
            Term.PREPAID: -event.prepaid_credited,
            Term.CUSTOMER_CREDIT: -event.unapplied,
            Term.CREDITED: event.net,
            Term.TAX: event.tax - restored,
            Term.ROUNDING: event.rounding,
        }
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(OrderBillingReversed)
    def to_be_billed_again(self, event: OrderBillingReversed, record: Record) -> Iterator[Operation]:
        terms = {Term.CREDITED: -event.amount, Term.NOT_BILLED: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms, record.subject)

    @on(CreditNoteApplied)
    def credit_used(self, event: CreditNoteApplied, record: Record) -> Iterator[Operation]:
        # What was owed back is money that is put against another invoice, by the CreditApplied that comes with it.
        return _paid(record, event.opportunity_id, event.currency, Term.CUSTOMER_CREDIT, -event.amount)

    @on(CreditNoteRefunded)
    def credit_refunded(self, event: CreditNoteRefunded, record: Record) -> Iterator[Operation]:
        terms = {Term.CUSTOMER_CREDIT: event.amount, Term.CASH: -event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(CreditNoteApplicationReversed)
    def credit_unused(self, event: CreditNoteApplicationReversed, record: Record) -> Iterator[Operation]:
        return _paid(record, event.opportunity_id, event.currency, Term.CUSTOMER_CREDIT, event.amount)

    @on(CreditNoteRefundFailed)
    def credit_refund_failed(self, event: CreditNoteRefundFailed, record: Record) -> Iterator[Operation]:
        terms = {Term.CUSTOMER_CREDIT: -event.amount, Term.CASH: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        terms = {Term.UNPAID: -event.amount, Term.WRITTEN_OFF: event.amount - event.tax, Term.TAX: event.tax}
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(WriteOffReversed)
    def write_off_reversed(self, event: WriteOffReversed, record: Record) -> Iterator[Operation]:
        terms = {Term.UNPAID: event.amount, Term.WRITTEN_OFF: event.tax - event.amount, Term.TAX: -event.tax}
        return _moves(record, event.opportunity_id, event.currency, terms)


def _won(amount: Decimal, quote_id: UUID | None) -> _Terms:
    """A deal that is won, or (negative) no longer is."""
    # Won by a quote: what was agreed is in the quote. Won without: nothing says more than the amount itself.
    return {Term.WON: -amount, Term.NOT_ORDERED if quote_id is None else Term.SCOPE_CHANGE: amount}


def _unapplied(amount: Decimal) -> _Terms:
    """Money that came in, or (negative) that went out or to an invoice."""
    return {Term.UNAPPLIED: -amount, Term.CASH: amount}


def _paid(record: Record, opportunity_id: UUID | None, currency: str, term: Term, amount: Decimal) -> Iterator[Operation]:
    """`amount` of unapplied money becomes the cash of a deal, which had it in `term`; negative: it goes back.

    Both in one event, so that cash adds up to that of the journal at every position.
    """
    if opportunity_id is None:
        yield from _moves(record, None, currency, {term: -amount, Term.UNAPPLIED: amount})
        return
    yield from _moves(record, opportunity_id, currency, {term: -amount, Term.CASH: amount})
    yield from _moves(record, None, currency, _unapplied(-amount), first=3)


def _moves(
    record: Record,
    opportunity_id: UUID | None,
    currency: str,
    terms: _Terms,
    order_id: UUID | None = None,
    quote_id: UUID | None = None,
    *,
    first: int = 1,
) -> Iterator[Operation]:
    # A deal that was won for nothing is still won: its row says so, and since when.
    moved = [(term, amount) for term, amount in terms.items() if amount != ZERO or term is Term.WON]
    for line_no, (term, amount) in enumerate(moved, first):
        yield Put(
            record.position,
            line_no,
            **ordered(record),
            opportunity_id=opportunity_id,
            term=term.value,
            amount=amount,
            currency=currency,
            event=record.event.type,
            document_id=record.subject,
            order_id=order_id,
            quote_id=quote_id,
        )
