"""Commands as documents, with ids that follow from all they say; and why a row cannot become one, in words."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import WIRE_PREFIX

Document = dict[str, Any]


class Envelope(NamedTuple):
    """What all commands of an import share."""

    namespace: str
    source: str
    actor: str | None
    zone: tzinfo


class BadRow(ValueError):
    """A row that does not become its command."""

    def __init__(self, code: str, reason: str, fix: str, field: str = "", value: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.fix = fix
        self.field = field
        self.value = value


def begin(value: datetime | date, zone: tzinfo) -> datetime:
    """A moment with its zone; of a day, its first."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=zone)
    return datetime(value.year, value.month, value.day, tzinfo=zone)


@lru_cache(maxsize=20_000)
def moment_of(text: str, zone: tzinfo) -> tuple[str, str]:
    """A step's time as the envelope has it (in UTC) and its business date (in the zone). Raises BadRow.

    A local time that clocks skip is refused; of one that they show twice, the first is taken.
    """
    instant, mark, day = text.partition("Z")
    if mark:
        return _iso(datetime.fromisoformat(instant).replace(tzinfo=UTC)), day
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRow("not_a_date", f"{text!r} is no day of our calendar", "correct it in the file", "time", text) from error
    moment = local.replace(tzinfo=zone)
    if zone is not UTC and moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        reason = f"{local} never was in {zone}: clocks were put forward"
        raise BadRow("no_such_time", reason, "correct the time or the timezone", "time", text)
    return _iso(moment.astimezone(UTC)), text[:10]


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def make(
    envelope: Envelope,
    type: str,
    subject: str,
    key: str,
    moment: datetime | str,
    day: str | None,
    actor: str | None,
    data: Mapping[str, Any],
) -> Document:
    """A command as a CloudEvent. Its id follows from all it says: said twice, it is one command.

    `day` is the business date, whatever the company's time zone is; by default that of `moment` in the zone it has.
    """
    actor = actor or envelope.actor
    if isinstance(moment, datetime):
        day = day or moment.date().isoformat()
        moment = _iso(moment.astimezone(UTC))
    data = {**data, "effective_on": day}
    content = orjson.dumps(data, option=orjson.OPT_SORT_KEYS).decode()
    id = derive_id("import", envelope.namespace, "command", type, subject, key, moment, actor or "", content)
    document: Document = {
        "specversion": "1.0",
        "id": str(id),
        "source": envelope.source,
        "type": WIRE_PREFIX + type,
        "subject": subject,
        "partitionkey": key,
        "time": moment,
        "data": data,
    }
    if actor:
        document["actor"] = actor
    return document


def without_nothing(value: Any) -> Any:
    """Data without the fields that have no value."""
    if isinstance(value, dict):
        return {name: without_nothing(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nothing(one) for one in value if one is not None]
    return value
