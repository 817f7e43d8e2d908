"""How much a command may hold. Every text, list, mapping and number of a command has a limit that all behind it can hold.

What is there behind it: PostgreSQL's index rows (2,704 bytes, with up to 4 bytes a character), its integers of 4 bytes, its
dates, and messages of Kafka. A test walks every field of every command and fails for one without a limit.

Events have no limits (adr 3): what was recorded under a wider one is readable for ever.
"""

import re
from collections.abc import Sized
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

from ltc_events.kernel.ids import is_reserved

TEXT_CHARACTERS_MAX: Final = 4000
"""Of a text that no index holds."""
NAME_CHARACTERS_MAX: Final = 300
"""Of a text that an index may hold: 1,200 bytes at most, so that two of them fit into one index row."""
LINES_MAX: Final = 10_000
NUMBER_DIGITS: Final = 15
"""Before the decimal point, of an amount, a quantity or a percentage."""
NET_MAX: Final = Decimal(10) ** NUMBER_DIGITS - 1
"""Of what a line or an invoice comes to: no more than one payment, refund or write-off can be."""
COMMAND_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of a command's canonical JSON: `LINES_MAX` lines of 838 bytes each, where an ordinary one has 100 to 300."""
EVENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Of an event's data as JSON. It holds for what is decided from now on: what was recorded is readable, whatever its size."""
LINE_NUMBER_MAX: Final = 999_999
"""Lines are often numbered in tens or hundreds."""
INSTALMENTS_MAX: Final = 120
DAYS_MAX: Final = 3650
MINUTES_MAX: Final = 10 * 366 * 24 * 60
COUNT_MAX: Final = 1_000_000_000
"""Of a number that is counted somewhere else: it fits into 4 bytes."""
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
"""Days that a command may name: far enough from the ends of the calendar that all terms can be added to them."""
DAY_PATTERN = r"^(19|20|21)\d{2}-\d{2}-\d{2}$"

RECORDED: Final = object()
"""The validation context in which events are read: `Limits` do not hold for what was recorded."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a field that commands and events have in common: they hold for commands alone."""

    least: int | None = None
    most: int | None = None
    entries_max: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler.resolve_ref_schema(handler(schema))
        size = "maxProperties" if described.get("type") == "object" else "maxItems"
        stated = {"minimum": self.least, "maximum": self.most, size: self.entries_max}
        described.update({name: limit for name, limit in stated.items() if limit is not None})
        return described

    def _check(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        if info.context is RECORDED:
            return value
        if self.least is not None and value < self.least:
            raise PydanticKnownError("greater_than_equal", {"ge": self.least})
        if self.most is not None and value > self.most:
            raise PydanticKnownError("less_than_equal", {"le": self.most})
        if self.entries_max is not None and isinstance(value, Sized) and len(value) > self.entries_max:
            kind = {"field_type": type(value).__name__.capitalize(), "max_length": self.entries_max, "actual_length": len(value)}
            raise PydanticKnownError("too_long", kind)
        return value


_PLAIN_NUMBER = re.compile(rf"-?[0-9]{{1,{NUMBER_DIGITS}}}(?:\.[0-9]{{1,9}})?").fullmatch
NUMBER_PATTERN = rf"^-?\d{{1,{NUMBER_DIGITS}}}(\.\d{{1,9}})?$"
RECORDED_NUMBER_PATTERN = r"^-?\d+(\.\d+)?$"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch
_UUID_CHARACTERS = 36


def number_as_text(value: object) -> object:
    """Amounts travel as JSON strings: a JSON number may have lost digits before we see it.

    They look as their JSON Schema says: what Python would also take for a number (1e3, 1_000) is not what we publish.
    """
    if isinstance(value, str):
        if _PLAIN_NUMBER(value) is None:
            raise PydanticCustomError(
                "decimal_parsing", "this is not a decimal number of up to 15 digits and 9 decimals, written out in digits"
            )
    elif isinstance(value, float | int):
        raise PydanticCustomError("decimal_parsing", "an amount is a string, not a JSON number")
    return value


def day_as_text(value: object) -> object:
    """Dates are written `2026-01-31`: pydantic would also take a number of seconds for one, and a date with a time."""
    if isinstance(value, str):
        if _DAY(value) is None:
            raise PydanticCustomError("date_form", "this is not a date")
    elif type(value) is not date:
        raise PydanticCustomError("date_form", "a date is a string")
    return value


def moment_as_text(value: object) -> object:
    """Times are written `2026-01-31T12:00:00Z` (RFC 3339): pydantic would also take a number for one."""
    if isinstance(value, str):
        if _MOMENT(value) is None:
            raise PydanticCustomError("time_form", "this is not a time with its offset from UTC")
    elif not isinstance(value, datetime):
        raise PydanticCustomError("time_form", "a time is a string")
    return value


def own_uuid(value: UUID) -> UUID:
    """Ids that are reserved for the ledger's own streams are nobody else's."""
    if is_reserved(value):
        raise PydanticCustomError("reserved_id", "{id} is reserved for the ledger itself", {"id": str(value)})
    return value


def uuid_as_text(value: object) -> object:
    """UUIDs are written with hyphens, as their JSON Schema says: pydantic would also take braces, URNs and bare digits."""
    if isinstance(value, str):
        if len(value) != _UUID_CHARACTERS:
            raise PydanticCustomError("uuid_parsing", "this is not a UUID of 36 characters")
    elif not isinstance(value, UUID):
        raise PydanticCustomError("uuid_parsing", "a UUID is a string")
    return value
