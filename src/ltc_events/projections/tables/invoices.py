"""Invoices as they stand."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    DisputeResolved,
    DunningNoticeSent,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
    WriteOffReversed,
)
from ltc_events.schemas.record import Record


class Invoices(Projection):
    """Invoices as they stand: the facts of issue, which never change, and what is paid, credited, written off and still
    owed, with the last dispute, promise and reminder (R-63 … R-69). The database refuses a balance that does not add up."""

    table, version, key = "invoices", 2, ("invoice_id",)
    columns = {
        "invoice_id": column("uuid", "the invoice"),
        "number": column("text", "its number: gapless per series and year, or that of another system"),
        "customer_id": column("uuid", "the customer"),
        "order_id": column("uuid", "the order it bills"),
        "quote_id": column("uuid", "the quote behind the order"),
        "opportunity_id": column("uuid", "the opportunity behind the order"),
        "status": column("text", "open or settled"),
        "currency": column("text", "currency of the amounts (ISO 4217)"),
        "issued_on": column("date", "invoice date"),
        "first_due_on": column("date", "when its first instalment is due"),
        "last_due_on": column("date", "when its last instalment is due"),
        "line_total": column("numeric", "sum of the net amounts of its lines (EN 16931 BT-106)"),
        "allowance_total": column("numeric", "allowances on the whole document (BT-107)"),
        "charge_total": column("numeric", "charges on the whole document (BT-108)"),
        "net": column("numeric", "line total − allowances + charges (BT-109)"),
        "tax": column("numeric", "tax (BT-110)"),
        "gross": column("numeric", "net + tax (BT-112)"),
        "prepaid": column("numeric", "paid before outside of this ledger, as the invoice says (BT-113)"),
        "rounding": column("numeric", "rounding of what is payable (BT-114)"),
        "payable": column("numeric", "gross − prepaid + rounding (BT-115)"),
        "paid": column(
            "numeric", "payments, and credit notes of other invoices, put against it, less those taken back", default="0"
        ),
        "credited": column("numeric", "credit notes put against it", default="0"),
        "written_off": column("numeric", "given up, less what was credited of that or is owed again", default="0"),
        "balance": column("numeric", "still owed: payable − paid − credited − written off"),
        "disputed": column("bool", "is it contested", default="false"),
        "dispute": column("text", "why it is, or was last, contested"),
        "promised_on": column("date", "day by which payment was promised last"),
        "promised_amount": column("numeric", "amount that was promised"),
        "dunning_notices": column("int4", "reminders sent, over all instalments", default="0"),
        "last_dunned_on": column("date", "when a reminder was sent last"),
        "rounding_method": column("text", "where tax was rounded: per document or per line"),
        "billing_version": column("int4", "version of policy billing"),
        "terms_version": column("int4", "version of policy payment_terms"),
        "external_references": column("jsonb", "its names in other systems"),
    }
    indexes = (("number",), ("customer_id",), ("order_id",), ("opportunity_id",))
    checks = {"balance_adds_up": "NEW.balance = NEW.payable - NEW.paid - NEW.credited - NEW.written_off"}

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        due = [part.due_on for part in event.instalments]
        yield Put(
            record.subject,
            number=event.number,
            customer_id=record.customer_id,
            order_id=event.order_id,
            quote_id=event.quote_id,
            opportunity_id=event.opportunity_id,
            status="open",
            currency=event.currency,
            issued_on=record.effective_on,
            first_due_on=min(due, default=record.effective_on),
            last_due_on=max(due, default=record.effective_on),
            line_total=event.line_total,
            allowance_total=event.allowance_total,
            charge_total=event.charge_total,
            net=event.net,
            tax=event.tax,
            gross=event.gross,
            prepaid=event.prepaid,
            rounding=event.rounding,
            payable=event.payable,
            balance=event.payable,
            rounding_method=event.rounding_method,
            billing_version=event.billing_version,
            terms_version=event.terms_version,
            external_references=event.references,
        )

    @on(PaymentApplied, CreditApplied)
    def paid(self, event: PaymentApplied | CreditApplied, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, paid=event.amount)
        yield Put(record.subject, balance=event.balance)

    @on(PaymentRemoved, CreditRemoved)
    def unpaid(self, event: PaymentRemoved | CreditRemoved, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, paid=-event.amount)
        yield Put(record.subject, balance=event.balance)

    @on(InvoiceCredited)
    def credited(self, event: InvoiceCredited, record: Record) -> Iterator[Operation]:
        reversed = event.write_off_reversed
        yield Add(record.subject, credited=event.amount + reversed, written_off=-reversed)
        yield Put(record.subject, balance=event.balance)

    @on(InvoiceWrittenOff)
    def written_off(self, event: InvoiceWrittenOff, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, written_off=event.amount)
        yield Put(record.subject, balance=event.balance)

    @on(WriteOffReversed)
    def write_off_reversed(self, event: WriteOffReversed, record: Record) -> Iterator[Operation]:
        yield Add(record.subject, written_off=-event.amount)
        yield Put(record.subject, balance=event.balance)

    @on(InvoiceSettled)
    def settled(self, _: InvoiceSettled, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="settled")

    @on(InvoiceReopened)
    def reopened(self, _: InvoiceReopened, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="open")

    @on(InvoiceDisputed)
    def disputed(self, event: InvoiceDisputed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, disputed=True, dispute=event.reason)

    @on(DisputeResolved)
    def resolved(self, _: DisputeResolved, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, disputed=False)

    @on(PaymentPromised)
    def promised(self, event: PaymentPromised, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, promised_on=event.promised_on, promised_amount=event.amount)

    @on(DunningNoticeSent)
    def dunned(self, _: DunningNoticeSent, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, last_dunned_on=record.effective_on)
        yield Add(record.subject, dunning_notices=1)
