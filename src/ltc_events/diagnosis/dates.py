"""Checks of business dates: events out of order, from releases without the rule or by policy."""

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
    """Rows dated before the document or event that they act on; `total` counts all of them."""

    position: int
    what: str
    id: UUID
    number: str | None
    kind: str
    effective_on: date
    earliest: date
    total: int

    @property
    def description(self) -> str:
        """The disorder in one line."""
        what = f"{self.what.replace('_', ' ')} {self.number or self.id}"
        return f"{what} of {self.earliest} {self.kind.replace('_', ' ')} on {self.effective_on} (position {self.position})"


class _DateCheck(NamedTuple):
    """The query for one kind of disorder: its tables, a column that older versions lack, and its name."""

    name: str
    tables: tuple[str, ...]
    what: str
    query: str


_DATE_CHECKS = (
    _DateCheck(
        "dates of money",
        ("open_item_movements", "open_items"),
        "movements are dated before their document",
        "money-dates",
    ),
    _DateCheck(
        "dates of orders",
        ("order_movements",),
        "movements are dated before their order",
        "order-dates",
    ),
    _DateCheck(
        "dates of selling",
        ("lead_steps.dated_before", "opportunity_stages.dated_before", "quote_steps.dated_before"),
        "steps are dated before what they follow",
        "selling-dates",
    ),
)


def dates(connection: psycopg.Connection[Any], limit: int = LISTED_MAX) -> Iterator[Check]:
    """Check the order of business dates in money, orders and selling, with the first disorder by position.

    Recorded events stay as they are and need no action: the checks are healthy all the same.
    """
    for check in _DATE_CHECKS:
        if connection.execute(statement("columns-present"), (list(check.tables),)).fetchone() != (True,):
            yield Check(check.name, True, f"not looked at: there are not all of {', '.join(check.tables)}")
            continue
        with connection.cursor(row_factory=class_row(Disorder)) as cursor:
            found = cursor.execute(statement(check.query), {"limit": limit}).fetchall()
        if not found:
            yield Check(check.name, True, "all in order")
            continue
        listed = "; ".join(one.description for one in found) + ("; …" if found[0].total > len(found) else "")
        yield Check(check.name, True, f"{found[0].total} {check.what}: {listed}")
