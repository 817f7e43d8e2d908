"""Size limits of commands. Every text, list, mapping and number of a command has a limit that every later stage can store.

The stages set these bounds: PostgreSQL's index rows (2,704 bytes, up to 4 bytes a character), 4-byte integers and dates, and
the size of Kafka messages. A test checks every field of every command and fails for one without a limit.

Events have no limits (adr 3): an event recorded under a wider limit stays readable.
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
    """Limits of a field shared by commands and events; applied to commands alone."""

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
    """Accept amounts as JSON strings only: a JSON number may have lost digits in transit.

    The form is that of the published JSON Schema: other notations that Python parses (1e3, 1_000) are refused.
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
    """Accept dates as `2026-01-31` only: pydantic would also accept a number of seconds, and a date with a time."""
    if isinstance(value, str):
        if _DAY(value) is None:
            raise PydanticCustomError("date_form", "this is not a date")
    elif type(value) is not date:
        raise PydanticCustomError("date_form", "a date is a string")
    return value


def moment_as_text(value: object) -> object:
    """Accept times as `2026-01-31T12:00:00Z` (RFC 3339) only: pydantic would also accept a number."""
    if isinstance(value, str):
        if _MOMENT(value) is None:
            raise PydanticCustomError("time_form", "this is not a time with its offset from UTC")
    elif not isinstance(value, datetime):
        raise PydanticCustomError("time_form", "a time is a string")
    return value


def own_uuid(value: UUID) -> UUID:
    """Refuse ids that are reserved for the ledger's own streams."""
    if is_reserved(value):
        raise PydanticCustomError("reserved_id", "{id} is reserved for the ledger itself", {"id": str(value)})
    return value


def uuid_as_text(value: object) -> object:
    """Accept UUIDs with hyphens only, as their JSON Schema requires: pydantic would also accept braces, URNs and bare digits."""
    if isinstance(value, str):
        if len(value) != _UUID_CHARACTERS:
            raise PydanticCustomError("uuid_parsing", "this is not a UUID of 36 characters")
    elif not isinstance(value, UUID):
        raise PydanticCustomError("uuid_parsing", "a UUID is a string")
    return value
