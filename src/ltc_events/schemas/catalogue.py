"""All nouns at once: importing this module fills the registries of commands and events."""

from ltc_events.schemas import (
    campaign,
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
    number_series,
)

COMPANY_NOUNS = frozenset({"campaign", "policy", "price_book", "number_series"})
"""Nouns that belong to the company; everything else belongs to one customer."""

__all__ = ["COMMANDS", "COMPANY_NOUNS", "EVENTS", "NOUNS"]
