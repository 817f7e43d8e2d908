"""One customer's deals as they go on: arbitrary commands through the pipeline, of which a rule may refuse any."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from tests.integration.books import DAY, Books, line, terms

from ltc_events.kernel.ids import derive_id
from ltc_events.kernel.money import minor_unit
from ltc_events.schemas.base import Command
from ltc_events.schemas.claim import WaiveClaim
from ltc_events.schemas.credit_note import (
    ApplyCreditNote,
    CreditLine,
    CreditReason,
    IssueCreditNote,
    RefundCreditNote,
    ReportFailedCreditRefund,
    UnapplyCreditNote,
)
from ltc_events.schemas.invoice import DocumentCharge, IssueInvoice
from ltc_events.schemas.opportunity import LoseOpportunity, LossReason, OpenOpportunity, ReopenOpportunity, WinOpportunity
from ltc_events.schemas.order import AmendOrder, CancelOrder, LineQuantity, OrderLineRequest, PlaceOrder, ReportDelivery
from ltc_events.schemas.outcome import Status
from ltc_events.schemas.payment import (
    AllocatePayment,
    AllocateToClaim,
    ReceivePayment,
    RecoverWriteOff,
    RefundPayment,
    ReportFailedRefund,
    ReturnPayment,
    UnallocateFromClaim,
    UnallocatePayment,
)
from ltc_events.schemas.receivable import ReverseWriteOff, SendDunningNotice, WriteOffInvoice

_examples = count(1)
_SPLITS = [(("100", 30),), (("50", 0), ("50", 60)), (("33.33", 30), ("33.33", 60), ("33.34", 90))]


amounts = st.integers(1, 40_000).map(lambda number: Decimal(number) / 100)
quantities = st.integers(1, 900).map(lambda number: Decimal(number) / 100)
Draw = Callable[..., Any]


@st.composite
def order_lines(draw: st.DrawFn) -> tuple[OrderLineRequest, ...]:
    numbers = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True))
    rates = st.sampled_from(["0", "7", "19"])
    return tuple(line(number, f"{draw(quantities)}", f"{draw(amounts)}", draw(rates)) for number in numbers)


class History:
    """One customer's deals as they go on, step by step."""

    def __init__(self, books: Books, currency: str) -> None:
        self.books = books
        self.name = f"Customer {next(_examples)}"
        self.customer = books.register(self.name)
        self.currency = currency
        self.began = books.store.head()[0]
        self.ends = [self.began]
        """The positions at which its commands ended."""
        self.steps = 0
        self.lines: dict[str, tuple[OrderLineRequest, ...]] = {}
        self.made: dict[str, list[str]] = {"deal": [], "order": [], "invoice": [], "payment": [], "note": []}

    def new(self, kind: str) -> str:
        self.made[kind].append(f"{self.name} {kind} {len(self.made[kind])}")
        return self.made[kind][-1]

    def send(self, command: Command, subject: str | UUID, on: date) -> bool:
        is_accepted = self.books.send(command, subject, on=on, customer=self.customer).status is Status.ACCEPTED
        self.ends.append(self.books.store.head()[0])
        return is_accepted

    def payable(self, amount: Decimal) -> Decimal:
        """An amount as it can be paid in the currency."""
        return max(amount.quantize(minor_unit(self.currency)), minor_unit(self.currency))

    def deal(self, draw: Draw, on: date) -> None:
        deal = self.new("deal")
        self.send(OpenOpportunity(title=deal, amount=self.payable(draw(amounts)), currency=self.currency), deal, on)
        won = WinOpportunity(reason="trust")
        if draw(st.booleans()):
            quote, lines = f"quote of {deal}", draw(order_lines())
            discount = draw(st.sampled_from(["0", "5", "33.3"]))
            self.books.quote(quote, deal, *lines, discount=discount, on=on, currency=self.currency)
            if draw(st.integers(1, 4)) > 1:
                self.place(PlaceOrder(quote_id=self.books.id(quote)), lines, on)
            if draw(st.booleans()):
                won = WinOpportunity(quote_id=self.books.id(quote))
        closed = draw(st.sampled_from([won, won, won, LoseOpportunity(reason=LossReason.PRICE), None]))
        if closed is not None:
            self.send(closed, deal, on)
            for again in draw(st.sampled_from([(), (), (None,), (won,)])):
                self.send(ReopenOpportunity(reason="it goes on"), deal, on)
                if again is not None:
                    self.send(again, deal, on)

    def order(self, draw: Draw, on: date) -> None:
        deal, lines = draw(st.sampled_from([*map(self.books.id, self.made["deal"]), None])), draw(order_lines())
        place = PlaceOrder(reason="by telephone", currency=self.currency, opportunity_id=deal, lines=lines)
        self.place(place, lines, on)

    def place(self, command: PlaceOrder, lines: tuple[OrderLineRequest, ...], on: date) -> None:
        order = self.new("order")
        self.lines[order] = lines
        self.send(command, order, on)

    def fulfil(self, draw: Draw, on: date) -> None:
        order = draw(st.sampled_from(self.made["order"]))
        change = draw(st.sampled_from(["deliver", "deliver", "deliver", "deliver", "amend", "amend", "cancel"]))
        if change == "deliver":
            some = draw(st.lists(st.sampled_from(self.lines[order]), max_size=2, unique_by=lambda one: one.line))
            lines = tuple(LineQuantity(line=one.line, quantity=one.quantity / draw(st.sampled_from([1, 2, 4]))) for one in some)
            delivery = self.books.id(f"{order} {self.books.store.head()[0]}")
            self.send(ReportDelivery(delivery_id=delivery, lines=lines), order, on)
        elif change == "amend":
            self.amend(order, draw, on)
        else:
            self.send(CancelOrder(reason="moved away"), order, on)

    def amend(self, order: str, draw: Draw, on: date) -> None:
        """Another quantity of a line, a line less, or one more."""
        *others, last = self.lines[order]
        grown = last.model_copy(update={"quantity": draw(quantities)})
        added = line(9 + len(self.lines[order]), f"{draw(quantities)}", f"{draw(amounts)}")
        lines = tuple(draw(st.sampled_from([[*others, grown], [*others], [*others, last, added]])) or [added])
        if self.send(AmendOrder(reason="other wishes", lines=lines), order, on):
            self.lines[order] = lines

    def bill(self, draw: Draw, on: date) -> None:
        order, invoice = draw(st.sampled_from(self.made["order"])), self.new("invoice")
        more: dict[str, Any] = {}
        if draw(st.integers(1, 4)) == 1:
            tax = {name: getattr(self.lines[order][0], name) for name in ("tax_category", "tax_rate")}
            more["allowances"] = (DocumentCharge(amount=self.payable(Decimal("0.04")), reason="loyalty", **tax),)
            more["charges"] = (DocumentCharge(amount=self.payable(Decimal("2.50")), reason="freight", tax_rate=Decimal(7)),)
            more["prepaid"] = self.payable(Decimal("1.01"))
            more["cash_rounding"] = 5 * minor_unit(self.currency)
        command = IssueInvoice(
            order_id=self.books.id(order),
            basis=draw(st.sampled_from(["ordered", "ordered", "delivered"])),
            rounding_method=draw(st.sampled_from(["document", "line"])),
            terms=terms(*draw(st.sampled_from(_SPLITS))),
            **more,
        )
        if not self.send(command, invoice, on):
            self.made["invoice"].remove(invoice)

    def correct(self, draw: Draw, on: date) -> None:
        invoice = draw(st.sampled_from(self.made["invoice"]))
        if draw(st.booleans()):
            amount = self.payable(draw(amounts) / 10) if draw(st.booleans()) else None
            back = draw(st.integers(1, 4)) == 1
            given_up = ReverseWriteOff(amount=amount, reason="wrong") if back else WriteOffInvoice(amount=amount, reason="small")
            self.send(given_up, invoice, on)
            return
        whole = draw(st.booleans())
        lines = () if whole else (CreditLine(line=1, amount=self.payable(draw(amounts) / 10)),)
        if not whole and draw(st.booleans()):
            lines = (CreditLine(line=1, quantity=draw(quantities) / 4),)
        again = draw(st.booleans())
        command = IssueCreditNote(invoice_id=self.books.id(invoice), reason=CreditReason.OTHER, bill_again=again, lines=lines)
        self.send(command, self.new("note"), on)

    def pay(self, draw: Draw, on: date) -> None:
        payment = self.new("payment")
        self.send(ReceivePayment(amount=self.payable(draw(amounts)), currency=self.currency), payment, on)
        if draw(st.integers(1, 4)) > 1:
            self.send(AllocatePayment(), payment, on)

    def move(self, draw: Draw, on: date) -> None:
        payment = draw(st.sampled_from(self.made["payment"]))
        commands: list[Command] = [AllocatePayment(), RefundPayment(reason="too much"), ReturnPayment(reason="no funds")]
        commands.append(ReportFailedRefund(reason="account closed"))
        amount = self.payable(draw(amounts) / 10) if draw(st.booleans()) else None
        if self.made["invoice"]:
            invoice = self.books.id(draw(st.sampled_from(self.made["invoice"])))
            commands += [
                UnallocatePayment(invoice_id=invoice, amount=amount, reason="wrong invoice"),
                RecoverWriteOff(invoice_id=invoice),
            ]
        self.send(draw(st.sampled_from(commands)), payment, on)

    def remind(self, draw: Draw, on: date) -> None:
        """A reminder, and what becomes of what it claims."""
        invoice = self.books.id(draw(st.sampled_from(self.made["invoice"])))
        self.send(SendDunningNotice(instalment=1), invoice, on + timedelta(days=60))
        claims = _claims_of(self.books, invoice)
        if claims:
            claim = draw(st.sampled_from(claims))
            if draw(st.booleans()):
                self.send(WaiveClaim(reason="goodwill"), claim, on + timedelta(days=61))
            elif self.made["payment"]:
                payment = draw(st.sampled_from(self.made["payment"]))
                self.send(AllocateToClaim(claim_id=claim), payment, on + timedelta(days=61))
                if draw(st.booleans()):
                    self.send(UnallocateFromClaim(claim_id=claim, reason="wrong"), payment, on + timedelta(days=61))

    def use_credit(self, draw: Draw, on: date) -> None:
        commands: list[Command] = [ApplyCreditNote(), RefundCreditNote(reason="asked for")]
        commands.append(ReportFailedCreditRefund(reason="account closed"))
        if self.made["invoice"]:
            invoice = self.books.id(draw(st.sampled_from(self.made["invoice"])))
            commands.append(UnapplyCreditNote(invoice_id=invoice, reason="wrong invoice"))
        self.send(draw(st.sampled_from(commands)), draw(st.sampled_from(self.made["note"])), on)

    def step(self, draw: Draw) -> None:
        """Something that can happen next: the further the deals have come, the later in the chain."""
        # Dates rise as business goes on, but for what is dated back, or ahead.
        self.steps += 1
        days = 4 * self.steps + draw(st.sampled_from([0, 0, 0, 0, 2, -3, -12, -40, 25]))
        on = DAY + timedelta(days=min(max(days, 0), 120))
        if not self.made["order"]:
            possible = [self.deal, self.order] if self.made["deal"] else [self.deal]
        elif not self.made["invoice"]:
            possible = [self.fulfil, self.bill, self.bill]
        else:
            later = [self.fulfil, self.fulfil, self.bill, self.correct, self.correct, self.pay, self.pay]
            possible = [self.deal, self.order, *later, *[self.move, self.move] * bool(self.made["payment"])]
            possible += [self.remind]
            possible += [self.use_credit] * bool(self.made["note"])
        draw(st.sampled_from(possible))(draw, on)


def _claims_of(books: Books, invoice: UUID) -> list[UUID]:
    """The claims that the first three reminders of an instalment can have raised."""
    ids = [derive_id("claim", str(invoice), "1", str(level), kind) for level in (1, 2, 3) for kind in ("dunning_fee", "interest")]
    return [id for id in ids if books.store.stream(id)]
