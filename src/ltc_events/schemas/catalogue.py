"""All nouns at once: importing this module fills the registries of commands and events."""

from ltc_events.schemas import (
    campaign,
    claim,
    contract,
    credit_note,
    customer,
    invoice,
    lead,
    number_series,
    opportunity,
    order,
    payment,
    policy,
    quote,
)
from ltc_events.schemas.base import COMMANDS, EVENTS

NOUNS = (
    customer,
    campaign,
    lead,
    opportunity,
    policy,
    quote,
    contract,
    order,
    invoice,
    credit_note,
    payment,
    claim,
    number_series,
)

COMPANY_NOUNS = frozenset({"campaign", "policy", "price_book", "number_series"})
"""Nouns that belong to the company; everything else belongs to one customer."""

__all__ = ["COMMANDS", "COMPANY_NOUNS", "EVENTS", "NOUNS", "noun_of"]


def noun_of(type_name: str) -> str:
    """The noun of a command's or event's type: `invoice` of `invoice.issue.v1`."""
    return type_name.partition(".")[0]
