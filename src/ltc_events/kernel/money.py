"""Exact money: decimals, ISO 4217 minor units, half-up rounding, and shares that add up."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation
from functools import lru_cache, reduce

from ltc_events.kernel.currencies import minor_digits, withdrawn

EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero])
"""The context of whatever must not lose a digit: it raises Inexact instead. That of `Decimal` itself rounds to 28 digits."""
# For what is divided and rounded to a minor unit at once. 200 digits never decide which way a half goes.
_ROUNDING = Context(prec=200, traps=[InvalidOperation, DivisionByZero])
ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

_PLACES = {digits: Decimal(1).scaleb(-digits) for digits in range(5)}
_CENT = _PLACES[2]


@lru_cache(maxsize=1024)
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: `0.01` for EUR, `1` for JPY, `0.001` for KWD (ISO 4217).

    A withdrawn currency has the minor unit that it had. An unknown code has `0.01`: stored events may name one, commands may
    not.
    """
    digits = minor_digits().get(currency)
    if digits is None and (known := withdrawn().get(currency)) is not None:
        digits = known.digits
    return _CENT if digits is None else _PLACES[digits]


def round_half_up(amount: Decimal, currency: str) -> Decimal:
    """`amount` to the currency's minor unit, halves away from zero (EN 16931, commercial rounding)."""
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP, _ROUNDING)


def round_to(amount: Decimal, increment: Decimal) -> Decimal:
    """`amount` to the nearest multiple of `increment`, halves away from zero: 2.03 to 0.05 is 2.05."""
    return EXACT.multiply(_ROUNDING.divide(amount, increment).quantize(ONE, ROUND_HALF_UP, _ROUNDING), increment)


def proportion(amount: Decimal, part: Decimal, whole: Decimal, currency: str) -> Decimal:
    """`amount` × `part` ÷ `whole`, half-up to the minor unit; nothing is rounded before that."""
    return round_half_up(_ROUNDING.divide(EXACT.multiply(amount, part), whole), currency)


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum, without rounding."""
    return reduce(EXACT.add, amounts, ZERO)


def apportion(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """`amount` shared in proportion to `weights` by largest remainder: each share is the exact one, rounded down or up.

    The shares add up to `amount`. All are multiples of the minor unit; the weights add up to more than zero, and some may be
    negative. An amount within the sum of the weights takes no share beyond its weight.
    """
    unit = minor_unit(currency)
    whole, parts = int(amount / unit), [int(weight / unit) for weight in weights]
    total = sum(parts)
    divided = [divmod(whole * part, total) for part in parts]
    left = whole - sum(quotient for quotient, _ in divided)
    nearest = set(sorted(range(len(parts)), key=lambda index: -divided[index][1])[:left])
    return [(quotient + (index in nearest)) * unit for index, (quotient, _) in enumerate(divided)]
