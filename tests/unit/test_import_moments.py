"""Dates and times as other systems write them."""

from datetime import UTC, date, datetime

import pytest

from ltc_events.importing.errors import BadValue
from ltc_events.importing.mapping import zone
from ltc_events.importing.moments import MomentFormat, date_parser, time_parser

GERMAN = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"]


@pytest.mark.parametrize(
    ("format", "text", "moment"),
    [
        ("%d %b, %Y %H:%M:%S", "15 Apr, 2021 00:03:00", datetime(2021, 4, 15, 0, 3, tzinfo=UTC)),
        ("%d-%m-%Y %H:%M", "03-07-2021 12:59", datetime(2021, 7, 3, 12, 59, tzinfo=UTC)),
        ("%Y-%m-%dT%H:%M:%S%z", "2021-07-03T12:59:00+02:00", datetime(2021, 7, 3, 10, 59, tzinfo=UTC)),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2021-07-03T12:59:00.25Z", datetime(2021, 7, 3, 12, 59, 0, 250000, tzinfo=UTC)),
        ("%m/%d/%y %I:%M %p", "7/3/21 12:05 AM", datetime(2021, 7, 3, 0, 5, tzinfo=UTC)),
        ("%m/%d/%y %I:%M %p", "7/3/69 12:05 p.m.", datetime(1969, 7, 3, 12, 5, tzinfo=UTC)),
        ("%d. %B %Y", "3. september 2021", datetime(2021, 9, 3, tzinfo=UTC)),
        ("100%% %Y%m%d", "100% 20210703", datetime(2021, 7, 3, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_its_format(format: str, text: str, moment: datetime) -> None:
    assert time_parser([format], UTC)(text) == moment


def test_months_are_named_in_any_language() -> None:
    parse = date_parser(["%d. %B %Y"], months=GERMAN)
    assert parse("1. März 2024") == date(2024, 3, 1)
    assert parse("31. dez 2024") == date(2024, 12, 31)


@pytest.mark.parametrize("text", ["2021-02-30", "2021-13-01", "21-01-01", "2021-01-01 ", "", "2021-01-01T00:00", "0000-01-01"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadValue) as refused:
        date_parser(["%Y-%m-%d"])(text)
    assert refused.value.code == "not_a_date"


def test_a_date_that_two_formats_read_differently_is_refused() -> None:
    parse = date_parser(["%d-%m-%Y", "%m-%d-%Y"])
    assert parse("31-12-2021") == date(2021, 12, 31)
    assert parse("04-04-2021") == date(2021, 4, 4)
    with pytest.raises(BadValue, match="can be read as 2021-03-04 00:00:00 and as 2021-04-03 00:00:00"):
        parse("03-04-2021")


def test_a_local_time_keeps_its_day() -> None:
    moment = time_parser(["%Y-%m-%d %H:%M"], zone("Europe/Berlin"))("2024-03-01 00:15")
    assert moment.astimezone(UTC) == datetime(2024, 2, 29, 23, 15, tzinfo=UTC)
    assert moment.date() == date(2024, 3, 1)


def test_a_local_time_that_never_was_is_refused() -> None:
    parse = time_parser(["%Y-%m-%d %H:%M"], zone("Europe/Berlin"))
    with pytest.raises(BadValue) as refused:
        parse("2024-03-31 02:30")
    assert refused.value.code == "no_such_time"
    assert parse("2024-10-27 02:30").utcoffset() == parse("2024-10-27 01:30").utcoffset(), "of two, the first"


@pytest.mark.parametrize(
    ("format", "problem"),
    [
        ("%d.%m", "needs a year"),
        ("%H:%M", "needs a year"),
        ("%Q %Y-%m-%d", "%Q is not known"),
        ("%Y-%m-%d %Y", "%Y stands twice"),
        ("%Y-%m-%d %I:%M", "go together"),
        ("%Y-%m-%d %", "% is not known"),
    ],
)
def test_a_format_that_cannot_work_is_an_error(format: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        MomentFormat(format)


def test_finer_than_a_microsecond_is_refused_rather_than_cut() -> None:
    parse = time_parser(["%Y-%m-%d %H:%M:%S.%f"], UTC)
    assert parse("2024-01-01 00:00:00.123456000").microsecond == 123456
    with pytest.raises(BadValue):
        parse("2024-01-01 00:00:00.123456789")
