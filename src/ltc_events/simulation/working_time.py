"""Time in whole seconds since 1970 (UTC), and when people work: Monday to Friday, 8 to 18 o'clock."""

from datetime import UTC, date, datetime

MINUTE = 60
HOUR = 3600
DAY = 86_400
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_OPENS, _CLOSES = 8 * HOUR, 18 * HOUR
_SATURDAY = 5


def seconds(day: date) -> int:
    """The first second of a day."""
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY


def day_of(at: int) -> date:
    """The day of a second."""
    return date.fromordinal(at // DAY + _EPOCH_ORDINAL)


def moment(at: int) -> datetime:
    """A second as a timezone-aware time in UTC."""
    return datetime.fromtimestamp(at, UTC)


def weekday(at: int) -> int:
    """0 is Monday, 6 is Sunday."""
    return (at // DAY + 3) % 7  # 1 January 1970 was a Thursday


def at_work(at: int) -> int:
    """`at` if people work then, else some time in the two hours after they next begin to."""
    second = at % DAY
    midnight = at - second
    if second >= _CLOSES:
        midnight += DAY
    if weekday(midnight) >= _SATURDAY:
        midnight += (7 - weekday(midnight)) * DAY
    elif second >= _OPENS and midnight == at - second:
        return at
    return midnight + _OPENS + second % (2 * HOUR)


def workday(at: int) -> int:
    """The first second of the first working day that is not before the day of `at`."""
    midnight = at - at % DAY
    return midnight + max(0, 7 - weekday(midnight)) * DAY if weekday(midnight) >= _SATURDAY else midnight
