"""Every aggregate by its noun, which is the first part of the names of its commands and events."""

from typing import Any

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policy import POLICY

AGGREGATES: dict[str, Aggregate[Any]] = {
    "policy": POLICY,
}
