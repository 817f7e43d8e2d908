"""What opportunities were believed to be worth, and when to close."""

from collections.abc import Iterator
from typing import Any

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.opportunity import (
    AmountChanged,
    CloseDateChanged,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
)
from ltc_events.schemas.record import Record


class OpportunityAmounts(Projection):
    """What opportunities were believed to be worth and when they were expected to close: one row each time it was said, never
    changed (R-38). A field that is null was not mentioned; the last row that mentions it, up to a date and position, counts."""

    table, version, key = "opportunity_amounts", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity"),
        "cause": column("text", "opened, amount_changed, close_date_changed, won or lost"),
        "amount": column("numeric", "what it was believed to be worth"),
        "currency": column("text", "currency of the amount (ISO 4217)"),
        "expected_close_on": column("date", "when it was expected to close"),
        "reason": column("text", "why that changed"),
    }
    indexes = (("opportunity_id", "position"),)

    @on(OpportunityOpened)
    def opened(self, event: OpportunityOpened, record: Record) -> Iterator[Operation]:
        yield _row(record, "opened", amount=event.amount, currency=event.currency, expected_close_on=event.expected_close_on)

    @on(AmountChanged)
    def amount_changed(self, event: AmountChanged, record: Record) -> Iterator[Operation]:
        yield _row(record, "amount_changed", amount=event.amount, currency=event.currency, reason=event.reason)

    @on(CloseDateChanged)
    def close_date_changed(self, event: CloseDateChanged, record: Record) -> Iterator[Operation]:
        yield _row(record, "close_date_changed", expected_close_on=event.expected_close_on, reason=event.reason)

    @on(OpportunityWon)
    def won(self, event: OpportunityWon, record: Record) -> Iterator[Operation]:
        yield _row(record, "won", amount=event.amount, currency=event.currency)

    @on(OpportunityLost)
    def lost(self, event: OpportunityLost, record: Record) -> Iterator[Operation]:
        yield _row(record, "lost", amount=event.amount, currency=event.currency)


def _row(record: Record, cause: str, **values: Any) -> Operation:
    place = {"customer_id": record.customer_id, "opportunity_id": record.subject, "cause": cause}
    return Put(record.position, **times(record), **place, **values)
