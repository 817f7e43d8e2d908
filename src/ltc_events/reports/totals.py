"""What the rows of a report add up to. Amounts of different currencies are never added."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation
from typing import Any, TypeAlias

from ltc_events.reports.base import Column, ColumnType

Totals: TypeAlias = dict[str, Any]
"""Per column to be added up: a number, or for money a dict from currency to amount."""

_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation, DivisionByZero])


def add_up(columns: Sequence[Column], rows: Iterable[tuple[Any, ...]]) -> Totals:
    """The totals of the columns that are declared to have one; nulls count as nothing."""
    places = {column.name: index for index, column in enumerate(columns)}
    rows = list(rows)
    totals: Totals = {}
    for column in columns:
        if not column.total:
            continue
        index = places[column.name]
        if column.type is ColumnType.MONEY:
            totals[column.name] = _per_currency(rows, index, places[column.currency])
        else:
            start: Any = 0 if column.type is ColumnType.INTEGER else Decimal(0)
            totals[column.name] = sum((row[index] for row in rows if row[index] is not None), start)
    return totals


def _per_currency(rows: Iterable[tuple[Any, ...]], amount: int, currency: int) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row[amount] is not None and row[currency] is not None:
            sums[row[currency]] = _EXACT.add(sums[row[currency]], row[amount])
    return dict(sorted(sums.items()))
