"""All commands and events: importing this module fills the registries of commands and events."""

from ltc_events.schemas import (
    campaign,
    claim,
    contract,
    credit_note,
    customer,
    follow_up,
    invoice,
    lead,
    number_series,
    opportunity,
    order,
    payment,
    policy,
    quote,
    receivable,
)
from ltc_events.schemas.base import COMMANDS, EVENTS

MODULES = (
    customer,
    campaign,
    lead,
    follow_up,
    opportunity,
    policy,
    quote,
    contract,
    order,
    invoice,
    receivable,
    credit_note,
    payment,
    claim,
    number_series,
)
"""Where commands and events are declared, in the order of the documentation; a noun has one module, or several."""

COMPANY_NOUNS = frozenset({"campaign", "policy", "price_book", "number_series"})
"""Nouns that belong to the company; everything else belongs to one customer."""

__all__ = ["COMMANDS", "COMPANY_NOUNS", "EVENTS", "MODULES", "noun_of"]


def noun_of(type_name: str) -> str:
    """The noun of a command's or event's type: `invoice` of `invoice.issue.v1`."""
    return type_name.partition(".")[0]
