"""Document numbers: one stream per series and year, whose version is the number, so none is missing or double."""

from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from ltc_events.kernel.ids import derive_id, reserved_id
from ltc_events.schemas.base import OrderedEvent


class NumberAssigned(OrderedEvent):
    """The next number of the series went to a document. `sequence` equals the event's version in its stream.

    `dated_before` warns of a document that is dated before one with a lower number, where policy `company` allows it.
    """

    type: ClassVar[str] = "number_series.number_assigned.v1"
    series: str
    year: int
    sequence: int
    number: str
    document_id: UUID

    def in_words(self) -> str:
        return f"number {self.number} assigned"


@lru_cache(maxsize=1024)  # asked for with every document; there are a few series a year
def series_id(series: str, year: int) -> UUID:
    """The stream of a series in a year, under an id that nothing else may have."""
    return reserved_id("number_series", series, str(year))


@lru_cache(maxsize=1024)
def first_series_id(series: str, year: int) -> UUID:
    """The stream that a series had in a year under release v0.1, whose id anybody could take for something else.

    Where it is a number series, its numbers go on there.
    """
    return derive_id("number_series", series, str(year))


def format_number(series: str, year: int, sequence: int) -> str:
    """`INV-2026-000042`."""
    return f"{series}-{year}-{sequence:06d}"


def parse_number(number: str) -> tuple[str, int, int] | None:
    """The series, year and sequence that `format_number` put into a number, or None when it is none of ours."""
    series, _, rest = number.rpartition("-")
    series, _, year = series.rpartition("-")
    if not (series and len(year) == 4 and year.isdecimal() and rest.isdecimal()):
        return None
    return series, int(year), int(rest)
