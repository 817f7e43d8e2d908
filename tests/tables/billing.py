"""Invoices, what happens to them, and their credit notes."""

from datetime import date
from decimal import Decimal

from tests.small_company import id_of
from tests.tables.documents import (
    BILLED,
    CREDIT,
    DEAL,
    NOTE,
    OWED_AGAIN,
    PAYMENT,
    WRITE_OFF,
    WRITTEN_OFF,
    parts,
)
from tests.tables.specification import at, given

from ltc_events.projections.tables.credit_notes import CreditNotes
from ltc_events.projections.tables.dunning_notices import DunningNotices
from ltc_events.projections.tables.invoice_disputes import InvoiceDisputes
from ltc_events.projections.tables.invoice_lines import InvoiceLines
from ltc_events.projections.tables.invoice_taxes import InvoiceTaxes
from ltc_events.projections.tables.invoices import Invoices
from ltc_events.projections.tables.payment_promises import PaymentPromises
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    DisputeResolved,
    DunningNoticeSent,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceReopened,
    InvoiceSettled,
    PaymentApplied,
    PaymentPromised,
    PaymentRemoved,
)

_OF_DEAL = {"currency": "EUR", "opportunity_id": DEAL}
DISPUTED = InvoiceDisputed(reason="scratches", not_before=date(2026, 1, 5))
RESOLVED = DisputeResolved(resolution="a credit note", not_before=date(2026, 1, 8))
PROMISED = PaymentPromised(promised_on=date(2026, 2, 28), amount=Decimal(50), by="Ada", not_before=date(2026, 1, 5))
REMINDED = DunningNoticeSent(
    instalment=1,
    level=2,
    days_overdue=16,
    outstanding=Decimal(60),
    interest=Decimal("0.24"),
    fee=Decimal("7.50"),
    total=Decimal("67.74"),
    currency="EUR",
    policy_version=3,
    not_before=date(2026, 2, 4),
)
DISPUTE = (at("invoice 1", DISPUTED, on="2026-01-08"), at("invoice 1", RESOLVED, on="2026-01-19"))
PAID = PaymentApplied(**_OF_DEAL, payment_id=PAYMENT, parts=parts((1, "54")), amount=Decimal(54), balance=Decimal(66))
UNPAID = PaymentRemoved(
    **_OF_DEAL, payment_id=PAYMENT, parts=parts((1, "10")), amount=Decimal(10), balance=Decimal(76), reason="no cover"
)
CREDITED = InvoiceCredited(
    **_OF_DEAL,
    credit_note_id=NOTE,
    lines=(),
    parts=parts((1, "24")),
    amount=Decimal(24),
    credited_net=Decimal(20),
    balance=Decimal(52),
)
CREDIT_USED = (
    CreditApplied(**_OF_DEAL, credit_note_id=id_of("credit 2"), parts=parts((2, "20")), amount=Decimal(20), balance=Decimal(32)),
    CreditRemoved(
        **_OF_DEAL,
        credit_note_id=id_of("credit 2"),
        parts=parts((2, "4")),
        amount=Decimal(4),
        balance=Decimal(36),
        reason="slip",
    ),
)
# 120 − 54 + 10 − 24 − 20 + 4 = 36, of which 36 are written off and 12 owed again.
INVOICE = (
    BILLED,
    *DISPUTE,
    at("invoice 1", PROMISED, PAID, UNPAID, CREDITED, *CREDIT_USED, on="2026-01-20"),
    at("invoice 1", REMINDED, on="2026-02-20"),
    at("invoice 1", WRITTEN_OFF, InvoiceSettled(), OWED_AGAIN, InvoiceReopened(balance=Decimal(12)), on="2026-02-21"),
)

SPECIFICATIONS = (
    given(*INVOICE).then(
        Invoices,
        """
        row                 | 1
        invoice_id          | invoice 1
        number              | INV-1
        customer_id         | Acme
        order_id            | order 1
        quote_id            | quote
        opportunity_id      | deal
        status              | open
        currency            | EUR
        issued_on           | 2026-01-05
        first_due_on        | 2026-02-04
        last_due_on         | 2026-03-06
        line_total          | 100
        allowance_total     | 0
        charge_total        | 0
        net                 | 100
        tax                 | 20
        gross               | 120
        prepaid             | 0
        rounding            | 0
        payable             | 120
        paid                | 60
        credited            | 24
        written_off         | 24
        balance             | 12
        dispute             | scratches
        promised_on         | 2026-02-28
        promised_amount     | 50
        dunning_notices     | 1
        last_dunned_on      | 2026-02-20
        rounding_method     | document
        billing_version     | 1
        terms_version       | 2
        external_references | {"erp":"i-1"}
        """,
    ),
    given(BILLED).then(
        InvoiceLines,
        """
        row          | 1
        position     | 1
        line         | 1
        invoice_id   | invoice 1
        order_id     | order 1
        order_line   | 1
        quote_id     | quote
        quote_line   | 7
        sku          | P-1
        description  | pump
        quantity     | 2
        net          | 100
        currency     | EUR
        tax_category | S
        tax_rate     | 20
        """,
    ),
    given(BILLED, *WRITE_OFF, *CREDIT).then(
        InvoiceTaxes,
        """
        position | line_no | document           | document_id | invoice_id | category | rate | taxable | tax | currency
        1        | 1       | invoice            | invoice 1   | invoice 1  | S        | 20   | 100     | 20  | EUR
        2        | 1       | write_off          | invoice 1   | invoice 1  | S        | 20   | -30     | -6  | EUR
        3        | 1       | write_off_reversal | invoice 1   | invoice 1  | S        | 20   | 10      | 2   | EUR
        4        | 1       | credit_note        | credit 1    | invoice 1  | S        | 20   | -60     | -12 | EUR
        4        | 2       | write_off_reversal | credit 1    | invoice 1  | S        | 20   | 10      | 2   | EUR
        """,
    ),
    given(*DISPUTE).then(
        InvoiceDisputes,
        """
        position | invoice_id | kind     | note
        1        | invoice 1  | disputed | scratches
        2        | invoice 1  | resolved | a credit note
        """,
    ),
    given(at("invoice 1", PROMISED)).then(
        PaymentPromises,
        """
        position | invoice_id | promised_on | amount | promised_by
        1        | invoice 1  | 2026-02-28  | 50     | Ada
        """,
    ),
    given(at("invoice 1", REMINDED, on="2026-02-20")).then(
        DunningNotices,
        """
        row            | 1
        position       | 1
        invoice_id     | invoice 1
        instalment     | 1
        level          | 2
        days_overdue   | 16
        outstanding    | 60
        interest       | 0.24
        fee            | 7.5
        total          | 67.74
        currency       | EUR
        policy_version | 3
        """,
    ),
    given(*CREDIT).then(
        CreditNotes,
        """
        row                | 1
        credit_note_id     | credit 1
        number             | CN-1
        invoice_id         | invoice 1
        opportunity_id     | deal
        issued_on          | 2026-01-20
        reason             | other
        note               | scratches
        currency           | EUR
        net                | 60
        tax                | 12
        rounding           | 0
        payable            | 72
        applied            | 24
        write_off_reversed | 12
        prepaid_credited   | 0
        applied_elsewhere  | 4
        unapplied          | 32
        position           | 1
        """,
    ),
)
