"""Laws of a sale from order to cash: whatever is sent in whatever order, amounts add up and numbers have no gap.

A machine sends commands, sensible and silly ones. What is refused must change nothing; what is accepted must keep the laws.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.unit.memory_work import MemoryWork
from tests.unit.money_examples import line_request, order_line, placed
from tests.unit.specification import CUSTOMER, NOW

from ltc_events.aggregates.credit_note import InvoiceIsCredited
from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.order import ORDER
from ltc_events.aggregates.order_state import Order
from ltc_events.aggregates.payment import PAYMENT
from ltc_events.aggregates.receivable import Invoice
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.rules.registry import RULES
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.credit_note import CreditLine, CreditNoteIssued, CreditReason, IssueCreditNote
from ltc_events.schemas.invoice import (
    DisputeInvoice,
    DocumentCharge,
    DunningNoticeSent,
    InvoiceCredited,
    InvoiceIssued,
    InvoiceReopened,
    InvoiceSettled,
    InvoiceWrittenOff,
    IssueInvoice,
    PaymentApplied,
    PaymentRemoved,
    ResolveDispute,
    SendDunningNotice,
    WriteOffInvoice,
)
from ltc_events.schemas.number_series import NumberAssigned
from ltc_events.schemas.order import (
    AmendOrder,
    CancelOrder,
    LineQuantity,
    OrderAmended,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderPlaced,
    ReportDelivery,
)
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocationRequest,
    PaymentAllocated,
    PaymentReceived,
    PaymentRefunded,
    PaymentReturned,
    PaymentUnallocated,
    ReceivePayment,
    RefundPayment,
    ReturnPayment,
    UnallocatePayment,
)
from ltc_events.schemas.policy import Term

THE_ORDER = derive_id("test", "order")
INVOICES = [derive_id("test", "invoice", str(number)) for number in range(4)]
PAYMENTS = [derive_id("test", "payment", str(number)) for number in range(3)]
TERMS = [
    (),
    (Term(percent=Decimal(30), days=30), Term(percent=Decimal(50), days=60), Term(percent=Decimal(20), days=90)),
    (Term(percent=Decimal("66.67"), days=0), Term(percent=Decimal("33.33"), days=10)),
]

picks = st.integers(0, 11)
payments = st.sampled_from(PAYMENTS)
seldom = st.sampled_from([*[False] * 5, True])
lines = st.integers(1, 3)
cents = st.integers(1, 20_000).map(lambda number: Decimal(number) / 100)
some = st.sampled_from([None, *map(Decimal, ("0.5", "1", "2", "3", "7"))])
years = st.sampled_from([2026, 2027])


class Sale(RuleBasedStateMachine):
    """One order of three lines, up to four invoices, and three payments."""

    def __init__(self) -> None:
        super().__init__()
        self.work = MemoryWork(THE_ORDER, CUSTOMER)
        self.log: list[tuple[UUID, Event]] = []
        self.sent = 0

    @initialize(
        quantities=st.tuples(*[st.integers(1, 12)] * 3),
        nets=st.tuples(*[st.integers(0, 10_000)] * 3),
        cash=st.tuples(*[cents] * len(PAYMENTS)),
        first=st.tuples(lines, st.sampled_from([None, Decimal(1)]), st.sampled_from(TERMS)),
    )
    def place(self, quantities: tuple[int, ...], nets: tuple[int, ...], cash: tuple[Decimal, ...], first: Any) -> None:
        rates = (Decimal(19), Decimal(7), Decimal(19))
        order = placed(
            *(
                order_line(number, str(quantity), str(Decimal(net) / 100), tax_rate=rate)
                for number, (quantity, net, rate) in enumerate(zip(quantities, nets, rates, strict=True), 1)
            )
        )
        self.work.emit(ORDER, THE_ORDER, order)
        self.log.append((THE_ORDER, order))
        for payment, amount in zip(PAYMENTS, cash, strict=True):
            self.send(ReceivePayment(amount=amount, currency="EUR"), payment)
        line, quantity, terms = first
        part = () if quantity is None else (LineQuantity(line=line, quantity=quantity),)
        self.send(IssueInvoice(order_id=THE_ORDER, basis="ordered", lines=part, terms=terms), INVOICES[0])

    @rule(line=lines, quantity=some)
    def deliver(self, line: int, quantity: Decimal | None) -> None:
        part = () if quantity is None else (LineQuantity(line=line, quantity=quantity),)
        self.send(ReportDelivery(delivery_id=self.new_id(), lines=part), THE_ORDER)

    @rule(line=lines, more=st.integers(-3, 3), price=st.sampled_from([None, Decimal("9.99")]))
    def amend(self, line: int, more: int, price: Decimal | None) -> None:
        order = self.order
        requests = []
        for one in order.lines.values():
            quantity = one.quantity + (more if one.line == line else 0)
            if quantity <= 0:
                continue
            unit_price = price if price is not None and one.line == line else round(one.net / one.quantity, 9)
            requests.append(line_request(one.line, str(quantity), str(unit_price), tax_rate=one.sold.tax_rate))
        if requests:
            self.send(AmendOrder(reason="another look", lines=tuple(requests)), THE_ORDER)

    @rule(really=seldom)
    def cancel(self, really: bool) -> None:
        if really:
            self.send(CancelOrder(reason="late"), THE_ORDER)

    @rule(
        basis=st.sampled_from(["ordered", "delivered"]),
        line=lines,
        quantity=some,
        terms=st.sampled_from(TERMS),
        less=st.sampled_from([None, Decimal("0.01"), Decimal("7.77")]),
        more=st.sampled_from([None, Decimal("4.99")]),
        cash=st.sampled_from([None, Decimal("0.05"), Decimal(1)]),
        year=years,
    )
    def bill(self, **drawn: Any) -> None:
        part = () if drawn["quantity"] is None else (LineQuantity(line=drawn["line"], quantity=drawn["quantity"]),)
        charges = [
            () if amount is None else (DocumentCharge(amount=amount, reason="?", tax_rate=Decimal(rate)),)
            for amount, rate in ((drawn["less"], 19), (drawn["more"], 5))
        ]
        command = IssueInvoice(
            order_id=THE_ORDER,
            basis=drawn["basis"],
            lines=part,
            terms=drawn["terms"],
            allowances=charges[0],
            charges=charges[1],
            cash_rounding=drawn["cash"],
            effective_on=date(drawn["year"], 5, 1),
        )
        self.send(command, INVOICES[len(self.known_invoices()) % len(INVOICES)])

    @rule(pick=picks, line=st.none() | lines, amount=st.none() | cents, quantity=some)
    def credit(self, pick: int, line: int | None, amount: Decimal | None, quantity: Decimal | None) -> None:
        part = () if line is None else (CreditLine(line=line, amount=amount, quantity=quantity),)
        self.send(IssueCreditNote(invoice_id=self.picked(pick), reason=CreditReason.OTHER, lines=part), self.new_id())

    @rule(payment=payments)
    def allocate_what_is_due_first(self, payment: UUID) -> None:
        self.send(AllocatePayment(), payment)

    @rule(
        payment=payments,
        requests=st.lists(st.tuples(picks, st.none() | st.integers(1, 3), cents), min_size=1, max_size=3),
    )
    def allocate_as_told(self, payment: UUID, requests: list[tuple[int, int | None, Decimal]]) -> None:
        told = [
            AllocationRequest(invoice_id=self.picked(pick), instalment=part, amount=amount) for pick, part, amount in requests
        ]
        self.send(AllocatePayment(allocations=tuple(told)), payment)

    @rule(payment=payments, pick=picks)
    def unallocate(self, payment: UUID, pick: int) -> None:
        self.send(UnallocatePayment(invoice_id=self.picked(pick), reason="wrong"), payment)

    @rule(payment=payments, really=seldom)
    def give_back(self, payment: UUID, really: bool) -> None:
        if really:
            self.send(ReturnPayment(reason="no funds"), payment)

    @rule(payment=payments, amount=cents)
    def refund(self, payment: UUID, amount: Decimal) -> None:
        self.send(RefundPayment(reason="by mistake", amount=amount), payment)

    @rule(pick=picks, amount=st.none() | cents)
    def write_off(self, pick: int, amount: Decimal | None) -> None:
        self.send(WriteOffInvoice(reason="small", amount=amount), self.picked(pick))

    @rule(pick=picks, resolved=st.booleans())
    def dispute(self, pick: int, resolved: bool) -> None:
        self.send(ResolveDispute(resolution="?") if resolved else DisputeInvoice(reason="?"), self.picked(pick))

    @rule(pick=picks, instalment=st.integers(1, 3), days=st.integers(1, 200))
    def remind(self, pick: int, instalment: int, days: int) -> None:
        on = date(2026, 5, 1) + timedelta(days=days)
        self.send(SendDunningNotice(instalment=instalment, effective_on=on), self.picked(pick))

    def picked(self, number: int) -> UUID:
        """One of the invoices that there are; mostly the same ones, so that something happens to them."""
        known = self.known_invoices()
        return known[number % len(known)][0] if known else INVOICES[0]

    def new_id(self) -> UUID:
        self.sent += 1
        return derive_id("test", "machine", str(self.sent))

    def send(self, command: Command, subject: UUID) -> None:
        """Decide a command. A refused one must not have emitted anything."""
        command = command.model_copy(update={"occurred_at": NOW})
        if command.effective_on == date.min:
            command = command.model_copy(update={"effective_on": NOW.date()})
        self.work.begin(subject, CUSTOMER)
        refusal = self.decide(command, subject)
        if refusal is not None:
            assert refusal.message
            assert refusal.fix
            assert not self.work.emitted
        if isinstance(refusal, InvoiceIsCredited):
            self.hold_full_credit(command.invoice_id)  # type: ignore[attr-defined]
        self.log.extend(self.work.emitted)

    def decide(self, command: Command, subject: UUID) -> Refused | None:
        """Why the command was refused, or None."""
        try:
            handler = RULES.get(type(command))
            if handler is not None:
                handler(command, self.work)
            else:
                aggregate = AGGREGATES[command.type.partition(".")[0]]
                state = self.work.find(aggregate, subject)
                self.work.emit(aggregate, subject, *aggregate.decide(state, command, self.work.policies))
        except Refused as refusal:
            return refusal
        return None

    def hold_full_credit(self, invoice: UUID) -> None:
        """What is credited in full is credited exactly, rounding included."""
        [issued] = self.of(InvoiceIssued, _of_stream(invoice))
        notes = self.of(CreditNoteIssued, _about(invoice))
        for name in ("line_total", "net", "tax", "rounding"):
            assert sum(getattr(note, name) for note in notes) == getattr(issued, name)
        by_rate: dict[Decimal, Decimal] = defaultdict(Decimal)
        for note in notes:
            for tax in note.taxes:
                by_rate[tax.rate] += tax.tax
        assert by_rate == {tax.rate: tax.tax for tax in issued.taxes}

    def of(self, kind: type[Any], which: Callable[[UUID, Any], bool] = lambda _id, _event: True) -> list[Any]:
        return [event for id, event in self.log if isinstance(event, kind) and which(id, event)]

    def total(self, kind: type[Any], which: Callable[[UUID, Any], bool], name: str = "amount") -> Decimal:
        return sum((getattr(event, name) for event in self.of(kind, which)), Decimal(0))

    @property
    def order(self) -> Order:
        order = self.work.find(ORDER, THE_ORDER)
        assert order is not None
        return order

    def known_invoices(self) -> list[tuple[UUID, Invoice]]:
        found = [(id, self.work.find(INVOICE, id)) for id in INVOICES]
        return [(id, invoice) for id, invoice in found if invoice is not None]

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
        assert order.net == self.total(OrderPlaced, _any, "net") + self.total(OrderAmended, _any, "net_change")
        changes = sum((part.amount for event in self.of(OrderAmended) for part in event.changes), Decimal(0))
        assert changes == self.total(OrderAmended, _any, "net_change")
        delivered = self.of(OrderDelivered) + self.of(OrderAmended)
        if delivered:
            latest = [event for _, event in self.log if isinstance(event, OrderDelivered | OrderAmended)][-1]
            assert latest.complete == all(line.delivered == line.quantity for line in order.lines.values())

    @invariant()
    def the_invoices_hold_what_the_order_billed(self) -> None:
        for id, _ in self.known_invoices():
            [issued] = self.of(InvoiceIssued, _of_stream(id))
            [billed] = self.of(OrderInvoiced, _about(id))
            assert issued.line_total == billed.amount == sum(line.net for line in issued.lines)
            assert issued.gross == issued.net + issued.tax
            assert issued.payable == issued.gross - issued.prepaid + issued.rounding
            assert issued.payable == sum(part.amount for part in issued.instalments)

    @invariant()
    def what_is_owed_is_what_nothing_was_put_against(self) -> None:
        for id, invoice in self.known_invoices():
            [issued] = self.of(InvoiceIssued, _of_stream(id))
            mine = _of_stream(id)
            against = self.total(PaymentApplied, mine) - self.total(PaymentRemoved, mine)
            against += self.total(InvoiceCredited, mine) + self.total(InvoiceWrittenOff, mine)
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
            [issued] = self.of(InvoiceIssued, _of_stream(id))
            notes = self.of(CreditNoteIssued, _about(id))
            for note in notes:
                assert note.net == note.line_total + note.adjustment == sum(tax.taxable for tax in note.taxes)
                assert note.payable == note.net + note.tax + note.rounding == note.applied + note.unapplied
                assert note.applied == sum(part.amount for part in note.parts)
                assert min(note.payable, note.applied, note.unapplied, note.net, note.tax) >= 0
            assert sum(note.net for note in notes) <= issued.net
            assert sum(note.tax for note in notes) <= issued.tax
            assert self.total(InvoiceCredited, _of_stream(id)) == sum(note.applied for note in notes)
            for line in invoice.document.lines:
                quantity, amount = invoice.credited.get(line.line, (0, 0))
                assert quantity <= line.quantity
                assert amount <= line.net

    @invariant()
    def payments_conserve_money(self) -> None:
        for id in PAYMENTS:
            payment = self.work.find(PAYMENT, id)
            if payment is None:
                continue
            mine = _of_stream(id)
            allocated = self.total(PaymentAllocated, mine) - self.total(PaymentUnallocated, mine)
            gone = self.total(PaymentRefunded, mine) + self.total(PaymentReturned, mine)
            assert self.total(PaymentReceived, mine) == allocated + payment.unapplied + gone
            assert payment.unapplied >= 0
            assert allocated == sum(part.amount for parts in payment.allocated.values() for part in parts)
            for invoice, _ in self.known_invoices():

                def here(subject: UUID, event: Any, id: UUID = id, invoice: UUID = invoice) -> bool:
                    return subject == invoice and event.payment_id == id

                on_invoice = self.total(PaymentApplied, here) - self.total(PaymentRemoved, here)
                assert on_invoice == sum((part.amount for part in payment.allocated.get(invoice, ())), Decimal(0))

    @invariant()
    def levels_of_reminders_count_up(self) -> None:
        levels: dict[tuple[UUID, int], list[int]] = defaultdict(list)
        for id, event in self.log:
            if isinstance(event, DunningNoticeSent):
                levels[id, event.instalment].append(event.level)
                assert event.total == event.outstanding + event.interest + event.fee
        assert all(found == list(range(1, len(found) + 1)) for found in levels.values())


def _any(_id: UUID, _event: Any) -> bool:
    return True


def _about(invoice: UUID) -> Callable[[UUID, Any], bool]:
    return lambda _, event: bool(event.invoice_id == invoice)


def _of_stream(id: UUID) -> Callable[[UUID, Any], bool]:
    return lambda subject, _: subject == id


TestSale = Sale.TestCase
TestSale.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
