"""Checks of events recorded before a rule existed: they stay as they are and need no action."""

from collections.abc import Iterator
from typing import Any

import psycopg

from ltc_events.diagnosis.check import Check
from ltc_events.diagnosis.statements import statement
from ltc_events.schemas.limits import EVENT_BYTES_MAX

LISTED_MAX = 5


def inherited(connection: psycopg.Connection[Any], limit: int = LISTED_MAX) -> Iterator[Check]:
    """Customers without a record and events of more bytes than are allowed, with the first of them, by position.

    The checks are healthy all the same: reports and explanations handle both.
    """
    customers = connection.execute(statement("unregistered-customers"), {"limit": limit}).fetchall()
    listed = [f"{id} (position {position})" for id, position, _ in customers]
    total = customers[0][-1] if customers else 0
    told = f"{total} customers have no record: {_listed(listed, total)}; `customer.register` gives one a name"
    yield Check("customers", True, told if customers else "each has a record")
    events = connection.execute(statement("oversized-events"), {"limit": limit, "most": EVENT_BYTES_MAX}).fetchall()
    listed = [f"{type} of {size:,} bytes (position {position})" for position, type, size, _ in events]
    total = events[0][-1] if events else 0
    told = f"{total} events have more than {EVENT_BYTES_MAX:,} bytes: {_listed(listed, total)}; topics must allow for them"
    yield Check("sizes of events", True, told if events else f"none has more than {EVENT_BYTES_MAX:,} bytes")


def _listed(some: list[str], total: int) -> str:
    return "; ".join(some) + ("; …" if total > len(some) else "")
