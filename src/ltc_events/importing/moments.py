"""Dates and times as other systems write them, by formats such as `%d.%m.%Y %H:%M`; never by the machine's language."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from re import Match

from ltc_events.importing.errors import BadValue

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_FIELDS = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp]\.?[Mm]\.?)",
    "z": r"(?P<z>Z|[+-]\d{2}:?\d{2})",
    "%": "%",
}
_CENTURY_TURN = 69  # %y: 69 to 99 are 19xx, 00 to 68 are 20xx, as POSIX says


class MomentFormat:
    """One way to write a moment: `%Y %y %m %d %H %I %M %S %f %p %z %b %B`, everything else as it stands.

    `%b` and `%B` are a month by its name, whole or its first three letters, or one of `months` (12 names). Raises ValueError
    for an unknown directive, one that is given twice, or when a date is not said in full.
    """

    def __init__(self, format: str, months: Sequence[str] = MONTHS) -> None:
        self.format = format
        self._months = {name.casefold(): number for number, name in enumerate(months, 1)}
        for number, name in enumerate(months, 1):
            self._months.setdefault(name[:3].casefold(), number)
        names = "|".join(re.escape(name) for name in sorted(self._months, key=len, reverse=True))
        fields = {**_FIELDS, "b": f"(?P<b>{names})", "B": f"(?P<b>{names})"}
        pattern = ""
        seen: set[str] = set()
        for literal, directive in re.findall(r"([^%]+)|%(.?)", format):
            if literal:
                pattern += re.escape(literal)
                continue
            if directive not in fields:
                raise ValueError(f"%{directive} is not known; use {' '.join('%' + one for one in fields)}")
            if directive in seen:
                raise ValueError(f"%{directive} stands twice")
            seen.update(directive.replace("%", ""))
            pattern += fields[directive]
        if not (seen & {"Y", "y"} and seen & {"m", "b", "B"} and "d" in seen):
            raise ValueError("a format needs a year (%Y or %y), a month (%m or %b) and a day (%d)")
        if ("I" in seen) != ("p" in seen):
            raise ValueError("%I (hour to 12) and %p (am or pm) go together")
        self._match = re.compile(pattern, re.ASCII | re.IGNORECASE).fullmatch

    def read(self, text: str) -> datetime | None:
        """The moment as written: naive, unless the format has an offset. None when the text is no such moment."""
        match = self._match(text)
        if match is None:
            return None
        try:
            return self._moment(match)
        except ValueError:  # 30 February
            return None

    def _moment(self, match: Match[str]) -> datetime:
        part = match.groupdict()
        year = int(part["Y"]) if part.get("Y") else _year(int(part["y"]))
        month = int(part["m"]) if part.get("m") else self._months[part["b"].casefold()]
        hour = int(part.get("H") or 0)
        if part.get("I"):
            hour = _hour(int(part["I"]), part["p"])
        fraction = (part.get("f") or "0").ljust(6, "0")
        if fraction[6:].strip("0"):
            raise ValueError("finer than a microsecond")
        return datetime(
            year,
            month,
            int(part["d"]),
            hour,
            int(part.get("M") or 0),
            int(part.get("S") or 0),
            int(fraction[:6]),
            _offset(part.get("z")),
        )


def date_parser(formats: Sequence[str], *, months: Sequence[str] = MONTHS) -> Callable[[str], date]:
    """A reader of days. A time of day that the text has is left out. Raises BadValue."""
    read = _reader(formats, months)
    return lambda text: read(text).date()


def time_parser(formats: Sequence[str], zone: tzinfo, *, months: Sequence[str] = MONTHS) -> Callable[[str], datetime]:
    """A reader of moments. Those without an offset are local to `zone`, whose day is theirs; a day alone is its first moment.

    Raises BadValue.
    """
    read = _reader(formats, months)

    def parse(text: str) -> datetime:
        return localised(read(text), zone)

    return parse


def localised(moment: datetime, zone: tzinfo) -> datetime:
    """A moment with its zone. A local time that clocks skip is refused; of one that they show twice, the first is taken."""
    if moment.tzinfo is not None:
        return moment
    found = moment.replace(tzinfo=zone)
    if zone is not UTC and found.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise BadValue(
            "no_such_time", f"{moment} never was in {zone}: clocks were put forward", "correct the time or the timezone"
        )
    return found


def _reader(formats: Sequence[str], months: Sequence[str]) -> Callable[[str], datetime]:
    known = [MomentFormat(one, months) for one in formats]
    first = known[0]
    rest = known[1:]
    shown = " or ".join(formats)

    def read(text: str) -> datetime:
        moment = first.read(text)
        readings = set() if moment is None else {moment}
        for one in rest:
            another = one.read(text)
            if another is not None:
                readings.add(another)
        if len(readings) == 1:
            return readings.pop()
        if readings:
            both = " and as ".join(sorted(map(str, readings)))
            raise BadValue("ambiguous_date", f"{text!r} can be read as {both}", "leave one format in the mapping's column")
        raise BadValue("not_a_date", f"{text!r} is not a date in the form {shown}", "correct it, or add its form to the mapping")

    return read


def _year(short: int) -> int:
    return short + (1900 if short >= _CENTURY_TURN else 2000)


def _hour(hour: int, half: str) -> int:
    if not 1 <= hour <= 12:
        raise ValueError("hour")
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _offset(text: str | None) -> tzinfo | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
