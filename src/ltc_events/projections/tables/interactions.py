"""What passed between us and customers about their deals."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.opportunity import InteractionLogged
from ltc_events.schemas.record import Record


class Interactions(Projection):
    """What passed between us and a customer about a deal: one row each time, never changed (R-35, R-41, R-42)."""

    table, version, key = "interactions", 1, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **TIMES,
        "customer_id": column("uuid", "the customer"),
        "opportunity_id": column("uuid", "the opportunity"),
        "kind": column("text", "call, email, meeting, visit, information, demo, trial, objection, evidence or care"),
        "summary": column("text", "what it was about"),
        "person": column("text", "who on our side"),
    }
    indexes = (("opportunity_id",), ("customer_id",))

    @on(InteractionLogged)
    def logged(self, event: InteractionLogged, record: Record) -> Iterator[Operation]:
        yield Put(
            record.position,
            **times(record),
            customer_id=record.customer_id,
            opportunity_id=record.subject,
            kind=event.kind,
            summary=event.summary,
            person=event.by,
        )
