"""The columns that every table of movements of money or goods has: when it counts, when we knew, and whose it is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ltc_events.projections.base import Column, column
from ltc_events.schemas.record import Record

LINE_NO = "number of the row within its event, from 1"

WHEN: Mapping[str, Column] = MappingProxyType(
    {
        "effective_on": column("date", "business date: an as-of report counts rows up to its date"),
        "recorded_at": column("timestamptz", "when it was recorded: a known-at report counts rows up to its position"),
        "customer_id": column("uuid", "the customer"),
    }
)


def when(record: Record) -> dict[str, Any]:
    """The values of the columns `WHEN`."""
    return {"effective_on": record.effective_on, "recorded_at": record.recorded_at, "customer_id": record.customer_id}
