"""The columns that every table of movements has: which event, when it counts, when we knew, and whose it is."""

from collections.abc import Mapping
from types import MappingProxyType

from ltc_events.projections.base import Column, column

LINE_NO = "number of the row within its event, from 1"

POSITION: Mapping[str, Column] = MappingProxyType({"position": column("int8", "position of the event in the log")})
"""Comes first: a table's key stands before its other columns, so that rows are written as they come."""

WHEN: Mapping[str, Column] = MappingProxyType(
    {
        "effective_on": column("date", "business date: an as-of report counts rows up to its date"),
        "recorded_at": column("timestamptz", "when the event was recorded: a known-at report counts rows up to its position"),
        "customer_id": column("uuid", "the customer"),
    }
)
