"""Document numbers: one stream per series and year, whose version is the number, so none is missing or double.

A document of another system keeps its number: one stream per such number, of a single event, so none is there twice.
"""

from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from ltc_events.kernel.ids import derive_id, reserved_id
from ltc_events.schemas.base import OrderedEvent


class NumberAssigned(OrderedEvent):
    """The next number of the series was assigned to a document. `sequence` equals the event's version in its stream.

    `dated_before` is the date of a document with a lower number that is dated later, where policy `company` allows that.
    """

    type: ClassVar[str] = "number_series.number_assigned.v1"
    series: str
    year: int
    sequence: int
    number: str
    document_id: UUID

    def in_words(self) -> str:
        return f"number {self.number} assigned"


class NumberImported(OrderedEvent):
    """A document of another system keeps its number, in a stream of its own that has this event alone."""

    type: ClassVar[str] = "number_series.number_imported.v1"
    number: str
    document_id: UUID

    def in_words(self) -> str:
        return f"number {self.number} kept"


class SeriesImported(OrderedEvent):
    """Documents of another system have numbers of this series and year: none is assigned in it."""

    type: ClassVar[str] = "number_series.series_imported.v1"
    series: str
    year: int

    def in_words(self) -> str:
        return f"numbers of series {self.series} of {self.year} are of another system"


@lru_cache(maxsize=1024)  # asked for with every document; there are a few series a year
def series_id(series: str, year: int) -> UUID:
    """The id of the stream of a series in a year; the id is reserved."""
    return reserved_id("number_series", series, str(year))


@lru_cache(maxsize=1024)
def first_series_id(series: str, year: int) -> UUID:
    """The id of the stream of a series in a year under release v0.1, which is not reserved: a client may have used it.

    Where that stream is a number series, its numbers continue there.
    """
    return derive_id("number_series", series, str(year))


def imported_number_id(number: str) -> UUID:
    """The id of the stream of a number of another system; the id is reserved."""
    return reserved_id("number_series", "imported", "number", number)


def format_number(series: str, year: int, sequence: int) -> str:
    """`INV-2026-000042`."""
    return f"{series}-{year}-{sequence:06d}"


def parse_number(number: str) -> tuple[str, int, int] | None:
    """The series, year and sequence of a number made by `format_number`, or None for any other text."""
    series, _, rest = number.rpartition("-")
    series, _, year = series.rpartition("-")
    if not (series and len(year) == 4 and year.isdecimal() and rest.isdecimal()):
        return None
    return series, int(year), int(rest)
