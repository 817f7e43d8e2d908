"""Every aggregate by its noun, which is the first part of the names of its commands and events."""

from typing import Any

from ltc_events.aggregates.base import Aggregate
from ltc_events.aggregates.campaign import CAMPAIGN
from ltc_events.aggregates.claim import CLAIM
from ltc_events.aggregates.contract import CONTRACT
from ltc_events.aggregates.credit_note import CREDIT_NOTE
from ltc_events.aggregates.customer import CUSTOMER
from ltc_events.aggregates.invoice import INVOICE
from ltc_events.aggregates.lead import LEAD
from ltc_events.aggregates.number_series import NUMBER_SERIES
from ltc_events.aggregates.opportunity import OPPORTUNITY
from ltc_events.aggregates.order import ORDER
from ltc_events.aggregates.payment import PAYMENT
from ltc_events.aggregates.policy import POLICY
from ltc_events.aggregates.price_book import PRICE_BOOK
from ltc_events.aggregates.quote import QUOTE

AGGREGATES: dict[str, Aggregate[Any]] = {
    "policy": POLICY,
    "price_book": PRICE_BOOK,
    "campaign": CAMPAIGN,
    "customer": CUSTOMER,
    "lead": LEAD,
    "opportunity": OPPORTUNITY,
    "quote": QUOTE,
    "contract": CONTRACT,
    "order": ORDER,
    "invoice": INVOICE,
    "credit_note": CREDIT_NOTE,
    "payment": PAYMENT,
    "claim": CLAIM,
    "number_series": NUMBER_SERIES,
}
