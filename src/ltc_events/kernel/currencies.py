"""The currencies of ISO 4217 (list one), as its maintenance agency publishes them."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType


@lru_cache(maxsize=1)
def minor_digits() -> Mapping[str, int]:
    """By code the digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.

    A code that has none is not here, since nobody can say what its smallest amount is: metals, XDR, XTS for tests, XXX for no
    currency. The table is read at the first call, so that a start which needs no currency does not pay for it.
    """
    from iso4217 import Currency

    return MappingProxyType({one.code: one.exponent for one in Currency if one.exponent is not None})
