"""Time zones by their IANA names, the date of an instant in one, and instants as text."""

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ltc_events.kernel.errors import Kind, LtcError


class TimeZoneMissing(LtcError):
    """this machine does not know {name}, the time zone of policy company"""

    kind = Kind.DEFECT
    remedy = "install the IANA time zones (the system's or Python's package tzdata)"


@lru_cache(maxsize=16)  # a ledger has one; whoever publishes another tries a few
def known_zone(name: str) -> tzinfo | None:
    """The time zone of an IANA name, or None where there is none."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def stated_zone(name: str) -> tzinfo | None:
    """The same for a name that is stated anew, which has to mean the same on every machine.

    Beside the zones lie files that do not: `localtime` is the machine's own, `posix/…` and `right/…` are not everywhere, and
    `Factory` says that nobody has chosen one. Names of the database begin with a capital.
    """
    return known_zone(name) if name[:1].isupper() and name != "Factory" else None


def zone_named(name: str) -> tzinfo:
    """The time zone of an IANA name from a published policy. Raises TimeZoneMissing."""
    zone = known_zone(name)
    if zone is None:
        raise TimeZoneMissing(name=name)
    return zone


def day_in(zone: tzinfo, moment: datetime) -> date:
    """The date of an instant in a zone."""
    return moment.astimezone(zone).date()


def utc_text(moment: datetime) -> str:
    """A timezone-aware instant in UTC, ISO 8601: `2026-03-01T12:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
