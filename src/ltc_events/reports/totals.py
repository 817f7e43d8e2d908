"""Running totals of a report's rows. Amounts of different currencies are never added."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from ltc_events.kernel.money import EXACT
from ltc_events.reports.base import Column, ColumnType

Totals: TypeAlias = dict[str, Any]
"""Per column to be added up: a number, or for money a dict from currency to amount."""


class Sums:
    """Sums the columns declared with `total`; nulls count as zero."""

    def __init__(self, columns: Sequence[Column]) -> None:
        places = {column.name: place for place, column in enumerate(columns)}
        added = [column for column in columns if column.total]
        self._order = [column.name for column in added]
        self._money = [(c.name, places[c.name], places[c.currency]) for c in added if c.type is ColumnType.MONEY]
        self._numbers = [(column.name, places[column.name]) for column in added if column.type is not ColumnType.MONEY]
        self._sums: Totals = {
            column.name: defaultdict(Decimal)
            if column.type is ColumnType.MONEY
            else (0 if column.type is ColumnType.INTEGER else Decimal(0))
            for column in added
        }

    def add(self, row: tuple[Any, ...]) -> None:
        """Add one row."""
        for name, place in self._numbers:
            if row[place] is not None:
                # Counts are int, which have no end.
                sum_ = self._sums[name]
                self._sums[name] = EXACT.add(sum_, row[place]) if isinstance(sum_, Decimal) else sum_ + row[place]
        for name, place, currency_place in self._money:
            amount, currency = row[place], row[currency_place]
            if amount is not None and currency is not None:
                sums = self._sums[name]
                sums[currency] = EXACT.add(sums[currency], amount)

    def totals(self) -> Totals:
        """The totals so far, in the order of the columns."""
        return {
            name: dict(sorted(total.items())) if isinstance(total, dict) else total
            for name, total in ((name, self._sums[name]) for name in self._order)
        }
