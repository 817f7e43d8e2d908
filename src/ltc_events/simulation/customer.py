"""A simulated customer: who it is, how it behaves, and what it owes at the moment."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from ltc_events.schemas.claim import ClaimRaised
from ltc_events.schemas.invoice import InvoiceIssued
from ltc_events.schemas.receivable import (
    CreditApplied,
    CreditRemoved,
    InvoiceCredited,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentRemoved,
    WriteOffReversed,
)
from ltc_events.simulation import names
from ltc_events.simulation.arrivals import Arrival, Arrivals
from ltc_events.simulation.chance import Chance, Weighted
from ltc_events.simulation.in_memory_ledger import Happened
from ltc_events.simulation.run import Party, Process, Run
from ltc_events.simulation.working_time import DAY


@dataclass(frozen=True, slots=True)
class Payer:
    """How a customer pays: so many days after the due day (negative: before), and the percent of cases that go wrong.

    `partly` pays in two steps; `slips` overlooks an instalment until reminded often; `fails` never pays it.
    """

    name: str
    low: int
    high: int
    partly: int
    slips: int
    fails: int


PROMPT: Final = Payer("prompt", -6, 2, 2, 1, 0)
USUAL: Final = Payer("usual", -2, 12, 5, 4, 1)
SLOW: Final = Payer("slow", 5, 32, 14, 12, 4)
POOR: Final = Payer("poor", 15, 80, 25, 28, 30)
_PAYERS: Final = Weighted((PROMPT, 38), (USUAL, 40), (SLOW, 15), (POOR, 7))
_MOVEMENTS: Final = (
    PaymentApplied,
    PaymentRemoved,
    InvoiceCredited,
    CreditApplied,
    CreditRemoved,
    InvoiceWrittenOff,
    WriteOffReversed,
)
_OWED_AGAIN: Final = (PaymentRemoved, CreditRemoved, WriteOffReversed)
_KEPT_FOR: Final = 30 * DAY
"""Longer than any payment may still be returned or booked otherwise."""
_SIZES: Final = Weighted(("small", 45), ("medium", 40), ("large", 15))
_TERMS: Final = {
    "small": Weighted(("net_14", 60), ("default", 30), ("immediate", 10)),
    "medium": Weighted(("default", 60), ("net_14", 20), ("half_now_half_60", 20)),
    "large": Weighted(("default", 40), ("net_60", 30), ("thirds_30_60_90", 30)),
}


def customer_chance(run: Run, number: int) -> Chance:
    """The chance of a customer from its very first draw, which is its arrival."""
    return Chance(*run.root, "customer", str(number))


class Receivable:
    """What is still owed on an invoice, per instalment, as the customer's accountant sees it."""

    __slots__ = ("disputed", "due_on", "first_line", "invoice_id", "issued_on", "moved_at", "open", "order_id", "promised_on")

    def __init__(self, invoice_id: UUID, issued: InvoiceIssued, issued_on: date) -> None:
        self.invoice_id = invoice_id
        self.order_id = issued.order_id
        self.issued_on = issued_on
        line = issued.lines[0]
        self.first_line = (line.line, line.quantity, line.net)
        self.due_on = [part.due_on for part in issued.instalments]
        self.open = [part.amount for part in issued.instalments]
        self.moved_at = 0
        self.disputed = False
        self.promised_on: date | None = None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was paid, credited or written off yet."""
        return not self.moved_at

    @property
    def settled(self) -> bool:
        """Whether nothing is owed any more."""
        return not any(self.open)


class Customer(Party):
    """One customer with its own chance, identifiers and memory; nothing of it depends on other customers."""

    __slots__ = (
        "arrival",
        "arrivals",
        "city_code",
        "claims",
        "company",
        "contact",
        "country",
        "deals_won",
        "debited",
        "domain",
        "industry",
        "key",
        "number",
        "payer",
        "pays_cash",
        "phone",
        "receivables",
        "region",
        "size",
        "terms_code",
    )

    def __init__(self, run: Run, number: int, arrivals: Arrivals) -> None:
        chance = customer_chance(run, number)
        super().__init__(run, chance, "customer", str(number))
        self.number = number
        self.arrivals = arrivals
        self.arrival = arrivals.draw(chance)
        self.key = self.new_id()
        self.customer_id = self.key
        trade, self.industry = chance.pick(names.TRADES)
        surname = chance.pick(names.SURNAMES)
        self.company = f"{surname} {trade} {chance.pick(names.LEGAL_FORMS)}"
        self.domain = f"{surname}-{trade}-{number}.example".lower()
        self.country, self.region, self.city_code = chance.pick(names.PLACES)
        self.phone = self.new_phone()
        self.contact = f"{chance.pick(names.FIRST_NAMES)} {chance.pick(names.SURNAMES)}"
        self.size = chance.choose(_SIZES)
        self.payer = chance.choose(_PAYERS)
        self.terms_code = chance.choose(_TERMS[self.size])
        self.debited = chance.percent(22)
        self.pays_cash = self.size == "small" and self.country in names.CASH_ROUNDING_COUNTRIES and chance.percent(30)
        self.deals_won = 0
        self.receivables: dict[UUID, Receivable] = {}
        self.claims: dict[UUID, Decimal] = {}

    def next_arrival(self) -> Arrival:
        """How the customer comes again, from now: by a channel that need not be the first."""
        return self.arrivals.again(self.chance, self.run.now)

    def new_phone(self) -> str:
        """A number in the customer's city: of a range that all the cities have."""
        return f"{self.city_code} {self.chance.between(2_000_000, 6_999_999)}"

    def email_of(self, person: str) -> str:
        """A person's address at the customer's."""
        return f"{person.lower().replace(' ', '.')}@{self.domain}"

    def observe(self, happened: list[Happened]) -> None:
        """Keep the receivables as the events leave them."""
        for subject, event in happened:
            if isinstance(event, InvoiceIssued):
                self.receivables[subject] = Receivable(subject, event, self.today)
            elif isinstance(event, ClaimRaised):
                self.claims[subject] = event.amount
            elif isinstance(event, _MOVEMENTS):
                sign = 1 if isinstance(event, _OWED_AGAIN) else -1
                receivable = self.receivables[subject]
                receivable.moved_at = self.run.now
                owed = receivable.open
                for part in event.parts:
                    owed[part.instalment - 1] += sign * part.amount
                if receivable.settled:
                    self.run.begin(_put_away(self, receivable), self.run.now + _KEPT_FOR)


def _put_away(customer: Customer, receivable: Receivable) -> Process:
    """Nothing happens any more to an invoice that has been settled for long."""
    if receivable.settled and customer.run.now - receivable.moved_at >= _KEPT_FOR:
        states = customer.books.states
        notes = states[receivable.invoice_id].credit_notes if receivable.invoice_id in states else ()
        if any(states[note].unapplied for note in notes):
            return  # what may be used yet is held against the invoice
        customer.receivables.pop(receivable.invoice_id, None)
        for id in (receivable.invoice_id, *notes):
            customer.books.forget(id)
    yield from ()
