"""Reconciles the totals of a report with the books, per tied column and currency."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from ltc_events.kernel.money import EXACT, ZERO
from ltc_events.reports.as_of import Connection
from ltc_events.reports.totals import Totals

Books: TypeAlias = dict[str, dict[str, Decimal]]
"""What the books have, by column and currency."""


class Tied(NamedTuple):
    """One total with the amount of the books. They tie if the difference is zero."""

    column: str
    currency: str
    total: Decimal
    against: str
    booked: Decimal

    @property
    def difference(self) -> Decimal:
        """The total less the amount of the books."""
        return EXACT.subtract(self.total, self.booked)


def read_books(connection: Connection, query: str, parameters: Mapping[str, Any]) -> Books:
    """The amounts of the books, in the report's transaction and as of the same date and position."""
    books: Books = defaultdict(dict)
    if query:
        for column, currency, amount in connection.execute(query.encode(), parameters):
            books[column][currency] = amount
    return books


def hold(ties: Mapping[str, str], books: Books, totals: Totals) -> Iterator[Tied]:
    """Each total with the amount of the books, in every currency of either."""
    for column, against in ties.items():
        total, booked = totals[column], books.get(column, {})
        for currency in sorted({*total, *booked}):
            yield Tied(column, currency, total.get(currency, ZERO), against, booked.get(currency, ZERO))
