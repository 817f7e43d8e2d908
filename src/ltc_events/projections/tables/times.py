"""The columns that say when: what every row of a history has, so that it counts from its date on, and once it was known."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ltc_events.projections.declaration.projection import Column, column
from ltc_events.schemas.base import OrderedEvent
from ltc_events.schemas.record import Record

POSITION: Mapping[str, Column] = MappingProxyType({"position": column("int8", "position of the event in the log")})
"""The key of a table of steps. Comes first: a table's key stands before its other columns, so rows are written as they come."""

TIMES: Mapping[str, Column] = MappingProxyType(
    {
        "effective_on": column("date", "business date: an as-of report counts rows up to its date"),
        "occurred_at": column("timestamptz", "when it happened"),
        "recorded_at": column("timestamptz", "when it was recorded: a known-at report counts rows up to its position"),
    }
)


def times(record: Record) -> dict[str, Any]:
    """The values of the columns `TIMES`."""
    return {"effective_on": record.effective_on, "occurred_at": record.occurred_at, "recorded_at": record.recorded_at}


STEPPED: Mapping[str, Column] = MappingProxyType(
    {
        **TIMES,
        "dated_before": column(
            "date",
            "the later business date of what it acts on or follows, where policy has it recorded all the same; none: dates are"
            " in order",
        ),
    }
)
"""`TIMES` of what policy may have recorded although its dates are not in order."""


def stepped(record: Record) -> dict[str, Any]:
    """The values of the columns `STEPPED`."""
    event = record.event
    # To ask a model for a field that it lacks is slow: pydantic looks for it in several places.
    later = event.dated_before if isinstance(event, OrderedEvent) else None
    return {**times(record), "dated_before": later}
