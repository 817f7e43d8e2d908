"""PriceBook: what things cost, version by version (R-48). It belongs to the company."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ltc_events.aggregates.base import Aggregate, require_not_before
from ltc_events.aggregates.policies import Policies
from ltc_events.aggregates.tax_category import require_tax
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Event
from ltc_events.schemas.policy import PriceBookItem, PriceBookPublished, PublishPriceBook


@dataclass(frozen=True, slots=True)
class PriceList:
    """One version of a price book: its items by their sku."""

    version: int
    valid_from: date
    items: Mapping[str, PriceBookItem]


@dataclass(frozen=True, slots=True)
class PriceBook:
    """All versions of a price book, in the order they were published."""

    currency: str
    lists: tuple[PriceList, ...]
    published_on: date

    def on(self, day: date) -> PriceList | None:
        """The prices valid on a day: those that began last by then, of two that began together the later version.

        So prices published ahead of time stay planned when today's are corrected. None when all begin later.
        """
        begun = [prices for prices in self.lists if prices.valid_from <= day]
        return max(begun, key=lambda prices: (prices.valid_from, prices.version), default=None)


class CurrencyChanged(Refused):
    """the price book is in {was}, not in {currency}"""

    field = "currency"
    remedy = "publish the prices in {was}, or in another price book with a subject of its own"


class RepeatedItem(Refused):
    """{sku} stands in the price book twice"""

    remedy = "keep one of the items with sku {sku}"


def decide(state: PriceBook | None, command: PublishPriceBook, _policies: Policies) -> list[Event]:
    """Publish the next version; it is valid from its own date on, else from the command's business date."""
    if state is not None and command.currency != state.currency:
        raise CurrencyChanged(was=state.currency, currency=command.currency)
    if state is not None:
        require_not_before(command.effective_on, state.published_on, f"version {state.lists[-1].version} of the price book")
    seen: set[str] = set()
    for index, item in enumerate(command.items):
        if item.sku in seen:
            raise RepeatedItem(sku=item.sku, at=f"items.{index}.sku")
        seen.add(item.sku)
        require_tax(item.tax_category, item.tax_rate, f"items.{index}")
    return [
        PriceBookPublished(
            version=1 if state is None else state.lists[-1].version + 1,
            title=command.title,
            currency=command.currency,
            valid_from=command.valid_from or command.effective_on,
            items=command.items,
        )
    ]


def evolve(state: PriceBook | None, event: PriceBookPublished, effective_on: date) -> PriceBook:
    """A price book with one version more."""
    added = PriceList(event.version, event.valid_from, {item.sku: item for item in event.items})
    return PriceBook(event.currency, (*(() if state is None else state.lists), added), effective_on)


PRICE_BOOK = Aggregate("price_book", decide, evolve)
