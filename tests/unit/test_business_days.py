"""Business days: the company's zone and fiscal year, and the window of dates (R-75)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.unit.specification import TODAY, given

from ltc_events.aggregates.business_days import (
    OutsideWindow,
    business_day,
    fiscal_year,
    widest_window,
    window,
)
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.policy import UnknownTimeZone, WindowNotBegun
from ltc_events.kernel.ids import derive_id
from ltc_events.kernel.time_zones import TimeZoneMissing
from ltc_events.schemas.number_series import first_series_id
from ltc_events.schemas.policy import BusinessDates, Company, PolicyPublished, PublishPolicy

NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)


def company(**more: object) -> Company:
    return Company.model_validate({"kind": "company", "legal_name": "Acme GmbH", "functional_currency": "EUR", **more})


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", "2026-03-31"),
        ("Europe/Berlin", "2026-04-01"),
        ("America/New_York", "2026-03-31"),
        ("Pacific/Auckland", "2026-04-01"),
    ],
)
def test_the_business_day_is_the_date_in_the_companys_time_zone(zone: str, day: str) -> None:
    assert business_day(NOW, company(time_zone=zone)).isoformat() == day


@pytest.mark.parametrize(
    ("starts", "named_by", "day", "year"),
    [
        (1, "first_day", "2026-12-31", 2026),
        (1, "last_day", "2026-12-31", 2026),
        (7, "first_day", "2026-06-30", 2025),
        (7, "first_day", "2026-07-01", 2026),
        (7, "last_day", "2026-06-30", 2026),
        (7, "last_day", "2026-07-01", 2027),
        (12, "first_day", "2026-11-30", 2025),
        (12, "first_day", "2026-12-01", 2026),
    ],
)
def test_a_fiscal_year_begins_in_its_month_and_is_named_as_policy_says(starts: int, named_by: str, day: str, year: int) -> None:
    rules = company(fiscal_year_starts=starts, fiscal_year_named_by=named_by)
    assert fiscal_year(date.fromisoformat(day), rules) == year


def test_by_default_a_fiscal_year_is_the_calendar_year_and_the_streams_of_series_are_as_ever() -> None:
    policies = Policies()
    assert fiscal_year(date(2026, 12, 31), policies.company.content) == 2026
    assert first_series_id("INV", 2026) == derive_id("number_series", "INV", "2026")


@pytest.mark.parametrize("day", [date.min, date(1899, 12, 31), date(2036, 4, 2), date(9999, 12, 31)])
def test_a_date_outside_of_the_window_is_refused_and_both_ends_are_named(day: date) -> None:
    with pytest.raises(OutsideWindow) as refused:
        window(NOW, Policies()).require(day)
    for named in (str(day), "1900-01-01", "2036-03-31"):
        assert named in refused.value.message
    assert refused.value.refused_field == "effective_on"


def test_the_window_ends_so_many_days_after_the_companys_today() -> None:
    ahead = PolicyPublished(version=1, content=BusinessDates(kind="business_dates", earliest=date(2026, 1, 1), days_ahead=0))
    zone = PolicyPublished(version=1, content=company(time_zone="Europe/Berlin"))
    policies = Policies().with_published(ahead)
    assert window(NOW, policies) == (date(2026, 1, 1), date(2026, 3, 31))
    assert window(NOW, policies.with_published(zone)) == (date(2026, 1, 1), date(2026, 4, 1))
    assert widest_window(NOW, policies).earliest == date(1900, 1, 1)


def test_a_window_that_has_not_begun_is_refused() -> None:
    content = BusinessDates(kind="business_dates", earliest=TODAY + timedelta(days=1))
    given().when(PublishPolicy(content=content)).then(
        WindowNotBegun, field="content.earliest", message=str(TODAY), fix=str(TODAY)
    )


def test_a_time_zone_must_be_known() -> None:
    given().when(PublishPolicy(content=company(time_zone="Europe/Atlantis"))).then(
        UnknownTimeZone, field="content.time_zone", message="Europe/Atlantis"
    )
    given().when(PublishPolicy(content=company(time_zone="../../etc/passwd"))).then(UnknownTimeZone)
    for everywhere_another in ("localtime", "posix/Europe/Berlin", "right/Europe/Berlin", "posixrules", "Factory"):
        given().when(PublishPolicy(content=company(time_zone=everywhere_another))).then(UnknownTimeZone)
    with pytest.raises(TimeZoneMissing, match="Atlantis"):
        business_day(NOW, company(time_zone="Europe/Atlantis"))
