"""The currencies that a document may state: those in use on its business date (ISO 4217)."""

from collections.abc import Iterator
from datetime import date

from ltc_events.kernel.currencies import withdrawn
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.base import Command
from ltc_events.schemas.policy import Company, Dunning, PublishPolicy


class CurrencyWithdrawn(Refused):
    """{currency} was withdrawn: its last day was {last_day}, and {effective_on} is behind that"""

    remedy = "state the amounts in {successors}; or, for a document of its time, give an effective_on of {last_day} or earlier"


def require_in_use(command: Command, effective_on: date) -> None:
    """Refuse a command that states a currency withdrawn before its business date. Raises CurrencyWithdrawn.

    Commands that follow from an earlier document (an invoice of an order, an allocation) take its currency and state none.
    """
    for at, currency in stated(command):
        if (one := withdrawn().get(currency)) is not None and effective_on > one.last_day:
            successors = " or ".join(one.successors) or "the currency that took its place"
            raise CurrencyWithdrawn(
                currency=currency, last_day=one.last_day, effective_on=effective_on, successors=successors, at=at
            )


def stated(command: Command) -> Iterator[tuple[str, str]]:
    """The currencies that a command states, each with its field."""
    currency = getattr(command, "currency", None)
    if currency is not None:
        yield "currency", currency
    elif isinstance(command, PublishPolicy):
        content = command.content
        if isinstance(content, Company):
            yield "content.functional_currency", content.functional_currency
        elif isinstance(content, Dunning):
            yield from ((f"content.fees.{one}", one) for one in content.fees)
