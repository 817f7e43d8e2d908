"""Looking at business dates: what a ledger holds in disorder, from before they had an order or because policy has it recorded."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from ltc_events.diagnosis.check import Check
from ltc_events.diagnosis.statements import statement

LISTED_MAX = 5


class Disorder(NamedTuple):
    """What is dated before the document that it moves, or before what it acts on; `total` counts all there are."""

    position: int
    what: str
    id: UUID
    number: str | None
    kind: str
    effective_on: date
    earliest: date
    total: int

    @property
    def told(self) -> str:
        """It in a few words."""
        what = f"{self.what.replace('_', ' ')} {self.number or self.id}"
        return f"{what} of {self.earliest} {self.kind.replace('_', ' ')} on {self.effective_on} (position {self.position})"


class _Look(NamedTuple):
    """Where one kind of disorder is looked for: the tables, with a column that an older version of one lacks, and the name of the
    query."""

    name: str
    tables: tuple[str, ...]
    what: str
    query: str


_LOOKS = (
    _Look(
        "dates of money",
        ("open_item_movements", "open_items"),
        "movements are dated before their document",
        "money-dates",
    ),
    _Look(
        "dates of orders",
        ("order_movements",),
        "movements are dated before their order",
        "order-dates",
    ),
    _Look(
        "dates of selling",
        ("lead_steps.dated_before", "opportunity_stages.dated_before", "quote_steps.dated_before"),
        "steps are dated before what they follow",
        "selling-dates",
    ),
)


def dates(connection: psycopg.Connection[Any], limit: int = LISTED_MAX) -> Iterator[Check]:
    """Whether what is recorded of money, orders and selling is dated in order, with the first of what is not, by position.

    It stays as it was recorded, and is a fault of nobody today: the checks are healthy all the same.
    """
    for look in _LOOKS:
        if connection.execute(statement("columns-present"), (list(look.tables),)).fetchone() != (True,):
            yield Check(look.name, True, f"not looked at: there are not all of {', '.join(look.tables)}")
            continue
        with connection.cursor(row_factory=class_row(Disorder)) as cursor:
            found = cursor.execute(statement(look.query), {"limit": limit}).fetchall()
        if not found:
            yield Check(look.name, True, "all in order")
            continue
        listed = "; ".join(one.told for one in found) + ("; …" if found[0].total > len(found) else "")
        yield Check(look.name, True, f"{found[0].total} {look.what}: {listed}")
