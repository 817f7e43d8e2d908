"""Exact money: decimals, ISO 4217 minor units, half-up rounding, and splits whose last share takes the remainder."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

# ISO 4217: the currencies whose minor unit is not two digits. Every other currency has two.
_MINOR_DIGITS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
    CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD
    HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD
    RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XDR XOF XPF XSU XUA YER ZAR ZMW ZWG ZWL
    """.split()  # noqa: SIM905 - a list of 173 strings, one a line, would hide the module
)
"""ISO 4217, list one, with those withdrawn of late; without metals, the code for tests and the one for no currency."""
_PLACES = {digits: Decimal(1).scaleb(-digits) for digits in range(5)}
_CENT = _PLACES[2]


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: `0.01` for EUR, `1` for JPY, `0.001` for KWD (ISO 4217)."""
    digits = _MINOR_DIGITS.get(currency)
    return _CENT if digits is None else _PLACES[digits]


def round_half_up(amount: Decimal, currency: str) -> Decimal:
    """`amount` to the currency's minor unit, halves away from zero (EN 16931, commercial rounding)."""
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP)


def round_to(amount: Decimal, increment: Decimal) -> Decimal:
    """`amount` to the nearest multiple of `increment`, halves away from zero: 2.03 to 0.05 is 2.05."""
    return (amount / increment).quantize(ONE, ROUND_HALF_UP) * increment


def split(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """`amount` shared in proportion to `weights`, each share rounded, the last taking the remainder.

    The shares always add up to `amount`. `weights` must be non-empty and add up to more than zero.
    """
    total = sum(weights, ZERO)
    shares = [round_half_up(amount * weight / total, currency) for weight in weights[:-1]]
    shares.append(amount - sum(shares, ZERO))
    return shares
