"""Whether the totals of a report are what the books have: per column that it ties, and per currency."""

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
    """One total beside what the books have. Where it ties, the difference is zero."""

    column: str
    currency: str
    total: Decimal
    against: str
    booked: Decimal

    @property
    def difference(self) -> Decimal:
        """What the total has more than the books."""
        return EXACT.subtract(self.total, self.booked)


def read_books(connection: Connection, query: str, parameters: Mapping[str, Any]) -> Books:
    """What the books have, in the transaction of the report and as of the same date and position."""
    books: Books = defaultdict(dict)
    if query:
        for column, currency, amount in connection.execute(query.encode(), parameters):
            books[column][currency] = amount
    return books


def hold(ties: Mapping[str, str], books: Books, totals: Totals) -> Iterator[Tied]:
    """Each total beside what the books have, in every currency that either of them has."""
    for column, against in ties.items():
        total, booked = totals[column], books.get(column, {})
        for currency in sorted({*total, *booked}):
            yield Tied(column, currency, total.get(currency, ZERO), against, booked.get(currency, ZERO))
