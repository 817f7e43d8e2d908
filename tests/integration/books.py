"""The books of a small company for the tests: commands in through the pipeline, read tables brought up, reports out."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.ids import derive_id
from ltc_events.projections.following.store_runner import Runner, open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.runner import Result, run
from ltc_events.schemas.base import Command
from ltc_events.schemas.credit_note import CreditLine, CreditReason, IssueCreditNote
from ltc_events.schemas.customer import Profile, RegisterCustomer
from ltc_events.schemas.envelope import document
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.opportunity import OpenOpportunity, WinOpportunity
from ltc_events.schemas.order import OrderLineRequest, PlaceOrder
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.payment import AllocatePayment, AllocationRequest, ReceivePayment
from ltc_events.schemas.policy import Term
from ltc_events.schemas.quote import AcceptQuote, Discount, DraftQuote, PriceQuote, QuoteLineRequest, SendQuote
from ltc_events.store import Database, EventStore

DAY = date(2026, 1, 1)


def line(number: int, quantity: str, unit_price: str, tax_rate: str = "0") -> OrderLineRequest:
    """A line of an order without a quote."""
    name = f"article {number}"
    return OrderLineRequest(
        line=number,
        sku=f"A-{number}",
        description=name,
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        tax_category="S" if Decimal(tax_rate) else "Z",
        tax_rate=Decimal(tax_rate),
    )


def terms(*parts: tuple[str, int]) -> tuple[Term, ...]:
    """Terms of payment from (percent, days)."""
    return tuple(Term(percent=Decimal(percent), days=days) for percent, days in parts)


class Books:
    """One company's ledger. What is named by a word here has the id that follows from the word."""

    def __init__(self, database: Database, store: EventStore) -> None:
        self.database = database
        self.store = store
        self.pipeline = CommandPipeline(store, SystemClock())
        self._open = ExitStack()
        self._runner: Runner | None = None
        self.customer = self.register("Mill & Sons")

    def id(self, name: str) -> UUID:
        """The id of what is called so."""
        return derive_id("books", name)

    def send(self, command: Command, subject: str | UUID, *, on: date = DAY, customer: UUID | None = None) -> Outcome:
        """Submit a command as of a business date; its outcome, whatever it is."""
        id = subject if isinstance(subject, UUID) else self.id(subject)
        time = datetime(on.year, on.month, on.day, 9, 30, tzinfo=UTC)
        owner = customer or self.customer
        message = document(command, command_id=uuid4(), subject=id, customer_id=owner, source="test", time=time, actor="ann")
        (outcome,) = self.pipeline.submit([message])
        assert isinstance(outcome, Outcome), outcome
        return outcome

    def do(self, command: Command, subject: str | UUID, *, on: date = DAY, customer: UUID | None = None) -> int:
        """Submit a command that must be accepted; the position of its last event."""
        outcome = self.send(command, subject, on=on, customer=customer)
        assert outcome.status is Status.ACCEPTED, outcome.reasons
        return outcome.last_position

    def register(self, name: str) -> UUID:
        """A customer."""
        self.customer = self.id(name)
        self.do(RegisterCustomer(profile=Profile(name=name, email="office@mill.example")), name)
        return self.customer

    def win(self, deal: str, amount: str, *, quote: str | None = None, on: date = DAY, currency: str = "EUR") -> int:
        """A won deal; with a quote, won by it."""
        self.open(deal, amount, on=on, currency=currency)
        return self.close_deal(deal, quote, on=on)

    def open(self, deal: str, amount: str, *, on: date = DAY, currency: str = "EUR") -> int:
        """An open deal."""
        return self.do(OpenOpportunity(title=deal, amount=Decimal(amount), currency=currency), deal, on=on)

    def close_deal(self, deal: str, quote: str | None = None, *, on: date = DAY) -> int:
        """Win the deal, by a quote or without."""
        won = WinOpportunity(reason="a handshake") if quote is None else WinOpportunity(quote_id=self.id(quote))
        return self.do(won, deal, on=on)

    def quote(
        self, quote: str, deal: str, *lines: OrderLineRequest, discount: str = "0", on: date = DAY, currency: str = "EUR"
    ) -> int:
        """An accepted quote with these lines at list price less a discount in percent."""
        until = date(on.year + 1, on.month, on.day)
        discounts = (Discount(percent=Decimal(discount), reason="volume"),) if discount != "0" else ()
        priced = tuple(
            QuoteLineRequest(
                line=one.line,
                sku=one.sku,
                description=one.description,
                quantity=one.quantity,
                list_price=one.unit_price,
                tax_category=one.tax_category,
                tax_rate=one.tax_rate,
                discounts=discounts,
            )
            for one in lines
        )
        self.do(DraftQuote(opportunity_id=self.id(deal), currency=currency, valid_until=until), quote, on=on)
        self.do(PriceQuote(lines=priced, requested_by="ann", role="director"), quote, on=on)
        self.do(SendQuote(), quote, on=on)
        return self.do(AcceptQuote(), quote, on=on)

    def order(
        self, order: str, *lines: OrderLineRequest, deal: str | None = None, on: date = DAY, currency: str = "EUR", **more: Any
    ) -> int:
        """An order without a quote."""
        opportunity = None if deal is None else self.id(deal)
        place = PlaceOrder(reason="by telephone", currency=currency, opportunity_id=opportunity, lines=lines, **more)
        return self.do(place, order, on=on)

    def invoice(self, invoice: str, order: str, *parts: tuple[str, int], on: date = DAY, **more: Any) -> int:
        """Bill all that is ordered, by terms of (percent, days)."""
        more = {"basis": "ordered", **more}
        return self.do(IssueInvoice(order_id=self.id(order), terms=terms(*(parts or (("100", 30),))), **more), invoice, on=on)

    def bill(self, invoice: str, amount: str, *parts: tuple[str, int], on: date = DAY, currency: str = "EUR") -> int:
        """An order of one line without tax and its invoice."""
        self.order(f"order of {invoice}", line(1, "1", amount), on=on, currency=currency)
        return self.invoice(invoice, f"order of {invoice}", *parts, on=on)

    def receive(self, payment: str, amount: str, *, on: date = DAY, currency: str = "EUR") -> int:
        """Money that came in."""
        return self.do(ReceivePayment(amount=Decimal(amount), currency=currency, reference=payment), payment, on=on)

    def allocate(self, payment: str, *told: tuple[str, str], on: date = DAY) -> int:
        """Put it against (invoice, amount), else first due first."""
        requests = tuple(AllocationRequest(invoice_id=self.id(invoice), amount=Decimal(amount)) for invoice, amount in told)
        return self.do(AllocatePayment(allocations=requests), payment, on=on)

    def pay(self, payment: str, amount: str, *told: tuple[str, str], on: date = DAY, currency: str = "EUR") -> int:
        """Money that came in and was put against invoices."""
        self.receive(payment, amount, on=on, currency=currency)
        return self.allocate(payment, *told, on=on)

    def credit(self, note: str, invoice: str, amount: str | None = None, *, line: int = 1, on: date = DAY) -> int:
        """Credit a net amount of a line of the invoice, or all of the invoice."""
        lines = () if amount is None else (CreditLine(line=line, amount=Decimal(amount)),)
        return self.do(IssueCreditNote(invoice_id=self.id(invoice), reason=CreditReason.OTHER, lines=lines), note, on=on)

    def catch_up(self) -> int:
        """Bring all read tables up to the head of the log."""
        if self._runner is None:
            self._runner = self._open.enter_context(open_runner(self.database, PROJECTIONS))
        return self._runner.catch_up()

    def close(self) -> None:
        """Close the connections."""
        self._open.close()

    def result(self, name: str, as_of: date = DAY, known_at: int | None = None, **parameters: Any) -> Result:
        """A report, from read tables that are up to date."""
        self.catch_up()
        return run(self.database, name, as_of=as_of, known_at=known_at, parameters=parameters)

    def report(self, name: str, as_of: date = DAY, known_at: int | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a report, amounts as they are written."""
        return rows_of(self.result(name, as_of, known_at, **parameters))

    def rows(
        self, name: str, *columns: str, as_of: date = DAY, known_at: int | None = None, **parameters: Any
    ) -> list[list[Any]]:
        """Only these columns of a report; amounts as plain numbers where they are whole."""
        return [picked(row, *columns) for row in self.report(name, as_of, known_at, **parameters)]


def rows_of(result: Result) -> list[dict[str, Any]]:
    """The rows of a report by the names of its columns."""
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


def picked(row: Mapping[str, Any], *columns: str) -> list[Any]:
    """The values of these columns; decimals as short texts, so that 40.00 and 40 are the same."""
    return [short(row[column]) for column in columns]


def short(value: Any) -> Any:
    """`40.00` as `40`, and `0.50` as `0.5`."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value
