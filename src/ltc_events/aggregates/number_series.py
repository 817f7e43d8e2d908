"""Number series: assigns gapless document numbers, each in the transaction of its document, and holds those of other systems."""

from dataclasses import dataclass
from datetime import date
from typing import Never, assert_never
from uuid import UUID

from ltc_events.aggregates.base import Aggregate, DatedTooEarly
from ltc_events.aggregates.business_days import fiscal_year
from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Event
from ltc_events.schemas.number_series import NumberAssigned, NumberImported, SeriesImported, format_number, parse_number
from ltc_events.schemas.policy import Company


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """The state of a series in a year: the last number, and the latest date of its documents.

    `imported`: the numbers are those of another system. `document_id`: the document of the stream of one such number.
    """

    sequence: int
    last_on: date
    imported: bool = False
    document_id: UUID | None = None


class NumberDatedTooEarly(DatedTooEarly):
    """{effective_on} is before {earliest}, the date of {what}"""

    remedy = (
        "date the document {earliest} or later, or give it a series of its own; policy company with number_dates = warn records "
        "it with a warning"
    )


class NumberOfAnotherSystem(Refused):
    """series {series} of {year} has numbers of another system"""

    field = "series"
    remedy = "give the document another series"


class NumberTaken(Refused):
    """number {number} is that of document {document_id}"""

    field = "number"
    remedy = "correct the number, or leave it out: the document gets one of series {series}"


class NumberOfOurs(Refused):
    """series {series} of {year} has numbers that were assigned here, and {number} may come to be one of them"""

    field = "number"
    remedy = "leave number out, and give {number} among the references; or change the series in it"


class NumberAndSeries(Refused):
    """number {number} is given, and series {series} to take one from"""

    field = "series"
    remedy = "leave series out to keep the number, or number to have one assigned"


def next_number(state: NumberSeries | None, series: str, on: date, document_id: UUID, company: Company) -> NumberAssigned:
    """The event that assigns the next number to a document of a day: one more than the last, from 1 in each fiscal year.

    A document dated before one with a lower number is refused, or recorded with a warning, by policy `company`. Raises
    NumberDatedTooEarly, NumberOfAnotherSystem.
    """
    year = fiscal_year(on, company)
    if state is not None and state.imported:
        raise NumberOfAnotherSystem(series=series, year=year)
    sequence = 1 if state is None else state.sequence + 1
    number = format_number(series, year, sequence)
    later = None
    if state is not None and on < state.last_on:
        later = state.last_on
        if company.number_dates == "refuse":
            what = f"a document with a lower number of series {series} than {number}"
            raise NumberDatedTooEarly(effective_on=on, earliest=later, what=what)
    return NumberAssigned(series=series, year=year, sequence=sequence, number=number, document_id=document_id, dated_before=later)


def import_number(state: NumberSeries | None, number: str, document_id: UUID, series: str) -> NumberImported:
    """The event that keeps `number` for a document of another system; `state` is that of the number's stream.

    Raises NumberTaken; `series` is where the document would get a number of ours.
    """
    if state is not None:
        raise NumberTaken(number=number, document_id=state.document_id, series=series)
    return NumberImported(number=number, document_id=document_id)


def import_series(state: NumberSeries | None, number: str) -> SeriesImported | None:
    """The event that closes to us the series and year which `number` is of, where it is of that form; None: it is closed.

    Raises NumberOfOurs.
    """
    parsed = parse_number(number)
    # A number with more or fewer digits than ours is never assigned here.
    if parsed is None or format_number(*parsed) != number or (state is not None and state.imported):
        return None
    series, year, _ = parsed
    if state is not None:
        raise NumberOfOurs(number=number, series=series, year=year)
    return SeriesImported(series=series, year=year)


def decide(_state: NumberSeries | None, command: Never, _policies: Policies) -> list[Event]:
    """A series has no commands: numbers are assigned as documents are issued."""
    assert_never(command)


def evolve(
    state: NumberSeries | None, event: NumberAssigned | NumberImported | SeriesImported, effective_on: date
) -> NumberSeries:
    """The series, or the number of another system, after an event."""
    if isinstance(event, NumberAssigned):
        return NumberSeries(event.sequence, effective_on if state is None else max(state.last_on, effective_on))
    document_id = event.document_id if isinstance(event, NumberImported) else None
    return NumberSeries(0, effective_on, imported=True, document_id=document_id)


NUMBER_SERIES = Aggregate("number_series", decide, evolve)
