"""What the simulated company sells, and what its customers typically put into one basket."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from ltc_events.kernel.money import HUNDRED, round_half_up
from ltc_events.schemas.policy import PriceBookItem
from ltc_events.simulation.chance import Chance

CURRENCY: Final = "EUR"
HUNDRED_EUROS: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Article:
    """A thing on the price list. Ordered quantities lie between `low` and `high`, times `step`."""

    sku: str
    description: str
    price: Decimal
    low: int
    high: int
    tax_category: str = "S"
    tax_rate: Decimal = Decimal(19)
    step: Decimal = Decimal(1)


class Wanted(NamedTuple):
    """So much of an article."""

    article: Article
    quantity: Decimal


_D = Decimal
MACHINES: Final = (
    Article("PRESS-200", "Hydraulic press, 200 t", _D("48500.00"), 1, 2),
    Article("PRESS-80", "Hydraulic press, 80 t", _D("21900.00"), 1, 2),
    Article("CONV-10", "Conveyor, 10 m", _D("6480.00"), 1, 4),
)
COMPONENTS: Final = (
    Article("CTRL-S", "Machine controller S", _D("1290.00"), 1, 6),
    Article("GATE-1", "Edge gateway", _D("745.00"), 1, 8),
    Article("SENS-V", "Vibration sensor", _D("149.50"), 4, 40),
    Article("SENS-T", "Temperature sensor", _D("89.90"), 5, 60),
    Article("PART-KIT", "Spare part kit", _D("312.40"), 1, 12),
)
SERVICES: Final = (
    Article("SVC-INST", "Installation, hour", _D("115.00"), 8, 60, step=_D("0.5")),
    Article("SVC-CONS", "Consulting, hour", _D("165.00"), 4, 40, step=_D("0.25")),
    Article("TRAIN-1", "Operator training, day", _D("980.00"), 1, 4),
)
SUBSCRIPTIONS: Final = (
    Article("MON-BASE", "Condition monitoring, year", _D("1188.00"), 1, 5),
    Article("MON-PRO", "Condition monitoring Pro, year", _D("2988.00"), 1, 4),
    Article("SUP-12", "Support, 12 months", _D("2400.00"), 1, 1),
)
PAPERS: Final = (
    Article("BOOK-OP", "Operator handbook", _D("38.50"), 2, 20, tax_rate=_D(7)),
    Article("CERT-CAL", "Calibration certificate", _D("64.00"), 1, 20, tax_category="E", tax_rate=_D(0)),
)
ARTICLES: Final = MACHINES + COMPONENTS + SERVICES + SUBSCRIPTIONS + PAPERS


def price_list(rise_percent: int = 0) -> tuple[PriceBookItem, ...]:
    """The price list, dearer by so many percent than the first."""
    factor = (HUNDRED + rise_percent) / HUNDRED
    return tuple(
        PriceBookItem(
            sku=article.sku,
            description=article.description,
            list_price=round_half_up(article.price * factor, CURRENCY),
            tax_category=article.tax_category,
            tax_rate=article.tax_rate,
        )
        for article in ARTICLES
    )


def basket(chance: Chance, size: str) -> tuple[Wanted, ...]:
    """What a customer of this size (`small`, `medium`, `large`) wants this time."""
    chosen: list[Article] = []
    if chance.percent({"small": 8, "medium": 25, "large": 45}[size]):
        chosen.append(chance.pick(MACHINES))
    chosen += chance.several(COMPONENTS, chance.between(0 if chosen else 1, 2))
    if chance.percent(60):
        chosen.append(chance.pick(SERVICES))
    if chance.percent(40):
        chosen.append(chance.pick(SUBSCRIPTIONS))
    if chance.percent(25):
        chosen.append(chance.pick(PAPERS))
    return tuple(Wanted(article, _quantity(chance, article)) for article in chosen)


def spare_parts(chance: Chance) -> tuple[Wanted, ...]:
    """What is ordered without much ado by those who know us."""
    chosen = chance.several(COMPONENTS, chance.between(1, 2))
    return tuple(Wanted(article, _quantity(chance, article)) for article in chosen)


def other_quantities(chance: Chance, wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    """The same articles, more or less of them."""
    return tuple(Wanted(one.article, _quantity(chance, one.article)) for one in wanted)


def list_value(wanted: Iterable[Wanted]) -> Decimal:
    """What it costs by the first price list, before discounts and tax."""
    return sum((one.article.price * one.quantity for one in wanted), Decimal(0))


def _quantity(chance: Chance, article: Article) -> Decimal:
    # Small quantities are the rule: the lower of two draws.
    count = min(chance.between(article.low, article.high), chance.between(article.low, article.high))
    return count * article.step
