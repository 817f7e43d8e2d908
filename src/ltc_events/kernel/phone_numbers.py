"""Telephone numbers in E.164, by the numbering plans of libphonenumber."""

from functools import lru_cache
from typing import Final, NamedTuple

_REMEMBERED: Final = 8192
_E164_CHARACTERS_MAX: Final = 16


class PhoneNumber(NamedTuple):
    """A text parsed as a telephone number."""

    is_possible: bool
    """Whether there can be such a number: false where its country has none of that length, or there is no such country code."""
    e164: str | None
    """The number as `+493012345678`, where it lies in a range that is in use; None where that cannot be said."""


@lru_cache(maxsize=_REMEMBERED)
def read_phone_number(text: str, country: str | None) -> PhoneNumber:
    """Read a number as somebody in `country` (ISO 3166, such as `DE`; None: unknown) writes it.

    A national number of an unknown country counts as possible, and so does one of a range that is not known to be in use, since
    plans change faster than programs are updated. Numbering plans are loaded on first use, country by country.
    """
    from phonenumbers import (
        SUPPORTED_REGIONS,
        NumberParseException,
        PhoneNumberFormat,
        ValidationResult,
        format_number,
        is_possible_number_with_reason,
        is_valid_number,
        parse,
    )

    region = country if country in SUPPORTED_REGIONS else None
    try:
        number = parse(text, region)
    except NumberParseException as error:
        is_national = region is None and not text.startswith("+")
        return PhoneNumber(is_national and error.error_type == NumberParseException.INVALID_COUNTRY_CODE, None)
    if is_possible_number_with_reason(number) not in (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return PhoneNumber(False, None)
    e164 = format_number(number, PhoneNumberFormat.E164)
    # The plans have a few numbers that are longer than the 15 digits of E.164.
    return PhoneNumber(True, e164 if is_valid_number(number) and len(e164) <= _E164_CHARACTERS_MAX else None)
