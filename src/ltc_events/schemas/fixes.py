"""Translates pydantic's errors into refusals, each with the field and a fix."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ltc_events.schemas.base import Command
from ltc_events.schemas.outcome import Refusal

_MALFORMED, _OUT_OF_RANGE, _UNKNOWN_VALUE, _TOO_LONG = "malformed", "out_of_range", "unknown_value", "too_long"
_AMOUNT = 'write a decimal number as a string, for example "1234.50"'
_SMALLER = "give an amount of at most 15 digits before the point and 9 behind it"
_DATE = "write an existing date as YYYY-MM-DD, for example 2026-01-31"
_TIME = "write an existing time with its offset from UTC, for example 2026-01-31T12:00:00Z"
_UUID = "write a UUID with its hyphens, for example 0190a000-0000-7000-8000-000000000001"
RESERVED_FIX = "choose another id, best a UUID of version 7"
_FIXES = {
    "missing": ("missing_field", "give it a value"),
    "extra_forbidden": ("unknown_field", "leave it out"),
    "string_type": (_MALFORMED, "write a text in quotes"),
    "string_unicode": (_MALFORMED, "write a text in UTF-8"),
    "string_too_short": ("missing_field", "give at least {min_length} character"),
    "string_too_long": (_TOO_LONG, "shorten it to {max_length} characters"),
    "string_pattern_mismatch": (_MALFORMED, "write it in the form {pattern}"),
    "enum": (_UNKNOWN_VALUE, "use one of {expected}"),
    "literal_error": (_UNKNOWN_VALUE, "use one of {expected}"),
    "union_tag_invalid": (_UNKNOWN_VALUE, "set {discriminator} to one of {expected_tags}"),
    "union_tag_not_found": ("missing_field", "give it a {discriminator}"),
    "greater_than": (_OUT_OF_RANGE, "give more than {gt}"),
    "greater_than_equal": (_OUT_OF_RANGE, "give at least {ge}"),
    "less_than": (_OUT_OF_RANGE, "give less than {lt}"),
    "less_than_equal": (_OUT_OF_RANGE, "give at most {le}"),
    "decimal_parsing": (_MALFORMED, _AMOUNT),
    "decimal_type": (_MALFORMED, _AMOUNT),
    "decimal_max_digits": (_OUT_OF_RANGE, _SMALLER),
    "decimal_max_places": (_OUT_OF_RANGE, _SMALLER),
    "decimal_whole_digits": (_OUT_OF_RANGE, _SMALLER),
    "int_type": (_MALFORMED, "write a whole number without quotes, for example 3"),
    "int_parsing_size": (_OUT_OF_RANGE, "give a number of fewer digits"),
    "bool_type": (_MALFORMED, "write true or false without quotes"),
    "date_form": (_MALFORMED, _DATE),
    "date_from_datetime_parsing": (_MALFORMED, _DATE),
    "date_parsing": (_MALFORMED, _DATE),
    "time_form": (_MALFORMED, _TIME),
    "datetime_parsing": (_MALFORMED, _TIME),
    "datetime_from_date_parsing": (_MALFORMED, _TIME),
    "timezone_aware": (_MALFORMED, _TIME),
    "uuid_parsing": (_MALFORMED, _UUID),
    "uuid_type": (_MALFORMED, _UUID),
    "reserved_id": ("reserved_id", RESERVED_FIX),
    "currency": (_UNKNOWN_VALUE, "use a three-letter code of ISO 4217 of a currency that has a minor unit, for example EUR"),
    "email": (_MALFORMED, "write name@domain, for example ann@example.com. {reason}"),
    "identifier": (_MALFORMED, "correct it; it looks like {example}. {reason}"),
    "country": (_UNKNOWN_VALUE, "{meant}"),
    "too_short": ("missing_field", "give at least {min_length}"),
    "too_long": (_TOO_LONG, "give at most {max_length}"),
    "dict_type": (_MALFORMED, "write an object, for example {{}}"),
    "model_type": (_MALFORMED, "write an object with its fields, for example {{}}"),
    "model_attributes_type": (_MALFORMED, "write an object with its fields, for example {{}}"),
    "tuple_type": (_MALFORMED, "write a list, for example []"),
    "list_type": (_MALFORMED, "write a list, for example []"),
}
# What a pattern means, said in words: by the name of the field.
_FORMS = {
    "phone": ("this is not a telephone number", "write digits with the usual separators, for example +49 30 1234567"),
}


def refusals(model: type[Command], error: ValidationError) -> tuple[Refusal, ...]:
    """The refusals for data that is invalid for this command."""
    return tuple(_refusal(model, dict(detail)) for detail in error.errors(include_url=False))


def fix_of(detail: Mapping[str, Any], otherwise: str) -> tuple[str, str]:
    """The code and the fix for one pydantic error."""
    code, fix = _FIXES.get(detail["type"], (_MALFORMED, otherwise))
    return code, fix.format(**(detail.get("ctx") or {}))


def _refusal(model: type[Command], detail: Mapping[str, Any]) -> Refusal:
    code, fix = fix_of(detail, f"write it as docs/schemas/commands/{model.type}.json says")
    if code == "unknown_field" and len(detail["loc"]) == 1:
        known = ", ".join(name for name in model.model_fields if name != "occurred_at")
        fix = f"leave it out; {model.type} knows {known}"
    field = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"])
    if detail["type"] == "string_pattern_mismatch":
        message, fix = _FORMS.get(field.rpartition(".")[2], (message, fix))
    return Refusal(code=code, field=field, message=_outside(detail) or message, fix=fix)


def _outside(detail: Mapping[str, Any]) -> str | None:
    """How a date misses the span that there is, with both dates; None for anything else."""
    limits = detail.get("ctx") or {}
    for name, misses in (("ge", "before"), ("le", "after"), ("gt", "not after"), ("lt", "not before")):
        if isinstance(limits.get(name), str):  # so pydantic tells limits of dates and times; those of numbers are numbers
            return f"{detail['input']} is {misses} {limits[name]}"
    return None


def with_nul(value: Any, at: str = "") -> Iterator[str]:
    """The places at or below `at` that hold the character U+0000, which PostgreSQL cannot store."""
    if isinstance(value, str) and "\0" in value:
        yield at
    elif isinstance(value, Mapping):
        for name, one in value.items():
            within = f"{at}.{name}".lstrip(".").replace("\0", "\\0")
            if "\0" in str(name):
                yield within
            yield from with_nul(one, within)
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from with_nul(one, f"{at}.{index}".lstrip("."))


def nul_refusal(field: str) -> Refusal:
    """Why a text with that character is refused."""
    message = "it holds the character U+0000, which PostgreSQL cannot store"
    return Refusal(code=_MALFORMED, field=field, message=message, fix=f"leave the character U+0000 out of {field}")
