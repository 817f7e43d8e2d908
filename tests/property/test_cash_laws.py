"""Laws of a sale from order to cash: whatever is sent in whatever order, amounts add up and numbers have no gap.

A machine sends commands, sensible and silly ones. What is refused must change nothing; what is accepted must keep the laws.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant
from tests.property.profile import examples
from tests.property.sale import NOTES, PAYMENTS, TERMS, Sale, about, anything, of_stream
from tests.unit.specification import NOW

from ltc_events.aggregates.claim import CLAIM
from ltc_events.aggregates.credit_note import CREDIT_NOTE
from ltc_events.aggregates.credited import NO_SHARE, credited_upto
from ltc_events.aggregates.payment import PAYMENT
from ltc_events.aggregates.receivable import written_off_total
from ltc_events.projections.tables.open_item_movements import OpenItemMovements
from ltc_events.projections.writing.net_effect import operations
from ltc_events.schemas.base import MoneyEvent
from ltc_events.schemas.claim import ClaimKind, ClaimPaid, ClaimRaised, ClaimUnpaid, ClaimWaived
from ltc_events.schemas.credit_note import (
    CreditNoteApplicationReversed,
    CreditNoteApplied,
    CreditNoteIssued,
    CreditNoteRefunded,
    CreditNoteRefundFailed,
)
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.number_series import NumberAssigned
from ltc_events.schemas.order import (
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderPlaced,
)
from ltc_events.schemas.payment import (
    PaymentAllocated,
    PaymentAllocatedToClaim,
    PaymentReceived,
    PaymentRefunded,
    PaymentRefundFailed,
    PaymentReturned,
    PaymentUnallocated,
    PaymentUnallocatedFromClaim,
)
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    DunningNoticeSent,
    InvoiceCredited,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentRemoved,
    WriteOffReversed,
)
from ltc_events.schemas.record import Record


class CashLaws(Sale):
    """What holds after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0
        self.moved: dict[tuple[Any, ...], dict[date, Decimal]] = {}
        self.born: dict[tuple[Any, ...], date] = {}

    def check_all(self) -> None:
        """Hold each law against what has happened so far."""
        for law in self.invariants:
            law.function(self)

    @invariant()
    def nothing_is_dated_before_what_it_is_about(self) -> None:
        """Nor negative on any day: what is open of an instalment or claim, unapplied of money or credit, or written off."""
        for (id, event), on in zip(self.log[self.told :], self.dates[self.told :], strict=True):
            self.told += 1
            if isinstance(event, MoneyEvent) and not isinstance(event, OrderPlaced):
                assert (event.not_before or date.max) <= on, f"{event.type} of {on}"
            record = Record(self.told, id, 1, event, None, NOW, on, NOW, id, id, id, "machine")
            for movement in operations(OpenItemMovements(), [record]):
                self.move(on, movement.values)
        for (item, *_), days in self.moved.items():
            sign = 1 if item in ("invoice", "claim") else -1
            total = Decimal(0)
            for on in sorted(days):
                total += days[on]
                assert sign * total >= 0, (item, on, total)

    def move(self, on: date, row: dict[str, Any]) -> None:
        """Take a row of the read table into the balances by day; an item's first row is that of its document."""
        item = row["item"], row["item_id"], row["instalment"]
        amounts = [(item, row["amount"])]
        if row["kind"] == "written_off":
            amounts.append(((*item, "written off"), -row["amount"]))
        for key, amount in amounts:
            days = self.moved.setdefault(key, {})
            assert on >= self.born.setdefault(item, on), f"{row['kind']} of {on} is older than its document"
            days[on] = days.get(on, Decimal(0)) + amount

    @invariant()
    def numbers_have_no_gap(self) -> None:
        series: dict[tuple[str, int], list[int]] = defaultdict(list)
        for event in self.of(NumberAssigned):
            series[event.series, event.year].append(event.sequence)
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in series.values())
        documents = [event.number for event in self.of(InvoiceIssued) + self.of(CreditNoteIssued)]
        assert sorted(documents) == sorted(event.number for event in self.of(NumberAssigned))

    @invariant()
    def a_line_is_worth_its_parts(self) -> None:
        if not self.log:
            return
        released = {part.line: part for event in self.of(OrderCancelled) for part in event.lines}
        for line in self.order.lines.values():
            assert min(line.delivered_amount, line.billed_amount) >= 0
            assert max(line.delivered_amount, line.billed_amount) <= line.net
            assert line.delivered <= line.quantity
            assert line.billed <= line.quantity
            if line.delivered == line.quantity:
                assert line.delivered_amount == line.net
            if line.billed == line.quantity:
                assert line.billed_amount == line.net
            if line.line in released:
                assert released[line.line].amount == line.net - line.delivered_amount
            if released and line.billed == line.delivered:
                assert line.billed_amount == line.delivered_amount

    @invariant()
    def the_order_is_worth_its_lines(self) -> None:
        if not self.log:
            return
        order = self.order
        assert order.net == sum(line.net for line in order.lines.values())
        assert order.net == self.total(OrderPlaced, anything, "net") + self.total(OrderAmended, anything, "net_change")
        changes = sum((part.amount for event in self.of(OrderAmended) for part in event.changes), Decimal(0))
        assert changes == self.total(OrderAmended, anything, "net_change")
        delivered = self.of(OrderDelivered) + self.of(OrderAmended)
        if delivered:
            latest = [event for _, event in self.log if isinstance(event, OrderDelivered | OrderAmended)][-1]
            assert latest.complete == all(line.delivered == line.quantity for line in order.lines.values())

    @invariant()
    def the_invoices_hold_what_the_order_billed(self) -> None:
        for id, _ in self.known_invoices():
            [issued] = self.of(InvoiceIssued, of_stream(id))
            [billed] = self.of(OrderInvoiced, about(id))
            assert issued.line_total == billed.amount == sum(line.net for line in issued.lines)
            assert issued.gross == issued.net + issued.tax
            assert issued.payable == issued.gross - issued.prepaid + issued.rounding
            assert issued.payable == sum(part.amount for part in issued.instalments)

    @invariant()
    def what_is_owed_is_what_nothing_was_put_against(self) -> None:
        for id, invoice in self.known_invoices():
            [issued] = self.of(InvoiceIssued, of_stream(id))
            mine = of_stream(id)
            against = self.total(PaymentApplied, mine) - self.total(PaymentRemoved, mine)
            against += self.total(InvoiceCredited, mine) + self.total(CreditApplied, mine) - self.total(CreditRemoved, mine)
            against += self.total(InvoiceWrittenOff, mine)
            against -= self.total(WriteOffReversed, mine)
            assert invoice.balance == issued.payable - against
            assert invoice.balance == sum(item.open for item in invoice.items)
            whole = {part.number: part.amount for part in issued.instalments}
            assert all(0 <= item.open <= whole[item.number] for item in invoice.items)
            states = [
                event for subject, event in self.log if subject == id and isinstance(event, InvoiceSettled | InvoiceReopened)
            ]
            assert all(isinstance(event, (InvoiceSettled, InvoiceReopened)[index % 2]) for index, event in enumerate(states))
            assert (len(states) % 2 == 1) == (invoice.balance == 0)

    @invariant()
    def credit_notes_never_exceed_their_invoice(self) -> None:
        for id, invoice in self.known_invoices():
            [issued] = self.of(InvoiceIssued, of_stream(id))
            notes = self.of(CreditNoteIssued, about(id))
            for note in notes:
                assert note.net == note.line_total + note.adjustment == sum(tax.taxable for tax in note.taxes)
                assert (
                    note.payable
                    == note.net + note.tax + note.rounding
                    == note.applied + note.write_off_reversed + note.prepaid_credited + note.unapplied
                )
                assert note.applied == sum(part.amount for part in note.parts)
                assert note.write_off_reversed == sum(part.amount for part in note.write_off_parts)
                assert min(note.payable, note.applied, note.unapplied, note.net, note.tax) >= 0
            assert sum(note.net for note in notes) <= issued.net
            assert sum(note.tax for note in notes) <= issued.tax
            assert self.total(InvoiceCredited, of_stream(id)) == sum(note.applied for note in notes)
            given_up = self.total(InvoiceWrittenOff, of_stream(id)) - self.total(WriteOffReversed, of_stream(id))
            given_up -= sum(note.write_off_reversed for note in notes)
            assert given_up == sum(item.written_off for item in invoice.items)
            assert all(item.written_off >= 0 for item in invoice.items)
            for line in invoice.document.lines:
                quantity, amount = invoice.credited.get(line.line, (0, 0))
                assert quantity <= line.quantity
                assert amount <= line.net

    @invariant()
    def relief_is_for_the_tax_of_what_is_written_off(self) -> None:
        for id, invoice in self.known_invoices():
            mine, relief = of_stream(id), invoice.relief
            events = [*self.of(InvoiceWrittenOff, mine), *self.of(WriteOffReversed, mine)]
            assert all(event.tax == sum(one.tax for one in event.taxes) for event in events)
            relieved = self.total(InvoiceWrittenOff, mine, "tax") - self.total(WriteOffReversed, mine, "tax")
            relieved -= sum(
                (one.tax for note in self.of(CreditNoteIssued, about(id)) for one in note.write_off_taxes), Decimal(0)
            )
            assert relieved == sum(one.tax for one in relief.taxes)
            assert 0 <= relief.amount <= written_off_total(invoice)
            credited = credited_upto(invoice.document, invoice.credited)
            for tax in invoice.document.taxes:
                gone = credited.get((tax.category, tax.rate), NO_SHARE)
                mine_of = [one for one in relief.taxes if (one.category, one.rate) == (tax.category, tax.rate)]
                net, amount = (mine_of[0].taxable, mine_of[0].tax) if mine_of else (Decimal(0), Decimal(0))
                assert 0 <= net <= tax.taxable - gone.net
                assert 0 <= amount <= tax.tax - gone.tax
            if not written_off_total(invoice):
                assert relief.taxes == ()

    @invariant()
    def what_was_prepaid_is_credited_at_most_once(self) -> None:
        for id, invoice in self.known_invoices():
            [issued] = self.of(InvoiceIssued, of_stream(id))
            credited = sum((note.prepaid_credited for note in self.of(CreditNoteIssued, about(id))), Decimal(0))
            assert 0 <= invoice.prepaid == issued.prepaid - credited

    @invariant()
    def credit_notes_conserve_credit(self) -> None:
        for id in NOTES:
            note = self.work.find(CREDIT_NOTE, id)
            if note is None:
                continue
            mine = of_stream(id)
            used = self.total(CreditNoteApplied, mine) - self.total(CreditNoteApplicationReversed, mine)
            used += self.total(CreditNoteRefunded, mine) - self.total(CreditNoteRefundFailed, mine)
            assert self.total(CreditNoteIssued, mine, "unapplied") == used + note.unapplied
            assert note.unapplied >= 0
            for invoice, _ in self.known_invoices():

                def here(subject: UUID, event: Any, id: UUID = id, invoice: UUID = invoice) -> bool:
                    return subject == invoice and event.credit_note_id == id

                def there(subject: UUID, event: Any, id: UUID = id, invoice: UUID = invoice) -> bool:
                    return subject == id and event.invoice_id == invoice

                on_invoice = self.total(CreditApplied, here) - self.total(CreditRemoved, here)
                assert on_invoice == self.total(CreditNoteApplied, there) - self.total(CreditNoteApplicationReversed, there)
                assert on_invoice == sum((part.amount for part in note.allocated.get(invoice, ())), Decimal(0))

    @invariant()
    def on_no_day_more_credit_is_used_than_was_paid(self) -> None:
        """Of an invoice's credit notes, but for money that the bank took back after the customer had had it again."""
        returned = {id for id, event in self.log if isinstance(event, PaymentReturned)}
        exempt = {id for id, event in self.log if isinstance(event, PaymentApplied) and event.payment_id in returned}
        own = {id: event.invoice_id for id, event in self.log if isinstance(event, CreditNoteIssued)}
        left: dict[UUID, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for (id, event), on in zip(self.log, self.dates, strict=True):
            match event:
                case PaymentApplied() | CreditApplied():
                    left[id][on] += event.amount
                case PaymentRemoved() | CreditRemoved():
                    left[id][on] -= event.amount
                case CreditNoteApplied() | CreditNoteRefunded():
                    left[own[id]][on] -= event.amount
                case CreditNoteApplicationReversed() | CreditNoteRefundFailed():
                    left[own[id]][on] += event.amount
                case _:
                    pass
        for invoice, days in left.items():
            paid = Decimal(0)
            for on in sorted(days):
                paid += days[on]
                assert paid >= 0 or invoice in exempt, (invoice, on, paid)

    @invariant()
    def what_is_billed_again_is_no_longer_billed(self) -> None:
        if not self.log:
            return
        for line in self.order.lines.values():
            parts = [part for event in self.of(OrderInvoiced) for part in event.lines if part.line == line.line]
            again = [part for event in self.of(OrderBillingReversed) for part in event.lines if part.line == line.line]
            assert line.billed == sum(part.quantity for part in parts) - sum(part.quantity for part in again)
            assert line.billed_amount == sum(part.amount for part in parts) - sum(part.amount for part in again)

    @invariant()
    def payments_conserve_money(self) -> None:
        for id in PAYMENTS:
            payment = self.work.find(PAYMENT, id)
            if payment is None:
                continue
            mine = of_stream(id)
            allocated = self.total(PaymentAllocated, mine) - self.total(PaymentUnallocated, mine)
            gone = self.total(PaymentRefunded, mine) - self.total(PaymentRefundFailed, mine) + self.total(PaymentReturned, mine)
            gone -= self.total(PaymentReturned, mine, "claimed")
            claims = self.total(PaymentAllocatedToClaim, mine) - self.total(PaymentUnallocatedFromClaim, mine)
            assert claims == sum(payment.claims.values())
            assert self.total(PaymentReceived, mine) == allocated + claims + payment.unapplied + gone
            assert payment.unapplied >= 0
            assert allocated == sum(part.amount for parts in payment.allocated.values() for part in parts)
            for invoice, _ in self.known_invoices():

                def here(subject: UUID, event: Any, id: UUID = id, invoice: UUID = invoice) -> bool:
                    return subject == invoice and event.payment_id == id

                on_invoice = self.total(PaymentApplied, here) - self.total(PaymentRemoved, here)
                assert on_invoice == sum((part.amount for part in payment.allocated.get(invoice, ())), Decimal(0))

    @invariant()
    def claims_are_owed_until_they_are_paid_or_waived(self) -> None:
        returned = self.total(PaymentReturned, anything, "claimed")
        raised = [event for event in self.of(ClaimRaised) if event.kind is ClaimKind.RETURNED_PAYMENT]
        assert returned == sum((event.amount for event in raised), Decimal(0))
        notices = self.of(DunningNoticeSent)
        told = sum((event.fee_claimed + event.interest_claimed for event in notices), Decimal(0))
        assert self.total(ClaimRaised, anything) == returned + told
        for id in {id for id, event in self.log if isinstance(event, ClaimRaised)}:
            claim = self.work.find(CLAIM, id)
            assert claim is not None
            mine = of_stream(id)
            paid = self.total(ClaimPaid, mine) - self.total(ClaimUnpaid, mine)
            assert 0 <= claim.open == self.total(ClaimRaised, mine) - paid - self.total(ClaimWaived, mine)
        on_claims = sum((sum(one.claims.values()) for id in PAYMENTS if (one := self.work.find(PAYMENT, id))), Decimal(0))
        assert on_claims == self.total(ClaimPaid, anything) - self.total(ClaimUnpaid, anything)

    @invariant()
    def no_more_is_paid_out_than_came_in(self) -> None:
        left = Decimal(0)
        credit_is_used = False
        for _, event in self.log:
            match event:
                case PaymentReceived():
                    left += event.amount
                case PaymentRefunded() | CreditNoteRefunded():
                    left -= event.amount
                case PaymentRefundFailed() | CreditNoteRefundFailed():
                    left += event.amount
                case PaymentReturned() if not credit_is_used:
                    # Later, the customer may have had it already: he owes it again, and may never pay it.
                    left -= event.amount - event.claimed
            credit_is_used |= isinstance(event, CreditNoteApplied | CreditNoteRefunded)
            assert left >= 0

    @invariant()
    def levels_of_reminders_count_up(self) -> None:
        levels: dict[tuple[UUID, int], list[int]] = defaultdict(list)
        for id, event in self.log:
            if isinstance(event, DunningNoticeSent):
                levels[id, event.instalment].append(event.level)
                assert event.total == event.outstanding + event.interest + event.fee
        assert all(found == list(range(1, len(found) + 1)) for found in levels.values())


TestSale = CashLaws.TestCase
TestSale.settings = settings(max_examples=examples(50), stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("cents", [1, 4999, None])
@pytest.mark.parametrize("terms", TERMS)
def test_the_laws_hold_when_what_was_written_off_is_credited(cents: int | None, terms: Any) -> None:
    """A way that chance seldom takes: debts given up, then credited in two parts, and used what is left."""
    sale = CashLaws()
    sale.place(quantities=(3, 2, 1), nets=(9_000, 3_333, 100), cash=(Decimal(70),) * 3, first=(1, None, terms))
    sale.allocate_what_is_due_first(PAYMENTS[0])
    sale.write_off(0, None if cents is None else Decimal(cents) / 100)
    given_up = sale.total(InvoiceWrittenOff, anything)
    for line in (1, 2, None):
        sale.credit(0, line, None, None, again=False)
        sale.check_all()
    reversed_ = sum((note.write_off_reversed for note in sale.of(CreditNoteIssued)), Decimal(0))
    assert given_up > 0
    assert reversed_ == given_up, "what was credited in full is no longer written off"
    for note in NOTES:
        sale.use_credit(note, None)
        sale.refund_credit(note, None)
        sale.check_all()
