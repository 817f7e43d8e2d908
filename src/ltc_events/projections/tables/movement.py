"""The columns that every table of movements of money or goods has: when it counts, when we knew, and whose it is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ltc_events.projections.declaration.projection import Column, column
from ltc_events.schemas.base import MoneyEvent
from ltc_events.schemas.record import Record

LINE_NO = "number of the row within its event, from 1"

WHEN: Mapping[str, Column] = MappingProxyType(
    {
        "effective_on": column("date", "business date: an as-of report counts rows up to its date"),
        "recorded_at": column("timestamptz", "when it was recorded: a known-at report counts rows up to its position"),
        "customer_id": column("uuid", "the customer"),
    }
)


ORDERED: Mapping[str, Column] = MappingProxyType(
    {
        **WHEN,
        "not_before": column(
            "date",
            "latest business date of what the event acts on: the database refuses a row that is dated before it; none: what the"
            " event acts on is not known to be older (what acts on nothing, and events from before this was kept)",
        ),
    }
)
"""`WHEN` of the movements of money and goods, and what they are not dated before."""
DATED_IN_ORDER: Mapping[str, str] = MappingProxyType(
    {"dated_in_order": "NEW.not_before IS NULL OR NEW.effective_on >= NEW.not_before"}
)
"""The check that goes with `ORDERED`."""


def when(record: Record) -> dict[str, Any]:
    """The values of the columns `WHEN`."""
    return {"effective_on": record.effective_on, "recorded_at": record.recorded_at, "customer_id": record.customer_id}


def ordered(record: Record) -> dict[str, Any]:
    """The values of the columns `ORDERED`."""
    event = record.event
    return {
        "effective_on": record.effective_on,
        "recorded_at": record.recorded_at,
        "customer_id": record.customer_id,
        "not_before": event.not_before if isinstance(event, MoneyEvent) else None,
    }
