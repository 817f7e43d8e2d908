"""What is owed on an invoice: its instalments, what is open of each, and how amounts are put against them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ltc_events.aggregates.dated_balance import NOTHING, DatedBalance, require_available
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.money import ZERO, add_up
from ltc_events.schemas.receivable import Part


class BilledLine(NamedTuple):
    """A line as it was billed."""

    line: int
    order_line: int
    quote_line: int | None
    sku: str
    description: str
    quantity: Decimal
    net: Decimal
    tax_category: str
    tax_rate: Decimal


class Tax(NamedTuple):
    """Tax of one category and rate."""

    category: str
    rate: Decimal
    taxable: Decimal
    tax: Decimal


class Document(NamedTuple):
    """What was issued and never changes."""

    number: str
    order_id: UUID
    currency: str
    opportunity_id: UUID | None
    lines: tuple[BilledLine, ...]
    taxes: tuple[Tax, ...]
    gross: Decimal
    rounding: Decimal
    issued_on: date


class Relief(NamedTuple):
    """Of what was written off, the `amount` whose tax was relieved, and the net and tax in it by category and rate."""

    amount: Decimal = ZERO
    taxes: tuple[Tax, ...] = ()


NO_RELIEF = Relief()


class Item(NamedTuple):
    """An instalment: what is open of it by date, the reminders that were sent for it, what of it was written off, and what
    interest was claimed."""

    number: int
    due_on: date
    dated_open: DatedBalance
    notices: int = 0
    noticed_on: date | None = None
    dated_written_off: DatedBalance = NOTHING
    interest_claimed: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """What is open of it by now."""
        return self.dated_open.amount

    @property
    def written_off(self) -> Decimal:
        """What of it is written off by now."""
        return self.dated_written_off.amount


class Credited(NamedTuple):
    """How much of a line was credited."""

    quantity: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice. `items` are in the order they are due; `balance` is the sum of what is open of them.

    `credit_notes` are those that correct it; `dispute_on` is the date of the last dispute or of its resolution. `relief` is of
    the tax of what was written off; `prepaid` is what was paid outside of this ledger, as the invoice says, and is not credited.
    `promised` is what is left to pay of the promise to pay `promise` by `promised_on`; none is left once it is kept. `claims`
    are those for its reminders.
    """

    document: Document
    items: tuple[Item, ...]
    balance: Decimal
    credited: Mapping[int, Credited]
    disputed: bool = False
    promised_on: date | None = None
    credit_notes: tuple[UUID, ...] = ()
    dispute_on: date | None = None
    relief: Relief = NO_RELIEF
    prepaid: Decimal = ZERO
    promised: Decimal = ZERO
    promise: Decimal = ZERO
    claims: tuple[UUID, ...] = ()

    @property
    def called(self) -> str:
        """How a refusal names it."""
        return f"invoice {self.document.number}"

    @property
    def called_written_off(self) -> str:
        """How a refusal names what was given up of it."""
        return f"what was written off of {self.called}"


class NothingOwed(Refused):
    """nothing is owed on invoice {number}"""

    field = "subject"
    remedy = "choose an invoice that is not settled"


class MoreThanUnapplied(Refused):
    """{asked} is more than the {unapplied} of the {noun} that is unapplied"""

    remedy = "use at most {unapplied} of it"


class NothingUnapplied(Refused):
    """nothing of the {noun} is unapplied"""

    field = "subject"
    remedy = "choose another {noun}; a payment that was put against the wrong invoice is un-allocated first"


class UnknownInstalment(Refused):
    """invoice {number} has no instalment {instalment}"""

    field = "instalment"
    remedy = "name one of its instalments: {known}"


class InstalmentPaid(Refused):
    """nothing is owed on instalment {instalment} of invoice {number}"""

    field = "instalment"
    remedy = "choose one of its open instalments: {known}"


def require_owed(invoice: Invoice) -> None:
    """Refuse what makes no sense on a settled invoice."""
    if not invoice.balance:
        raise NothingOwed(number=invoice.document.number)


def require_unapplied(noun: str, unapplied: Decimal, amount: Decimal, at: str) -> None:
    """Refuse to use more of a payment or credit note than is unapplied."""
    if not unapplied:
        raise NothingUnapplied(noun=noun)
    if amount > unapplied:
        raise MoreThanUnapplied(noun=noun, asked=amount, unapplied=unapplied, at=at)


def written_off_total(invoice: Invoice) -> Decimal:
    """What was given up of an invoice, and was neither credited nor recovered since."""
    return add_up(item.written_off for item in invoice.items)


def parts_of(items: Iterable[Item], amount: Decimal, on: date, what: str) -> tuple[Part, ...]:
    """`amount`, which is open by now, put against items in the order given, up to what is open of each on a day and after.

    Raises AvailableLater for `what`.
    """
    return _spread([(item.number, item.dated_open) for item in items], amount, on, what)


def written_off_parts(items: Iterable[Item], amount: Decimal, on: date, what: str) -> tuple[Part, ...]:
    """`amount` put against what was written off of items, in the order given, up to what was of each on a day and after.

    Raises AvailableLater for `what`.
    """
    return _spread([(item.number, item.dated_written_off) for item in items], amount, on, what)


def _spread(rooms: Sequence[tuple[int, DatedBalance]], amount: Decimal, on: date, what: str) -> tuple[Part, ...]:
    require_available([balance for _, balance in rooms], on, amount, what)
    parts = []
    left = amount
    for number, balance in rooms:
        if left <= 0:
            break
        room = balance.available(on)
        if room > 0:
            taken = min(left, room)
            parts.append(Part(instalment=number, amount=taken))
            left -= taken
    return tuple(parts)


def item_of(invoice: Invoice, items: Iterable[Item], instalment: int, at: str) -> Item:
    """The open item of this number. Raises UnknownInstalment and InstalmentPaid for field `at`."""
    number = invoice.document.number
    item = next((item for item in items if item.number == instalment), None)
    if item is None:
        known = ", ".join(str(item.number) for item in sorted(invoice.items))
        raise UnknownInstalment(number=number, instalment=instalment, known=known, at=at)
    if not item.open:
        known = ", ".join(str(item.number) for item in sorted(items) if item.open) or "none"
        raise InstalmentPaid(number=number, instalment=instalment, known=known, at=at)
    return item


def less(items: tuple[Item, ...], parts: Iterable[Part], on: date) -> tuple[Item, ...]:
    """The items with the parts taken off on a day."""
    taken = {part.instalment: part.amount for part in parts}
    if not taken:
        return items
    return tuple(
        Item(
            item.number,
            item.due_on,
            item.dated_open.moved(on, -taken[item.number]),
            item.notices,
            item.noticed_on,
            item.dated_written_off,
            item.interest_claimed,
        )
        if item.number in taken
        else item
        for item in items
    )


def written_off(items: tuple[Item, ...], parts: Iterable[Part], on: date, sign: int = 1) -> tuple[Item, ...]:
    """The items with the parts noted as written off on a day; with `sign` -1 as no longer. What is open stays."""
    noted = {part.instalment: sign * part.amount for part in parts}
    if not noted:
        return items
    return tuple(
        item._replace(dated_written_off=item.dated_written_off.moved(on, noted[item.number])) if item.number in noted else item
        for item in items
    )
