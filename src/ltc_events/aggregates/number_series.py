"""Number series: hands out document numbers, each in the transaction of its document, so that none is missing or double."""

from dataclasses import dataclass
from typing import Never, assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.policies import Policies
from ltc_events.schemas.base import Event
from ltc_events.schemas.number_series import NumberAssigned, format_number


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """A series in a year, and the number it handed out last."""

    sequence: int


def next_number(state: NumberSeries | None, series: str, year: int, document_id: UUID) -> NumberAssigned:
    """The number that the document gets: one more than the last, from 1 every year."""
    sequence = 1 if state is None else state.sequence + 1
    number = format_number(series, year, sequence)
    return NumberAssigned(series=series, year=year, sequence=sequence, number=number, document_id=document_id)


def decide(_state: NumberSeries | None, command: Never, _policies: Policies) -> list[Event]:
    """No command is sent to a series: documents take their numbers as they are issued."""
    assert_never(command)


def evolve(_state: NumberSeries | None, event: NumberAssigned) -> NumberSeries:
    """The series after a number was taken."""
    return NumberSeries(event.sequence)


NUMBER_SERIES = Aggregate("number_series", decide, evolve)
