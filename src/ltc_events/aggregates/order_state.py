"""What an order knows of itself: its lines, and how much of each was delivered and billed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ltc_events.aggregates.dated_balance import NOTHING, DatedBalance
from ltc_events.kernel.money import ZERO


class Sold(NamedTuple):
    """What an order line is for, as it goes on to the invoice."""

    sku: str
    description: str
    tax_category: str
    tax_rate: Decimal
    quote_line: int | None


class Line(NamedTuple):
    """An order line with how much of it, by quantity and by amount, was delivered and billed."""

    line: int
    quantity: Decimal
    net: Decimal
    sold: Sold
    delivered: Decimal = ZERO
    delivered_amount: Decimal = ZERO
    billed: Decimal = ZERO
    billed_amount: Decimal = ZERO
    priced_on: date = date.min
    """Since when it has its price."""
    to_deliver: DatedBalance = NOTHING
    """The ordered less the delivered quantity, by date."""
    unbilled: DatedBalance = NOTHING
    """The delivered less the billed quantity, by date."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `reported` holds the ids of the deliveries and shipments that were counted.

    `changed_on` is the date of the last amendment, or of the order; `reversed_on` that of the last credit note which made
    something billable again.
    """

    currency: str
    quote_id: UUID | None
    opportunity_id: UUID | None
    net: Decimal
    lines: Mapping[int, Line]
    placed_on: date
    changed_on: date
    cancelled: bool = False
    reported: frozenset[UUID] = frozenset()
    reversed_on: date = date.min
    cancelled_on: date = date.min

    @property
    def came_to_nothing(self) -> bool:
        """Whether it was cancelled before any of it was delivered or billed. Then it stays so."""
        return self.cancelled and not any(line.delivered or line.billed for line in self.lines.values())
