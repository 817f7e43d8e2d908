"""The currencies of ISO 4217: those in use (list one), as its maintenance agency publishes them, and those withdrawn."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

# What ISO 4217 published of currencies whose hundredths were no longer used.
_HUNDREDTHS = dict.fromkeys(("MRO", "SLL", "STD", "TMM", "ZMK", "ZWD"), 2)


class Withdrawn(NamedTuple):
    """A withdrawn currency: the last day on which it was legal tender anywhere, and the currencies that are tender there now."""

    last_day: date
    digits: int
    successors: tuple[str, ...]


@lru_cache(maxsize=1)
def minor_digits() -> Mapping[str, int]:
    """Maps each code to the number of digits of its minor unit: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217).

    A code that has none is not here, since nobody can say what its smallest amount is: metals, XDR, XTS for tests, XXX for no
    currency. The table is read at the first call, so that a start which needs no currency does not pay for it.
    """
    from iso4217 import Currency

    return MappingProxyType({one.code: one.exponent for one in Currency if one.exponent is not None})


@lru_cache(maxsize=1)
def withdrawn() -> Mapping[str, Withdrawn]:
    """Maps each code to a currency that is no longer legal tender, from the CLDR (Babel).

    ISO 4217 names them, too (list three), with the month alone, and without their minor units. Their digits are how they were
    used, which was not always what ISO 4217 had while it listed them.
    """
    from babel.core import get_global
    from babel.numbers import get_currency_precision

    present = minor_digits()
    ended: dict[str, dict[str, date]] = {}
    tender: dict[str, list[str]] = {}
    for territory, entries in get_global("territory_currencies").items():
        for code, _, end, is_tender in entries:
            if is_tender and code in present and end is None:
                tender.setdefault(territory, []).append(code)
            elif is_tender and code not in present and end is not None:
                ends = ended.setdefault(code, {})
                ends[territory] = max(date(*end), ends.get(territory, date.min))
    return MappingProxyType(
        {code: _withdrawn(ends, tender, _HUNDREDTHS.get(code) or get_currency_precision(code)) for code, ends in ended.items()}
    )


def _withdrawn(ends: Mapping[str, date], tender: Mapping[str, list[str]], digits: int) -> Withdrawn:
    last_day = max(ends.values())
    successors = {now for territory, end in ends.items() if end == last_day for now in tender.get(territory, ())}
    return Withdrawn(last_day, digits, tuple(sorted(successors)))
