"""Events in words: what is said of each, and how amounts, codes and names stand in it."""

from collections.abc import Sequence
from decimal import Decimal

from ltc_events.schemas.base import Event, OrderedEvent


def summarise(event: Event) -> str:
    """What happened, in one line; where policy has it recorded although it is dated before what it acts on, that too."""
    later = event.dated_before if isinstance(event, OrderedEvent) else None
    return f"{event.in_words()} (dated before {later}, the date of what it follows)" if later else event.in_words()


def money(amount: Decimal, currency: str) -> str:
    """`1,234.50 EUR`."""
    return f"{amount:,f} {currency}"


def number(value: Decimal) -> str:
    """Without idle zeros: `12.5`, `100`."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def because(reason: object) -> str:
    """`: too late`; nothing, where there is no reason."""
    return f": {reason}" if reason else ""


def by(person: str | None) -> str:
    """` by Olga`; nothing, where nobody is named."""
    return f" by {person}" if person else ""


def words(code: str) -> str:
    """`needs analysis` for the code `needs_analysis`."""
    return code.replace("_", " ")


def lines(of: Sequence[object]) -> str:
    """`1 line`, `3 lines`."""
    return "1 line" if len(of) == 1 else f"{len(of)} lines"
