"""Tax categories: the code list of EN 16931 (BT-95, BT-102, BT-118, BT-151) and the rate that each may have. Pure."""

from decimal import Decimal
from types import MappingProxyType

from ltc_events.kernel.errors import Refused

_TAXED = "a rate above 0"
_UNTAXED = "the rate 0"
_ANY = "any rate"
CATEGORIES = MappingProxyType(
    {
        "S": ("standard or reduced rate", _TAXED),
        "Z": ("zero rated", _UNTAXED),
        "E": ("exempt", _UNTAXED),
        "AE": ("reverse charge", _UNTAXED),
        "K": ("intra-community supply", _UNTAXED),
        "G": ("export outside of the EU", _UNTAXED),
        "O": ("not subject to tax", _UNTAXED),
        "L": ("Canary Islands, IGIC", _ANY),
        "M": ("Ceuta and Melilla, IPSI", _ANY),
        "B": ("Italian split payment", _TAXED),
    }
)
"""By the code (UNCL5305, as EN 16931 takes it): what it means, and the rates that go with it (BR-S-5 … BR-O-5)."""
_KNOWN = "; ".join(f"{code} {meaning}" for code, (meaning, _) in CATEGORIES.items())


class UnknownTaxCategory(Refused):
    """{category} is no tax category{whose}"""

    remedy = "use one of EN 16931: {known}"


class TaxRateUnfit(Refused):
    """tax category {category} ({meaning}) has {rates}, not {rate} %{whose}"""

    remedy = "give {rates}, or the category that the rate belongs to: S for a rate above 0; Z, E, AE, K, G or O for 0"


def require_tax(category: str, rate: Decimal, at: str) -> None:
    """Refuse a tax category that EN 16931 does not know, or a rate (in percent) that does not go with it.

    `at` is the place in the command that has `tax_category` and `tax_rate`, e.g. `lines.3`.
    """
    _require(category, rate, f"{at}.tax_category", f"{at}.tax_rate", "")


def require_ordered_tax(category: str, rate: Decimal, order_line: int) -> None:
    """The same of a line as it was ordered, for a command that names the order alone."""
    _require(category, rate, "order_id", "order_id", f", as order line {order_line} has it: amend the order")


def _require(category: str, rate: Decimal, category_at: str, rate_at: str, whose: str) -> None:
    known = CATEGORIES.get(category)
    if known is None:
        raise UnknownTaxCategory(category=category, known=_KNOWN, whose=whose, at=category_at)
    meaning, rates = known
    if rates is not _ANY and (rates is _TAXED) != (rate > 0):
        raise TaxRateUnfit(category=category, meaning=meaning, rates=rates, rate=rate, whose=whose, at=rate_at)
