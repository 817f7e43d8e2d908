"""Number series: assigns gapless document numbers, each in the transaction of its document."""

from dataclasses import dataclass
from datetime import date
from typing import Never, assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, DatedTooEarly
from ltc_events.aggregates.business_days import fiscal_year
from ltc_events.aggregates.policies import Policies
from ltc_events.schemas.base import Event
from ltc_events.schemas.number_series import NumberAssigned, format_number
from ltc_events.schemas.policy import Company


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """The state of a series in a year: the last number, and the latest date of its documents."""

    sequence: int
    last_on: date


class NumberDatedTooEarly(DatedTooEarly):
    """{effective_on} is before {earliest}, the date of {what}"""

    remedy = (
        "date the document {earliest} or later, or give it a series of its own; policy company with number_dates = warn records "
        "it with a warning"
    )


def next_number(state: NumberSeries | None, series: str, on: date, document_id: UUID, company: Company) -> NumberAssigned:
    """The event that assigns the next number to a document of a day: one more than the last, from 1 in each fiscal year.

    A document dated before one with a lower number is refused, or recorded with a warning, by policy `company`. Raises
    NumberDatedTooEarly.
    """
    year = fiscal_year(on, company)
    sequence = 1 if state is None else state.sequence + 1
    number = format_number(series, year, sequence)
    later = None
    if state is not None and on < state.last_on:
        later = state.last_on
        if company.number_dates == "refuse":
            what = f"a document with a lower number of series {series} than {number}"
            raise NumberDatedTooEarly(effective_on=on, earliest=later, what=what)
    return NumberAssigned(series=series, year=year, sequence=sequence, number=number, document_id=document_id, dated_before=later)


def decide(_state: NumberSeries | None, command: Never, _policies: Policies) -> list[Event]:
    """A series has no commands: numbers are assigned as documents are issued."""
    assert_never(command)


def evolve(state: NumberSeries | None, event: NumberAssigned, effective_on: date) -> NumberSeries:
    """The series after a number was assigned."""
    return NumberSeries(event.sequence, effective_on if state is None else max(state.last_on, effective_on))


NUMBER_SERIES = Aggregate("number_series", decide, evolve)
