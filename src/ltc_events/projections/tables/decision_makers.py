"""Who takes part in customers' decisions."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.opportunity import DecisionMakerMapped
from ltc_events.schemas.record import Record


class DecisionMakers(Projection):
    """Who takes part in the customer's decision about a deal: one row each time it was said, never changed (R-40)."""

    table, version, key = "decision_makers", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity"),
        "contact_name": column("text", "the person"),
        "role": column("text", "the person's part in the decision"),
        "influence": column("text", "how much the person counts"),
    }
    indexes = (("opportunity_id",), ("customer_id",))

    @on(DecisionMakerMapped)
    def mapped(self, event: DecisionMakerMapped, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            **times(record),
            customer_id=record.customer_id,
            opportunity_id=record.subject,
            contact_name=event.contact_name,
            role=event.role,
            influence=event.influence,
        )
