"""The titles and owners of opportunities over time."""

from collections.abc import Iterator
from typing import Any

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.opportunity import OpportunityOpened, OwnerChanged, TitleChanged
from ltc_events.schemas.record import Record


class OpportunityDetails(Projection):
    """Titles and owners of opportunities: one row for the opening and for each change, never changed. A field that is null was
    not stated; the last row that states it, up to a date and position, counts."""

    table, version, key = "opportunity_details", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity"),
        "cause": column("text", "opened, title_changed or owner_changed"),
        "title": column("text", "its title from then on"),
        "owner": column("text", "its owner from then on"),
        "reason": column("text", "the reason for the change"),
    }
    indexes = (("opportunity_id", "position"),)

    @on(OpportunityOpened)
    def opened(self, event: OpportunityOpened, record: Record) -> Iterator[Operation]:
        yield _row(record, "opened", title=event.title, owner=event.owner)

    @on(TitleChanged)
    def title_changed(self, event: TitleChanged, record: Record) -> Iterator[Operation]:
        yield _row(record, "title_changed", title=event.title, reason=event.reason)

    @on(OwnerChanged)
    def owner_changed(self, event: OwnerChanged, record: Record) -> Iterator[Operation]:
        yield _row(record, "owner_changed", owner=event.owner, reason=event.reason)


def _row(record: Record, cause: str, **values: Any) -> Operation:
    place = {"customer_id": record.customer_id, "opportunity_id": record.subject, "cause": cause}
    return Put(record.position, **times(record), **place, **values)
