"""Worked numbers from the public test suites of other products come out of our commands."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.unit.money_examples import CREDIT_NOTE, INVOICE, ORDER, PAYMENT, order_line, placed, received
from tests.unit.shared_data import SHARED_DATA, need
from tests.unit.specification import TODAY, Specification, at, given

from ltc_events.aggregates import invoice, payment
from ltc_events.aggregates.payment import Payment
from ltc_events.aggregates.receivable import Invoice
from ltc_events.schemas.credit_note import CreditLine, CreditNoteIssued, CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.payment import AllocatePayment
from ltc_events.schemas.policy import Dunning, PolicyPublished, Term
from ltc_events.schemas.receivable import SendDunningNotice, WriteOffInvoice

VECTORS = "vectors/external_vectors.json"
FULL_CREDIT = IssueCreditNote(invoice_id=INVOICE, reason=CreditReason.OTHER)
pytestmark = need(VECTORS)


def cases(name: str) -> list[Any]:
    """The cases of one source, numbers exact."""
    document = json.loads((SHARED_DATA / VECTORS).read_text(), parse_float=Decimal, parse_int=Decimal)
    found: list[Any] = document[name]["cases"]
    return found


def invoiced(*lines: tuple[Decimal, Decimal], terms: str = "100@30", cash: Decimal = Decimal(0)) -> Specification:
    """An invoice of lines given as net and tax percent, with money of the customer's at hand."""
    ordered = [order_line(number, "1", str(net), tax_rate=rate) for number, (net, rate) in enumerate(lines, 1)]
    split = tuple(Term(percent=Decimal(percent), days=int(days)) for percent, days in (term.split("@") for term in terms.split()))
    command = IssueInvoice(order_id=ORDER, basis="ordered", terms=split)
    return given(at(PAYMENT, received(str(cash))), at(ORDER, placed(*ordered))).when(command, subject=INVOICE)


def paid(net: Decimal, cash: Decimal, terms: str = "100@30") -> Specification:
    return invoiced((net, Decimal(0)), terms=terms, cash=cash).when(AllocatePayment(), subject=PAYMENT)


def outstanding(story: Specification) -> list[Decimal]:
    """What is open of each open instalment, in the order they are due."""
    return [item.open for item in state(story).items if item.open]


def state(story: Specification) -> Invoice:
    found = story._work.find(invoice.INVOICE, INVOICE)
    assert found is not None
    return found


def money_left(story: Specification) -> Payment:
    found = story._work.find(payment.PAYMENT, PAYMENT)
    assert found is not None
    return found


def test_terms_and_payment_first_due_first() -> None:
    issued, part_paid, credited_after, credited_whole, bigger, advance, *_ = cases("erpnext_ar")
    terms = "30@30 50@60 20@90"
    hundred = invoiced((Decimal(100), Decimal(0)), terms=terms, cash=Decimal(40))
    assert [(item.open, item.due_on) for item in state(hundred).items] == [
        (amount, TODAY + timedelta(days=days)) for amount, days in zip(issued["rows_invoiced"], (30, 60, 90), strict=True)
    ]
    hundred.when(AllocatePayment(), subject=PAYMENT)
    assert outstanding(hundred) == [row[2] for row in part_paid["rows"]]
    # They let the whole credit note stand alone beside the 60 still owed; ours settles those, and 40 stand alone.
    note = hundred.when(FULL_CREDIT, subject=CREDIT_NOTE).events[1]
    theirs = sum(row[2] for row in part_paid["rows"]) + credited_after["credit_row"]["outstanding"]
    assert state(hundred).balance - note.unapplied == theirs
    unpaid = invoiced((Decimal(100), Decimal(0)), terms=terms).when(FULL_CREDIT, subject=CREDIT_NOTE)
    assert outstanding(unpaid) == credited_whole["rows"]
    two_hundred = paid(bigger["invoice"], bigger["pay"], terms)
    assert outstanding(two_hundred) == [row[2] for row in bigger["rows"]]
    half = FULL_CREDIT.model_copy(update={"lines": (CreditLine(line=1, amount=bigger["then_credit_note"]),)})
    two_hundred.when(half, subject=CREDIT_NOTE)
    assert outstanding(two_hundred) == [row[3] for row in bigger["rows_after"]]
    assert advance["row"][3] == -money_left(given(at(PAYMENT, received("1000")))).unapplied


def test_what_is_short_is_written_off_and_what_is_over_stays_unapplied() -> None:
    gross, *_, written_off, overpaid, _ = cases("erpnext_discount")
    with_tax = invoiced((gross["net"], Decimal(gross["tax"].rstrip("%"))))
    assert state(with_tax).balance == gross["gross"]
    assert written_off["writeoff"] == "invoice 100, receive 95, write off 5 -> outstanding 0"
    short = paid(Decimal(100), Decimal(95)).when(WriteOffInvoice(reason="small", amount=Decimal(5)), subject=INVOICE)
    assert state(short).balance == 0
    assert overpaid["overpay"] == "receive 110 -> unallocated 10"
    assert money_left(paid(Decimal(100), Decimal(110))).unapplied == 10


def test_dunning_interest() -> None:
    [case] = cases("erpnext_dunning")
    policy = Dunning(kind="dunning", annual_interest_percent=Decimal(10), fee=case["fee"], days_between=14)
    published = PolicyPublished(version=1, content=policy)
    story = given(published, at(ORDER, placed(order_line(net=str(case["outstanding"]), tax_rate=Decimal(0)))))
    story.when(IssueInvoice(order_id=ORDER, basis="ordered"), subject=INVOICE)
    overdue = state(story).items[0].due_on + timedelta(days=int(case["overdue_days"]))
    notice, *_ = story.when(SendDunningNotice(instalment=1), subject=INVOICE, on=overdue).events
    assert (notice.interest, notice.total) == (case["interest"], case["total"])


def test_tax_of_a_partial_credit() -> None:
    [case] = cases("lago_credit_note_rounding")
    net, tax, payable = (cents / 100 for cents in case["credit"])
    story = invoiced((case["fee_cents"] / 100, Decimal(case["tax"].rstrip("%"))))
    command = FULL_CREDIT.model_copy(update={"lines": (CreditLine(line=1, amount=net),)})
    note = story.when(command, subject=CREDIT_NOTE).events[1]
    assert isinstance(note, CreditNoteIssued)
    assert (note.net, note.tax, note.payable) == (net, tax, payable)


def test_gross_of_several_tax_rates() -> None:
    _, _, one_rate, _, two_rates, _ = cases("odoo_epd")
    assert state(invoiced((one_rate["net"], Decimal(15)))).balance == one_rate["gross"]
    lines = [(net, Decimal(rate.rstrip("%")) if rate else Decimal(0)) for net, rate in two_rates["lines"]]
    assert state(invoiced(*lines)).balance == two_rates["gross"]
