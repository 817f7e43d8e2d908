"""One-line summaries of events, and the formats of amounts, codes and names in them."""

from collections.abc import Sequence
from decimal import Decimal

from ltc_events.schemas.base import Event, OrderedEvent


def summarise(event: Event) -> str:
    """The event's one-line summary; it adds the date of what the event acts on where that is later than the event's own."""
    later = event.dated_before if isinstance(event, OrderedEvent) else None
    return f"{event.in_words()} (dated before {later}, the date of what it follows)" if later else event.in_words()


def money(amount: Decimal, currency: str) -> str:
    """`1,234.50 EUR`."""
    return f"{amount:,f} {currency}"


def number(value: Decimal) -> str:
    """Without trailing zeros: `12.5`, `100`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def because(reason: object) -> str:
    """`: too late`; an empty string without a reason."""
    return f": {reason}" if reason else ""


def by(person: str | None) -> str:
    """` by Olga`; an empty string where nobody is named."""
    return f" by {person}" if person else ""


def words(code: str) -> str:
    """`needs analysis` for the code `needs_analysis`."""
    return code.replace("_", " ")


def lines(of: Sequence[object]) -> str:
    """`1 line`, `3 lines`."""
    return "1 line" if len(of) == 1 else f"{len(of)} lines"
