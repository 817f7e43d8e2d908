"""Identifiers of companies and accounts, validated by their check digits with python-stdnum; no register is queried.

Each function returns the normalised number, without spaces and in capital letters, or raises PydanticCustomError.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from pydantic_core import PydanticCustomError

_REMEMBERED: Final = 4096
_PREFIX: Final = 2
GREECE: Final = "el"
"""What its VAT ids begin with, where ISO 3166 has `GR`."""


@lru_cache(maxsize=_REMEMBERED)
def vat_id(text: str) -> str:
    """A VAT id with its country in front (EN 16931 BT-48): `DE136695976`, `CHE107787577IVA`, `GB980780684`.

    The number of a country whose rule is unknown is accepted unchanged.
    """
    from stdnum import get_cc_module
    from stdnum.eu import vat
    from stdnum.util import clean

    number = clean(text, " -./").upper()
    prefix = number[:_PREFIX]
    if not (prefix.isascii() and prefix.isalpha() and number[_PREFIX:].isalnum() and number.isascii()):
        raise _wrong("vat_id", "VAT id", "It begins with the two letters of a country.")
    if prefix.lower() in {*vat.MEMBER_STATES, GREECE}:
        return _checked("vat_id", "VAT id", vat.validate, number)
    rule = get_cc_module(prefix.lower(), "vat")
    if rule is None:
        return number
    # Some rules know their numbers with the country in front, some without.
    bare = number[_PREFIX:]
    kept = _checked("vat_id", "VAT id", rule.validate, number if rule.is_valid(number) else bare)
    return kept if kept.startswith(prefix) else prefix + kept


@lru_cache(maxsize=_REMEMBERED)
def lei(text: str) -> str:
    """A legal entity identifier (ISO 17442): `213800KUD8LAJWSQ9D15`."""
    from stdnum import lei as rule

    return _checked("lei", "LEI", rule.validate, text)


@lru_cache(maxsize=_REMEMBERED)
def iban(text: str) -> str:
    """An international bank account number (ISO 13616): `DE89370400440532013000`."""
    from stdnum import iban as rule

    return _checked("iban", "IBAN", rule.validate, text)


@lru_cache(maxsize=_REMEMBERED)
def bic(text: str) -> str:
    """A bank's identifier code (ISO 9362): `DEUTDEFF`."""
    from stdnum import bic as rule

    return _checked("bic", "BIC", rule.validate, text)


def _checked(type: str, name: str, validate: Callable[[str], str], text: str) -> str:
    from stdnum.exceptions import ValidationError

    try:
        return validate(text)
    except ValidationError as error:
        raise _wrong(type, name, str(error)) from error


def _wrong(type: str, name: str, reason: str) -> PydanticCustomError:
    return PydanticCustomError("identifier", "this is no {name}", {"name": name, "reason": reason, "example": _EXAMPLES[type]})


_EXAMPLES: Final = {
    "vat_id": "DE136695976",
    "lei": "213800KUD8LAJWSQ9D15",
    "iban": "DE89370400440532013000",
    "bic": "DEUTDEFF",
}
