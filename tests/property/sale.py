"""A sale at the hand of chance: whatever can be tried with an order, its invoices, payments and credit notes."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.unit.memory_unit_of_work import MemoryUnitOfWork
from tests.unit.money_examples import line_request, order_line, placed
from tests.unit.specification import CUSTOMER, NOW

from ltc_events.aggregates.credit_note import CREDIT_NOTE
from ltc_events.aggregates.credit_note_issue import InvoiceIsCredited
from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.order import ORDER
from ltc_events.aggregates.order_state import Order
from ltc_events.aggregates.payment import PAYMENT
from ltc_events.aggregates.receivable import Invoice
from ltc_events.application.dispatch import dispatch
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import Command, Event
from ltc_events.schemas.claim import ClaimRaised, WaiveClaim
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditLine,
    CreditNoteIssued,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
    UnapplyCreditNote,
)
from ltc_events.schemas.invoice import DocumentCharge, InvoiceIssued, IssueInvoice
from ltc_events.schemas.order import (
    AmendOrder,
    CancelOrder,
    LineQuantity,
    ReportDelivery,
)
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocateToClaim,
    AllocationRequest,
    ReceivePayment,
    RecoverWriteOff,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
    UnallocateFromClaim,
    UnallocatePayment,
)
from ltc_events.schemas.policy import Term
from ltc_events.schemas.receivable import DisputeInvoice, ResolveDispute, ReverseWriteOff, SendDunningNotice, WriteOffInvoice

THE_ORDER = derive_id("test", "order")
INVOICES = [derive_id("test", "invoice", str(number)) for number in range(4)]
PAYMENTS = [derive_id("test", "payment", str(number)) for number in range(3)]
NOTES = [derive_id("test", "credit note", str(number)) for number in range(4)]
TERMS = [
    (),
    (Term(percent=Decimal(30), days=30), Term(percent=Decimal(50), days=60), Term(percent=Decimal(20), days=90)),
    (Term(percent=Decimal("66.67"), days=0), Term(percent=Decimal("33.33"), days=10)),
]

picks = st.integers(0, 11)
payments = st.sampled_from(PAYMENTS)
notes = st.sampled_from(NOTES)
seldom = st.sampled_from([*[False] * 5, True])
lines = st.integers(1, 3)
cents = st.integers(1, 20_000).map(lambda number: Decimal(number) / 100)
some = st.sampled_from([None, *map(Decimal, ("0.5", "1", "2", "3", "7"))])
STEP = timedelta(days=9)
"""From one command to the next, so that a long history goes into the next year."""
jumps = st.lists(st.sampled_from([0, 0, 0, 1, 5, -12, -25, -60, 20]).map(timedelta), min_size=12, max_size=12)
"""By how much the dates of commands depart from that, over and over: some are dated back, some ahead."""


def anything(_id: UUID, _event: Any) -> bool:
    return True


def about(invoice: UUID) -> Callable[[UUID, Any], bool]:
    return lambda _, event: bool(event.invoice_id == invoice)


def of_stream(id: UUID) -> Callable[[UUID, Any], bool]:
    return lambda subject, _: subject == id


class Sale(RuleBasedStateMachine):
    """One order of three lines, up to four invoices, and three payments."""

    def __init__(self) -> None:
        super().__init__()
        self.work = MemoryUnitOfWork(THE_ORDER, CUSTOMER)
        self.log: list[tuple[UUID, Event]] = []
        self.dates: list[date] = []
        """The business date of each event of the log."""
        self.sent = 0
        self.steps = 0
        self.began = NOW.date()
        self.jumps = [timedelta(0)]

    @initialize(
        quantities=st.tuples(*[st.integers(1, 12)] * 3),
        nets=st.tuples(*[st.integers(0, 10_000)] * 3),
        cash=st.tuples(*[cents] * len(PAYMENTS)),
        first=st.tuples(lines, st.sampled_from([None, Decimal(1)]), st.sampled_from(TERMS)),
        jumps=jumps,
    )
    def place(
        self,
        quantities: tuple[int, ...],
        nets: tuple[int, ...],
        cash: tuple[Decimal, ...],
        first: Any,
        jumps: list[timedelta] = [timedelta(0)],  # noqa: B006 - read alone
    ) -> None:
        rates = (Decimal(19), Decimal(7), Decimal(19))
        order = placed(
            *(
                order_line(number, str(quantity), str(Decimal(net) / 100), tax_rate=rate)
                for number, (quantity, net, rate) in enumerate(zip(quantities, nets, rates, strict=True), 1)
            )
        )
        self.work.begin(THE_ORDER, CUSTOMER, NOW.date())
        self.work.emit(ORDER, THE_ORDER, order)
        self.log.append((THE_ORDER, order))
        self.dates.append(self.began)
        self.jumps = jumps
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
        prepaid=st.sampled_from([None, None, Decimal("1.23")]),
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
            prepaid=drawn["prepaid"],
        )
        self.send(command, INVOICES[len(self.known_invoices()) % len(INVOICES)])

    @rule(pick=picks, line=st.none() | lines, amount=st.none() | cents, quantity=some, again=st.booleans())
    def credit(self, pick: int, line: int | None, amount: Decimal | None, quantity: Decimal | None, again: bool) -> None:
        part = () if line is None else (CreditLine(line=line, amount=amount, quantity=quantity),)
        invoice = self.picked(pick)
        command = IssueCreditNote(invoice_id=invoice, reason=CreditReason.OTHER, bill_again=again, lines=part)
        # Once all of the few have been issued, the others are not looked at.
        free = (id for id in NOTES if self.work.find(CREDIT_NOTE, id) is None)
        self.send(command, next(free, self.new_id()))

    @rule(note=notes, told=st.none() | st.tuples(picks, st.none() | st.integers(1, 3), cents))
    def use_credit(self, note: UUID, told: tuple[int, int | None, Decimal] | None) -> None:
        requests = ()
        if told is not None:
            pick, part, amount = told
            requests = (AllocationRequest(invoice_id=self.picked(pick), instalment=part, amount=amount),)
        self.send(ApplyCreditNote(allocations=requests), note)

    @rule(note=notes, amount=st.none() | cents)
    def refund_credit(self, note: UUID, amount: Decimal | None) -> None:
        self.send(RefundCreditNote(amount=amount, reason="asked for"), note)

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

    @rule(payment=payments, pick=picks, part=st.none() | st.integers(1, 3), amount=st.none() | cents)
    def unallocate(self, payment: UUID, pick: int, part: int | None, amount: Decimal | None) -> None:
        # Mostly where something of it is, so that it is open for a while and what is dated into that while is tried.
        found = self.work.find(PAYMENT, payment)
        where = [self.picked(pick)] if found is None else [*found.allocated, self.picked(pick)]
        invoice = where[pick % len(where)]
        self.send(UnallocatePayment(invoice_id=invoice, instalment=part, amount=amount, reason="wrong"), payment)

    @rule(note=notes, pick=picks, part=st.none() | st.integers(1, 3), amount=st.none() | cents)
    def unapply_credit(self, note: UUID, pick: int, part: int | None, amount: Decimal | None) -> None:
        self.send(UnapplyCreditNote(invoice_id=self.picked(pick), instalment=part, amount=amount, reason="wrong"), note)

    @rule(payment=payments, note=notes, amount=st.none() | cents, is_credit=st.booleans())
    def refund_fails(self, payment: UUID, note: UUID, amount: Decimal | None, is_credit: bool) -> None:
        if is_credit:
            self.send(ReportFailedCreditRefund(amount=amount, reason="account closed"), note)
        else:
            self.send(ReportFailedRefund(amount=amount, reason="account closed"), payment)

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

    @rule(pick=picks, amount=st.none() | cents)
    def reverse_write_off(self, pick: int, amount: Decimal | None) -> None:
        self.send(ReverseWriteOff(reason="by mistake", amount=amount), self.picked(pick))

    @rule(payment=payments, pick=picks, amount=st.none() | cents)
    def recover(self, payment: UUID, pick: int, amount: Decimal | None) -> None:
        self.send(RecoverWriteOff(invoice_id=self.picked(pick), amount=amount), payment)

    @rule(pick=picks, resolved=st.booleans())
    def dispute(self, pick: int, resolved: bool) -> None:
        self.send(ResolveDispute(resolution="?") if resolved else DisputeInvoice(reason="?"), self.picked(pick))

    @rule(payment=payments, pick=picks, amount=st.none() | cents, what=st.integers(0, 3))
    def claim(self, payment: UUID, pick: int, amount: Decimal | None, what: int) -> None:
        claims = [id for id, event in self.log if isinstance(event, ClaimRaised)]
        if not claims:
            return
        id = claims[pick % len(claims)]
        if what == 0:
            self.send(WaiveClaim(amount=amount, reason="goodwill"), id)
        elif what == 1:
            self.send(UnallocateFromClaim(claim_id=id, reason="wrong"), payment)
        else:
            self.send(AllocateToClaim(claim_id=id, amount=amount), payment)

    @rule(pick=picks, instalment=st.integers(1, 3), days=st.integers(1, 200))
    def remind(self, pick: int, instalment: int, days: int) -> None:
        on = self.today() + timedelta(days=days)
        self.send(SendDunningNotice(instalment=instalment, effective_on=on), self.picked(pick))

    def picked(self, number: int) -> UUID:
        """One of the invoices that there are; mostly the same ones, so that something happens to them."""
        known = self.known_invoices()
        return known[number % len(known)][0] if known else INVOICES[0]

    def new_id(self) -> UUID:
        self.sent += 1
        return derive_id("test", "machine", str(self.sent))

    def today(self) -> date:
        """The business date of the next command."""
        return self.began + self.steps * STEP + self.jumps[self.steps % len(self.jumps)]

    def send(self, command: Command, subject: UUID) -> None:
        """Decide a command. A refused one must not have emitted anything."""
        command = command.model_copy(update={"occurred_at": NOW})
        if command.effective_on == date.min:
            command = command.model_copy(update={"effective_on": self.today()})
        self.steps += 1
        self.work.begin(subject, CUSTOMER, command.effective_on)
        refusal = self.decide(command, subject)
        if refusal is not None:
            assert refusal.message
            assert refusal.fix
            assert not self.work.emitted
        if isinstance(refusal, InvoiceIsCredited):
            self.hold_full_credit(command.invoice_id)  # type: ignore[attr-defined]
        self.log.extend(self.work.emitted)
        self.dates.extend(command.effective_on for _ in self.work.emitted)

    def decide(self, command: Command, subject: UUID) -> Refused | None:
        """Why the command was refused, or None."""
        try:
            dispatch(command, self.work)
        except Refused as refusal:
            return refusal
        return None

    def hold_full_credit(self, invoice: UUID) -> None:
        """What is credited in full is credited exactly, rounding included."""
        [issued] = self.of(InvoiceIssued, of_stream(invoice))
        notes = self.of(CreditNoteIssued, about(invoice))
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
