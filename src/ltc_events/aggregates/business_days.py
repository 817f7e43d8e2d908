"""Business days: the date in the company's time zone, its fiscal year, and the window of dates that policy sets (R-75)."""

from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from ltc_events.aggregates.policies import Policies
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.time_zones import day_in, zone_named
from ltc_events.schemas.policy import BusinessDates, Company


class OutsideWindow(Refused):
    """{effective_on} is not between {earliest} and {latest}, the business dates that policy business_dates allows today"""

    field = "effective_on"
    remedy = "give an effective_on from {earliest} to {latest}, or publish a business_dates policy that allows {effective_on}"


class Window(NamedTuple):
    """The first and the last business date that a command may have."""

    earliest: date
    latest: date

    def require(self, effective_on: date) -> None:
        """Raises OutsideWindow."""
        if not self.earliest <= effective_on <= self.latest:
            raise OutsideWindow(effective_on=effective_on, earliest=self.earliest, latest=self.latest)


def zone_of(company: Company) -> tzinfo:
    """The company's time zone. Raises TimeZoneMissing."""
    return zone_named(company.time_zone)


def business_day(moment: datetime, company: Company) -> date:
    """The date of an instant in the company's time zone."""
    return day_in(zone_of(company), moment)


def window(now: datetime, policies: Policies) -> Window:
    """The business dates that commands may have at an instant."""
    dates = policies.business_dates.content
    return Window(dates.earliest, business_day(now, policies.company.content) + timedelta(days=dates.days_ahead))


def widest_window(now: datetime, policies: Policies) -> Window:
    """The window of policy version 0, in which policy `business_dates` itself can always be published and so corrected."""
    dates = BusinessDates(kind="business_dates")
    return Window(dates.earliest, business_day(now, policies.company.content) + timedelta(days=dates.days_ahead))


def fiscal_year(day: date, company: Company) -> int:
    """The fiscal year of a day, by which documents are numbered: the calendar year of the fiscal year's first or last day."""
    starts = company.fiscal_year_starts
    if starts == 1:
        return day.year
    first = day.year if day.month >= starts else day.year - 1
    return first if company.fiscal_year_named_by == "first_day" else first + 1
