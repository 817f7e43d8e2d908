"""One invoice and all that may happen to it, to its credit note, to payments and to claims, by the events that tables handle.

The invoice has one line of 100 net and 20 tax, in two instalments of 60.
"""

from datetime import date
from decimal import Decimal

from tests.small_company import id_of
from tests.tables.specification import at

from ltc_events.schemas.claim import ClaimKind, ClaimPaid, ClaimRaised, ClaimUnpaid, ClaimWaived
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
    CreditReason,
)
from ltc_events.schemas.invoice import Instalment, InvoiceIssued, InvoiceLine, TaxSubtotal
from ltc_events.schemas.payment import (
    PaymentAllocated,
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
    PaymentUnallocated,
    PaymentUnallocatedFromClaim,
)
from ltc_events.schemas.receivable import InvoiceWrittenOff, Part, WriteOffReversed

INVOICE, OTHER_INVOICE, DEAL = id_of("invoice 1"), id_of("invoice 2"), id_of("deal")
NOTE, PAYMENT, CLAIM = id_of("credit 1"), id_of("payment 1"), id_of("claim 1")
FIRST = date(2026, 1, 5)
_EUR = {"currency": "EUR", "not_before": FIRST}
_OF_DEAL = {**_EUR, "opportunity_id": DEAL}


def parts(*told: tuple[int, str]) -> tuple[Part, ...]:
    """What falls on which instalment."""
    return tuple(Part(instalment=instalment, amount=Decimal(amount)) for instalment, amount in told)


def taxed(net: str, tax: str) -> tuple[TaxSubtotal, ...]:
    """At 20 percent."""
    return (TaxSubtotal(category="S", rate=Decimal(20), taxable=Decimal(net), tax=Decimal(tax)),)


def _line(net: str) -> InvoiceLine:
    return InvoiceLine(
        line=1,
        order_line=1,
        quote_line=7,
        sku="P-1",
        description="pump",
        quantity=Decimal(2),
        net=Decimal(net),
        tax_category="S",
        tax_rate=Decimal(20),
    )


ISSUED = InvoiceIssued(
    number="INV-1",
    order_id=id_of("order 1"),
    quote_id=id_of("quote"),
    opportunity_id=DEAL,
    currency="EUR",
    lines=(_line("100"),),
    taxes=taxed("100", "20"),
    line_total=Decimal(100),
    allowance_total=Decimal(0),
    charge_total=Decimal(0),
    net=Decimal(100),
    tax=Decimal(20),
    gross=Decimal(120),
    prepaid=Decimal(0),
    rounding=Decimal(0),
    payable=Decimal(120),
    instalments=(
        Instalment(number=1, due_on=date(2026, 2, 4), amount=Decimal(60)),
        Instalment(number=2, due_on=date(2026, 3, 6), amount=Decimal(60)),
    ),
    rounding_method="document",
    billing_version=1,
    terms_version=2,
    references={"erp": "i-1"},
)
WRITTEN_OFF = InvoiceWrittenOff(
    **_OF_DEAL,
    parts=parts((2, "36")),
    amount=Decimal(36),
    balance=Decimal(0),
    reason="insolvent",
    relieved=Decimal(36),
    taxes=taxed("30", "6"),
    tax=Decimal(6),
)
OWED_AGAIN = WriteOffReversed(
    **_OF_DEAL,
    payment_id=PAYMENT,
    parts=parts((2, "12")),
    amount=Decimal(12),
    balance=Decimal(12),
    reason="pays after all",
    relieved=Decimal(12),
    taxes=taxed("10", "2"),
    tax=Decimal(2),
)
# Of 72, 24 go against what is owed, 12 were written off, and 36 had been paid.
CREDITED = CreditNoteIssued(
    number="CN-1",
    invoice_id=INVOICE,
    opportunity_id=DEAL,
    currency="EUR",
    reason=CreditReason.OTHER,
    note="scratches",
    lines=(_line("60"),),
    taxes=taxed("60", "12"),
    line_total=Decimal(60),
    adjustment=Decimal(0),
    net=Decimal(60),
    tax=Decimal(12),
    rounding=Decimal(0),
    payable=Decimal(72),
    applied=Decimal(24),
    unapplied=Decimal(36),
    parts=parts((1, "24")),
    write_off_reversed=Decimal(12),
    write_off_parts=parts((2, "12")),
    write_off_relieved=Decimal(12),
    write_off_taxes=taxed("10", "2"),
    not_before=FIRST,
)
CREDIT_USE = (
    CreditNoteApplied(**_OF_DEAL, invoice_id=OTHER_INVOICE, parts=parts((1, "7")), amount=Decimal(7), unapplied=Decimal(29)),
    CreditNoteApplicationReversed(
        **_OF_DEAL,
        invoice_id=OTHER_INVOICE,
        parts=parts((1, "3")),
        amount=Decimal(3),
        unapplied=Decimal(32),
        reason="to be paid out",
    ),
    CreditNoteRefunded(**_OF_DEAL, amount=Decimal(32), unapplied=Decimal(0), reason="as agreed"),
    CreditNoteRefundFailed(**_OF_DEAL, amount=Decimal(32), unapplied=Decimal(32), reason="account closed"),
)
RECEIVED = PaymentReceived(
    amount=Decimal(100), currency="EUR", method="transfer", reference="R 1", payer="Acme Ltd.", references={"bank": "b-1"}
)
PAYMENT_USE = (
    PaymentAllocated(**_EUR, invoice_id=INVOICE, parts=parts((1, "40")), amount=Decimal(40), unapplied=Decimal(60)),
    PaymentUnallocated(
        **_EUR,
        invoice_id=INVOICE,
        parts=parts((1, "10")),
        amount=Decimal(10),
        unapplied=Decimal(70),
        reason="another invoice",
        is_correction=True,
    ),
    PaymentRefunded(**_EUR, amount=Decimal(70), unapplied=Decimal(0), reason="twice"),
    PaymentRefundFailed(**_EUR, amount=Decimal(70), unapplied=Decimal(70), reason="account closed"),
    PaymentAllocatedToClaim(**_EUR, claim_id=CLAIM, amount=Decimal(5), unapplied=Decimal(65)),
    PaymentUnallocatedFromClaim(**_EUR, claim_id=CLAIM, amount=Decimal(2), unapplied=Decimal(67), reason="goodwill"),
)
MOVED_OUT = (
    PaymentMovedOut(
        **_EUR,
        to_payment_id=id_of("payment 2"),
        to_customer_id=id_of("Bolt"),
        amount=Decimal(20),
        unapplied=Decimal(47),
        reason="it is theirs",
    ),
    PaymentMoveCancelled(
        **_EUR, to_payment_id=id_of("payment 2"), amount=Decimal(4), unapplied=Decimal(51), reason="not all of it"
    ),
    PaymentMoveRecalled(**_EUR, to_payment_id=id_of("payment 2"), amount=Decimal(3), unapplied=Decimal(54), reason="recalled"),
)
MOVED_IN = PaymentMovedIn(
    **_EUR,
    from_payment_id=PAYMENT,
    from_customer_id=id_of("Acme"),
    amount=Decimal(13),
    method="transfer",
    received_on=FIRST,
    reference="R 1",
    payer="Acme Ltd.",
)
PAID_OUT = PaymentRefunded(**_EUR, amount=Decimal(6), unapplied=Decimal(7), reason="too much")
MOVED_BACK = PaymentMovedBack(
    **_EUR, from_payment_id=PAYMENT, amount=Decimal(13), reason="recalled", claimed=Decimal(6), claim_id=id_of("claim 2")
)
RETURNED = PaymentReturned(**_EUR, amount=Decimal(100), reason="no cover", claimed=Decimal(46), claim_id=id_of("claim 3"))
FEE = ClaimRaised(
    kind=ClaimKind.DUNNING_FEE,
    reference="INV-1/1",
    currency="EUR",
    amount=Decimal("7.50"),
    due_on=date(2026, 2, 20),
    invoice_id=INVOICE,
    instalment=1,
)
TO_REPAY = ClaimRaised(
    kind=ClaimKind.RETURNED_PAYMENT,
    reference="R 1",
    currency="EUR",
    amount=Decimal(46),
    due_on=date(2026, 2, 20),
    payment_id=PAYMENT,
)

BILLED = at("invoice 1", ISSUED)
WRITE_OFF = (at("invoice 1", WRITTEN_OFF, on="2026-02-01"), at("invoice 1", OWED_AGAIN, on="2026-02-02"))
CREDIT = (at("credit 1", CREDITED, on="2026-01-20"), at("credit 1", *CREDIT_USE, on="2026-02-01"))
CASH_USE = (at("payment 1", RECEIVED, on="2026-01-10"), at("payment 1", *PAYMENT_USE, on="2026-02-01"))
CASH_MOVED = (
    at("payment 1", *MOVED_OUT, on="2026-02-01"),
    at("payment 2", MOVED_IN, PAID_OUT, on="2026-02-02", customer="Bolt"),
    at("payment 2", MOVED_BACK, on="2026-02-03", customer="Bolt"),
    at("payment 1", RETURNED, on="2026-02-04"),
)
CLAIMED = at("claim 1", FEE, on="2026-01-31")
CLAIM_USE = (
    at("claim 1", ClaimPaid(payment_id=PAYMENT, currency="EUR", amount=Decimal(5), balance=Decimal("2.50")), on="2026-02-01"),
    at(
        "claim 1",
        ClaimUnpaid(payment_id=PAYMENT, currency="EUR", amount=Decimal(2), balance=Decimal("4.50"), reason="goodwill"),
        ClaimWaived(**_EUR, kind=ClaimKind.DUNNING_FEE, amount=Decimal("4.50"), balance=Decimal(0), reason="goodwill"),
        on="2026-02-08",
    ),
    at("claim 3", TO_REPAY, on="2026-02-08"),
    at(
        "claim 3",
        ClaimWaived(**_EUR, kind=ClaimKind.RETURNED_PAYMENT, amount=Decimal(46), balance=Decimal(0), reason="lost"),
        on="2026-02-09",
    ),
)
