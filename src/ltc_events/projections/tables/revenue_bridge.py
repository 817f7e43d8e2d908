"""From the amount a deal was won for to the cash it brought, movement by movement."""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

from ltc_events.kernel.money import ZERO
from ltc_events.projections.base import Balance, Operation, Projection, Put, column, on
from ltc_events.projections.bridge import Term
from ltc_events.projections.tables.movement import LINE_NO, WHEN, when
from ltc_events.projections.tables.times import POSITION
from ltc_events.schemas.credit_note import CreditNoteApplied, CreditNoteIssued, CreditNoteRefunded
from ltc_events.schemas.invoice import CreditApplied, InvoiceIssued, InvoiceWrittenOff, PaymentApplied, PaymentRemoved
from ltc_events.schemas.opportunity import OpportunityWon
from ltc_events.schemas.order import OrderAmended, OrderBillingReversed, OrderCancelled, OrderDelivered, OrderPlaced
from ltc_events.schemas.quote import QuoteAccepted
from ltc_events.schemas.record import Record


class RevenueBridge(Projection):
    """From the amount a deal was won for to the cash it brought: every event that concerns an opportunity moves amounts from
    one term to another, so the terms of an opportunity and currency add up to zero at every date and position, which the
    database enforces. Rows of deals that are not won (yet) have no row `won` (R-70)."""

    table, version, key = "revenue_bridge", 1, ("position", "line_no")
    append_only = True
    balanced = Balance(entry=("position", "opportunity_id", "currency"), amount="amount")
    columns = {
        **POSITION,
        "line_no": column("int4", LINE_NO),
        **WHEN,
        "opportunity_id": column("uuid", "the opportunity"),
        "term": column("text", "; ".join(f"{term}: {term.meaning}" for term in Term)),
        "amount": column("numeric", "what moved into the term; negative: out of it"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "event": column("text", "stable name of the event"),
        "document_id": column("uuid", "the opportunity, quote, order, invoice or credit note it happened to"),
        "order_id": column("uuid", "the order, for what is not billed"),
    }
    indexes = (("opportunity_id", "currency", "term", "position"),)

    @on(QuoteAccepted)
    def accepted(self, event: QuoteAccepted, record: Record) -> Iterator[Operation]:
        terms = {Term.SCOPE_CHANGE: -event.net, Term.NOT_ORDERED: event.net}
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(OpportunityWon)
    def won(self, event: OpportunityWon, record: Record) -> Iterator[Operation]:
        # Won by a quote: what was agreed is in the quote. Won without: nothing says more than the amount itself.
        agreed = Term.NOT_ORDERED if event.quote_id is None else Term.SCOPE_CHANGE
        return _moves(record, record.subject, event.currency, {Term.WON: -event.amount, agreed: event.amount})

    @on(OrderPlaced)
    def placed(self, event: OrderPlaced, record: Record) -> Iterator[Operation]:
        terms = {
            Term.NOT_ORDERED: -event.net,
            Term.NOT_DELIVERED: event.net,
            Term.SCOPE_CHANGE: -event.discount_total,
            Term.DISCOUNT: event.discount_total,
        }
        return _moves(record, event.opportunity_id, event.currency, terms, record.subject)

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

    @on(PaymentApplied, CreditApplied)
    def paid(self, event: PaymentApplied | CreditApplied, record: Record) -> Iterator[Operation]:
        terms = {Term.UNPAID: -event.amount, Term.CASH: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(PaymentRemoved)
    def unpaid(self, event: PaymentRemoved, record: Record) -> Iterator[Operation]:
        terms = {Term.CASH: -event.amount, Term.UNPAID: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(CreditNoteIssued)
    def credited(self, event: CreditNoteIssued, record: Record) -> Iterator[Operation]:
        terms = {
            Term.UNPAID: -event.applied,
            Term.WRITTEN_OFF: -event.write_off_reversed,
            Term.CUSTOMER_CREDIT: -event.unapplied,
            Term.CREDITED: event.net,
            Term.TAX: event.tax,
            Term.ROUNDING: event.rounding,
        }
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(OrderBillingReversed)
    def to_be_billed_again(self, event: OrderBillingReversed, record: Record) -> Iterator[Operation]:
        terms = {Term.CREDITED: -event.amount, Term.NOT_BILLED: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms, record.subject)

    @on(CreditNoteApplied, CreditNoteRefunded)
    def credit_used(self, event: CreditNoteApplied | CreditNoteRefunded, record: Record) -> Iterator[Operation]:
        # What was owed back is the cash of another deal now, or gone.
        terms = {Term.CUSTOMER_CREDIT: event.amount, Term.CASH: -event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms)

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        terms = {Term.UNPAID: -event.amount, Term.WRITTEN_OFF: event.amount}
        return _moves(record, event.opportunity_id, event.currency, terms)


def _moves(
    record: Record, opportunity_id: UUID | None, currency: str, terms: dict[Term, Decimal], order_id: UUID | None = None
) -> Iterator[Operation]:
    if opportunity_id is None:
        return
    # A deal that was won for nothing is still won: its row says so, and since when.
    moved = [(term, amount) for term, amount in terms.items() if amount != ZERO or term is Term.WON]
    for line_no, (term, amount) in enumerate(moved, 1):
        yield Put(
            record.position,
            line_no,
            **when(record),
            opportunity_id=opportunity_id,
            term=term.value,
            amount=amount,
            currency=currency,
            event=record.event.type,
            document_id=record.subject,
            order_id=order_id,
        )
